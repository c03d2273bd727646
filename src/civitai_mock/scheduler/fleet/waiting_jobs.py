"""The jobs that wait for a fleet: each is read once, as what a fleet needs to know of it does not change."""

from collections.abc import Sequence
from datetime import datetime

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.fleet.document import FleetDocument
from civitai_mock.domain.fleet.policy import FleetJob, fleet_job
from civitai_mock.domain.stages import MovedBy
from civitai_mock.ports.jobs import JobQueue, JobStore

PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownJob:
    """Is a job as it was when it was read; it is read again if its `priority` has changed."""

    job: FleetJob
    priority: int
    is_timed: bool


class WaitingJobs:
    """Knows the jobs that could be claimed, in the order of the queue."""

    def __init__(self, *, jobs: JobStore, queue: JobQueue) -> None:
        self._jobs = jobs
        self._queue = queue
        self._known: dict[str, KnownJob] = {}
        self._document: FleetDocument | None = None

    async def read(self, document: FleetDocument, *, now: datetime, only_timed: bool) -> Sequence[FleetJob]:
        """Return the jobs that wait; with `only_timed` none whose namespace says what moves them."""
        if document != self._document:
            self._document, self._known = document, {}
        queued = (await self._queue.snapshot(recent_since=now)).jobs
        before, self._known = self._known, {}
        for job in queued:
            known = before.get(job.id)
            if known is not None and known.priority == job.priority:
                self._known[job.id] = known
        await self._learn([job.id for job in queued if job.id not in self._known], document)
        found = [self._known[job.id] for job in queued if job.id in self._known]
        return [each.job for each in found if each.is_timed or not only_timed]

    async def _learn(self, job_ids: Sequence[str], document: FleetDocument) -> None:
        for start in range(0, len(job_ids), PAGE):
            for job in await self._jobs.get_many(job_ids[start : start + PAGE]):
                if job.outcome is None and job.claim is None:
                    is_timed = job.moved_by is MovedBy.TIME
                    known = KnownJob(job=fleet_job(job, document), priority=job.priority, is_timed=is_timed)
                    self._known[job.id] = known
