"""Submit jobs: check the requests, build their jobs, store all of them or none, and publish them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from civitai_mock.domain.errors import InsufficientBuzzError, InvalidRequestError
from civitai_mock.domain.job import Job, initialized_event
from civitai_mock.domain.resource import Resource
from civitai_mock.domain.search import Budget
from civitai_mock.domain.stages import Stage
from civitai_mock.generation.job_types.request import JobRequest, Plan
from civitai_mock.ports import Clock, Ids, JobSearch, JobStore, ResourceStore
from civitai_mock.services.consumers import Caller
from civitai_mock.services.event_bus import EventBus
from civitai_mock.services.host_policy import HostPolicy
from civitai_mock.services.queue_limit import QueueLimit
from civitai_mock.services.submit_checks import ImageUrls, MissingResources, find_named_resources, resolve_dependencies
from civitai_mock.services.threads import in_thread_if_large


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOrigin:
    """Holds what the jobs of one submission have in common."""

    submission_id: str
    caller: Caller
    at: datetime
    charged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitJobs:
    """Takes in all jobs of a submission, or none of them.

    Requests are given by their paths in the body (`jobs[0]`; the empty path for the body itself). Both methods raise
    `InvalidRequestError`, which names the path of each fault, and `InsufficientBuzzError` if the jobs cost more than
    is left of the `balance` that each consumer has (None: as much as it wants). A submission for which the queue has no
    room raises `QueueFullError`.
    """

    jobs: JobStore
    search: JobSearch
    resources: ResourceStore
    event_bus: EventBus
    clock: Clock
    ids: Ids
    callback_hosts: HostPolicy
    image_urls: ImageUrls
    missing_resources: MissingResources
    job_lifetime: timedelta
    claim_timeout: timedelta
    queue_limit: QueueLimit
    balance: float | None = None

    async def __call__(
        self, requests: Mapping[str, JobRequest], caller: Caller, *, charged: bool = True, size: int = 0
    ) -> Sequence[Job]:
        """Return the new jobs, in the order of the requests; `size` is that of all requests together, in bytes."""
        await self.queue_limit.take(len(requests))
        jobs, new_resources = await self._build(requests, caller, charged=charged, size=size)
        await self.jobs.add(jobs, budget=self._budget(caller) if charged else None)
        if new_resources:
            await self.resources.add_missing(new_resources)
        self.event_bus.publish_changes(jobs)
        self.event_bus.publish_work()
        return jobs

    async def what_if(
        self, requests: Mapping[str, JobRequest], caller: Caller, *, charged: bool = True, size: int = 0
    ) -> Sequence[Job]:
        """Return the jobs that a submission would make; nothing is stored."""
        jobs, _ = await self._build(requests, caller, charged=charged, size=size)
        budget = self._budget(caller) if charged else None
        if budget is not None:
            spent = await self.search.spending(budget.issued_by, since=None, until=None)
            if spent.cost + sum(job.cost for job in jobs) > budget.limit:
                raise InsufficientBuzzError("The balance does not cover the cost of these jobs.")
        return jobs

    async def _build(
        self, requests: Mapping[str, JobRequest], caller: Caller, *, charged: bool, size: int
    ) -> tuple[Sequence[Job], Sequence[Resource]]:
        """Return the jobs, and the resources that were made up for them."""
        named = await find_named_resources(requests, self.resources, self.missing_resources)
        build = partial(self._jobs, requests, named.resources, caller, charged=charged)
        return await in_thread_if_large(build, size=size), named.made_up

    def _budget(self, caller: Caller) -> Budget | None:
        return None if self.balance is None else Budget(issued_by=caller.consumer, limit=self.balance)

    def _jobs(
        self,
        requests: Mapping[str, JobRequest],
        resources: Mapping[str, Resource],
        caller: Caller,
        *,
        charged: bool,
    ) -> Sequence[Job]:
        depends_on = resolve_dependencies(requests)
        plans = {path: self._plan(path, request, resources) for path, request in requests.items()}
        origin = JobOrigin(submission_id=self.ids.uuid(), caller=caller, at=self.clock.now(), charged=charged)
        ids = {path: self.ids.uuid() for path in requests}
        return [
            self._job(ids[path], requests[path], plan, origin, [ids[other] for other in depends_on[path]])
            for path, plan in plans.items()
        ]

    def _plan(self, path: str, request: JobRequest, resources: Mapping[str, Resource]) -> Plan:
        try:
            self._check_urls(request)
            return request.plan(resources=resources, seed=self.ids.seed())
        except InvalidRequestError as error:
            raise error.under(path) from error

    def _check_urls(self, request: JobRequest) -> None:
        if request.callback_url is not None:
            self.callback_hosts.check(request.callback_url, path="callbackUrl")
        for path, url in request.image_urls().items():
            self.image_urls.check(url, path=path)

    def _job(self, job_id: str, request: JobRequest, plan: Plan, origin: JobOrigin, dependencies: Sequence[str]) -> Job:
        keep_until = origin.at + self.job_lifetime
        return Job(
            id=job_id,
            type=request.job_type,
            trace_id=origin.caller.trace_id,
            issued_by=origin.caller.consumer,
            created_at=origin.at,
            expire_at=min(request.expire_at or keep_until, keep_until),
            keep_until=keep_until,
            priority=request.priority,
            timeout=request.timeout or self.claim_timeout,
            cost=plan.cost,
            max_retry_attempt=request.max_retry_attempt,
            request=plan.request,
            properties=request.properties,
            resources=plan.resources,
            submission_id=origin.submission_id,
            name=request.name,
            callback_url=request.callback_url,
            client_compat=origin.caller.client_compat,
            providers=tuple(request.providers or ()),
            dependencies=tuple(dependencies),
            charged=origin.charged,
            slots=plan.slots(job_id),
            stage=Stage.QUEUED,
            retry_attempt=0,
            last_event=initialized_event(job_id, request.job_type, trace_id=origin.caller.trace_id, at=origin.at),
            is_blocked=bool(dependencies),
        )
