"""Jobs and their events as v1 shows them: the members of real answers, in their order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from civitai_mock.api.v1 import schemas as wire
from civitai_mock.domain.blob import Slot
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.job import Job
from civitai_mock.domain.json import JsonObject
from civitai_mock.domain.timespan import format_date, format_timespan
from civitai_mock.generation.job_types import JOB_TYPES_BY_TYPE
from civitai_mock.services.blobs import BlobUrls

ABOVE_SLOTS = frozenset({"baseModel", "model", "params"})
HARMLESS: wire.PromptClassification = {"scan": True, "sexual": False, "cr": False, "young": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRenderer:
    """`base_url` is where the caller can reach this server."""

    base_url: str
    blob_urls: BlobUrls
    provider_name: str

    def collection(self, token: str, jobs: Sequence[Job], *, detailed: bool) -> wire.JobStatusCollection:
        return {"token": token, "jobs": [self.status(job, detailed=detailed) for job in jobs]}

    def status(self, job: Job, *, detailed: bool) -> wire.JobStatus:
        return {
            **self._detail(job, wanted=detailed),
            "jobId": job.id,
            "cost": job.cost,
            "properties": dict(job.properties),
            "result": [self._result(slot) for slot in job.slots],
            "lastEvent": render_event(job.last_event),
            **self._support(job),
            "scheduled": job.outcome is None,
        }

    def _support(self, job: Job) -> wire.Support:
        return {"serviceProviders": {self.provider_name: {"support": "Available"}}} if job.outcome is None else {}

    def _result(self, slot: Slot) -> wire.ImageResult:
        return {"blobKey": slot.blob_key, "available": slot.available, **self._link(slot), "seed": slot.seed}

    def _link(self, slot: Slot) -> wire.BlobLink:
        if not slot.available:
            return {}
        url, expires_at = self.blob_urls.sign(slot.blob_key, base_url=self.base_url)
        return {"blobUrl": url, "blobUrlExpirationDate": format_date(expires_at)}

    def _detail(self, job: Job, *, wanted: bool) -> wire.Detail:
        if not wanted:
            return {}
        own = JOB_TYPES_BY_TYPE[job.type].describe(job)
        members = {
            "Type": job.type,
            **{name: value for name, value in own.items() if name in ABOVE_SLOTS},
            "slots": [self._slot(job, slot) for slot in job.slots],
            **{name: value for name, value in own.items() if name not in ABOVE_SLOTS},
            "promptClassificationResult": HARMLESS,
            **_shared(job),
        }
        return {"job": cast("wire.Job", members)}  # a TypedDict cannot say that each type adds members of its own

    def _slot(self, job: Job, slot: Slot) -> wire.JobSlot:
        destination = f"{self.base_url}/v1/producer/images/{slot.blob_key}?jobId={job.id}&storeAsBlob=true"
        return {"imageHash": slot.blob_key, "destinationUrl": destination}


def render_event(event: JobEvent) -> wire.JobEvent:
    """The first event of a job has no provider, as nobody has claimed it yet."""
    return {
        "jobId": event.job_id,
        "type": event.type,
        "dateTime": format_date(event.at),
        **_holder(event),
        "context": dict(event.context),
        **_claim_time(event),
        "jobDuration": format_timespan(event.job_duration),
        "retryAttempt": event.retry_attempt,
        "jobType": event.job_type,
        "claimHasCompleted": event.claim_has_completed,
        "jobHasCompleted": event.job_has_completed,
    }


def _holder(event: JobEvent) -> wire.Holder:
    if event.provider is None or event.worker_id is None:
        return {}
    return {"provider": event.provider, "workerId": event.worker_id}


def _claim_time(event: JobEvent) -> wire.ClaimTime:
    return {} if event.claim_duration is None else {"claimDuration": format_timespan(event.claim_duration)}


def _shared(job: Job) -> JsonObject:
    """What a detailed job has whatever its type."""
    return {
        "claimDuration": format_timespan(job.timeout),
        "type": job.type,
        "id": job.id,
        "createdAt": format_date(job.created_at),
        "expireAt": format_date(job.expire_at),
        "properties": dict(job.properties),
        "cost": job.cost,
        "maxRetryAttempt": job.max_retry_attempt,
        "dependencies": {},
        "issuedBy": job.issued_by,
        "version": 0,
        "jobDependencies": [],
        "resources": [resource.air.compressed for resource in job.resources],
        "additionalResources": [],
        "recovered": False,
    }
