"""Workflows in SQLite: a row of each, beside the rows of its jobs."""

import sqlite3
from collections.abc import Mapping, Sequence
from functools import partial

from civitai_mock.domain.errors import ConflictError, InsufficientBuzzError
from civitai_mock.domain.job import Job
from civitai_mock.domain.money import NO_LIMIT, Balances, Spent, fits
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.domain.workflow import Workflow, WorkflowSnapshot, jobs_by_workflow
from civitai_mock.domain.workflow_cost import charge
from civitai_mock.domain.workflow_search import FoundWorkflows, WorkflowCriteria
from civitai_mock.services.threads import in_thread_if_large
from civitai_mock.storage.sqlite.database import Database
from civitai_mock.storage.sqlite.encoding import Value, text_size, to_json
from civitai_mock.storage.sqlite.fresh_jobs import FreshJobs
from civitai_mock.storage.sqlite.job_rows import jobs_from
from civitai_mock.storage.sqlite.new_jobs import InsertStatements, NewJobs
from civitai_mock.storage.sqlite.schema import TableNames, filled
from civitai_mock.storage.sqlite.settled import Settled
from civitai_mock.storage.sqlite.spending import SpentStatements
from civitai_mock.storage.sqlite.workflow_queries import WorkflowSearch
from civitai_mock.storage.sqlite.workflow_rows import (
    spent_of,
    tag_rows,
    workflow_changes,
    workflow_from,
    workflow_row,
)

BY_EXTERNAL_ID = 'SELECT version, body FROM "{jobs} workflows" WHERE epoch = ? AND owner = ? AND external_id = ?'
INSERT = """
    INSERT INTO "{jobs} workflows" (epoch, id, owner, external_id, created_at, is_listed,
        version, keep_until, is_over, has_failed, blue, green, yellow, fake_red, search, body, is_deleted)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)
"""
INSERT_TAG = """INSERT INTO "{jobs} tags" (epoch, owner, tag, born, workflow) VALUES (?, ?, ?, ?, ?)"""
DELETE_TAG = """
    DELETE FROM "{jobs} tags" WHERE epoch = ? AND owner = ? AND tag = ? AND born = ? AND workflow = ?
"""
GET = 'SELECT version, body FROM "{jobs} workflows" WHERE epoch = ? AND id = ? AND is_deleted = 0'
JOBS = """
    SELECT {job} FROM "{jobs}" WHERE number IN (
        SELECT job FROM "{jobs} places" WHERE workflow = (
            SELECT number FROM "{jobs} workflows" WHERE epoch = ? AND id = ?))
"""
JOBS_OF_MANY = """
    SELECT {job} FROM "{jobs}" WHERE number IN (
        SELECT job FROM "{jobs} places" WHERE workflow IN (
            SELECT number FROM "{jobs} workflows" WHERE epoch = ? AND id IN (SELECT value FROM json_each(?))))
"""
REPLACE = """
    UPDATE "{jobs} workflows" SET version = ?, keep_until = ?, is_over = ?, has_failed = ?,
        blue = ?, green = ?, yellow = ?, fake_red = ?, search = ?, body = ?
    WHERE epoch = ? AND id = ? AND version = ? AND is_deleted = 0
"""
DELETE = """
    UPDATE "{jobs} workflows" SET is_deleted = 1, is_listed = 0, external_id = NULL
    WHERE epoch = ? AND id = ? AND version = ? AND is_deleted = 0
"""
SETTLED_VERSION = """
    SELECT version FROM "{jobs} workflows" WHERE epoch = ? AND id = ? AND is_over = 1 AND is_deleted = 0
"""
HAS_JOB = """SELECT 1 FROM "{jobs}" WHERE epoch = ? AND id = ?"""
UNFINISHED = """
    SELECT version, body FROM "{jobs} workflows" WHERE epoch = ? AND is_over = 0 AND is_deleted = 0 AND id > ?
    ORDER BY id LIMIT max(?, 0)
"""


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


class SqliteWorkflowStore:
    """Implements `WorkflowStore`; a workflow, its charge and its jobs are written in one transaction."""

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
        self._sql = filled(WorkflowStatements, names)
        self._insertion = filled(InsertStatements, names)
        self._spent = filled(SpentStatements, names).spent
        self._search = WorkflowSearch(database=database, names=names, epoch=epoch)
        self._settled = settled
        self._fresh = fresh or FreshJobs()

    async def add(self, workflow: Workflow, jobs: Sequence[Job], *, balances: Balances = NO_LIMIT) -> Workflow:
        epoch = self._epoch.number
        new = NewJobs(jobs, epoch=epoch)
        paid = _row_paid_without_limit(workflow, epoch=epoch) if balances.total is None else None

        def insert(connection: sqlite3.Connection) -> Workflow:
            if (existing := self._by_external_id(workflow, epoch, connection)) is not None:
                return existing
            if paid is None:
                charged = charge(workflow, balances, self._spent_by(workflow.owner, epoch, connection))
                row = workflow_row(charged, epoch=epoch)
            else:
                charged, row = paid
            try:
                number = connection.execute(self._sql.insert, row).lastrowid
            except sqlite3.IntegrityError as error:
                raise ConflictError("A workflow with this id exists already.") from error
            if charged.tags:
                connection.executemany(self._sql.insert_tag, tag_rows(charged, epoch=epoch))
            new.insert(connection, self._insertion, workflow=number)
            self._fresh.add(new.small)  # before a claim that is committed together with this
            return charged

        return await self._database.write(insert, epoch=self._epoch)

    def _by_external_id(self, workflow: Workflow, epoch: int, connection: sqlite3.Connection) -> Workflow | None:
        if workflow.external_id is None:
            return None
        parameters = (epoch, workflow.owner, workflow.external_id)
        rows = connection.execute(self._sql.by_external_id, parameters).fetchall()
        return workflow_from(rows[0]) if rows else None

    async def get(self, workflow_id: str) -> WorkflowSnapshot | None:
        """Read the workflow first: the jobs that it names are there then."""
        key = (self._epoch.number, workflow_id)
        rows = self._database.read(self._sql.get, key)
        if not rows:
            return None
        workflow = await in_thread_if_large(partial(workflow_from, rows[0]), size=text_size(rows[0]))
        jobs = await jobs_from(self._database.read(self._sql.jobs, key))
        return WorkflowSnapshot(workflow=workflow, jobs=jobs_by_workflow(jobs).get(workflow_id, ()))

    async def jobs_of(self, workflow_ids: Sequence[str]) -> Mapping[str, Sequence[Job]]:
        parameters = (self._epoch.number, to_json(list(workflow_ids)))
        rows = await self._database.scan(self._sql.jobs_of_many, parameters)
        return jobs_by_workflow(await jobs_from(rows))

    async def settled_version(self, workflow_id: str) -> int | None:
        key = (self._epoch.number, workflow_id)
        known = None if self._settled is None else self._settled.workflows.get(key)
        if known is not None:
            return known
        rows = self._database.read(self._sql.settled_version, key)
        version = int(rows[0][0]) if rows else None
        if self._settled is not None and version is not None:
            self._settled.add_workflow(key, version)
        return version

    def _forget(self, epoch: int, workflow_id: str) -> None:
        if self._settled is not None:
            self._settled.workflows.pop((epoch, workflow_id), None)

    async def replace(
        self, before: Workflow, after: Workflow, *, jobs: Sequence[Job] = (), balances: Balances = NO_LIMIT
    ) -> bool:
        epoch = self._epoch.number
        new = NewJobs(jobs, epoch=epoch)
        changes = (*workflow_changes(after), epoch, before.id, before.version)
        may_be_short = len(after.transactions) > len(before.transactions)

        def update(connection: sqlite3.Connection) -> bool:
            if connection.execute(self._sql.replace, changes).rowcount == 0:
                return False
            self._forget(epoch, before.id)
            if after.tags != before.tags:
                self._change_tags(before, after, epoch, connection)
            new.insert(connection, self._insertion)
            self._fresh.add(new.small)
            if may_be_short and not fits(balances, self._spent_by(after.owner, epoch, connection)):
                raise InsufficientBuzzError("The balance does not cover the charge.")
            return True

        return await self._database.write(update, epoch=self._epoch)

    def _change_tags(self, before: Workflow, after: Workflow, epoch: int, connection: sqlite3.Connection) -> None:
        old, new = tag_rows(before, epoch=epoch), tag_rows(after, epoch=epoch)
        connection.executemany(self._sql.delete_tag, [row for row in old if row not in new])
        connection.executemany(self._sql.insert_tag, [row for row in new if row not in old])

    async def add_missing_jobs(self, jobs: Sequence[Job]) -> int:
        epoch = self._epoch.number

        def insert(connection: sqlite3.Connection) -> int:
            missing = [job for job in jobs if not connection.execute(self._sql.has_job, (epoch, job.id)).fetchall()]
            NewJobs(missing, epoch=epoch).insert(connection, self._insertion)
            return len(missing)

        return await self._database.write(insert, epoch=self._epoch)

    async def find(self, criteria: WorkflowCriteria, *, limit: int) -> FoundWorkflows:
        return await self._search.find(criteria, limit=limit)

    async def delete(self, workflow: Workflow) -> bool:
        epoch = self._epoch.number

        def delete(connection: sqlite3.Connection) -> bool:
            if connection.execute(self._sql.delete, (epoch, workflow.id, workflow.version)).rowcount == 0:
                return False
            self._forget(epoch, workflow.id)
            connection.executemany(self._sql.delete_tag, tag_rows(workflow, epoch=epoch))
            return True

        return await self._database.write(delete, epoch=self._epoch)

    async def unfinished(self, *, after: str, limit: int) -> Sequence[Workflow]:
        rows = self._database.read(self._sql.unfinished, (self._epoch.number, after, limit))
        return [workflow_from(row) for row in rows]

    async def spent(self, owner: str) -> Spent:
        return spent_of(await self._database.scan(self._spent, (self._epoch.number, owner)))

    def _spent_by(self, owner: str, epoch: int, connection: sqlite3.Connection) -> Spent:
        """Return what a consumer has spent, within the transaction of the connection."""
        return spent_of(connection.execute(self._spent, (epoch, owner)).fetchall())


def _row_paid_without_limit(workflow: Workflow, *, epoch: int) -> tuple[Workflow, tuple[Value, ...]]:
    """Return a workflow with its charge, and its row: without a limit neither depends on what others have spent."""
    charged = charge(workflow, NO_LIMIT, Spent())
    return charged, workflow_row(charged, epoch=epoch)
