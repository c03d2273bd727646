"""Take new jobs in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from civitai_mock.domain.errors import InsufficientBuzzError, InvalidRequestError
from civitai_mock.domain.job import Job, initialized
from civitai_mock.domain.resource import Resource
from civitai_mock.domain.search import Budget
from civitai_mock.domain.stages import Stage
from civitai_mock.generation.job_types.request import JobRequest, Plan
from civitai_mock.ports import Clock, Ids, JobSearch, JobStore, ResourceStore
from civitai_mock.services.blob_urls import ImageUrls
from civitai_mock.services.consumers import Caller
from civitai_mock.services.event_bus import EventBus
from civitai_mock.services.host_policy import HostPolicy
from civitai_mock.services.submit_checks import MissingResources, find_named, resolve_dependencies
from civitai_mock.services.threads import in_thread_if_large

__all__ = ["MissingResources", "SubmitJobs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What the jobs of one submission share."""

    caller: Caller
    at: datetime
    submission_id: str
    charged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitJobs:
    """All jobs of a request are taken, or none.

    Requests are given under their paths in the body (`jobs[0]`; nothing for the body itself). Both ways raise
    `InvalidRequestError` that names the path of a fault, and `InsufficientBuzzError` for more than the `balance` that
    each consumer has (None: without end).
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
    balance: float | None = None

    async def __call__(
        self, requests: Mapping[str, JobRequest], caller: Caller, *, charged: bool = True, size: int = 0
    ) -> Sequence[Job]:
        """The new jobs, in the order of the requests; `size` is that of all requests together, in bytes."""
        named = await find_named(requests, self.resources, self.missing_resources)
        make = partial(self._jobs, requests, named.resources, caller, charged=charged)
        jobs = await in_thread_if_large(make, size=size)
        await self.jobs.add(jobs, budget=self._budget(caller) if charged else None)
        if named.new:
            await self.resources.add_missing(named.new)
        self.event_bus.publish_changes(jobs)
        self.event_bus.publish_work()
        return jobs

    async def what_if(
        self, requests: Mapping[str, JobRequest], caller: Caller, *, charged: bool = True, size: int = 0
    ) -> Sequence[Job]:
        """The jobs that there would be; nothing is stored."""
        named = await find_named(requests, self.resources, self.missing_resources)
        make = partial(self._jobs, requests, named.resources, caller, charged=charged)
        jobs = await in_thread_if_large(make, size=size)
        budget = self._budget(caller) if charged else None
        if budget is not None:
            spent = await self.search.spending(budget.issued_by, since=None, until=None)
            if spent.cost + sum(job.cost for job in jobs) > budget.limit:
                raise InsufficientBuzzError("The balance does not cover the cost of these jobs.")
        return jobs

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
        needed = resolve_dependencies(requests)
        plans = {path: self._plan(path, request, resources) for path, request in requests.items()}
        entry = Entry(caller=caller, at=self.clock.now(), submission_id=self.ids.uuid(), charged=charged)
        ids = {path: self.ids.uuid() for path in requests}
        return [
            self._job(ids[path], requests[path], plan, entry, dependencies=[ids[other] for other in needed[path]])
            for path, plan in plans.items()
        ]

    def _plan(self, path: str, request: JobRequest, resources: Mapping[str, Resource]) -> Plan:
        try:
            self._check_hosts(request)
            return request.plan(resources=resources, seed=self.ids.seed())
        except InvalidRequestError as error:
            raise error.under(path) from error

    def _check_hosts(self, request: JobRequest) -> None:
        if request.callback_url is not None:
            self.callback_hosts.check(request.callback_url, path="callbackUrl")
        for path, url in request.image_urls().items():
            self.image_urls.check(url, path=path)

    def _job(self, job_id: str, request: JobRequest, plan: Plan, entry: Entry, *, dependencies: Sequence[str]) -> Job:
        keep_until = entry.at + self.job_lifetime
        return Job(
            id=job_id,
            type=request.job_type,
            trace_id=entry.caller.trace_id,
            issued_by=entry.caller.consumer,
            created_at=entry.at,
            expire_at=min(request.expire_at or keep_until, keep_until),
            keep_until=keep_until,
            priority=request.priority,
            timeout=request.timeout or self.claim_timeout,
            cost=plan.cost,
            max_retry_attempt=request.max_retry_attempt,
            request=plan.request,
            properties=request.properties,
            resources=plan.resources,
            submission_id=entry.submission_id,
            name=request.name,
            callback_url=request.callback_url,
            client_compat=entry.caller.client_compat,
            providers=tuple(request.providers or ()),
            dependencies=tuple(dependencies),
            charged=entry.charged,
            slots=plan.slots(job_id),
            stage=Stage.QUEUED,
            retry_attempt=0,
            last_event=initialized(job_id, request.job_type, trace_id=entry.caller.trace_id, at=entry.at),
            is_blocked=bool(dependencies),
        )
