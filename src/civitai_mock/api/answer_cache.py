"""Keep answers about jobs that have ended, ready to be sent again while nothing in them can have changed."""

from datetime import datetime
from typing import NamedTuple

from civitai_mock.api.responses import JsonResponse
from civitai_mock.api.vocabulary import ClientCompat

MAX_BYTES = 4 * 2**20  # about two thousand answers: more are hardly asked for again within one second
BYTES_BESIDE_BODY = 800


class AnswerKey(NamedTuple):
    """Holds what an answer about a job depends on beside the job and the time.

    `client` is the known client that asks: where an answer is made, a hint is logged that it may be unable to read it.
    """

    job_id: str
    owner: str | None
    base_url: str
    compat: ClientCompat | None
    client: str | None
    detailed: bool


class KeptAnswer(NamedTuple):
    """Is an answer about a job that was settled at a time; it is right while the job still is.

    `source` is what it was made with: the use cases of one namespace.
    """

    source: object
    settled_at: datetime
    response: JsonResponse


class AnswerCache:
    """Keeps answers for the second in which their URLs were signed, and forgets all of them when it is over.

    What is kept is never right by itself: whoever finds an answer asks the store whether the job is still settled at
    the same time, which a taint, a deletion and a sweep end, in whatever process. That costs 5 µs; to make the answer
    anew costs 60. Beyond `max_bytes` none is kept until the next second.
    """

    def __init__(self, *, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._second: datetime | None = None
        self._bytes = 0
        self._answers: dict[AnswerKey, KeptAnswer] = {}

    def find(self, key: AnswerKey, *, second: datetime) -> KeptAnswer | None:
        """Return what was kept in this second."""
        return self._answers.get(key) if second == self._second else None

    def keep(self, key: AnswerKey, answer: KeptAnswer, *, second: datetime) -> None:
        """Keep an answer whose URLs were all signed in this second."""
        if second != self._second:
            self._answers.clear()
            self._second, self._bytes = second, 0
        size = len(answer.response.body) + BYTES_BESIDE_BODY
        if self._bytes + size <= self._max_bytes:
            self._answers[key] = answer
            self._bytes += size
