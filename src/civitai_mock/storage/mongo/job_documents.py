"""Jobs as documents that an operator can read."""

from dataclasses import asdict

from civitai_mock.domain.air import Air
from civitai_mock.domain.blob import Slot
from civitai_mock.domain.job import Claim, Job, JobResource
from civitai_mock.domain.stages import Outcome, Stage
from civitai_mock.storage.mongo.collections import Document
from civitai_mock.storage.mongo.encoding import (
    duration_micros,
    json_text,
    moment_text,
    parse_json,
    parse_micros,
    parse_moment,
)
from civitai_mock.storage.mongo.event_documents import event_fields, event_of, lifetime_fields


def job_document(job: Job) -> Document:
    return {
        "jobId": job.id,
        "type": job.type,
        "traceId": job.trace_id,
        "issuedBy": job.issued_by,
        "priority": job.priority,
        "createdAt": moment_text(job.created_at),
        "deadline": moment_text(job.expire_at),
        **lifetime_fields(job.keep_until),
        "timeoutMicros": duration_micros(job.timeout),
        "cost": job.cost,
        "maxRetryAttempt": job.max_retry_attempt,
        "request": json_text(job.request),
        "properties": json_text(job.properties),
        "resources": [_resource_document(resource) for resource in job.resources],
        **changing_fields(job),
    }


def changing_fields(job: Job) -> Document:
    """What a change of a job writes. `seq` and `queued` repeat the job in the form that filters and indexes need."""
    return {
        "stage": str(job.stage),
        "outcome": None if job.outcome is None else str(job.outcome),
        "queued": job.claim is None and job.outcome is None,
        "seq": job.seq,
        "retryAttempt": job.retry_attempt,
        "promptId": job.prompt_id,
        "claim": None if job.claim is None else claim_fields(job.claim),
        "slots": [_slot_document(slot) for slot in job.slots],
        "lastEvent": event_fields(job.last_event),
    }


def claim_fields(claim: Claim) -> Document:
    return {
        "provider": claim.provider,
        "workerId": claim.worker_id,
        "at": moment_text(claim.at),
        "until": moment_text(claim.until),
    }


def job_of(document: Document) -> Job:
    claim, outcome = document["claim"], document["outcome"]
    return Job(
        id=document["jobId"],
        type=document["type"],
        trace_id=document["traceId"],
        issued_by=document["issuedBy"],
        created_at=parse_moment(document["createdAt"]),
        expire_at=parse_moment(document["deadline"]),
        keep_until=parse_moment(document["keepUntil"]),
        priority=document["priority"],
        timeout=parse_micros(document["timeoutMicros"]),
        cost=document["cost"],
        max_retry_attempt=document["maxRetryAttempt"],
        request=parse_json(document["request"]),
        properties=parse_json(document["properties"]),
        resources=tuple(_resource_of(fields) for fields in document["resources"]),
        slots=tuple(_slot_of(fields) for fields in document["slots"]),
        stage=Stage(document["stage"]),
        retry_attempt=document["retryAttempt"],
        last_event=event_of(document["jobId"], document["lastEvent"]),
        outcome=None if outcome is None else Outcome(outcome),
        claim=None if claim is None else _claim_of(claim),
        prompt_id=document["promptId"],
    )


def _claim_of(fields: Document) -> Claim:
    return Claim(
        provider=fields["provider"],
        worker_id=fields["workerId"],
        at=parse_moment(fields["at"]),
        until=parse_moment(fields["until"]),
    )


def _slot_document(slot: Slot) -> Document:
    return {"blobKey": slot.blob_key, "seed": slot.seed, "available": slot.available}


def _slot_of(fields: Document) -> Slot:
    return Slot(blob_key=fields["blobKey"], seed=fields["seed"], available=fields["available"])


def _resource_document(resource: JobResource) -> Document:
    words = list(resource.trained_words)
    return {"air": asdict(resource.air), "fileName": resource.file_name, "trainedWords": words}


def _resource_of(fields: Document) -> JobResource:
    words = tuple(fields["trainedWords"])
    return JobResource(air=Air(**fields["air"]), file_name=fields["fileName"], trained_words=words)
