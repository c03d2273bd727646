"""New jobs as rows of SQLite, in all tables that they stand in."""

import sqlite3
from collections.abc import Sequence
from typing import cast

from civitai_mock.domain.errors import ConflictError
from civitai_mock.domain.job import Job
from civitai_mock.storage.sqlite.encoding import Row
from civitai_mock.storage.sqlite.job_events import EventStatements, append_first
from civitai_mock.storage.sqlite.job_rows import INSERT_LEAF, job_row, leaf_rows, request_text
from civitai_mock.storage.sqlite.schema import TableNames

LARGEST_KEPT = 16 * 1024  # characters of a request
INSERT = """
    INSERT INTO "{jobs}" (epoch, id, type, issued_by, submission_id, cost, charged, priority,
        created_at, expire_at, keep_until, taint, moved_by,
        slots, seq, changed_at, stage, retry_attempt, outcome, provider, worker_id, claimed_at, lease_until, prompt_id,
        waits, result, faults, callback_due_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
INSERT_REQUEST = """INSERT INTO "{jobs} requests" (job, body) VALUES (?, ?)"""
INSERT_PLACE = """INSERT INTO "{jobs} places" (workflow, job) VALUES (?, ?)"""
INSERT_PLACE_BY_ID = """
    INSERT INTO "{jobs} places" (workflow, job) SELECT number, ? FROM "{jobs} workflows" WHERE epoch = ? AND id = ?
"""


class InsertStatements:
    """The statements with the names of the tables filled in."""

    def __init__(self, names: TableNames) -> None:
        self.insert = names.fill(INSERT)
        self.insert_request = names.fill(INSERT_REQUEST)
        self.insert_leaf = names.fill(INSERT_LEAF)
        self.insert_place = names.fill(INSERT_PLACE)
        self.insert_place_by_id = names.fill(INSERT_PLACE_BY_ID)
        self.events = EventStatements(names)


class NewJobs:
    """Holds jobs as rows, which are made before the transaction that inserts them begins."""

    def __init__(self, jobs: Sequence[Job], *, epoch: int) -> None:
        self._epoch = epoch
        self._new = [(job, job_row(job, epoch=epoch), request_text(job)) for job in jobs]
        self._leaves = [row for job in jobs if job.properties for row in leaf_rows(job, epoch=epoch)]

    @property
    def small(self) -> Sequence[Job]:
        """Return those that may be kept in memory, thousands of them: a graph of a user may take megabytes."""
        return [job for job, _, request in self._new if len(request) <= LARGEST_KEPT]

    def insert(self, connection: sqlite3.Connection, sql: InsertStatements, *, workflow: int | None = None) -> None:
        """Insert all of the jobs; raise `ConflictError` if there is one with one of the ids already.

        `workflow` is the number of theirs, where it is known.
        """
        epoch, events = self._epoch, sql.events
        try:
            for job, row, request in self._new:
                number = insert_row(connection, sql, job, row, request, epoch=epoch, workflow=workflow)
                append_first(connection, events, job, number=number)
            if self._leaves:
                connection.executemany(sql.insert_leaf, self._leaves)
        except sqlite3.IntegrityError as error:
            raise ConflictError("A job with this id exists already.") from error


def insert_row(
    connection: sqlite3.Connection,
    sql: InsertStatements,
    job: Job,
    row: Row,
    request: str,
    *,
    epoch: int,
    workflow: int | None = None,
) -> int:
    """Insert the rows of a job but for those of its events and leaves, and return its number."""
    # RETURNING would make a table for the one number, which takes a sixth of the time of the statement.
    number = cast("int", connection.execute(sql.insert, row).lastrowid)
    connection.execute(sql.insert_request, (number, request))
    if workflow is not None:
        connection.execute(sql.insert_place, (workflow, number))
    elif job.workflow is not None:
        connection.execute(sql.insert_place_by_id, (number, epoch, job.workflow.workflow_id))
    return number
