"""Jobs and their events as MongoDB documents that an operator can read."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import partial

from civitai_mock.domain.air import Air
from civitai_mock.domain.blob import BlobFacts, Slot
from civitai_mock.domain.claims import Claim, Holding
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.job import Job, JobResource, WorkflowPlace
from civitai_mock.domain.job_fault import JobFault
from civitai_mock.domain.json_types import as_list, as_object
from civitai_mock.domain.search import Position, property_paths
from civitai_mock.domain.stages import JobEventType, MovedBy, Outcome, Stage
from civitai_mock.services.threads import in_thread_if_large
from civitai_mock.storage.mongo.collections import Document
from civitai_mock.storage.mongo.encoding import (
    duration_micros,
    is_storable,
    json_text,
    key_in,
    moment_text,
    name_of,
    parse_json,
    parse_json_object,
    parse_micros,
    parse_moment,
)
from civitai_mock.storage.mongo.event_feed import draw_position

LEAF_BYTES = 16
TEXT_BYTES = 8
HELD_EVENTS: Mapping[str, int] = {
    "jobId": 1,
    "epoch": 1,
    "eventsBetween": 1,
    "lastEvent": 1,
    "texts": 1,
    "keepUntil": 1,
}


def job_document(job: Job, epoch: int) -> Document:
    """Make the document of a new job."""
    return {
        "jobId": job.id,
        "epoch": epoch,
        "type": job.type,
        "traceId": job.trace_id,
        "issuedBy": job.issued_by,
        "priority": job.priority,
        "createdAt": moment_text(job.created_at),
        "deadline": moment_text(job.expire_at),
        "keepUntil": moment_text(job.keep_until),
        "timeoutMicros": duration_micros(job.timeout),
        "cost": job.cost,
        "maxRetryAttempt": job.max_retry_attempt,
        "request": json_text(job.spec),
        "properties": json_text(job.properties),
        "resources": [_resource_document(resource) for resource in job.resources],
        "submissionId": job.submission_id,
        "position": position_text(Position(job.created_at, job.submission_id, job.id)),
        "name": job.name,
        "callbackUrl": job.callback_url,
        "clientCompat": job.client_compat,
        "providers": list(job.providers),
        "dependencies": list(job.dependencies),
        "charged": job.charged,
        "taint": None if job.taint is None else json_text(job.taint),
        "feedPosition": draw_position(),
        **_fields_of_some(job, epoch),
        **changing_fields(job, epoch),
    }


def _fields_of_some(job: Job, epoch: int) -> Document:
    """Return members that not every job has, so that a job without them takes no place in their indexes."""
    callback = {"dueAt": moment_text(job.last_event.at), "told": -1, "failures": 0}
    fields = {
        "leaves": leaf_digests(property_paths(job.properties)),
        "callback": callback if job.callback_url else None,
        "texts": long_texts([job.last_event]),
        "workflow": None if job.workflow is None else _place_document(job.workflow, epoch),
        "movedBy": job.moved_by and str(job.moved_by),
        "progress": None if job.progress is None else json_text(job.progress),
        "askedFault": None if job.asked_fault is None else json_text(job.asked_fault),
        "resultKey": job.result_key,
    }
    return {name: value for name, value in fields.items() if value}


def changing_fields(job: Job, epoch: int) -> Document:
    """Return the members that a change writes; some repeat the job in the form that filters, sums and indexes need."""
    ended = {} if job.outcome is None else {"endedAt": moment_text(job.last_event.at)}
    faults = {"faults": faults_text(job.faults)} if job.faults else {}
    kept = {"cost": job.cost, "keepsCost": True} if job.keeps_cost else {}
    is_queued = job.holding is Holding.QUEUED and job.moved_by is not MovedBy.REQUESTS
    return {
        "stage": str(job.stage),
        "outcome": None if job.outcome is None else str(job.outcome),
        **ended,
        **faults,
        **kept,
        "waitsIn": epoch if job.is_blocked else None,
        "queuedIn": epoch if is_queued else None,
        "openIn": epoch if job.outcome is None else None,
        "spent": spent(job),
        "images": sum(slot.available for slot in job.slots) if job.outcome is Outcome.SUCCEEDED else 0,
        "seq": job.seq,
        "retryAttempt": job.retry_attempt,
        "promptId": job.prompt_id,
        "claim": None if job.claim is None else claim_fields(job.claim),
        "slots": [slot_document(slot) for slot in job.slots],
        "result": None if job.result is None else json_text(job.result),
        "lastEvent": event_fields(job.last_event),
    }


def spent(job: Job) -> float:
    """Return what the consumer has spent on a job, in Buzz; a job that did not succeed is refunded.

    One that was canceled may keep a part of its cost.
    """
    counts = job.charged and (job.keeps_cost or job.outcome in (None, Outcome.SUCCEEDED))
    return job.cost if counts else 0.0


def claim_fields(claim: Claim) -> Document:
    return {
        "provider": claim.provider,
        "workerId": claim.worker_id,
        "at": moment_text(claim.at),
        "until": moment_text(claim.until),
    }


def job_of(document: Document) -> Job:
    claim, outcome, result, taint = (document[name] for name in ("claim", "outcome", "result", "taint"))
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
        spec=parse_json_object(document["request"]),
        properties=parse_json_object(document["properties"]),
        resources=tuple(_resource_of(fields) for fields in document["resources"]),
        submission_id=document["submissionId"],
        name=document["name"],
        callback_url=document["callbackUrl"],
        client_compat=document.get("clientCompat"),  # as no job of an earlier version has it
        providers=tuple(document["providers"]),
        dependencies=tuple(document["dependencies"]),
        charged=document["charged"],
        workflow=_place_of(document["workflow"]) if "workflow" in document else None,
        progress=parse_json_object(document["progress"]) if "progress" in document else None,
        asked_fault=parse_json_object(document["askedFault"]) if "askedFault" in document else None,
        result_key=document.get("resultKey"),
        slots=tuple(_slot_of(fields) for fields in document["slots"]),
        stage=Stage(document["stage"]),
        retry_attempt=document["retryAttempt"],
        last_event=event_of(document["jobId"], document["lastEvent"], texts_of(document)),
        outcome=None if outcome is None else Outcome(outcome),
        claim=None if claim is None else _claim_of(claim),
        prompt_id=document["promptId"],
        is_blocked=document["waitsIn"] is not None,
        faults=_faults_of(document["faults"]) if "faults" in document else (),
        keeps_cost="keepsCost" in document,
        moved_by=MovedBy(document["movedBy"]) if "movedBy" in document else None,
        result=None if result is None else parse_json(result),
        taint=None if taint is None else parse_json_object(taint),
    )


def _place_document(place: WorkflowPlace, epoch: int) -> Document:
    return {"id": key_in(epoch, place.workflow_id), "step": place.step, "index": place.index, "attempt": place.attempt}


def _place_of(fields: Document) -> WorkflowPlace:
    return WorkflowPlace(
        workflow_id=name_of(fields["id"]), step=fields["step"], index=fields["index"], attempt=fields["attempt"]
    )


def faults_text(faults: Sequence[JobFault]) -> str | None:
    return json_text([fault.to_json() for fault in faults]) if faults else None


def _faults_of(text: str) -> tuple[JobFault, ...]:
    return tuple([JobFault.from_json(as_object(members)) for members in as_list(parse_json(text))])


async def jobs_of(documents: Iterable[Document]) -> list[Job]:
    """Read jobs from documents; large ones are read in a thread, so that nobody waits for them."""
    return [await in_thread_if_large(partial(job_of, document), size=text_size(document)) for document in documents]


def text_size(document: Document) -> int:
    """Return the length of those members of a job that may be large."""
    texts = (document["request"], document["properties"], document["result"], document["lastEvent"]["context"])
    return sum(len(text) for text in (*texts, *texts_of(document).values()) if text)


def _claim_of(fields: Document) -> Claim:
    return Claim(
        provider=fields["provider"],
        worker_id=fields["workerId"],
        at=parse_moment(fields["at"]),
        until=parse_moment(fields["until"]),
    )


def slot_document(slot: Slot) -> Document:
    """Return a slot; what has become of its blob is in `lost`, which others do not have."""
    document: Document = {
        "blobKey": slot.blob_key,
        "seed": slot.seed,
        "available": slot.available,
        "name": slot.name,
    }
    if slot.facts is not None:
        document["facts"] = slot.facts.to_json()
    if not slot.is_as_made:
        document["lost"] = slot.is_lost
    if slot.expired_at is not None:
        document["expiredAt"] = moment_text(slot.expired_at)
    return document


def _slot_of(fields: Document) -> Slot:
    return Slot(
        blob_key=fields["blobKey"],
        seed=fields["seed"],
        available=fields["available"],
        name=fields.get("name"),
        facts=BlobFacts.from_json(fields["facts"]) if "facts" in fields else None,
        expired_at=parse_moment(fields["expiredAt"]) if "expiredAt" in fields else None,
        is_lost=fields.get("lost", False),
    )


def _resource_document(resource: JobResource) -> Document:
    words = list(resource.trained_words)
    hashes = {"hashes": list(resource.hashes)} if resource.hashes else {}
    return {"air": asdict(resource.air), "fileName": resource.file_name, "trainedWords": words, **hashes}


def _resource_of(fields: Document) -> JobResource:
    """Make a resource, which may have no hashes; earlier versions stored none."""
    words, hashes = tuple(fields["trainedWords"]), tuple(fields.get("hashes", ()))
    return JobResource(air=Air(**fields["air"]), file_name=fields["fileName"], trained_words=words, hashes=hashes)


def with_ids(job_ids: Iterable[str], epoch: int) -> Document:
    return {"jobId": {"$in": [job_id for job_id in job_ids if is_storable(job_id)]}, "epoch": epoch}


def position_text(position: Position) -> str:
    """Return a position as one text, so that one index field orders jobs; a space sorts before all that ids have."""
    return f"{moment_text(position.created_at)} {position.submission_id} {position.job_id}"


def leaf_digests(texts: Iterable[str]) -> Sequence[bytes]:
    """Return what a job holds for the leaves of its properties, which may be long and are never read there."""
    return [hashlib.blake2b(text.encode(), digest_size=LEAF_BYTES).digest() for text in sorted(texts)]


def event_fields(event: JobEvent) -> Document:
    """Return the members of an event, without the id of its job.

    A long text leaves its name in its place in the context, as members have an order; the text is among those of the
    job (`text_fields`), under its digest.
    """
    claim_duration, context, text = event.claim_duration, event.context, _shared_text(event)
    shared = {}
    if text is not None:
        shared = {"text": {"name": event.long_text, "digest": _digest(text)}}
        context = {**context, str(event.long_text): None}
    return {
        "seq": event.seq,
        "type": str(event.type),
        "stage": str(event.stage),
        "at": moment_text(event.at),
        "jobType": event.job_type,
        "traceId": event.trace_id,
        "context": json_text(context),
        "jobDurationMicros": duration_micros(event.job_duration),
        "claimDurationMicros": None if claim_duration is None else duration_micros(claim_duration),
        "retryAttempt": event.retry_attempt,
        "provider": event.provider,
        "workerId": event.worker_id,
        **shared,
    }


def text_fields(events: Iterable[JobEvent]) -> Document:
    """Return what an update sets for the long texts of events; one that the job has is the same again."""
    return {f"texts.{digest}": text for digest, text in long_texts(events).items()}


def texts_of(job_document: Document) -> Mapping[str, str]:
    """Return the long texts of a job, which jobs that were not changed since version 5 have in their events."""
    texts: Mapping[str, str] = job_document.get("texts", {})
    return texts


def long_texts(events: Iterable[JobEvent]) -> Mapping[str, str]:
    texts = dict.fromkeys(_shared_text(event) for event in events)
    return {_digest(text): text for text in texts if text is not None}


def _shared_text(event: JobEvent) -> str | None:
    """Return the long text of an event, unless only JSON can spell it."""
    name = event.long_text
    text = None if name is None else str(event.context[name])
    return text if text is not None and is_storable(text) else None


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=TEXT_BYTES).hexdigest()


def event_of(job_id: str, fields: Document, texts: Mapping[str, str]) -> JobEvent:
    """Make an event of a job that has these long texts."""
    claim_duration, context = fields["claimDurationMicros"], parse_json_object(fields["context"])
    if (text := fields.get("text")) is not None:
        context[text["name"]] = texts[text["digest"]]
    return JobEvent(
        job_id=job_id,
        seq=fields["seq"],
        type=JobEventType(fields["type"]),
        stage=Stage(fields["stage"]),
        at=parse_moment(fields["at"]),
        job_type=fields["jobType"],
        trace_id=fields["traceId"],
        context=context,
        job_duration=parse_micros(fields["jobDurationMicros"]),
        claim_duration=None if claim_duration is None else parse_micros(claim_duration),
        retry_attempt=fields["retryAttempt"],
        provider=fields["provider"],
        worker_id=fields["workerId"],
    )


def event_documents(job: Job, events: Iterable[JobEvent], epoch: int) -> Sequence[Document]:
    keep_until = moment_text(job.keep_until)
    return [{"jobId": job.id, "epoch": epoch, **event_fields(event), "keepUntil": keep_until} for event in events]


def held_events(job_document: Document) -> Sequence[Document]:
    """Return the fields of the events of a job's last change, which its document holds (`HELD_EVENTS`).

    A job that was not changed since version 3 has no events before its last one there.
    """
    return [*job_document.get("eventsBetween", ()), job_document["lastEvent"]]


def copied_events(job_document: Document) -> Sequence[Document]:
    """Return the events that a job document holds, as documents of their own."""
    of_job = {name: job_document[name] for name in ("jobId", "epoch")}
    keep_until = job_document["keepUntil"]
    return [{**of_job, **fields, "keepUntil": keep_until} for fields in held_events(job_document)]
