"""End jobs because the caller says so."""

from collections.abc import Sequence
from dataclasses import dataclass

from civitai_mock.domain.errors import NotFoundError
from civitai_mock.domain.job import Job
from civitai_mock.domain.stages import Outcome
from civitai_mock.domain.token import decode_token
from civitai_mock.ports import Clock, JobSignals, JobStore


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelJobs:
    """A queued or running job ends as Deleted; one that has ended stays as it is."""

    jobs: JobStore
    signals: JobSignals
    clock: Clock

    async def by_id(self, job_id: str) -> None:
        """Raise `NotFoundError` for an unknown job."""
        await self._cancel([job_id], unknown=f"The job '{job_id}' does not exist.")

    async def by_token(self, token: str) -> None:
        """Raise `NotFoundError` if no job of the token is left, `InvalidRequestError` for a token that is none."""
        await self._cancel(decode_token(token), unknown="No job of this token exists.")

    async def _cancel(self, job_ids: Sequence[str], *, unknown: str) -> None:
        jobs = await self.jobs.get_many(job_ids)
        if not jobs:
            raise NotFoundError(unknown)
        ended = [job.id for job in jobs if await self._end(job)]
        if ended:
            self.signals.ended(ended)

    async def _end(self, job: Job) -> bool:
        current: Job | None = job
        while current is not None and current.outcome is None:
            ended = current.ended(Outcome.DELETED, at=self.clock.now(), context={})
            if await self.jobs.replace(current, ended):
                return True
            current = await self.jobs.get(job.id)
        return False
