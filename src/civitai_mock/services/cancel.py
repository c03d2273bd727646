"""End jobs because the caller says so."""

from collections.abc import Sequence
from dataclasses import dataclass

from civitai_mock.domain.errors import NotFoundError
from civitai_mock.domain.job import Job
from civitai_mock.domain.stages import Outcome
from civitai_mock.domain.tokens import decode_token
from civitai_mock.ports import Clock, JobStore
from civitai_mock.services.event_bus import EventBus
from civitai_mock.services.query import QueryJobs


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelJobs:
    """A queued or running job ends as Deleted; one that has ended stays as it is. `owner` is as in `QueryJobs`."""

    jobs: JobStore
    event_bus: EventBus
    clock: Clock

    async def by_id(self, job_id: str, *, owner: str | None = None) -> None:
        """Raise `NotFoundError` for an unknown job."""
        await self._cancel([await QueryJobs(jobs=self.jobs).by_id(job_id, owner=owner)])

    async def by_token(self, token: str, *, owner: str | None = None) -> None:
        """Raise `NotFoundError` if no job of the token is left, `InvalidRequestError` for a token that is none."""
        jobs = await QueryJobs(jobs=self.jobs).by_ids(decode_token(token), owner=owner)
        if not jobs:
            raise NotFoundError("No job of this token exists.")
        await self._cancel(jobs)

    async def _cancel(self, jobs: Sequence[Job]) -> None:
        ended = [after for job in jobs if (after := await self._end(job)) is not None]
        if ended:
            self.event_bus.publish_changes(ended)
            self.event_bus.publish_ends(ended)

    async def _end(self, job: Job) -> Job | None:
        """None if it has ended otherwise."""
        current: Job | None = job
        while current is not None and current.outcome is None:
            ended = current.ended(Outcome.DELETED, at=self.clock.now(), context={})
            if await self.jobs.replace(current, ended):
                return ended
            current = await self.jobs.get(job.id)
        return None
