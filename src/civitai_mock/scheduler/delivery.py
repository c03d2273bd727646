"""One callback on its way to its receiver."""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum, auto

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.job import Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Is one event on its way to the `url`; `key` is the same at each attempt, `failures` counts those before.

    It happened `at` a time, to `jobs`. It is posted `times` times, one after the other.
    """

    url: str
    content: bytes
    key: str
    seq: int
    failures: int
    at: datetime
    jobs: Sequence[Job]
    times: int = 1
    follows_redirects: bool = True


class Next(Enum):
    """Says whether another event follows one that is the last so far of those that its subscriber is to be told of."""

    EXPECTED = auto()
    NEVER = auto()
