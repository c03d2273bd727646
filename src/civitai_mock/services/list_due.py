"""List what falls due next in a namespace, by its clock."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from heapq import merge
from itertools import islice

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.ports import JobQueue
from civitai_mock.services.namespace_clock import ControlClock

FAR = timedelta(days=366)  # no job may be unfinished for so long


class DueWhat(StrEnum):
    """Says what happens: a job that runs here goes on, or the time of one that has not ended is over."""

    GOES_ON = "goesOn"
    EXPIRES = "expires"


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """Is something that falls due."""

    at: datetime
    what: DueWhat
    job_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListDue:
    """Lists what is known of what comes: in this process, and of the deadlines in the store."""

    queue: JobQueue
    get_clock: Callable[[], ControlClock]

    async def __call__(self, *, take: int) -> Sequence[Due]:
        """Return at most `take`, what comes first at the beginning."""
        clock = self.get_clock()
        first: dict[str, datetime] = {}  # as a job may wait for several things
        for at, (_, job_id) in clock.sleeping(limit=take):
            first.setdefault(job_id, at)
        sleeping = [Due(at, DueWhat.GOES_ON, job_id) for job_id, at in first.items()]
        ending = await self.queue.past_deadline(clock.show().now + FAR, limit=take)
        expiring = [Due(job.expire_at, DueWhat.EXPIRES, job.id) for job in ending]
        return list(islice(merge(sleeping, sorted(expiring)), take))
