"""Job events as documents: in their own collection, and inside a job as its `lastEvent`."""

from datetime import datetime

from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.job import Job
from civitai_mock.domain.stages import JobEventType, Stage
from civitai_mock.storage.mongo.collections import Document
from civitai_mock.storage.mongo.encoding import (
    duration_micros,
    json_text,
    moment_text,
    parse_json_object,
    parse_micros,
    parse_moment,
)


def event_fields(event: JobEvent) -> Document:
    """Without the job's id."""
    claim_duration = event.claim_duration
    return {
        "seq": event.seq,
        "type": str(event.type),
        "stage": str(event.stage),
        "at": moment_text(event.at),
        "jobType": event.job_type,
        "traceId": event.trace_id,
        "context": json_text(event.context),
        "jobDurationMicros": duration_micros(event.job_duration),
        "claimDurationMicros": None if claim_duration is None else duration_micros(claim_duration),
        "retryAttempt": event.retry_attempt,
        "provider": event.provider,
        "workerId": event.worker_id,
    }


def event_of(job_id: str, fields: Document) -> JobEvent:
    claim_duration = fields["claimDurationMicros"]
    return JobEvent(
        job_id=job_id,
        seq=fields["seq"],
        type=JobEventType(fields["type"]),
        stage=Stage(fields["stage"]),
        at=parse_moment(fields["at"]),
        job_type=fields["jobType"],
        trace_id=fields["traceId"],
        context=parse_json_object(fields["context"]),
        job_duration=parse_micros(fields["jobDurationMicros"]),
        claim_duration=None if claim_duration is None else parse_micros(claim_duration),
        retry_attempt=fields["retryAttempt"],
        provider=fields["provider"],
        worker_id=fields["workerId"],
    )


def last_event_document(job: Job) -> Document:
    return {"jobId": job.id, **event_fields(job.last_event), **lifetime_fields(job.keep_until)}


def copied_last_event(job_document: Document) -> Document:
    """The event that a job document holds, as a document of its own."""
    lifetime = {name: job_document[name] for name in ("keepUntil", "expireAt")}
    return {"jobId": job_document["jobId"], **job_document["lastEvent"], **lifetime}


def lifetime_fields(keep_until: datetime) -> Document:
    """`expireAt` is the date of the TTL index, `keepUntil` the exact time."""
    return {"keepUntil": moment_text(keep_until), "expireAt": keep_until}


def expired(now: datetime) -> Document:
    """The filter for what `lifetime_fields` has let go; the first half uses the TTL index."""
    return {"expireAt": {"$lte": now}, "keepUntil": {"$lte": moment_text(now)}}
