"""What whoever looks into a namespace can ask for: its jobs, their graphs, and its queue."""

from collections.abc import Sequence

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.search import QueuedJob
from civitai_mock.ports import Clock, JobQueue
from civitai_mock.services.callback_views import ShowCallbacks
from civitai_mock.services.faults.blob_views import ShowBlobFaults
from civitai_mock.services.faults.try_rule import TryRule
from civitai_mock.services.job_graphs import ShowGraphs
from civitai_mock.services.job_listing import CountJobs, ListJobs
from civitai_mock.services.journal.reading import ReadJournal
from civitai_mock.services.journal.verify import VerifyRequests
from civitai_mock.services.list_due import ListDue
from civitai_mock.services.list_images import ListImages
from civitai_mock.services.overview import ShowOverview
from civitai_mock.services.shown_settings import ShowSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQueue:
    """Lists the jobs that could be claimed now."""

    queue: JobQueue
    clock: Clock

    async def __call__(self) -> Sequence[QueuedJob]:
        """Return them in the order in which they will be claimed."""
        return (await self.queue.snapshot(recent_since=self.clock.now())).jobs


@dataclass(frozen=True, slots=True, kw_only=True)
class LookingIn:
    """Holds the use cases of whoever looks in, which change nothing and are loaded for the first of them."""

    list_jobs: ListJobs
    count_jobs: CountJobs
    list_images: ListImages
    list_due: ListDue
    list_queue: ListQueue
    show_overview: ShowOverview
    show_graphs: ShowGraphs
    show_callbacks: ShowCallbacks
    show_blob_faults: ShowBlobFaults
    show_settings: ShowSettings
    read_journal: ReadJournal
    verify: VerifyRequests
    try_rule: TryRule
