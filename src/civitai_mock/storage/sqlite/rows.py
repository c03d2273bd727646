"""Rows from domain values and back. Times and durations are whole microseconds; JSON is text, for people to read."""

from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import orjson

from civitai_mock.domain.air import Air
from civitai_mock.domain.blob import Blob, Slot
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.job import Claim, Job, JobResource
from civitai_mock.domain.resource import Resource
from civitai_mock.domain.stages import JobEventType, Outcome, Stage

# Neither sqlite3 nor orjson knows the types of what it reads.
Row: TypeAlias = tuple[Any, ...]
Document: TypeAlias = dict[str, Any]
Value: TypeAlias = str | int | float | bytes | None

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def to_micros(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND


def from_micros(micros: int) -> datetime:
    return EPOCH + timedelta(microseconds=micros)


def to_json(value: object) -> str:
    return orjson.dumps(value).decode()


def job_row(job: Job) -> tuple[Value, ...]:
    """All columns of a new job, in the order of `jobs_sql.INSERT`."""
    body = {
        "type": job.type,
        "trace_id": job.trace_id,
        "issued_by": job.issued_by,
        "timeout": job.timeout // MICROSECOND,
        "cost": job.cost,
        "max_retry_attempt": job.max_retry_attempt,
        "request": dict(job.request),
        "properties": dict(job.properties),
        "resources": [(_air_parts(used.air), used.file_name, used.trained_words) for used in job.resources],
    }
    times = (to_micros(job.created_at), to_micros(job.expire_at), to_micros(job.keep_until))
    return (job.id, to_json(body), job.priority, *times, *job_changes(job))


def job_changes(job: Job) -> tuple[Value, ...]:
    """The columns that may change, in the order of `jobs_sql.REPLACE`."""
    claim = job.claim
    return (
        to_json([(slot.blob_key, slot.seed, slot.available) for slot in job.slots]),
        job.seq,
        job.stage.value,
        job.retry_attempt,
        job.outcome.value if job.outcome else None,
        claim.provider if claim else None,
        claim.worker_id if claim else None,
        to_micros(claim.at) if claim else None,
        to_micros(claim.until) if claim else None,
        job.prompt_id,
    )


def job_from(row: Row) -> Job:
    """From the columns of `jobs_sql.JOB`."""
    job_id, text, priority, created_at, expire_at, keep_until, slots, stage, retry_attempt, outcome, *rest = row
    *claim, prompt_id, seq, last_event = rest
    body = orjson.loads(text)
    return Job(
        id=job_id,
        type=body["type"],
        trace_id=body["trace_id"],
        issued_by=body["issued_by"],
        created_at=from_micros(created_at),
        expire_at=from_micros(expire_at),
        keep_until=from_micros(keep_until),
        priority=priority,
        timeout=timedelta(microseconds=body["timeout"]),
        cost=body["cost"],
        max_retry_attempt=body["max_retry_attempt"],
        request=body["request"],
        properties=body["properties"],
        resources=tuple(_job_resource(*parts) for parts in body["resources"]),
        slots=tuple(Slot(blob_key=key, seed=seed, available=there) for key, seed, there in orjson.loads(slots)),
        stage=Stage(stage),
        retry_attempt=retry_attempt,
        last_event=event_from((job_id, seq, last_event)),
        outcome=Outcome(outcome) if outcome else None,
        claim=_claim(*claim) if claim[1] is not None else None,
        prompt_id=prompt_id,
    )


def _claim(provider: str, worker_id: str, at: int, until: int) -> Claim:
    return Claim(provider=provider, worker_id=worker_id, at=from_micros(at), until=from_micros(until))


def _job_resource(air: Document, file_name: str, trained_words: list[str]) -> JobResource:
    return JobResource(air=Air(**air), file_name=file_name, trained_words=tuple(trained_words))


def event_row(event: JobEvent) -> tuple[Value, ...]:
    claim_duration = event.claim_duration
    body = {
        "type": event.type,
        "stage": event.stage,
        "at": to_micros(event.at),
        "job_type": event.job_type,
        "trace_id": event.trace_id,
        "context": dict(event.context),
        "job_duration": event.job_duration // MICROSECOND,
        "retry_attempt": event.retry_attempt,
        "claim_duration": None if claim_duration is None else claim_duration // MICROSECOND,
        "provider": event.provider,
        "worker_id": event.worker_id,
    }
    return (event.job_id, event.seq, to_json(body))


def event_from(row: Row) -> JobEvent:
    job_id, seq, text = row
    body = orjson.loads(text)
    claim_duration = body["claim_duration"]
    return JobEvent(
        job_id=job_id,
        seq=seq,
        type=JobEventType(body["type"]),
        stage=Stage(body["stage"]),
        at=from_micros(body["at"]),
        job_type=body["job_type"],
        trace_id=body["trace_id"],
        context=body["context"],
        job_duration=timedelta(microseconds=body["job_duration"]),
        retry_attempt=body["retry_attempt"],
        claim_duration=None if claim_duration is None else timedelta(microseconds=claim_duration),
        provider=body["provider"],
        worker_id=body["worker_id"],
    )


def resource_row(resource: Resource) -> tuple[Value, ...]:
    """Columns to be matched are in lower case, as `Air.key` is."""
    air = resource.air
    body = to_json({"air": _air_parts(air), "fields": dict(resource.fields)})
    version = air.version.lower() if air.version else None
    return (air.key, air.source.lower(), version, air.id.lower(), resource.search_text, body)


def resource_from(text: str) -> Resource:
    body = orjson.loads(text)
    return Resource(air=Air(**body["air"]), fields=body["fields"])


def _air_parts(air: Air) -> Document:
    """Parts and not text: parsing each AIR again would be most of the time it takes to read a job."""
    return {
        "source": air.source,
        "id": air.id,
        "ecosystem": air.ecosystem,
        "type": air.type,
        "version": air.version,
        "format": air.format,
    }


def blob_row(blob: Blob) -> tuple[Value, ...]:
    return (blob.key, blob.content_type, blob.size, blob.etag, to_micros(blob.keep_until))


def blob_from(row: Row) -> Blob:
    key, content_type, size, etag, keep_until = row
    return Blob(key=key, content_type=content_type, size=size, etag=etag, keep_until=from_micros(keep_until))
