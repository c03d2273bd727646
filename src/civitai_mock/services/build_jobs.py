"""Build jobs of their templates: check them, resolve their drafts, and give each job its id. Nothing is stored."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from civitai_mock.domain.blob import Slot, blob_key
from civitai_mock.domain.changed import changed
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import FieldError, InvalidRequestError
from civitai_mock.domain.job import Job, WorkflowPlace, initialized_event
from civitai_mock.domain.resource import Resource
from civitai_mock.domain.stages import Stage
from civitai_mock.generation.job_types.draft import Plan
from civitai_mock.ports import Clock, Ids, ResourceStore
from civitai_mock.services.consumers import Caller
from civitai_mock.services.host_policy import HostPolicy
from civitai_mock.services.job_template import BATCH_ID, JobTemplate
from civitai_mock.services.namespace_ids import said
from civitai_mock.services.submit_checks import ImageUrls, MissingResources, find_named_resources, resolve_dependencies
from civitai_mock.services.threads import in_thread_if_large


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOrigin:
    """Holds what the jobs of one submission have in common."""

    submission_id: str
    caller: Caller
    at: datetime
    keep_until: datetime
    claim_timeout: timedelta
    charged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltJobs:
    """Holds jobs in the order of their templates, and the resources that were made up for them, not stored yet."""

    jobs: Sequence[Job]
    new_resources: Sequence[Resource]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildJobs:
    """Builds the jobs of one submission.

    It raises `InvalidRequestError` with each fault by its path in the body.
    """

    resources: ResourceStore
    clock: Clock
    ids: Ids
    callback_hosts: HostPolicy
    image_urls: ImageUrls
    missing_resources: MissingResources
    job_lifetime: timedelta
    claim_timeout: timedelta
    finds_results: bool = False

    async def __call__(
        self, templates: Sequence[JobTemplate], caller: Caller, *, charged: bool, size: int = 0
    ) -> BuiltJobs:
        """Jobs that are not `charged` cost their consumer nothing; `size` is that of all templates, in bytes."""
        named = await find_named_resources(templates, self.resources, self.missing_resources)
        ids = await self.ids.of_request(partial(_content, templates, caller))
        build = partial(self._jobs, templates, named.resources, caller, ids=ids, charged=charged)
        return BuiltJobs(jobs=await in_thread_if_large(build, size=size), new_resources=named.made_up)

    def _jobs(
        self,
        templates: Sequence[JobTemplate],
        resources: Mapping[str, Resource],
        caller: Caller,
        *,
        ids: Ids,
        charged: bool,
    ) -> Sequence[Job]:
        depends_on = resolve_dependencies(templates)
        seeds = _seeds(templates, ids)
        plans = [self.plan(each, resources, seed=seed) for each, seed in zip(templates, seeds, strict=True)]
        templates = _with_batch_id(templates, ids)
        now = self.clock.now()
        origin = JobOrigin(
            submission_id=ids.uuid(),
            caller=caller,
            at=now,
            keep_until=now + self.job_lifetime,
            claim_timeout=self.claim_timeout,
            charged=charged,
        )
        job_ids = [ids.uuid() for _ in templates]
        slots = [plan.slots(job_id) for job_id, plan in zip(job_ids, plans, strict=True)]
        return [
            new_job(
                job_ids[index],
                template,
                plans[index],
                origin,
                slots=slots[index],
                dependencies=tuple(job_ids[place] for place in depends_on[index]),
                result_key=self.result_key(template, plans[index], slots[index]),
            )
            for index, template in enumerate(templates)
        ]

    def result_key(self, template: JobTemplate, plan: Plan, slots: Sequence[Slot], *, place: int = 0) -> str | None:
        """Return the key by which the results of an equal request are found; None for those that are not kept.

        They are kept of what is drawn from a seed, of no images that others give out: those may be other ones by then.
        `place` is that among the jobs of one request, none of which is to have the results of another.
        """
        if not self.finds_results or not slots or slots[0].seed is None or template.draft.image_urls():
            return None
        from civitai_mock.domain.result_keys import result_key  # noqa: PLC0415 - as mostly no results are kept

        airs = [str(resource.air) for resource in plan.resources]
        return result_key(
            plan.spec.job_type,
            plan.spec.to_json(),
            airs,
            place=place,
            seed=None if template.draws_seed else slots[0].seed,
        )

    def plan(self, template: JobTemplate, resources: Mapping[str, Resource], *, seed: int) -> Plan:
        """Check and resolve one draft; `seed` is used where it has none."""
        try:
            self._check_urls(template)
            return template.draft.resolve(resources=resources, seed=seed)
        except FieldError as error:
            raise error.spelled(template.spell).under(template.path) from error
        except InvalidRequestError as error:
            raise error.under(template.path) from error

    def _check_urls(self, template: JobTemplate) -> None:
        if template.callback_url is not None:
            self.callback_hosts.check(template.callback_url, path=template.spell("callback_url"))
        for field, url in template.draft.image_urls().items():
            self.image_urls.check(url, path=template.spell(field))


def _seeds(templates: Sequence[JobTemplate], ids: Ids) -> Iterator[int]:
    """Yield a seed for each template, the same one for those that share theirs."""
    shared: int | None = None
    for template in templates:
        if not template.shares_seed:
            yield ids.seed()
            continue
        shared = ids.seed() if shared is None else shared
        yield shared


def _with_batch_id(templates: Sequence[JobTemplate], ids: Ids) -> Sequence[JobTemplate]:
    """Return the templates, with one id among the properties of those that share it."""
    if not any(template.shares_batch_id for template in templates):
        return templates
    batch_id = ids.uuid()
    return [
        changed(template, properties={BATCH_ID: batch_id, **template.properties})
        if template.shares_batch_id
        else template
        for template in templates
    ]


def _content(templates: Sequence[JobTemplate], caller: Caller) -> bytes:
    """Return what is the same for equal submissions; the address of a receiver may be another on each run of a test."""
    told = [
        replace(each, draft=each.draft.as_sent, spell=str, callback_url=None, draws_seed=False) for each in templates
    ]
    return repr((caller.consumer, said(told))).encode()


def new_job(
    job_id: str,
    template: JobTemplate,
    plan: Plan,
    origin: JobOrigin,
    *,
    slots: tuple[Slot, ...],
    dependencies: tuple[str, ...] = (),
    workflow: WorkflowPlace | None = None,
    result_key: str | None = None,
) -> Job:
    """Return a job that nobody has claimed yet."""
    keep_until, job_type = origin.keep_until, plan.spec.job_type
    progress, asked = origin.caller.progress, origin.caller.asked_fault
    return Job(
        id=job_id,
        type=job_type,
        trace_id=origin.caller.trace_id,
        issued_by=origin.caller.consumer,
        created_at=origin.at,
        expire_at=min(template.expire_at or keep_until, keep_until),
        keep_until=keep_until,
        priority=template.priority,
        timeout=template.timeout or origin.claim_timeout,
        cost=plan.cost,
        max_retry_attempt=template.max_retry_attempt,
        spec=plan.spec.to_json(),
        properties=template.properties,
        resources=plan.resources,
        submission_id=origin.submission_id,
        name=template.name,
        callback_url=template.callback_url,
        client_compat=origin.caller.client_compat,
        providers=template.providers,
        dependencies=dependencies,
        charged=origin.charged,
        workflow=workflow,
        moved_by=None if progress is None else progress.moved_by,
        progress=None if progress is None else progress.document,
        asked_fault=None if asked is None else asked.document,
        result_key=result_key,
        slots=slots,
        stage=Stage.QUEUED,
        retry_attempt=0,
        last_event=initialized_event(job_id, job_type, trace_id=origin.caller.trace_id, at=origin.at),
        is_blocked=bool(dependencies),
    )


def job_again(job: Job, job_id: str, *, submission_id: str, trace_id: str, at: datetime) -> Job:
    """Return a job that asks for the same as another one of version 1, and has as much time for it."""
    return replace(
        job,
        id=job_id,
        trace_id=trace_id,
        submission_id=submission_id,
        created_at=at,
        expire_at=at + (job.expire_at - job.created_at),
        keep_until=at + (job.keep_until - job.created_at),
        name=None,
        dependencies=(),
        is_blocked=False,
        slots=tuple(
            Slot(blob_key=blob_key(job_id, place), seed=slot.seed, name=slot.name)
            for place, slot in enumerate(job.slots)
        ),
        stage=Stage.QUEUED,
        retry_attempt=0,
        claim=None,
        prompt_id=None,
        outcome=None,
        result=None,
        taint=None,
        faults=(),
        keeps_cost=False,
        last_event=initialized_event(job_id, job.last_event.job_type, trace_id=trace_id, at=at),
    )
