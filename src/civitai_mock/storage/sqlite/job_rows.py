"""Jobs and their events as rows of SQLite, and back."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache, partial

import orjson

from civitai_mock.domain.air import Air
from civitai_mock.domain.blob import BlobFacts, Slot, blob_key
from civitai_mock.domain.claims import Claim
from civitai_mock.domain.job import Job, JobResource, JobSummary, WorkflowPlace
from civitai_mock.domain.job_fault import JobFault
from civitai_mock.domain.json_types import JsonObject, ReadOnlyJson
from civitai_mock.domain.micros import MICROSECOND, from_micros, to_micros
from civitai_mock.domain.search import property_paths
from civitai_mock.domain.stages import MovedBy
from civitai_mock.services.threads import in_thread_if_large
from civitai_mock.storage.sqlite.encoding import Document, Row, Value, air_parts, text_size, to_json
from civitai_mock.storage.sqlite.job_events import OUTCOMES, STAGES, JobFacts, ending_from, last_event_from

LEAF_BYTES = 16
LOST, EXPIRED_AT = "lost", "expiredAt"
NOT_CHARGED, CHARGED, KEPT = range(3)  # of the column `charged`: the last counts though the job was canceled
MAY_BE_LARGE = slice(-5, None)  # of the columns of `schema.JOB`: result, taint, request, last event and texts
CACHED_AIRS = 4096
MOVED_BY: Mapping[str | None, MovedBy | None] = {None: None, **{moved_by.value: moved_by for moved_by in MovedBy}}
INSERT_LEAF = """INSERT INTO "{jobs} leaves" (epoch, leaf, born, submission, job) VALUES (?, ?, ?, ?, ?)"""


def request_text(job: Job) -> str:
    """Return what never changes of a job and has no column, but for what most jobs do not have."""
    body = {
        "trace_id": job.trace_id,
        "timeout": job.timeout // MICROSECOND,
        "max_retry_attempt": job.max_retry_attempt,
        "request": dict(job.spec),
        "properties": dict(job.properties),
        "resources": [_resource_parts(resource) for resource in job.resources],
    }
    others = {
        "name": job.name,
        "callback_url": job.callback_url,
        "client_compat": job.client_compat,
        "providers": job.providers,
        "dependencies": job.dependencies,
        "workflow": None if job.workflow is None else _place_parts(job.workflow),
        "progress": None if job.progress is None else dict(job.progress),
        "asked_fault": None if job.asked_fault is None else dict(job.asked_fault),
        "result_key": job.result_key,
    }
    return to_json(body | {name: value for name, value in others.items() if value not in (None, ())})


def job_row(job: Job, *, epoch: int) -> tuple[Value, ...]:
    """Return the columns of a new job, in the order of `jobs.INSERT`."""
    searched = (job.type, job.issued_by, job.submission_id, job.cost, charge_of(job), job.priority)
    times = (to_micros(job.created_at), to_micros(job.expire_at), to_micros(job.keep_until))
    taint = None if job.taint is None else to_json(dict(job.taint))
    return (epoch, job.id, *searched, *times, taint, job.moved_by, *job_changes(job))


def charge_of(job: Job) -> int:
    return KEPT if job.keeps_cost else CHARGED if job.charged else NOT_CHARGED


def job_changes(job: Job) -> tuple[Value, ...]:
    """Return the columns that a `replace` writes, in the order of `jobs.REPLACE`; the last is when its event is due."""
    claim = job.claim
    changed_at = to_micros(job.last_event.at)
    return (
        to_json([_slot_parts(slot, job.id, place) for place, slot in enumerate(job.slots)]),
        job.seq,
        changed_at,
        job.stage.value,
        job.retry_attempt,
        job.outcome.value if job.outcome else None,
        claim.provider if claim else None,
        claim.worker_id if claim else None,
        to_micros(claim.at) if claim else None,
        to_micros(claim.until) if claim else None,
        job.prompt_id,
        job.is_blocked,
        None if job.result is None else to_json(job.result),
        faults_text(job.faults),
        changed_at if job.callback_url else None,
    )


def goes_on(before: Job, after: Job) -> bool:
    """Return whether a job has changed in nothing but the columns of `jobs.ADVANCE`: it keeps its claim."""
    held, holds = before.claim, after.claim
    return (
        holds is not None
        and holds.is_same(held)
        and after.outcome is None
        and after.callback_url is None
        and after.result is None
        and after.faults == before.faults
    )


def advanced_columns(changes: tuple[Value, ...]) -> tuple[Value, ...]:
    """Return the columns of `jobs.ADVANCE`, of those that `job_changes` returns."""
    slots, seq, changed_at, stage, retry_attempt, _, _, _, claimed_at, lease_until, prompt_id, *_ = changes
    return (slots, seq, changed_at, stage, retry_attempt, claimed_at, lease_until, prompt_id)


def job_from(row: Row) -> Job:
    """Make a job from the columns of `schema.JOB`."""
    job_id, job_type, issued_by, submission_id, cost, charged, priority, micros, expire_at, keep_until, *rest = row
    slots, seq, stage, retry_attempt, outcome, *claim, prompt_id, waits, moved_by, faults = rest[:-5]
    result, taint, request, last, texts = rest[-5:]
    body, created_at = orjson.loads(request), from_micros(micros)
    facts = JobFacts(job_id=job_id, job_type=job_type, trace_id=body["trace_id"], created_at=created_at)
    return Job(
        id=job_id,
        type=job_type,
        trace_id=facts.trace_id,
        issued_by=issued_by,
        created_at=created_at,
        expire_at=from_micros(expire_at),
        keep_until=from_micros(keep_until),
        priority=priority,
        timeout=timedelta(microseconds=body["timeout"]),
        cost=cost,
        max_retry_attempt=body["max_retry_attempt"],
        spec=body["request"],
        properties=body["properties"],
        resources=tuple(_job_resource(*parts) for parts in body["resources"]),
        submission_id=submission_id,
        name=body.get("name"),
        callback_url=body.get("callback_url"),
        client_compat=body.get("client_compat"),
        providers=tuple(body.get("providers", ())),
        dependencies=tuple(body.get("dependencies", ())),
        charged=charged != NOT_CHARGED,
        keeps_cost=charged == KEPT,
        workflow=_place(*body["workflow"]) if "workflow" in body else None,
        progress=body.get("progress"),
        asked_fault=body.get("asked_fault"),
        result_key=body.get("result_key"),
        moved_by=MOVED_BY[moved_by],
        slots=_slots(job_id, slots),
        stage=STAGES[stage],
        retry_attempt=retry_attempt,
        last_event=last_event_from(last, facts, seq=seq, texts=texts),
        outcome=OUTCOMES[outcome] if outcome else None,
        claim=_claim(*claim) if claim[1] is not None else None,
        prompt_id=prompt_id,
        is_blocked=waits == 1,
        faults=() if faults is None else tuple([JobFault.from_json(members) for members in orjson.loads(faults)]),
        result=None if result is None else orjson.loads(result),
        taint=None if taint is None else orjson.loads(taint),
    )


def summary_from(job_id: str, row: Row) -> JobSummary | None:
    """Make the summary of a job that has ended of the columns of `jobs.GET_SUMMARY`; None if it takes all of the job.

    It takes half the time of a job: it is one row more, and what only goes into an answer stays text.
    """
    job_type, issued_by, cost, micros, slots, seq, outcome, result, taint, last = row
    ending = (
        None
        if outcome is None or last is None
        else ending_from(last, job_id=job_id, job_type=job_type, created_at=from_micros(micros), seq=seq)
    )
    if ending is None:
        return None
    last_event, properties = ending
    return JobSummary(
        id=job_id,
        issued_by=issued_by,
        cost=cost,
        properties=properties,
        slots=_slots(job_id, slots),
        last_event=last_event,
        outcome=OUTCOMES[outcome],
        result=None if result is None else orjson.loads(result),
        taint=None if taint is None else orjson.loads(taint),
    )


async def jobs_from(rows: Iterable[Row]) -> list[Job]:
    """Read jobs from rows; large ones are read in a thread, so that nobody waits for them."""
    return [await in_thread_if_large(partial(job_from, row), size=text_size(row[MAY_BE_LARGE])) for row in rows]


def _claim(provider: str, worker_id: str, at: int, until: int) -> Claim:
    return Claim(provider=provider, worker_id=worker_id, at=from_micros(at), until=from_micros(until))


def _place_parts(place: WorkflowPlace) -> tuple[str | int, ...]:
    return (place.workflow_id, place.step, place.index, place.attempt)


def _place(workflow_id: str, step: int, index: int, attempt: int) -> WorkflowPlace:
    return WorkflowPlace(workflow_id=workflow_id, step=step, index=index, attempt=attempt)


def faults_text(faults: Sequence[JobFault]) -> str | None:
    return to_json([fault.to_json() for fault in faults]) if faults else None


def _slot_parts(slot: Slot, job_id: str, place: int) -> tuple[str | int | JsonObject | None, ...]:
    """Return the members of a slot, without the key that its place gives it, and without what is none at the end."""
    key = None if slot.blob_key == blob_key(job_id, place) else slot.blob_key
    facts = None if slot.facts is None else slot.facts.to_json()
    if not slot.is_as_made:
        return (key, slot.seed, slot.available, slot.name, facts, _changes_of(slot))
    if facts is not None:
        return (key, slot.seed, slot.available, slot.name, facts)
    name = () if slot.name is None else (slot.name,)
    return (key, slot.seed, slot.available, *name)


def _changes_of(slot: Slot) -> JsonObject:
    """Return what has become of a blob; a job of which the row has one of these names has changed since its end."""
    return {LOST: slot.is_lost, EXPIRED_AT: None if slot.expired_at is None else to_micros(slot.expired_at)}


def changed_slots(job_id: str, text: str, slot: Slot) -> str | None:
    """Return the column with a slot in the place of the one with its blob; None if there is none."""
    slots = _slots(job_id, text)
    if not any(each.blob_key == slot.blob_key for each in slots):
        return None
    changed = [slot if each.blob_key == slot.blob_key else each for each in slots]
    return to_json([_slot_parts(each, job_id, place) for place, each in enumerate(changed)])


def _slots(job_id: str, text: str) -> tuple[Slot, ...]:
    return tuple([_slot(job_id, place, *parts) for place, parts in enumerate(orjson.loads(text))])


def _slot(
    job_id: str,
    place: int,
    key: str | None,
    seed: int | None,
    available: bool,
    name: str | None = None,
    known: JsonObject | None = None,
    changes: Mapping[str, int | None] | None = None,
) -> Slot:
    facts = None if known is None else BlobFacts.from_json(known)
    slot = Slot(blob_key=key or blob_key(job_id, place), seed=seed, available=available, name=name, facts=facts)
    if changes is None:
        return slot
    expired_at = changes[EXPIRED_AT]
    return replace(
        slot, is_lost=bool(changes[LOST]), expired_at=None if expired_at is None else from_micros(expired_at)
    )


def _resource_parts(resource: JobResource) -> tuple[object, ...]:
    hashes = (resource.hashes,) if resource.hashes else ()
    return (air_parts(resource.air), resource.file_name, resource.trained_words, *hashes)


def _job_resource(air: Document, file_name: str, trained_words: list[str], hashes: Sequence[str] = ()) -> JobResource:
    """Make a resource, which may have no hashes; earlier versions stored none."""
    words = tuple(trained_words)
    return JobResource(air=_air(**air), file_name=file_name, trained_words=words, hashes=tuple(hashes))


_air = lru_cache(CACHED_AIRS)(Air)  # jobs share a few resources; a value that is found takes a third of the time


def leaf_rows(job: Job, *, epoch: int) -> Sequence[tuple[Value, ...]]:
    """Return a row for each leaf of a job's properties, in the order of `INSERT_LEAF`."""
    return _leaf_rows(epoch, (to_micros(job.created_at), job.submission_id, job.id), job.properties)


def stored_leaf_rows(stored: Sequence[Row]) -> Sequence[tuple[Value, ...]]:
    """Return the leaf rows of stored jobs, given as epoch, created_at, submission_id, id and body."""
    return [
        row
        for epoch, *position, text in stored
        for row in _leaf_rows(epoch, tuple(position), orjson.loads(text)["properties"])
    ]


def _leaf_rows(epoch: int, position: tuple[Value, ...], properties: ReadOnlyJson) -> Sequence[tuple[Value, ...]]:
    return [(epoch, digest, *position) for digest in leaf_digests(property_paths(properties))]


def leaf_digests(texts: Iterable[str]) -> Sequence[str]:
    """Return what the table holds for leaves, which may be long and are never read there."""
    return [hashlib.blake2b(text.encode(), digest_size=LEAF_BYTES).hexdigest() for text in texts]
