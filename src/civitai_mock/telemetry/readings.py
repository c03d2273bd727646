"""What is read for one scrape of the metrics; whoever reads it need not load prometheus-client."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.search import Backlog
from civitai_mock.ports import WorkerReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """Holds what nobody counts all the time; `backlog` is None while the store does not say.

    `jobs_in_flight` are by stage. `counts_prompts` says whether this process has prompts of its own on the `workers`.
    """

    version: str
    now: datetime
    jobs_in_flight: Mapping[str, int]
    backlog: Backlog | None
    workers: Sequence[WorkerReport]
    counts_prompts: bool
    namespaces: int
