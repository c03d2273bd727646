"""The claims that this process works on, and the renewal of all their leases with one write."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import structlog

from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.job import Job
from civitai_mock.ports import Clock, JobQueue
from civitai_mock.scheduler.job_runner import JobRunner

logger = structlog.stdlib.get_logger()


class InFlight:
    """Holds at most one walk a job, each with the task that it runs in."""

    def __init__(self) -> None:
        self._tasks: dict[str, tuple[JobRunner, asyncio.Task[None]]] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    @property
    def tasks(self) -> set[asyncio.Task[None]]:
        return {task for _, task in self._tasks.values()}

    @property
    def walks(self) -> Mapping[str, JobRunner]:
        """Return the walks by job id, as they are now."""
        return {job_id: walk for job_id, (walk, _) in self._tasks.items()}

    def get(self, job_id: str) -> JobRunner | None:
        walk, _ = self._tasks.get(job_id, (None, None))
        return walk

    def add(self, walk: JobRunner, task: asyncio.Task[None]) -> None:
        """An earlier walk of the same job has lost its claim, or there would not be another one."""
        earlier = self.get(walk.job.id)
        if earlier is not None:
            self.lose(earlier)
        self._tasks[walk.job.id] = (walk, task)

    def remove(self, walk: JobRunner) -> bool:
        """False if another walk has taken its place."""
        is_current = self.get(walk.job.id) is walk
        if is_current:
            del self._tasks[walk.job.id]
        return is_current

    def serves(self, job: Job) -> bool:
        """Whether the claim that `job` was found with is one that this process works on."""
        walk = self.get(job.id)
        return walk is not None and walk.claim.is_same(job.claim)

    def hear(self, job: Job) -> bool:
        """Let go of a job that ended or was taken away; True if this process worked on it.

        Word about what the job was before its claim, or before our last write to it, is not about that claim.
        """
        walk = self.get(job.id)
        if walk is None:
            return False
        if job.seq > walk.job.seq and not walk.claim.is_same(job.claim):
            self.lose(walk)
        return True

    def renewed(self, asked: Mapping[str, JobRunner], held: Iterable[str]) -> None:
        """Let go of those `asked` about that are not `held` any more; one that is being written finds out by that."""
        lost = [asked[job_id] for job_id in asked.keys() - held if not asked[job_id].is_writing]
        lost = [walk for walk in lost if self.get(walk.job.id) is walk]
        if lost:
            logger.warning("claims lost", job_ids=sorted(walk.job.id for walk in lost))
        for walk in lost:
            self.lose(walk)

    def lose(self, walk: JobRunner) -> None:
        """Somebody else ended or took the job."""
        walk.lost = True
        self._cancel(walk)

    def time_out(self, walk: JobRunner) -> None:
        """Its claim has lasted as long as it may."""
        if not walk.lost:
            walk.timed_out = True
            self._cancel(walk)

    def _cancel(self, walk: JobRunner) -> None:
        current, task = self._tasks[walk.job.id]
        if current is walk:
            task.cancel()


PAUSE_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Leases:
    """Renewed at half their length, beside the work; sooner after a failure, as others begin to count."""

    queue: JobQueue
    clock: Clock
    worker_id: str
    lease: timedelta
    in_flight: InFlight

    async def run(self) -> None:
        pause = self.lease.total_seconds() / 2
        while True:
            await self.clock.sleep(pause)
            is_renewed = await self._try_to_renew()
            pause = self.lease.total_seconds() / 2 if is_renewed else min(PAUSE_SECONDS, self.lease.total_seconds() / 4)

    async def _try_to_renew(self) -> bool:
        try:
            await self.renew()
        except TransientError as error:
            logger.warning("leases not renewed", error=error.message)
        except Exception:
            logger.exception("leases not renewed")
        else:
            return True
        return False

    async def renew(self) -> None:
        """A lease that is over is renewed as well, as long as nobody took the job."""
        walks = self.in_flight.walks
        if walks:
            held = await self.queue.renew(self.worker_id, walks.keys(), self.clock.now() + self.lease)
            self.in_flight.renewed(walks, held)
