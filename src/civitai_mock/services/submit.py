"""Take new jobs in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from civitai_mock.domain.air import Air, parse_reference
from civitai_mock.domain.blob import Slot, blob_key
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.job import Job, initialized
from civitai_mock.domain.resource import Resource
from civitai_mock.domain.stages import Stage
from civitai_mock.generation.job_request import JobRequest, Plan
from civitai_mock.ports import Clock, Ids, JobSignals, JobStore, ResourceStore
from civitai_mock.services.caller import Caller


class MissingResources(StrEnum):
    """What to do with an AIR that is not in the resources."""

    STRICT = "strict"
    LENIENT = "lenient"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitJobs:
    """All jobs of a request are taken, or none."""

    jobs: JobStore
    resources: ResourceStore
    signals: JobSignals
    clock: Clock
    ids: Ids
    missing_resources: MissingResources
    job_lifetime: timedelta
    claim_timeout: timedelta

    async def __call__(self, requests: Mapping[str, JobRequest], caller: Caller) -> Sequence[Job]:
        """Take each request, given under its path in the body (`jobs[0]`; nothing if it is the body).

        Raise `InvalidRequestError` that names the path of a missing AIR or of another fault.
        """
        resources = await self._resolve(requests)
        plans = [self._plan(path, request, resources) for path, request in requests.items()]
        now = self.clock.now()
        submission_id = self.ids.uuid()
        jobs = [
            self._job(request, plan, caller, now, submission_id)
            for request, plan in zip(requests.values(), plans, strict=True)
        ]
        await self.jobs.add(jobs)
        self.signals.submitted()
        return jobs

    async def _resolve(self, requests: Mapping[str, JobRequest]) -> Mapping[str, Resource]:
        """Every resource that the requests name, by its text in the request."""
        paths = {
            text: f"{place}.{path}" if place else path
            for place, request in requests.items()
            for path, text in request.references().items()
        }
        references = {text: parse_reference(text) for text in paths}
        found = await self.resources.find(list(references.values()))
        resolved = {text: found.get(str(reference)) for text, reference in references.items()}
        missing = [text for text, resource in resolved.items() if resource is None]
        if missing and self.missing_resources is MissingResources.LENIENT:
            new = {text: _new_resource(paths[text], text) for text in missing}
            await self.resources.add_missing(list(new.values()))
            return {text: resource or new[text] for text, resource in resolved.items()}
        if missing:
            raise InvalidRequestError(
                "One or more resources do not exist.",
                errors={paths[text]: [f"The resource '{text}' does not exist."] for text in missing},
            )
        return {text: resource for text, resource in resolved.items() if resource is not None}

    def _plan(self, path: str, request: JobRequest, resources: Mapping[str, Resource]) -> Plan:
        try:
            return request.plan(resources=resources, seed=self.ids.seed())
        except InvalidRequestError as error:
            raise error.under(path) from error

    def _job(self, request: JobRequest, plan: Plan, caller: Caller, now: datetime, submission_id: str) -> Job:
        job_id = self.ids.uuid()
        keep_until = now + self.job_lifetime
        return Job(
            id=job_id,
            type=request.job_type,
            trace_id=caller.trace_id,
            issued_by=caller.consumer,
            created_at=now,
            expire_at=min(request.expire_at or keep_until, keep_until),
            keep_until=keep_until,
            priority=request.priority,
            timeout=request.timeout or self.claim_timeout,
            cost=plan.cost,
            max_retry_attempt=request.max_retry_attempt,
            request=plan.request,
            properties=request.properties,
            resources=plan.resources,
            submission_id=submission_id,
            name=request.name,
            callback_url=request.callback_url,
            providers=tuple(request.providers or ()),
            slots=tuple(Slot(blob_key=blob_key(job_id, index), seed=plan.seed) for index in range(plan.images)),
            stage=Stage.QUEUED,
            retry_attempt=0,
            last_event=initialized(job_id, request.job_type, trace_id=caller.trace_id, at=now),
        )


def _new_resource(path: str, text: str) -> Resource:
    reference = parse_reference(text)
    if not isinstance(reference, Air) or not reference.ecosystem or not reference.type:
        message = f"The resource '{text}' does not exist, and cannot be made up without its ecosystem and type."
        raise InvalidRequestError(message, errors={path: [message]})
    return Resource(air=reference, fields={})
