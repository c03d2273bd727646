"""Jobs and their events in SQLite."""

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial

from civitai_mock.domain.blob import Slot
from civitai_mock.domain.errors import InsufficientBuzzError
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.job import Job, JobSummary
from civitai_mock.domain.job_fault import JobFault
from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.domain.micros import from_micros, to_micros
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.domain.search import Budget
from civitai_mock.storage.sqlite.database import Database
from civitai_mock.storage.sqlite.encoding import Row, to_json
from civitai_mock.storage.sqlite.fresh_jobs import FreshJobs
from civitai_mock.storage.sqlite.job_events import (
    EventStatements,
    append_end,
    append_events,
    events_from,
    facts_of,
)
from civitai_mock.storage.sqlite.job_rows import (
    advanced_columns,
    changed_slots,
    charge_of,
    faults_text,
    goes_on,
    job_changes,
    job_from,
    jobs_from,
    stored_leaf_rows,
    summary_from,
)
from civitai_mock.storage.sqlite.new_jobs import InsertStatements, NewJobs
from civitai_mock.storage.sqlite.schema import TableNames, filled
from civitai_mock.storage.sqlite.settled import Settled
from civitai_mock.storage.sqlite.spending import SpentStatements, ordinary_spent
from civitai_mock.storage.sqlite.workflow_sweep import SweepStatements, sweep_workflow_batch

SWEEP_BATCH = 100  # takes a few milliseconds; other writes get their turn between two batches
GET = """SELECT {job} FROM "{jobs}" WHERE epoch = ? AND id = ?"""
GET_SUMMARY = """
    SELECT type, issued_by, cost, created_at, slots, seq, outcome, result, taint,
        (SELECT last.body FROM "{jobs} {job_events}" AS last WHERE last.job = number AND last.seq = "{jobs}".seq)
    FROM "{jobs}" WHERE epoch = ? AND id = ?
"""
SETTLED_AT = """
    SELECT changed_at FROM "{jobs}" WHERE epoch = ? AND id = ? AND outcome IS NOT NULL AND taint IS NULL
        AND instr(slots, '"lost":') = 0
"""
# INDEXED BY, as SQLite would rather look at all jobs than at those that have not ended.
LATEST_EVENT = """
    SELECT max(latest) FROM (
        SELECT max(changed_at) AS latest FROM "{jobs}" WHERE epoch = ? AND outcome IS NOT NULL
        UNION ALL
        SELECT max(changed_at) FROM "{jobs}" INDEXED BY "{jobs} by deadline" WHERE epoch = ? AND outcome IS NULL)
"""
REPLACE = """
    UPDATE "{jobs}" SET slots = ?, seq = ?, changed_at = ?, stage = ?, retry_attempt = ?, outcome = ?,
        provider = ?, worker_id = ?, claimed_at = ?, lease_until = ?, prompt_id = ?,
        waits = ?, result = ?, faults = ?, callback_due_at = coalesce(callback_due_at, ?), polls = 0
    WHERE epoch = ? AND id = ? AND seq = ? AND worker_id IS ? AND outcome IS NULL
        AND lease_until IS coalesce(?, lease_until)
"""
# What changes of a job that goes on under its claim: few of the indexes are of these columns.
ADVANCE = """
    UPDATE "{jobs}" SET slots = ?, seq = ?, changed_at = ?, stage = ?, retry_attempt = ?, claimed_at = ?,
        lease_until = ?, prompt_id = ?, polls = 0
    WHERE epoch = ? AND id = ? AND seq = ? AND worker_id IS ? AND outcome IS NULL
        AND lease_until IS coalesce(?, lease_until)
"""
NUMBER = """SELECT number FROM "{jobs}" WHERE epoch = ? AND id = ?"""
COUNT_POLL = """
    UPDATE "{jobs}" SET polls = polls + 1 WHERE epoch = ? AND id = ? AND seq = ? AND outcome IS NULL RETURNING polls
"""
SLOTS = """SELECT slots FROM "{jobs}" WHERE epoch = ? AND id = ?"""
SET_SLOTS = """UPDATE "{jobs}" SET slots = ? WHERE epoch = ? AND id = ?"""
KEEP_COST = """UPDATE "{jobs}" SET cost = ?, charged = ? WHERE number = ?"""
KEEP_FAULTS = """
    UPDATE "{jobs}" SET faults = ?
    WHERE epoch = ? AND id = ? AND seq = ? AND worker_id IS ? AND outcome IS NULL AND faults IS ?
"""
SET_TAINT = """UPDATE "{jobs}" SET taint = ? WHERE epoch = ? AND id = ?"""
EXPIRED = """
    SELECT number, epoch, created_at, submission_id, id,
        (SELECT request.body FROM "{jobs} requests" AS request WHERE request.job = number)
    FROM "{jobs}" WHERE epoch = ? AND keep_until <= ? ORDER BY keep_until LIMIT ?
"""
ONE = """
    SELECT number, epoch, created_at, submission_id, id,
        (SELECT request.body FROM "{jobs} requests" AS request WHERE request.job = number)
    FROM "{jobs}" WHERE epoch = ? AND id = ?
"""
# The request of a job knows its workflow.
DELETE_PLACE = """
    DELETE FROM "{jobs} places" WHERE job = ?2 AND workflow = (
        SELECT workflow.number FROM "{jobs} requests" AS request CROSS JOIN "{jobs} workflows" AS workflow
        ON workflow.epoch = ?1 AND workflow.id = json_extract(request.body, '$.workflow[0]') WHERE request.job = ?2)
"""
SWEEP = """DELETE FROM "{jobs}" WHERE number = ?"""
SWEEP_REQUEST = """DELETE FROM "{jobs} requests" WHERE job = ?"""
SWEEP_TEXTS = """DELETE FROM "{jobs} texts" WHERE job = ?"""
SWEEP_EVENTS = """DELETE FROM "{jobs} {job_events}" WHERE job = ?"""
SWEEP_LEAF = """
    DELETE FROM "{jobs} leaves" WHERE epoch = ? AND leaf = ? AND born = ? AND submission = ? AND job = ?
"""


class JobStatements:
    """The statements with the names of the tables filled in."""

    def __init__(self, names: TableNames) -> None:
        self.get = names.fill(GET)
        self.get_summary = names.fill(GET_SUMMARY)
        self.settled_at = names.fill(SETTLED_AT)
        self.latest_event = names.fill(LATEST_EVENT)
        self.replace = names.fill(REPLACE)
        self.advance = names.fill(ADVANCE)
        self.number = names.fill(NUMBER)
        self.count_poll = names.fill(COUNT_POLL)
        self.slots = names.fill(SLOTS)
        self.set_slots = names.fill(SET_SLOTS)
        self.keep_cost = names.fill(KEEP_COST)
        self.keep_faults = names.fill(KEEP_FAULTS)
        self.set_taint = names.fill(SET_TAINT)
        self.expired = names.fill(EXPIRED)
        self.one = names.fill(ONE)
        self.delete_place = names.fill(DELETE_PLACE)
        self.sweep = names.fill(SWEEP)
        self.sweep_request = names.fill(SWEEP_REQUEST)
        self.sweep_texts = names.fill(SWEEP_TEXTS)
        self.sweep_events = names.fill(SWEEP_EVENTS)
        self.sweep_leaf = names.fill(SWEEP_LEAF)


class SqliteJobStore:
    """Implements `JobStore`; each change is one conditional UPDATE."""

    def __init__(
        self,
        *,
        database: Database,
        names: TableNames,
        epoch: Epoch,
        settled: Settled | None = None,
        fresh: FreshJobs | None = None,
    ) -> None:
        self._database = database
        self._epoch = epoch
        self._settled = settled
        self._fresh = fresh
        self._sql = filled(JobStatements, names)
        self._events = filled(EventStatements, names)
        self._insertion = filled(InsertStatements, names)
        self._workflow_sweep = filled(SweepStatements, names)
        self._spent = filled(SpentStatements, names).spent

    async def add(self, jobs: Sequence[Job], *, budget: Budget | None = None) -> None:
        epoch = self._epoch.number
        new = NewJobs(jobs, epoch=epoch)

        def insert(connection: sqlite3.Connection) -> None:
            new.insert(connection, self._insertion)
            if budget:
                self._check(budget, epoch, connection)
            if self._fresh is not None:  # before a claim that is committed together with this
                self._fresh.add(new.small)

        await self._database.write(insert, epoch=self._epoch)

    def _check(self, budget: Budget, epoch: int, connection: sqlite3.Connection) -> None:
        """Raise `InsufficientBuzzError` if jobs, the new ones included, cost too much; it undoes the insertion."""
        cost = ordinary_spent(connection.execute(self._spent, (epoch, budget.issued_by)).fetchall())
        if cost > budget.limit:
            raise InsufficientBuzzError(f"The jobs would cost {cost:g} Buzz in all, more than {budget.limit:g}.")

    async def spent(self, issued_by: str) -> float:
        return ordinary_spent(await self._database.scan(self._spent, (self._epoch.number, issued_by)))

    async def has_open_workflows(self) -> bool:
        questions = (self._workflow_sweep.is_unfinished, self._workflow_sweep.has_announcement)
        return any(self._database.read(question, (self._epoch.number,)) for question in questions)

    async def get(self, job_id: str) -> Job | None:
        rows = self._rows(job_id)
        return job_from(rows[0]) if rows else None

    async def get_summary(self, job_id: str) -> JobSummary | None:
        rows = self._database.read(self._sql.get_summary, (self._epoch.number, job_id))
        summary = summary_from(job_id, rows[0]) if rows else None
        return await self.get(job_id) if rows and summary is None else summary

    async def settled_at(self, job_id: str) -> datetime | None:
        key, settled = (self._epoch.number, job_id), self._settled
        known = None if settled is None else settled.jobs.get(key)
        if known is not None:
            return known
        rows = self._database.read(self._sql.settled_at, key)
        found = from_micros(rows[0][0]) if rows else None
        if settled is not None and found is not None:
            settled.add_job(key, found)
        return found

    async def get_many(self, job_ids: Sequence[str]) -> Sequence[Job]:
        found = [await jobs_from(self._rows(job_id)) for job_id in job_ids]
        return [job for jobs in found for job in jobs]

    def _rows(self, job_id: str) -> Sequence[Row]:
        return self._database.read(self._sql.get, (self._epoch.number, job_id))

    async def replace(
        self, before: Job, after: Job, *, between: Sequence[JobEvent] = (), if_not_renewed: bool = False
    ) -> bool:
        worker_id = before.claim.worker_id if before.claim else None
        lease = to_micros(before.claim.until) if before.claim and if_not_renewed else None
        place = (self._epoch.number, before.id)
        sql, columns = self._sql.replace, job_changes(after)
        if goes_on(before, after):
            sql, columns = self._sql.advance, advanced_columns(columns)
        changes = (*columns, *place, before.seq, worker_id, lease)

        def update(connection: sqlite3.Connection) -> bool:
            # Without RETURNING, which makes a table for the one number: that took a fourth of the time.
            if connection.execute(sql, changes).rowcount == 0:
                return False
            ((number,),) = connection.execute(self._sql.number, place).fetchall()
            if after.outcome is None:
                events = (*between, after.last_event)
                append_events(connection, self._events, events, number=number, created_at=after.created_at)
            else:
                append_end(connection, self._events, after, between, number=number)
            if after.keeps_cost:
                connection.execute(self._sql.keep_cost, (after.cost, charge_of(after), number))
            return True

        return await self._database.write(update, epoch=self._epoch)

    async def events(self, job_id: str) -> Sequence[JobEvent]:
        """Read the events before the job, whose texts are then all there."""
        rows = self._database.read(self._events.events, (self._epoch.number, job_id))
        return [
            event for row in self._rows(job_id) for event in events_from(rows, facts_of(job_from(row)), texts=row[-1])
        ]

    async def count_poll(self, job_id: str, seq: int) -> int:
        parameters = (self._epoch.number, job_id, seq)
        rows = await self._database.write(
            lambda db: db.execute(self._sql.count_poll, parameters).fetchall(), epoch=self._epoch
        )
        return int(rows[0][0]) if rows else 0

    async def keep_faults(self, job: Job, faults: Sequence[JobFault]) -> bool:
        worker_id = job.claim.worker_id if job.claim else None
        kept = (faults_text(faults), self._epoch.number, job.id, job.seq, worker_id, faults_text(job.faults))
        return await self._database.write(
            lambda db: db.execute(self._sql.keep_faults, kept).rowcount == 1, epoch=self._epoch
        )

    async def delete(self, job_id: str) -> bool:
        epoch = self._epoch.number

        def delete(connection: sqlite3.Connection) -> bool:
            found = connection.execute(self._sql.one, (epoch, job_id)).fetchall()
            connection.executemany(self._sql.delete_place, [(epoch, number) for number, *_ in found])
            return self._delete_all(epoch, found, connection) == 1

        return await self._database.write(delete, epoch=self._epoch)

    async def latest_event_at(self) -> datetime | None:
        epoch = self._epoch.number
        ((micros,),) = await self._database.scan(self._sql.latest_event, (epoch, epoch))
        return None if micros is None else from_micros(micros)

    async def set_taint(self, job_ids: Sequence[str], taint: ReadOnlyJson) -> int:
        text, epoch = to_json(dict(taint)), self._epoch.number
        rows = [(text, epoch, job_id) for job_id in set(job_ids)]

        def taint_all(connection: sqlite3.Connection) -> int:
            self._unsettle(epoch, job_ids)
            return connection.executemany(self._sql.set_taint, rows).rowcount

        return await self._database.write(taint_all, epoch=self._epoch)

    async def change_slot(self, job_id: str, slot: Slot) -> bool:
        epoch = self._epoch.number

        def change(connection: sqlite3.Connection) -> bool:
            found = connection.execute(self._sql.slots, (epoch, job_id)).fetchone()
            text = None if found is None else changed_slots(job_id, found[0], slot)
            if text is None:
                return False
            self._unsettle(epoch, [job_id])
            connection.execute(self._sql.set_slots, (text, epoch, job_id))
            return True

        return await self._database.write(change, epoch=self._epoch)

    def _unsettle(self, epoch: int, job_ids: Iterable[str]) -> None:
        """Forget that jobs are settled, within the write that changes it: nobody can ask before it is committed."""
        if self._settled is not None:
            for job_id in job_ids:
                self._settled.jobs.pop((epoch, job_id), None)

    async def sweep(self, now: datetime) -> int:
        until = to_micros(now)
        while await self._database.write(partial(self._sweep_workflows, self._epoch.number, until), epoch=self._epoch):
            pass
        swept, batch = 0, SWEEP_BATCH
        while batch == SWEEP_BATCH:
            batch = await self._database.write(partial(self._sweep_batch, self._epoch.number, until), epoch=self._epoch)
            swept += batch
        return swept

    def _sweep_workflows(self, epoch: int, now: int, connection: sqlite3.Connection) -> bool:
        return sweep_workflow_batch(epoch, now, connection, sql=self._workflow_sweep, settled=self._settled)

    def _sweep_batch(self, epoch: int, now: int, connection: sqlite3.Connection) -> int:
        expired = connection.execute(self._sql.expired, (epoch, now, SWEEP_BATCH)).fetchall()
        return self._delete_all(epoch, expired, connection)

    def _delete_all(self, epoch: int, expired: Sequence[Row], connection: sqlite3.Connection) -> int:
        connection.executemany(self._sql.sweep_leaf, stored_leaf_rows([row[1:] for row in expired]))
        self._unsettle(epoch, [job_id for *_, job_id, _ in expired])
        numbers = [(number,) for number, *_ in expired]
        for statement in (self._sql.sweep, self._sql.sweep_request, self._sql.sweep_texts, self._sql.sweep_events):
            connection.executemany(statement, numbers)
        return len(expired)
