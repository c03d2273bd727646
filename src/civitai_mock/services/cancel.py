"""Cancel jobs at the request of a caller."""

from collections.abc import Sequence
from datetime import datetime

from civitai_mock.domain.changed import changed
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import NotFoundError
from civitai_mock.domain.job import Job
from civitai_mock.domain.stages import Outcome
from civitai_mock.ports import Clock, JobStore
from civitai_mock.services.event_bus import EventBus
from civitai_mock.services.query import QueryJobs


def canceled(job: Job, *, at: datetime) -> Job:
    """Return a job that its consumer has ended; a fault may have it cost the share of what was delivered."""
    ended = job.ended(Outcome.DELETED, at=at, context={})
    if not job.faults:
        return ended
    from civitai_mock.domain.faults.job_effects import canceled_cost  # noqa: PLC0415 - as mostly there are no faults

    cost = canceled_cost(job)
    return ended if cost is None else changed(ended, cost=cost, keeps_cost=job.charged)


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelJobs:
    """Ends queued and running jobs as Deleted; one that has ended stays as it is. `owner` is as in `QueryJobs`."""

    jobs: JobStore
    query: QueryJobs
    event_bus: EventBus
    clock: Clock

    async def by_id(self, job_id: str, *, owner: str | None = None) -> None:
        """Cancel one job; raise `NotFoundError` if it does not exist."""
        await self._cancel([await self.query.by_id(job_id, owner=owner)])

    async def by_token(self, token: str, *, owner: str | None = None) -> None:
        """Cancel the jobs of a token.

        Raise `NotFoundError` if none of them exists any more, and `InvalidRequestError` for an invalid token.
        """
        jobs = await self.query.by_token(token, owner=owner)
        if not jobs:
            raise NotFoundError("No job of this token exists.")
        await self._cancel(jobs)

    async def _cancel(self, jobs: Sequence[Job]) -> None:
        ended = [after for job in jobs if (after := await self._end(job)) is not None]
        if ended:
            self.event_bus.publish_changes(ended)
            self.event_bus.publish_ends(ended)

    async def _end(self, job: Job) -> Job | None:
        """Return the job as it ended; None if it has ended otherwise, or does not exist any more."""
        current: Job | None = job
        while current is not None and current.outcome is None:
            ended = canceled(current, at=self.clock.now())
            if await self.jobs.replace(current, ended):
                return ended
            current = await self.jobs.get(job.id)
        return None
