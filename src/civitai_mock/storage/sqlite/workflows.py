"""Workflows in SQLite: a row of each, beside the rows of its jobs."""

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from civitai_mock.domain.errors import ConflictError, InsufficientBuzzError
from civitai_mock.domain.job import Job
from civitai_mock.domain.money import NO_LIMIT, Balances, Spent, fits
from civitai_mock.domain.workflow import Workflow, WorkflowSnapshot, jobs_by_workflow
from civitai_mock.domain.workflow_cost import charge
from civitai_mock.domain.workflow_search import FoundWorkflows, WorkflowCriteria
from civitai_mock.services.threads import in_thread_if_large
from civitai_mock.storage.sqlite.database import Database
from civitai_mock.storage.sqlite.encoding import Row, text_size, to_json, to_micros
from civitai_mock.storage.sqlite.job_rows import jobs_from
from civitai_mock.storage.sqlite.new_jobs import InsertStatements, NewJobs
from civitai_mock.storage.sqlite.schema import TableNames
from civitai_mock.storage.sqlite.spending import SpendingStatements, spent_by
from civitai_mock.storage.sqlite.workflow_queries import WorkflowSearch
from civitai_mock.storage.sqlite.workflow_rows import (
    tag_rows,
    workflow_changes,
    workflow_from,
    workflow_row,
)

MOST_SETTLED = 10_000  # whose versions are remembered
SWEEP_BATCH = 50  # workflows, with the jobs of each; other writes get their turn between two batches
BY_EXTERNAL_ID = 'SELECT version, body FROM "{jobs} workflows" WHERE owner = ? AND external_id = ?'
INSERT = """
    INSERT INTO "{jobs} workflows" (id, owner, external_id, created_at, is_listed,
        version, keep_until, is_over, has_failed, blue, green, yellow, fake_red, search, body, is_deleted)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)
"""
INSERT_TAG = """INSERT INTO "{jobs} tags" (owner, tag, born, workflow) VALUES (?, ?, ?, ?)"""
DELETE_TAG = """DELETE FROM "{jobs} tags" WHERE owner = ? AND tag = ? AND born = ? AND workflow = ?"""
GET = 'SELECT version, body FROM "{jobs} workflows" WHERE id = ? AND is_deleted = 0'
JOBS = """
    SELECT {job} FROM "{jobs}" WHERE number IN (
        SELECT job FROM "{jobs} places" WHERE workflow = (SELECT number FROM "{jobs} workflows" WHERE id = ?))
"""
JOBS_OF_MANY = """
    SELECT {job} FROM "{jobs}" WHERE number IN (
        SELECT job FROM "{jobs} places" WHERE workflow IN (
            SELECT number FROM "{jobs} workflows" WHERE id IN (SELECT value FROM json_each(?))))
"""
REPLACE = """
    UPDATE "{jobs} workflows" SET version = ?, keep_until = ?, is_over = ?, has_failed = ?,
        blue = ?, green = ?, yellow = ?, fake_red = ?, search = ?, body = ?
    WHERE id = ? AND version = ? AND is_deleted = 0
"""
DELETE = """
    UPDATE "{jobs} workflows" SET is_deleted = 1, is_listed = 0, external_id = NULL
    WHERE id = ? AND version = ? AND is_deleted = 0
"""
SETTLED_VERSION = """SELECT version FROM "{jobs} workflows" WHERE id = ? AND is_over = 1 AND is_deleted = 0"""
HAS_JOB = """SELECT 1 FROM "{jobs}" WHERE id = ?"""
UNFINISHED = """
    SELECT version, body FROM "{jobs} workflows" WHERE is_over = 0 AND is_deleted = 0 AND id > ?
    ORDER BY id LIMIT max(?, 0)
"""
EXPIRED = 'SELECT number, version, body FROM "{jobs} workflows" WHERE keep_until <= ? ORDER BY keep_until LIMIT ?'
EXPIRE_JOBS = """
    UPDATE "{jobs}" SET keep_until = min(keep_until, ?)
    WHERE number IN (SELECT job FROM "{jobs} places" WHERE workflow = ?)
"""
SWEEP = """DELETE FROM "{jobs} workflows" WHERE number = ?"""
SWEEP_PLACES = """DELETE FROM "{jobs} places" WHERE workflow = ?"""
SWEEP_ANNOUNCEMENTS = """DELETE FROM "{jobs} announcements" WHERE workflow = ?"""
SWEEP_DELIVERIES = """DELETE FROM "{jobs} deliveries" WHERE workflow = ?"""


class WorkflowStatements:
    """The statements with the names of the tables filled in."""

    def __init__(self, names: TableNames) -> None:
        self.by_external_id = names.fill(BY_EXTERNAL_ID)
        self.insert = names.fill(INSERT)
        self.insert_tag = names.fill(INSERT_TAG)
        self.delete_tag = names.fill(DELETE_TAG)
        self.get = names.fill(GET)
        self.jobs = names.fill(JOBS)
        self.jobs_of_many = names.fill(JOBS_OF_MANY)
        self.replace = names.fill(REPLACE)
        self.delete = names.fill(DELETE)
        self.settled_version = names.fill(SETTLED_VERSION)
        self.has_job = names.fill(HAS_JOB)
        self.unfinished = names.fill(UNFINISHED)
        self.expired = names.fill(EXPIRED)
        self.expire_jobs = names.fill(EXPIRE_JOBS)
        self.sweep = names.fill(SWEEP)
        self.sweep_places = names.fill(SWEEP_PLACES)
        self.sweep_announcements = names.fill(SWEEP_ANNOUNCEMENTS)
        self.sweep_deliveries = names.fill(SWEEP_DELIVERIES)


class SqliteWorkflowStore:
    """Implements `WorkflowStore`; a workflow, its charge and its jobs are written in one transaction."""

    def __init__(self, *, database: Database, names: TableNames) -> None:
        self._database = database
        self._sql = WorkflowStatements(names)
        self._insertion = InsertStatements(names)
        self._spending = SpendingStatements(names)
        self._search = WorkflowSearch(database=database, names=names)
        # In a database of this process alone; elsewhere others may change what is remembered (see `SettledJobs`).
        self._settled: dict[str, int] | None = {} if database.is_private else None

    async def add(self, workflow: Workflow, jobs: Sequence[Job], *, balances: Balances = NO_LIMIT) -> Workflow:
        new = NewJobs(jobs)
        free = charge(workflow, NO_LIMIT, Spent()) if balances.total is None else None

        def insert(connection: sqlite3.Connection) -> Workflow:
            if (existing := self._by_external_id(workflow, connection)) is not None:
                return existing
            charged = free or charge(workflow, balances, spent_by(workflow.owner, connection, self._spending))
            try:
                connection.execute(self._sql.insert, workflow_row(charged))
            except sqlite3.IntegrityError as error:
                raise ConflictError("A workflow with this id exists already.") from error
            if charged.tags:
                connection.executemany(self._sql.insert_tag, tag_rows(charged))
            new.insert(connection, self._insertion)
            return charged

        return await self._database.write(insert)

    def _by_external_id(self, workflow: Workflow, connection: sqlite3.Connection) -> Workflow | None:
        if workflow.external_id is None:
            return None
        parameters = (workflow.owner, workflow.external_id)
        rows = connection.execute(self._sql.by_external_id, parameters).fetchall()
        return workflow_from(rows[0]) if rows else None

    async def get(self, workflow_id: str) -> WorkflowSnapshot | None:
        """Read the workflow first: the jobs that it names are there then."""
        rows = self._database.read(self._sql.get, (workflow_id,))
        if not rows:
            return None
        workflow = await in_thread_if_large(partial(workflow_from, rows[0]), size=text_size(rows[0]))
        jobs = await jobs_from(self._database.read(self._sql.jobs, (workflow_id,)))
        return WorkflowSnapshot(workflow=workflow, jobs=jobs_by_workflow(jobs).get(workflow_id, ()))

    async def jobs_of(self, workflow_ids: Sequence[str]) -> Mapping[str, Sequence[Job]]:
        rows = await self._database.scan(self._sql.jobs_of_many, (to_json(list(workflow_ids)),))
        return jobs_by_workflow(await jobs_from(rows))

    async def settled_version(self, workflow_id: str) -> int | None:
        known = None if self._settled is None else self._settled.get(workflow_id)
        if known is not None:
            return known
        rows = self._database.read(self._sql.settled_version, (workflow_id,))
        version = int(rows[0][0]) if rows else None
        if self._settled is not None and version is not None:
            if len(self._settled) >= MOST_SETTLED:
                self._settled.clear()
            self._settled[workflow_id] = version
        return version

    def _forget(self, workflow_id: str) -> None:
        if self._settled is not None:
            self._settled.pop(workflow_id, None)

    async def replace(
        self, before: Workflow, after: Workflow, *, jobs: Sequence[Job] = (), balances: Balances = NO_LIMIT
    ) -> bool:
        new = NewJobs(jobs)
        changes = (*workflow_changes(after), before.id, before.version)
        may_be_short = len(after.transactions) > len(before.transactions)

        def update(connection: sqlite3.Connection) -> bool:
            if connection.execute(self._sql.replace, changes).rowcount == 0:
                return False
            if after.tags != before.tags:
                self._change_tags(before, after, connection)
            new.insert(connection, self._insertion)
            if may_be_short and not fits(balances, spent_by(after.owner, connection, self._spending)):
                raise InsufficientBuzzError("The balance does not cover the charge.")
            return True

        try:
            return await self._database.write(update)
        finally:
            self._forget(before.id)

    def _change_tags(self, before: Workflow, after: Workflow, connection: sqlite3.Connection) -> None:
        old, new = tag_rows(before), tag_rows(after)
        connection.executemany(self._sql.delete_tag, [row for row in old if row not in new])
        connection.executemany(self._sql.insert_tag, [row for row in new if row not in old])

    async def add_missing_jobs(self, jobs: Sequence[Job]) -> int:
        def insert(connection: sqlite3.Connection) -> int:
            missing = [job for job in jobs if not connection.execute(self._sql.has_job, (job.id,)).fetchall()]
            NewJobs(missing).insert(connection, self._insertion)
            return len(missing)

        return await self._database.write(insert)

    async def find(self, criteria: WorkflowCriteria, *, limit: int) -> FoundWorkflows:
        return await self._search.find(criteria, limit=limit)

    async def delete(self, workflow: Workflow) -> bool:
        def delete(connection: sqlite3.Connection) -> bool:
            if connection.execute(self._sql.delete, (workflow.id, workflow.version)).rowcount == 0:
                return False
            connection.executemany(self._sql.delete_tag, tag_rows(workflow))
            return True

        try:
            return await self._database.write(delete)
        finally:
            self._forget(workflow.id)

    async def unfinished(self, *, after: str, limit: int) -> Sequence[Workflow]:
        return [workflow_from(row) for row in self._database.read(self._sql.unfinished, (after, limit))]

    async def spent(self, owner: str) -> Spent:
        return await self._database.write(lambda connection: spent_by(owner, connection, self._spending))

    async def sweep(self, now: datetime) -> int:
        swept, batch = 0, SWEEP_BATCH
        while batch == SWEEP_BATCH:
            batch = await self._database.write(partial(self._sweep_batch, to_micros(now)))
            swept += batch
            if self._settled is not None:
                self._settled.clear()
        return swept

    def _sweep_batch(self, now: int, connection: sqlite3.Connection) -> int:
        """Let the jobs expire, so that they are swept next; what stands for them alone goes with the workflow."""
        expired: list[Row] = connection.execute(self._sql.expired, (now, SWEEP_BATCH)).fetchall()
        numbers = [(number,) for number, *_ in expired]
        tags = [row for _, *columns in expired for row in tag_rows(workflow_from(tuple(columns)))]
        connection.executemany(self._sql.delete_tag, tags)
        connection.executemany(self._sql.expire_jobs, [(now, number) for (number,) in numbers])
        for statement in (
            self._sql.sweep_places,
            self._sql.sweep_announcements,
            self._sql.sweep_deliveries,
            self._sql.sweep,
        ):
            connection.executemany(statement, numbers)
        return len(expired)
