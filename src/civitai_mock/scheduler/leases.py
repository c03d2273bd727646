"""The claims that this process works on, and the renewal of all their leases with one write."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import structlog

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.job import Job
from civitai_mock.domain.search import FeedEntry
from civitai_mock.ports import Clock, JobQueue
from civitai_mock.scheduler.job_runner import CancelReason, JobRunner
from civitai_mock.services.error_boundary import ErrorBoundary

logger = structlog.stdlib.get_logger()

PAUSE_SECONDS = 1.0


class InFlight:
    """Keeps the runners that are at work, at most one a job."""

    def __init__(self) -> None:
        self._runners: dict[str, JobRunner] = {}
        self._leases: dict[str, datetime] = {}

    def __len__(self) -> int:
        return len(self._runners)

    @property
    def runners(self) -> Mapping[str, JobRunner]:
        """Return the runners by job id, as they are now."""
        return dict(self._runners)

    @property
    def leased_until(self) -> datetime | None:
        """Return when the first of their leases ends, if none is renewed any more; None without any."""
        return min(self._leases.values(), default=None)

    def get(self, job_id: str) -> JobRunner | None:
        return self._runners.get(job_id)

    def add(self, runner: JobRunner) -> None:
        """Add a runner; an earlier one of the same job has lost its claim, or there would not be another claim."""
        earlier = self.get(runner.job.id)
        if earlier is not None:
            earlier.cancel(CancelReason.LOST)
        self._runners[runner.job.id] = runner
        self._leases[runner.job.id] = runner.claim.until

    def remove(self, runner: JobRunner) -> bool:
        """Return False if another runner has taken its place."""
        is_current = self.get(runner.job.id) is runner
        if is_current:
            del self._runners[runner.job.id], self._leases[runner.job.id]
        return is_current

    def holds(self, job: Job) -> bool:
        """Return whether the claim that `job` was found with is one that this process works on."""
        runner = self.get(job.id)
        return runner is not None and runner.claim.is_same(job.claim)

    def note_renewed(self, job_ids: Iterable[str], until: datetime) -> None:
        """Note until when leases hold that were renewed."""
        self._leases.update({job_id: until for job_id in job_ids if job_id in self._leases})

    def cancel_if_taken(self, job: Job) -> None:
        """Cancel the runner of a job that ended or was taken away.

        What the job was before the runner's claim, or before its last write, says nothing about that claim.
        """
        runner = self.get(job.id)
        if runner is not None and job.seq > runner.job.seq and not runner.claim.is_same(job.claim):
            runner.cancel(CancelReason.LOST)

    def cancel_ended(self, entries: Iterable[FeedEntry]) -> None:
        """Cancel the runners of jobs that another process has ended; one that is writing finds out by its write."""
        for entry in entries:
            runner = self.get(entry.job_id)
            if (
                runner is not None
                and entry.outcome is not None
                and entry.seq > runner.job.seq
                and not runner.is_writing
            ):
                runner.cancel(CancelReason.LOST)

    def cancel_lost(self, asked: Mapping[str, JobRunner], held: Iterable[str]) -> None:
        """Cancel the runners among `asked` whose jobs are not `held` any more.

        One that is writing finds out by its write; one whose last write was in the same group as the renewal has ended
        its claim, and is about to go.
        """
        missing = [asked[job_id] for job_id in asked.keys() - held if not asked[job_id].is_writing]
        lost = [runner for runner in missing if self.get(runner.job.id) is runner and runner.is_holding]
        if lost:
            logger.warning("claims lost", job_ids=sorted(runner.job.id for runner in lost))
        for runner in lost:
            runner.cancel(CancelReason.LOST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leases:
    """Renews leases at half their length, beside the work, for each worker that a process has.

    After a failure it does so sooner, as others begin to count.
    """

    queue: JobQueue
    clock: Clock
    lease: timedelta
    in_flight: InFlight

    async def run(self) -> None:
        pause = self.lease.total_seconds() / 2
        while True:
            await self.clock.sleep(pause)
            is_renewed = await self._try_to_renew()
            pause = self.lease.total_seconds() / 2 if is_renewed else min(PAUSE_SECONDS, self.lease.total_seconds() / 4)

    async def _try_to_renew(self) -> bool:
        with ErrorBoundary("leases not renewed", away="leases not renewed") as boundary:
            await self._renew()
        return boundary.error is None

    async def _renew(self) -> None:
        """Renew also the leases that are over, as long as nobody has taken the jobs."""
        workers: dict[str, dict[str, JobRunner]] = {}
        for job_id, runner in self.in_flight.runners.items():
            workers.setdefault(runner.claim.worker_id, {})[job_id] = runner
        for worker_id, runners in workers.items():
            until = self.clock.now() + self.lease
            held = await self.queue.renew(worker_id, runners.keys(), until)
            self.in_flight.note_renewed(held, until)
            self.in_flight.cancel_lost(runners, held)
