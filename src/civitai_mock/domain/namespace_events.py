"""Events of a namespace: dated past facts that are not about one job, such as what became of a pod of its fleet."""

from collections.abc import Sequence
from datetime import datetime

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import ReadOnlyJson


@dataclass(frozen=True, slots=True, kw_only=True)
class NamespaceEvent:
    """Is one fact; `key` names it within its namespace, so that it is stored once however often it is appended.

    `at` is the time by the clock of the namespace, and `body` what is told beside it. The jobs of `job_ids` are told as
    well, and it is on the streams of these; None is for a fact that is about no jobs at all.
    """

    key: str
    type: str
    at: datetime
    body: ReadOnlyJson
    job_ids: Sequence[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedEvent:
    """Is an event as it is stored, in an epoch: its `position` is greater than those of all events before it.

    `feed_position` is the last position of the feed of jobs' events by then.
    """

    position: int
    epoch: int
    feed_position: str
    event: NamespaceEvent
