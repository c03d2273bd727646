"""Render jobs and their events as v1 shows them: the members of real answers, in their order."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias, Union, cast

from starlette.requests import Request

from civitai_mock.api.context import base_url, context, exchange, use_cases, vocabulary
from civitai_mock.api.responses import as_members
from civitai_mock.api.v1 import schemas as wire
from civitai_mock.api.v1.job_types import type_members
from civitai_mock.api.vocabulary import ResultFormat, Vocabulary
from civitai_mock.domain.blob import Slot
from civitai_mock.domain.changed import changed
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.dotnet import format_date, format_timespan
from civitai_mock.domain.events import ODD_STATUS, JobEvent
from civitai_mock.domain.job import Job, JobSummary
from civitai_mock.domain.json_types import Json, JsonObject, as_object, as_text
from civitai_mock.domain.progress import SamplingProgress, progress_of
from civitai_mock.domain.stages import JobEventType
from civitai_mock.services.availability import JobSupport
from civitai_mock.services.blobs import BlobUrls
from civitai_mock.services.queue_position import QueuePosition

if TYPE_CHECKING:  # what only those need who have a fleet is not loaded at the start
    from civitai_mock.services.fleet.status import ByProvider

# The words that the official lists allow at each place in a detailed job; ANY stands for every member of an object.
Words: TypeAlias = Mapping[str, Union[frozenset[str], "Words"]]
ANY = "*"

BASE_MODELS = frozenset({"SD_1_5", "SDXL"})
ASSET_TYPES = frozenset({"Lora", "Hypernetwork", "TextualInversion", "Lycoris", "Checkpoint", "Vae", "LoCon"})
SCHEDULERS = frozenset(
    {
        *("EulerA", "Euler", "LMS", "Heun", "DPM2", "DPM2A", "DPM2SA", "DPM2M", "DPMSDE", "DPMFast", "DPMAdaptive"),
        *("LMSKarras", "DPM2Karras", "DPM2AKarras", "DPM2SAKarras", "DPM2MKarras", "DPMSDEKarras", "DDIM", "PLMS"),
        *("UniPC", "Undefined", "LCM", "DDPM", "DEIS"),
    }
)
WORDS_OF_JOBS: Mapping[str, Words] = {
    "TextToImageV2": {
        "baseModel": BASE_MODELS,
        "params": {"scheduler": SCHEDULERS},
        "additionalNetworks": {ANY: {"type": ASSET_TYPES}},
    },
    "PrepareModel": {"baseModel": BASE_MODELS},
}


def with_official_words(members: JsonObject, job_type: str) -> JsonObject:
    """Leave out the values that are in no official list: clients require none of these members."""
    return _allowed(members, WORDS_OF_JOBS.get(job_type, {}))


def _allowed(members: JsonObject, words: Words) -> JsonObject:
    kept = {name: (value, words.get(name, words.get(ANY))) for name, value in members.items()}
    return {name: _allowed_in(value, listed) for name, (value, listed) in kept.items() if _is_listed(value, listed)}


def _allowed_in(value: Json, words: frozenset[str] | Words | None) -> Json:
    return _allowed(value, words) if isinstance(value, dict) and isinstance(words, Mapping) else value


def _is_listed(value: Json, words: frozenset[str] | Words | None) -> bool:
    return not isinstance(words, frozenset) or value in words


ABOVE_SLOTS = frozenset({"baseModel", "model", "params"})
UNKNOWN_PROVIDER = "FalAI"  # in captures of 2025, and in no official list: a fault runs jobs under this name
HARMLESS: wire.PromptClassification = {"scan": True, "sexual": False, "cr": False, "young": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRenderer:
    """Renders jobs for one request, whose caller can reach this server at `base_url`.

    `positions` has the places of the jobs in the queue, `support` has what the provider can do for those that have not
    ended, `fleet` what those of a fleet can, if there is one, and `running` how far those are whose steps are foreseen;
    all are by id.
    """

    base_url: str
    blob_urls: BlobUrls
    provider_name: str
    vocabulary: Vocabulary
    positions: Mapping[str, QueuePosition] = field(default_factory=dict)
    support: Mapping[str, JobSupport] = field(default_factory=dict)
    fleet: "Mapping[str, ByProvider] | None" = None
    running: Mapping[str, SamplingProgress] = field(default_factory=dict)

    def collection(self, token: str, jobs: Sequence[Job], *, detailed: bool) -> wire.JobStatusCollection:
        return {"token": token, "jobs": self.statuses(jobs, detailed=detailed)}

    def planned(self, jobs: Sequence[Job], *, detailed: bool) -> wire.JobStatusCollection:
        """Render jobs of a `whatif`: they are not stored, have no token and will not run."""
        return {"jobs": [{**status, "scheduled": False} for status in self.statuses(jobs, detailed=detailed)]}

    def statuses(self, jobs: Sequence[Job], *, detailed: bool) -> Sequence[wire.JobStatus]:
        return [self.status(job, detailed=detailed) for job in jobs]

    def status(self, job: Job, *, detailed: bool) -> wire.JobStatus:
        return self._status(job, {"job": self._job(job)} if detailed else {})

    def summary(self, job: JobSummary) -> wire.JobStatus:
        return self._status(job, {})

    def _status(self, job: JobSummary, detail: wire.JobDetail) -> wire.JobStatus:
        return {
            **detail,
            "jobId": job.id,
            "cost": job.cost,
            "properties": as_members(job.properties),
            "result": self._results(job),
            "lastEvent": render_event(job.last_event, self.vocabulary),
            **self._running(job),
            **self._support(job),
            "scheduled": self._is_scheduled(job),
        }

    def requested(self, job: Job) -> wire.RequestedJob:
        return {"job": self._job(job), "lastEvent": render_event(job.last_event, self.vocabulary)}

    def _support(self, job: JobSummary) -> wire.Support:
        if job.outcome is not None:
            return {}
        odd = _odd_provider(job)
        if self.fleet is not None and odd is None:
            return {"serviceProviders": self._in_fleet(self.fleet[job.id])}
        provider = odd or self.vocabulary.provider or self.provider_name
        return {"serviceProviders": {provider: _provider_status(self.support[job.id], self.positions.get(job.id))}}

    def _in_fleet(self, found: "ByProvider") -> Mapping[str, wire.ProviderJobStatus]:
        names = self.vocabulary.providers
        return {names.get(name, name): _provider_status(each.support, each.position) for name, each in found.items()}

    def _is_scheduled(self, job: JobSummary) -> bool:
        """Return whether anybody will run a job, which nobody does that asks for none of the fleet's providers."""
        return job.outcome is None and (self.fleet is None or bool(self.fleet[job.id]))

    def _results(self, job: JobSummary) -> Sequence[wire.ImageResult] | wire.Members:
        if isinstance(job.result, dict):
            return job.result
        images = [self._result(slot) for slot in job.slots]
        return images if self.vocabulary.result_format is ResultFormat.ARRAY else dict(images[0]) if images else {}

    def _result(self, slot: Slot) -> wire.ImageResult:
        seed: wire.Seed = {} if slot.seed is None else {"seed": slot.seed}
        link: wire.BlobLink = self._signed(slot.blob_key, after=slot.expired_at) if slot.available else {}
        return {"blobKey": slot.blob_key, "available": slot.available, **link, **seed}

    def _signed(self, blob_key: str, *, after: datetime | None = None) -> wire.BlobLink:
        url, expires_at = self.blob_urls.sign(blob_key, base_url=self.base_url, after=after)
        return {"blobUrl": url, "blobUrlExpirationDate": _expiry(expires_at)}

    def _running(self, job: JobSummary) -> wire.Running:
        found = progress_of(job) or self.running.get(job.id)
        if found is None:
            return {}
        members = {"step": found.step, "steps": found.steps, "progress": found.fraction, "node": found.node_id}
        node = {} if found.node_type is None else {"nodeType": found.node_type}
        key = found.preview_key
        preview = {} if key is None else {"preview": {"blobKey": key, **self._signed(key)}}
        return {"progress": cast("wire.JobProgress", {**members, **node, **preview})}

    def _job(self, job: Job) -> wire.Job:
        own = self._type_members(job)
        members = {
            "Type": job.type,
            **{name: value for name, value in own.items() if name in ABOVE_SLOTS},
            **({"slots": [self._slot(job, slot) for slot in job.slots]} if job.slots else {}),
            **{name: value for name, value in own.items() if name not in ABOVE_SLOTS},
            **({"promptClassificationResult": _classification(job)} if job.slots else {}),
            **_shared(job),
            **_optional(job),
        }
        return cast("wire.Job", members)  # a TypedDict cannot say that each type adds members of its own

    def _type_members(self, job: Job) -> JsonObject:
        """Return the members that the type of the job adds."""
        members = type_members(job)
        return with_official_words(members, job.type) if self.vocabulary.is_official else members

    def _slot(self, job: Job, slot: Slot) -> wire.JobSlot:
        destination = f"{self.base_url}/v1/producer/images/{slot.blob_key}?jobId={job.id}&storeAsBlob=true"
        return {"imageHash": slot.blob_key, "destinationUrl": destination}


_expiry = lru_cache(maxsize=2)(format_date)  # all URLs that are signed in one second share it, which takes 1 µs to make


def render_event(event: JobEvent, vocabulary: Vocabulary) -> wire.JobEvent:
    """Render an event; the first of a job has no provider, as nobody has claimed the job yet."""
    if event.type is JobEventType.UPDATED and ODD_STATUS in event.context:  # an end is not decoded for that
        return _odd_event(event, vocabulary)
    return {
        "jobId": event.job_id,
        "type": event.type,
        "dateTime": format_date(event.at),
        **_claim_holder(event, vocabulary),
        "context": as_members(event.context),
        **_claim_time(event),
        "jobDuration": format_timespan(event.job_duration),
        "retryAttempt": event.retry_attempt,
        "jobType": event.job_type,
        "claimHasCompleted": event.claim_has_completed,
        "jobHasCompleted": event.job_has_completed,
    }


def _provider_status(support: JobSupport, position: QueuePosition | None) -> wire.ProviderJobStatus:
    queued: wire.Queued = {} if position is None else {"queuePosition": _render_position(position)}
    return {"support": support, **queued}


def _render_position(position: QueuePosition) -> wire.ProviderJobQueuePosition:
    return {
        "precedingJobs": position.preceding_jobs,
        "precedingCost": position.preceding_cost,
        "throughputRate": position.throughput_rate,
        "estimatedStartDuration": format_timespan(position.estimated_start),
        "estimatedStartDate": format_date(position.estimated_start_at),
    }


def _claim_holder(event: JobEvent, vocabulary: Vocabulary) -> wire.ClaimHolder:
    if event.provider is None or event.worker_id is None:
        return {}
    known = None if event.provider == UNKNOWN_PROVIDER else vocabulary.provider
    known = vocabulary.providers.get(event.provider, known)
    return {"provider": known or event.provider, "workerId": vocabulary.worker_id or event.worker_id}


def _odd_event(event: JobEvent, vocabulary: Vocabulary) -> wire.JobEvent:
    """Render an event that is called as no description has it."""
    odd = as_object(event.context[ODD_STATUS])
    context = {name: value for name, value in event.context.items() if name != ODD_STATUS}
    members = {**render_event(changed(event, context=context), vocabulary), "type": odd.get("event")}
    return cast("wire.JobEvent", members)


def _odd_provider(job: JobSummary) -> str | None:
    """Return the name under which a fault runs a job; only those have one that something is to go wrong with."""
    if not isinstance(job, Job) or not job.faults:
        return None
    from civitai_mock.domain.faults.actions import PresetWord  # noqa: PLC0415 - as mostly there are no faults
    from civitai_mock.domain.faults.job_effects import preset_value  # noqa: PLC0415 - as above

    return as_text(preset_value(job, PresetWord.ODD_PROVIDER)) or None


def _classification(job: Job) -> wire.PromptClassification:
    if not job.faults:
        return HARMLESS
    from civitai_mock.domain.faults.actions import PresetWord  # noqa: PLC0415 - as above
    from civitai_mock.domain.faults.job_effects import preset_value  # noqa: PLC0415 - as above

    return {**HARMLESS, "sexual": preset_value(job, PresetWord.MATURE) is not None}


def _claim_time(event: JobEvent) -> wire.ClaimTime:
    return {} if event.claim_duration is None else {"claimDuration": format_timespan(event.claim_duration)}


def _shared(job: Job) -> JsonObject:
    """Return the members that every detailed job has, whatever its type."""
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
        "version": 0 if job.workflow is None else 1,
        "jobDependencies": list(job.dependencies),
        "resources": [resource.air.compressed for resource in job.resources],
        "additionalResources": [],
        "recovered": False,
    }


def _optional(job: Job) -> JsonObject:
    """Return the members that were given; `webhook` is the name in the official description."""
    members: JsonObject = {
        "name": job.name,
        "webhook": job.callback_url,
        "taint": None if job.taint is None else dict(job.taint),
    }
    return {name: value for name, value in members.items() if value is not None}


async def renderer_for(request: Request, jobs: Sequence[JobSummary]) -> JobRenderer:
    """Make a renderer that knows where in the queue `jobs` are; claimed ones need no query, ended ones nothing."""
    cases, words = use_cases(request), vocabulary(request)
    context(request).client_hints.check(exchange(request).headers, jobs, words)
    unfinished = [job for job in jobs if job.outcome is None and isinstance(job, Job)]
    positions = await cases.queue_positions(unfinished) if unfinished else {}
    support = cases.support(unfinished) if unfinished else {}
    has_fleet = exchange(request).namespace.fleet_policy.is_on
    return JobRenderer(
        base_url=base_url(request),
        blob_urls=cases.blob_urls,
        provider_name=cases.provider_name,
        vocabulary=words,
        positions=positions,
        support=support,
        fleet=await cases.fleet.status_of(unfinished, positions, support) if has_fleet and unfinished else None,
        running=cases.running_progress(unfinished) if unfinished else {},
    )
