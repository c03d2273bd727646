"""Keep answers about what has ended, ready to be sent again while nothing in them can have changed."""

from collections.abc import Awaitable, Callable, Hashable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeAlias

from starlette.types import Scope

from civitai_mock.api.exchange import Exchange
from civitai_mock.api.responses import JsonResponse

MAX_BYTES = 4 * 2**20  # about two thousand answers: more are hardly asked for again within one second
BYTES_BESIDE = 1000  # what an answer takes beside its body and the texts that were sent
SECOND = timedelta(seconds=1)

Sent: TypeAlias = tuple[str | bytes, ...]
Key: TypeAlias = tuple[Sent, *tuple[Hashable, ...]]


class Settled(NamedTuple):
    """Is a job or a workflow that has ended, in a state that `find_state` returns for its id until something changes.

    The state is not None, which stands for whatever is not settled any more.
    """

    id: str
    state: Hashable
    find_state: Callable[[str], Awaitable[Hashable]]


class KeptAnswer(NamedTuple):
    """Is an answer about something that was settled, which an endpoint made with the use cases of a namespace."""

    settled: Settled
    use_cases: object
    endpoint: object
    response: JsonResponse


class AnswerCache:
    """Keeps answers for the second in which their URLs were signed, and forgets all of them when it is over.

    What is kept is never right by itself: each time the store is asked whether it is still settled in the same state,
    which a change, a deletion and a sweep end, in whatever process. To make the answer anew costs four times as much.
    An answer is kept when its path is asked for again in the same second: most are not, and to keep them all took a
    tenth of the time of a job that is asked for once. Beyond `max_bytes` none is kept until the next second.
    """

    def __init__(self, *, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._begins = self._ends = datetime.min.replace(tzinfo=UTC)
        self._asked: set[int] = set()  # the hashes of the paths, as texts would take more; two with one hash do no harm
        self._answers: dict[Key, KeptAnswer] = {}

    async def find(self, exchange: Exchange) -> KeptAnswer | None:
        """Return the answer to a request if one is kept that is still right."""
        if hash(exchange.scope["path"]) not in self._asked:
            return None
        kept = self._answers.get(_key(exchange))
        if kept is None:
            return None
        cases = exchange.namespace.use_cases
        if kept.use_cases is not cases or not self._begins <= cases.clock.now() < self._ends:
            return None
        settled = kept.settled
        return kept if settled.state == await settled.find_state(settled.id) else None

    def keep(self, exchange: Exchange, response: JsonResponse, *, settled: Settled, begun: datetime) -> None:
        """Keep the answer to a request, which was made from `begun` until now, if it is one that can be kept."""
        cases = exchange.namespace.use_cases
        if exchange.method != "GET" or not self._is_of_this_second(begun, cases.clock.now()):
            return
        path = hash(exchange.scope["path"])
        if path not in self._asked:
            self._asked.add(path)
            return
        key = _key(exchange)
        size = BYTES_BESIDE + len(response.body) + sum(map(len, key[0]))
        if self._bytes + size <= self._max_bytes:
            self._bytes += size
            self._answers[key] = KeptAnswer(
                settled=settled,
                use_cases=cases,
                endpoint=exchange.scope["endpoint"],
                response=response,
            )

    def _is_of_this_second(self, begun: datetime, now: datetime) -> bool:
        if not self._begins <= now < self._ends:
            self._answers.clear()
            self._asked.clear()
            second = now.replace(microsecond=0)
            self._bytes, self._begins, self._ends = 0, second, second + SECOND
        return self._begins <= begun < self._ends


def answers_of(scope: Scope) -> AnswerCache:
    """Return what the app that a request is for has kept."""
    found: AnswerCache = scope["app"].answers
    return found


def _key(exchange: Exchange) -> Key:
    """Return all of a GET request that its answer depends on, as it was sent.

    A known client is recognised by three of the headers: where an answer is made, it is logged if it may be unable to
    read it. Without a Host header, URLs begin with the address of the server.
    """
    scope, header = exchange.scope, exchange.headers.get
    sent = (
        scope["path"],
        scope["query_string"],
        header(b"host", b""),
        header(b"user-agent", b""),
        header(b"accept", b""),
        header(b"content-type", b""),
    )
    server = tuple(scope.get("server") or ())  # ASGI allows a list as well
    chosen = (exchange.namespace_name, exchange.consumer, exchange.compat, exchange.result_format)
    return (sent, *chosen, scope["scheme"], server, scope.get("root_path"))
