"""Everything of one epoch in SQLite, as records of a snapshot: read page by page, and written into another epoch."""

import sqlite3
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from civitai_mock.domain.blob import Blob, UndrawnBlob
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.job import Job
from civitai_mock.domain.micros import from_micros, to_micros
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.domain.search import MOST_BYTES_FOUND
from civitai_mock.ports.snapshots import CounterRecord, Delivery, JobRecord, ResourceRecord, WorkflowRecord
from civitai_mock.storage.sqlite.attempts import attempts_from, attempts_text, faults_from, faults_text
from civitai_mock.storage.sqlite.blobs import SELECT as SELECT_BLOBS
from civitai_mock.storage.sqlite.blobs import blob_from
from civitai_mock.storage.sqlite.database import Database
from civitai_mock.storage.sqlite.encoding import Row, Value, to_json
from civitai_mock.storage.sqlite.job_events import append_end, append_events, append_first, events_from, facts_of
from civitai_mock.storage.sqlite.job_rows import job_from, job_row, leaf_rows, request_text
from civitai_mock.storage.sqlite.new_jobs import InsertStatements, insert_row
from civitai_mock.storage.sqlite.resource_statements import LayeredStatements
from civitai_mock.storage.sqlite.resources import resource_from, resource_row
from civitai_mock.storage.sqlite.schema import TableNames, filled
from civitai_mock.storage.sqlite.workflow_outbox import AnnouncementStatements, announcement_from, announcement_row
from civitai_mock.storage.sqlite.workflow_rows import tag_rows, workflow_from, workflow_row
from civitai_mock.storage.sqlite.workflows import WorkflowStatements

if TYPE_CHECKING:
    from civitai_mock.domain.workflow_search import Announcement

PAGE = 100
EXTERNAL_ID = 3  # the place of the column in `workflow_row`
# Jobs by `Position`, as younger ones may be added meanwhile.
JOBS = """
    SELECT created_at, submission_id, id, number, callback_told, callback_due_at, callback_failures, callback_attempts,
        callback_faults, polls, {job}
    FROM "{jobs}" WHERE epoch = ? AND (created_at, submission_id, id) > (?, ?, ?)
    ORDER BY created_at, submission_id, id LIMIT ?
"""
EVENTS = """
    SELECT job, seq, body FROM "{jobs} {job_events}" WHERE job IN (SELECT value FROM json_each(?)) ORDER BY job, seq
"""
NOTE_JOB = """
    UPDATE "{jobs}" SET callback_told = ?, callback_due_at = ?, callback_failures = ?, callback_attempts = ?,
        callback_faults = ?, polls = ?
    WHERE number = ?
"""
WORKFLOWS = """
    SELECT id, number, is_deleted, version, body FROM "{jobs} workflows" WHERE epoch = ? AND id > ? ORDER BY id LIMIT ?
"""
DELIVERIES = """
    SELECT workflow, last, told, due_at, failures, attempts, faults FROM "{jobs} deliveries"
    WHERE workflow IN (SELECT value FROM json_each(?))
"""
ANNOUNCEMENTS = """
    SELECT workflow, seq, at, body FROM "{jobs} announcements"
    WHERE workflow IN (SELECT value FROM json_each(?)) ORDER BY workflow, seq
"""
NOTE_DELIVERY = """
    INSERT INTO "{jobs} deliveries" (workflow, epoch, last, told, due_at, failures, attempts, faults)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
RESOURCES = 'SELECT identity, body FROM "{resources}" WHERE epoch = ? AND identity > ? ORDER BY identity LIMIT ?'
BLOBS = SELECT_BLOBS + "WHERE epoch = ? AND key > ? ORDER BY key LIMIT ?"
COUNTERS = "SELECT key, value FROM counters WHERE epoch = ? AND key > ? ORDER BY key LIMIT ?"
INSERT_COUNTER = "INSERT INTO counters (epoch, key, value) VALUES (?, ?, ?)"


class SnapshotStatements:
    """The statements with the names of the tables filled in."""

    def __init__(self, names: TableNames) -> None:
        self.jobs = names.fill(JOBS)
        self.events = names.fill(EVENTS)
        self.note_job = names.fill(NOTE_JOB)
        self.workflows = names.fill(WORKFLOWS)
        self.deliveries = names.fill(DELIVERIES)
        self.announcements = names.fill(ANNOUNCEMENTS)
        self.note_delivery = names.fill(NOTE_DELIVERY)
        self.resources = names.fill(RESOURCES)


class SqliteSnapshotStore:
    """Implements `SnapshotStore`; a page is read by one statement, and what belongs to its rows by others after it."""

    def __init__(self, *, database: Database, names: TableNames, epoch: Epoch) -> None:
        self._database = database
        self._epoch = epoch
        self._sql = filled(SnapshotStatements, names)
        self._insertion = filled(InsertStatements, names)
        self._of_workflows = filled(WorkflowStatements, names)
        self._of_announcements = filled(AnnouncementStatements, names)
        self._of_resources = filled(LayeredStatements, names)

    async def workflows(self) -> AsyncIterator[WorkflowRecord]:
        async for page in self._pages(self._sql.workflows, ("",)):
            numbers = to_json([number for _, number, *_ in page])
            deliveries = {row[0]: row[1:] for row in await self._database.scan(self._sql.deliveries, (numbers,))}
            announced: defaultdict[int, list[Announcement]] = defaultdict(list)
            for number, *row in await self._database.scan(self._sql.announcements, (numbers,)):
                announced[number].append(announcement_from(row))
            for _, number, is_deleted, *row in page:
                last, *delivery = deliveries.get(number, (-1,))
                yield WorkflowRecord(
                    workflow=workflow_from(tuple(row)),
                    is_deleted=is_deleted == 1,
                    announcements=tuple([each for each in announced[number] if each.seq <= last]),
                    delivery=_delivery(*delivery) if delivery else None,
                )

    async def jobs(self) -> AsyncIterator[JobRecord]:
        """Yield no job that is deleted while it is read."""
        async for page in self._pages(self._sql.jobs, (-(2**63), "", "")):
            events: defaultdict[int, list[Row]] = defaultdict(list)
            numbers = to_json([row[3] for row in page])
            for number, *row in await self._database.scan(self._sql.events, (numbers,)):
                events[number].append(tuple(row))
            for *_, number, told, due_at, failures, attempts, faults, polls, row in [
                (*row[:10], row[10:]) for row in page
            ]:
                job = job_from(row)
                events_so_far = _events_of(job, events[number], texts=row[-1])
                if events_so_far[-1].seq == job.seq:
                    delivery = _delivery(told, due_at, failures, attempts, faults)
                    yield JobRecord(job=job, earlier=tuple(events_so_far[:-1]), delivery=delivery, polls=polls)

    async def resources(self) -> AsyncIterator[ResourceRecord]:
        async for page in self._pages(self._sql.resources, ("",)):
            for identity, body in page:
                yield ResourceRecord(identity=identity, resource=resource_from(body) if body else None)

    async def blobs(self) -> AsyncIterator[Blob | UndrawnBlob]:
        async for page in self._pages(BLOBS, ("",)):
            for row in page:
                yield blob_from(row)

    async def counters(self) -> AsyncIterator[CounterRecord]:
        async for page in self._pages(COUNTERS, ("",)):
            for key, value in page:
                yield CounterRecord(key=key, value=value)

    async def _pages(self, sql: str, start: tuple[Value, ...]) -> AsyncIterator[Sequence[Row]]:
        """Yield pages of rows whose first columns are the place after which the next page begins."""
        place: tuple[Value, ...] = start
        while page := await self._database.scan(sql, (self._epoch.number, *place, PAGE), most_bytes=MOST_BYTES_FOUND):
            yield page
            place = tuple(page[-1][: len(start)])

    async def write_workflows(self, records: Sequence[WorkflowRecord]) -> None:
        await self._database.write(partial(self._insert_workflows, self._epoch.number, records))

    def _insert_workflows(self, epoch: int, records: Sequence[WorkflowRecord], db: sqlite3.Connection) -> None:
        for record in records:
            workflow = record.workflow
            row = list(workflow_row(workflow, epoch=epoch))
            if record.is_deleted:
                row[EXTERNAL_ID] = None
            number = db.execute(self._of_workflows.insert, row).lastrowid
            if record.is_deleted:
                db.execute(self._of_workflows.delete, (epoch, workflow.id, workflow.version))
            else:
                db.executemany(self._of_workflows.insert_tag, tag_rows(workflow, epoch=epoch))
            rows = [(number, *announcement_row(announcement)) for announcement in record.announcements]
            db.executemany(self._of_announcements.insert, rows)
            if record.delivery is not None:
                noted = (number, epoch, len(rows) - 1, *_delivery_columns(record.delivery))
                db.execute(self._sql.note_delivery, noted)

    async def write_jobs(self, records: Sequence[JobRecord]) -> None:
        epoch = self._epoch.number
        rows = [(record, job_row(record.job, epoch=epoch), request_text(record.job)) for record in records]
        leaves = [row for record in records for row in leaf_rows(record.job, epoch=epoch)]

        def insert(db: sqlite3.Connection) -> None:
            for record, row, request in rows:
                number = insert_row(db, self._insertion, record.job, row, request, epoch=epoch)
                self._insert_events(record, number, db)
                db.execute(self._sql.note_job, (*_delivery_columns(record.delivery), record.polls, number))
            db.executemany(self._insertion.insert_leaf, leaves)

        await self._database.write(insert)

    def _insert_events(self, record: JobRecord, number: int, db: sqlite3.Connection) -> None:
        """Insert the first event, and all others as if they were of one write."""
        sql, job = self._insertion.events, record.job
        if job.seq == 0:
            append_first(db, sql, job, number=number)
            return
        first, *others = record.earlier
        if first != facts_of(job).first_event:
            append_events(db, sql, [first], number=number, created_at=job.created_at)
        if job.outcome is None:
            append_events(db, sql, [*others, job.last_event], number=number, created_at=job.created_at)
        else:
            append_end(db, sql, job, others, number=number)

    async def write_resources(self, records: Sequence[ResourceRecord]) -> None:
        rows = [(self._epoch.number, *_resource_columns(record)) for record in records]
        await self._database.write(lambda db: db.executemany(self._of_resources.insert, rows))

    async def write_counters(self, records: Sequence[CounterRecord]) -> None:
        rows = [(self._epoch.number, record.key, record.value) for record in records]
        await self._database.write(lambda db: db.executemany(INSERT_COUNTER, rows))


def _events_of(job: Job, rows: Sequence[Row], *, texts: bytes | str | None) -> Sequence[JobEvent]:
    """Return the events up to the last that the job had; a row that was written later begins after that."""
    known = [(seq, body) for seq, body in rows if seq <= job.seq]
    return events_from(known, facts_of(job), texts=texts)


def _delivery(told: int, due_at: int | None, failures: int, attempts: str | None, faults: str | None) -> Delivery:
    return Delivery(
        told=told,
        due_at=None if due_at is None else from_micros(due_at),
        failures=failures,
        attempts=attempts_from(attempts),
        faults=faults_from(faults),
    )


def _delivery_columns(delivery: Delivery) -> tuple[Value, ...]:
    due_at = None if delivery.due_at is None else to_micros(delivery.due_at)
    attempts, faults = attempts_text(delivery.attempts), faults_text(delivery.faults)
    return (delivery.told, due_at, delivery.failures, attempts, faults)


def _resource_columns(record: ResourceRecord) -> tuple[Value, ...]:
    """Return the columns of `INSERT_OWN`; a row that hides has its identity alone."""
    if record.resource is None:
        return ("", record.identity, None, "", record.identity, "", "")
    return resource_row(record.resource)
