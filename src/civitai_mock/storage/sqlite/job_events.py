"""Events of jobs as rows of SQLite, and back.

The events of one write are one row, packed. A long text of an event, which is mostly the graph that several of them
repeat, stands once, in the row of the job's texts; the event has its place there. The row of the first event of a job
is empty if it says nothing that the job does not.

The row of the write that ended a job has lines: the events before the last; the last; its context with its text; the
properties of the job. So a short answer needs no other row, and takes the texts of the two as they are.

Each row has a position in the feed of all events, which is greater than all before it: the time, or one more than the
last. SQLite makes one transaction after the other, so whoever has read up to a position has missed nothing before it.
"""

import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

import orjson

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.job import Job, initialized_event
from civitai_mock.domain.json_types import JsonText, ReadOnlyJson
from civitai_mock.domain.micros import MICROSECOND
from civitai_mock.domain.stages import JobEventType, Outcome, Stage
from civitai_mock.storage.sqlite.encoding import Row
from civitai_mock.storage.sqlite.packing import Packed, pack, unpack, unpack_lines
from civitai_mock.storage.sqlite.schema import TableNames

Parts: TypeAlias = list[Any]  # of an event, in the order of `_parts`
Named: TypeAlias = tuple[JobEvent, str | None, str | None]  # an event, with name and text of its long text
TOLD = 8  # the number of those before its context

# The members of enums by their values: to call the class takes 0.4 µs each time, and a row has four of them.
EVENT_TYPES: Mapping[str, JobEventType] = {event_type.value: event_type for event_type in JobEventType}
STAGES: Mapping[str, Stage] = {stage.value: stage for stage in Stage}
OUTCOMES: Mapping[str, Outcome] = {outcome.value: outcome for outcome in Outcome}
FIRST_SEQ = 1  # of the events that follow the one which every job begins with
MOST_TEXTS = 16  # of a job, so that their row has a bound; events keep others within themselves
MICROSECOND_NS = 1_000
IN_LAST = -1  # the place of the text that the last event of the same row has
NOTHING = b""  # the body of a first event that says nothing

# Without the second IS NOT NULL it would walk through all events.
INSERT = """
    INSERT INTO "{jobs} {job_events}" (job, seq, body, position) VALUES (?, ?, ?, max(?, 1 + coalesce(
        (SELECT max(position) FROM "{jobs} {job_events}" WHERE position IS NOT NULL), 0)))
"""
INSERT_TEXTS = """INSERT INTO "{jobs} texts" (job, body) VALUES (?, ?) ON CONFLICT (job) DO NOTHING"""
TEXTS = """SELECT body FROM "{jobs} texts" WHERE job = ?"""
PUT_TEXTS = """
    INSERT INTO "{jobs} texts" (job, body) VALUES (?, ?) ON CONFLICT (job) DO UPDATE SET body = excluded.body
"""
EVENTS = """
    SELECT seq, body FROM "{jobs} {job_events}"
    WHERE job = (SELECT number FROM "{jobs}" WHERE epoch = ? AND id = ?) ORDER BY seq
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFacts:
    """Is what the events of a job repeat of it."""

    job_id: str
    job_type: str
    trace_id: str
    created_at: datetime

    @property
    def first_event(self) -> JobEvent:
        return initialized_event(self.job_id, self.job_type, trace_id=self.trace_id, at=self.created_at)


class EventStatements:
    """The statements with the names of the tables filled in."""

    def __init__(self, names: TableNames) -> None:
        self.insert = names.fill(INSERT)
        self.insert_texts = names.fill(INSERT_TEXTS)
        self.texts = names.fill(TEXTS)
        self.put_texts = names.fill(PUT_TEXTS)
        self.events = names.fill(EVENTS)


def append_first(connection: sqlite3.Connection, sql: EventStatements, job: Job, *, number: int) -> None:
    """Store the first event of a new job with this number."""
    if is_implied(job.last_event, facts_of(job)):
        _insert(connection, sql, number, job.seq, NOTHING)
    else:
        append_events(connection, sql, [job.last_event], number=number, created_at=job.created_at)


def append_events(
    connection: sqlite3.Connection,
    sql: EventStatements,
    events: Sequence[JobEvent],
    *,
    number: int,
    created_at: datetime,
) -> None:
    """Store the next events of the job with this number and time of creation, which are of one write."""
    named = _with_long_texts(events)
    needed = list(dict.fromkeys([text for _, _, text in named if text is not None]))[:MOST_TEXTS]
    texts = _keep_texts(connection, sql, number, needed, are_first=events[0].seq <= FIRST_SEQ)
    body = pack([_parts(event, name, text, created_at, texts) for event, name, text in named])
    _insert(connection, sql, number, events[-1].seq, body)


def append_end(
    connection: sqlite3.Connection, sql: EventStatements, job: Job, earlier: Sequence[JobEvent], *, number: int
) -> None:
    """Store the last event of a job that has ended, and those that are `earlier` in the same write."""
    last, name = job.last_event, job.last_event.long_text
    own: Mapping[str, int] = {} if name is None else {str(last.context[name]): IN_LAST}
    named = _with_long_texts(earlier)
    needed = list(dict.fromkeys([text for _, _, text in named if text is not None and text not in own]))
    are_first = last.seq - len(earlier) <= FIRST_SEQ
    texts = {**_keep_texts(connection, sql, number, needed[:MOST_TEXTS], are_first=are_first), **own}
    before = [_parts(event, name, text, job.created_at, texts) for event, name, text in named]
    told = [*_told(last, job.created_at), last.trace_id]
    body = pack(before, told, dict(last.context), dict(job.properties))
    _insert(connection, sql, number, last.seq, body)


def _insert(connection: sqlite3.Connection, sql: EventStatements, number: int, seq: int, body: Packed) -> None:
    connection.execute(sql.insert, (number, seq, body, time.time_ns() // MICROSECOND_NS))


def facts_of(job: Job) -> JobFacts:
    return JobFacts(job_id=job.id, job_type=job.type, trace_id=job.trace_id, created_at=job.created_at)


def is_implied(event: JobEvent, facts: JobFacts) -> bool:
    """Return whether an event is what `last_event_from` makes of an empty row, or without one."""
    return event.seq == 0 and event == facts.first_event


def _keep_texts(
    connection: sqlite3.Connection, sql: EventStatements, number: int, needed: Sequence[str], *, are_first: bool
) -> Mapping[str, int]:
    """Store the texts that the job does not have yet, and return the places of all that it has.

    To pack a graph takes longer than to look for it, so only those that `are_first` are stored without a look: the
    second write of a job takes 17 µs, not 28.
    """
    if not needed or (are_first and connection.execute(sql.insert_texts, (number, pack(needed))).rowcount == 1):
        return _places(needed)
    stored = connection.execute(sql.texts, (number,)).fetchall()
    kept: list[str] = unpack(stored[0][0]) if stored else []
    missing = [text for text in needed if text not in kept][: MOST_TEXTS - len(kept)]
    if missing:
        kept += missing
        connection.execute(sql.put_texts, (number, pack(kept)))
    return _places(kept)


def _places(texts: Sequence[str]) -> Mapping[str, int]:
    return {text: place for place, text in enumerate(texts)}


def _with_long_texts(events: Iterable[JobEvent]) -> Sequence[Named]:
    """Return events with their long texts, which are looked for once."""
    return [
        (event, name, None if name is None else str(event.context[name]))
        for event in events
        for name in (event.long_text,)
    ]


def _parts(
    event: JobEvent, name: str | None, text: str | None, created_at: datetime, texts: Mapping[str, int]
) -> Parts:
    """Return what an event does not share with its job.

    A text of `texts` leaves its name in its place, as members have an order, and name and place in `texts` at the end.
    """
    context = dict(event.context)
    if name is not None and text is not None and text in texts:
        context[name] = None
        return [*_told(event, created_at), context, name, texts[text]]
    return [*_told(event, created_at), context]


def _told(event: JobEvent, created_at: datetime) -> Parts:
    """Return what an event says beside its context; its time counts from the job's creation."""
    claim_duration = None if event.claim_duration is None else event.claim_duration // MICROSECOND
    times = ((event.at - created_at) // MICROSECOND, event.job_duration // MICROSECOND, claim_duration)
    return [event.type, event.stage, *times, event.retry_attempt, event.provider, event.worker_id]


def last_event_from(stored: Packed | None, facts: JobFacts, *, seq: int, texts: Packed | None) -> JobEvent:
    """Make the last event of a row, which has this `seq`; an empty row, or none, is the first event of the job.

    Jobs of before version 9 have no row of their first event.
    """
    if not stored:
        return facts.first_event
    before, *end = unpack_lines(stored)
    if end:
        return _final_event(end, facts, seq=seq)
    return _event_from(orjson.loads(before)[-1], facts, seq=seq, texts=texts)


def events_from(rows: Iterable[Row], facts: JobFacts, *, texts: Packed | None) -> Sequence[JobEvent]:
    """Make all events of a job of its rows, given as seq and body."""
    events: list[JobEvent] = []
    for last, body in rows:
        if not body:
            continue
        before, *end = unpack_lines(body)
        write = orjson.loads(before)
        final = [_final_event(end, facts, seq=last)] if end else []
        own = [str(event.context[event.long_text]) for event in final if event.long_text is not None]
        first = last + 1 - len(write) - len(final)
        events += [_event_from(parts, facts, seq=seq, texts=texts, own=own) for seq, parts in enumerate(write, first)]
        events += final
    return events if events and events[0].seq == 0 else [facts.first_event, *events]


def _final_event(end: Sequence[bytes], facts: JobFacts, *, seq: int) -> JobEvent:
    """Make the last event of the lines that its row has of it."""
    told, context, _ = end
    return _event_of(orjson.loads(told)[:TOLD], orjson.loads(context), facts, seq=seq)


def ending_from(
    stored: Packed, *, job_id: str, job_type: str, created_at: datetime, seq: int
) -> tuple[JobEvent, JsonText] | None:
    """Make the last event of a row, and the properties of its job, which stay texts; None if they are not in the row.

    They are not if the job has not ended, or ended before version 7 of the schema.
    """
    _, *end = unpack_lines(stored)
    if not end:
        return None
    line, context, properties = end
    *told, trace_id = orjson.loads(line)
    facts = JobFacts(job_id=job_id, job_type=job_type, trace_id=trace_id, created_at=created_at)
    return _event_of(told, JsonText(context), facts, seq=seq), JsonText(properties)


def _event_from(parts: Parts, facts: JobFacts, *, seq: int, texts: Packed | None, own: Sequence[str] = ()) -> JobEvent:
    """Make an event of its parts; `own` is the text of the last event in its row."""
    told, context, shared = parts[:TOLD], parts[TOLD], parts[TOLD + 1 :]
    if shared:
        name, place = shared
        context[name] = [*(() if texts is None else unpack(texts)), *own][place]
    return _event_of(told, context, facts, seq=seq)


def _event_of(told: Parts, context: ReadOnlyJson, facts: JobFacts, *, seq: int) -> JobEvent:
    event_type, stage, at, job_duration, claim_duration, retry_attempt, provider, worker_id = told
    return JobEvent(
        job_id=facts.job_id,
        seq=seq,
        type=EVENT_TYPES[event_type],
        stage=STAGES[stage],
        at=facts.created_at + at * MICROSECOND,
        job_type=facts.job_type,
        trace_id=facts.trace_id,
        context=context,
        job_duration=job_duration * MICROSECOND,
        retry_attempt=retry_attempt,
        claim_duration=None if claim_duration is None else claim_duration * MICROSECOND,
        provider=provider,
        worker_id=worker_id,
    )
