"""Submit jobs: build them of their templates, store all of them or none, and publish them."""

from collections.abc import Callable, Sequence

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import InsufficientBuzzError
from civitai_mock.domain.job import Job
from civitai_mock.domain.search import Budget
from civitai_mock.ports import JobStore, ResourceStore
from civitai_mock.services.build_jobs import BuildJobs, job_again
from civitai_mock.services.consumers import Caller
from civitai_mock.services.event_bus import EventBus
from civitai_mock.services.faults.jobs import JobFaults
from civitai_mock.services.job_template import JobTemplate
from civitai_mock.services.queue_limit import QueueLimit


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitJobs:
    """Takes in all jobs of a submission, or none of them.

    Both methods raise what `build` raises, and `InsufficientBuzzError` if the jobs cost more than is left of the
    balance that each consumer has (None: as much as it wants). A submission for which the queue has no room raises
    `QueueFullError`.
    """

    jobs: JobStore
    resources: ResourceStore
    event_bus: EventBus
    build: BuildJobs
    queue_limit: QueueLimit
    job_faults: JobFaults
    get_balance: Callable[[], float | None]

    async def __call__(
        self, templates: Sequence[JobTemplate], caller: Caller, *, charged: bool = True, size: int = 0
    ) -> Sequence[Job]:
        """Return the new jobs, in the order of the templates; `size` is that of all together, in bytes."""
        await self.queue_limit.take(len(templates))
        built = await self.build(templates, caller, charged=charged, size=size)
        jobs = await self.job_faults.of_new(built.jobs)
        await self.jobs.add(jobs, budget=self._budget(caller) if charged else None)
        if built.new_resources:
            await self.resources.add_missing(built.new_resources)
        self.event_bus.publish_changes(jobs)
        self.event_bus.publish_work()
        return jobs

    async def again(self, job: Job, caller: Caller) -> Job:
        """Submit once more what a job was made of, which is the same to its seed; it depends on no other job."""
        await self.queue_limit.take(1)
        ids = await self.build.ids.of_request(job.id.encode)
        made = job_again(job, ids.uuid(), submission_id=ids.uuid(), trace_id=caller.trace_id, at=self.build.clock.now())
        jobs = await self.job_faults.of_new([made])
        await self.jobs.add(jobs, budget=self._budget(caller) if job.charged else None)
        self.event_bus.publish_changes(jobs)
        self.event_bus.publish_work()
        return jobs[0]

    async def what_if(
        self, templates: Sequence[JobTemplate], caller: Caller, *, charged: bool = True, size: int = 0
    ) -> Sequence[Job]:
        """Return the jobs that a submission would make; nothing is stored."""
        jobs = (await self.build(templates, caller, charged=charged, size=size)).jobs
        budget = self._budget(caller) if charged else None
        if budget is not None:
            spent = await self.jobs.spent(budget.issued_by)
            if spent + sum(job.cost for job in jobs) > budget.limit:
                raise InsufficientBuzzError("The balance does not cover the cost of these jobs.")
        return jobs

    def _budget(self, caller: Caller) -> Budget | None:
        balance = self.get_balance()
        return None if balance is None else Budget(issued_by=caller.consumer, limit=balance)
