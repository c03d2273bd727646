"""The schema of a SQLite store: names of tables, their columns and indexes."""

import re
from collections.abc import Callable
from dataclasses import astuple
from functools import cache
from typing import Any, TypeVar

from civitai_mock.domain.dataclass import dataclass

# Allows what a MongoDB collection can be called, too, and no character that could end the quotes around it in SQL.
NAME_PATTERN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}", re.ASCII)
RESERVED = frozenset({"blobs", "secrets", "namespaces", "ended_epochs", "processes", "leases", "counters"})
S = TypeVar("S")
# The columns that `job_rows.job_from` reads.
JOB = """
    id, type, issued_by, submission_id, cost, charged, priority, created_at, expire_at, keep_until,
    slots, seq, stage, retry_attempt, outcome, provider, worker_id, claimed_at, lease_until, prompt_id,
    waits, moved_by, faults, result, taint,
    (SELECT request.body FROM "{jobs} requests" AS request WHERE request.job = "{jobs}".number),
    (SELECT last.body FROM "{jobs} {job_events}" AS last WHERE last.job = "{jobs}".number AND last.seq = "{jobs}".seq),
    (SELECT text.body FROM "{jobs} texts" AS text WHERE text.job = "{jobs}".number)
"""

VERSION = 15
# A write of a job touches few pages if rows that change are small, and others are appended: what never changes of a job
# and no index needs has a row among the requests, and events and long texts have rows of their own. They have the job's
# number, which grows, so that those of one time stand together; ids have no order. (A rowid would not do as the number:
# VACUUM changes it.) A leaf is a digest of one property, with the job's `Position`; the names of its columns differ
# from those of the jobs. A BLOB `body` was made by `packing`. Version 8 has workflows: a place is a job of one, by both
# numbers, so that other jobs have nothing of it; a tag has the workflow's `WorkflowPosition`, if that is listed. Since
# version 9 a row of events has its position in the feed, which grows with each row; those of before have none. Since
# version 10 all that is found by an id or a name has the epoch of its namespace before it (see `domain.namespaces`);
# resources that all namespaces see have `SHARED_EPOCH`. What has the number of a job or a workflow needs none.
# Since version 11 the last attempts at callbacks are kept; of those before nobody knows. Since version 12 the faults
# of jobs, blobs and callbacks are kept, as JSON; what nothing was decided for has none. And `charged` may be 2, of a
# job that was canceled and keeps its cost. Version 13 has events of namespaces, with the jobs that they name.
# Version 14 has fleets, and what they have cost. In version 15 a request may have the key of its results.
TABLES = (
    """
    CREATE TABLE IF NOT EXISTS "{jobs}" (
        number INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL,
        issued_by TEXT NOT NULL,
        submission_id TEXT NOT NULL, cost REAL NOT NULL, charged INTEGER NOT NULL, priority INTEGER NOT NULL,
        created_at INTEGER NOT NULL, expire_at INTEGER NOT NULL, keep_until INTEGER NOT NULL,
        slots TEXT NOT NULL, seq INTEGER NOT NULL, changed_at INTEGER NOT NULL, stage TEXT NOT NULL,
        retry_attempt INTEGER NOT NULL, outcome TEXT, provider TEXT, worker_id TEXT, claimed_at INTEGER,
        lease_until INTEGER, prompt_id TEXT, waits INTEGER NOT NULL, result TEXT, taint TEXT,
        callback_due_at INTEGER, callback_told INTEGER NOT NULL DEFAULT -1,
        callback_failures INTEGER NOT NULL DEFAULT 0, moved_by TEXT, polls INTEGER NOT NULL DEFAULT 0,
        callback_attempts TEXT, faults TEXT, callback_faults TEXT, UNIQUE (epoch, id))
    """,
    """CREATE TABLE IF NOT EXISTS "{jobs} requests" (job INTEGER PRIMARY KEY, body TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS "{jobs} texts" (job INTEGER PRIMARY KEY, body BLOB NOT NULL)""",
    """
    CREATE TABLE IF NOT EXISTS "{jobs} leaves" (
        epoch INTEGER NOT NULL, leaf TEXT NOT NULL, born INTEGER NOT NULL, submission TEXT NOT NULL,
        job TEXT NOT NULL, PRIMARY KEY (epoch, leaf, born, submission, job)) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS "{jobs} {job_events}" (
        job INTEGER NOT NULL, seq INTEGER NOT NULL, body BLOB NOT NULL, position INTEGER,
        PRIMARY KEY (job, seq)) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS "{jobs} workflows" (
        number INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, id TEXT NOT NULL, owner TEXT NOT NULL, external_id TEXT,
        created_at INTEGER NOT NULL, keep_until INTEGER NOT NULL, version INTEGER NOT NULL,
        is_over INTEGER NOT NULL, is_listed INTEGER NOT NULL, has_failed INTEGER NOT NULL, is_deleted INTEGER NOT NULL,
        blue INTEGER NOT NULL, green INTEGER NOT NULL, yellow INTEGER NOT NULL, fake_red INTEGER NOT NULL,
        search TEXT, body TEXT NOT NULL, UNIQUE (epoch, id))
    """,
    """
    CREATE TABLE IF NOT EXISTS "{jobs} places" (
        workflow INTEGER NOT NULL, job INTEGER NOT NULL, PRIMARY KEY (workflow, job)) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS "{jobs} tags" (
        epoch INTEGER NOT NULL, owner TEXT NOT NULL, tag TEXT NOT NULL, born INTEGER NOT NULL,
        workflow TEXT NOT NULL, PRIMARY KEY (epoch, owner, tag, born, workflow)) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS "{jobs} announcements" (
        workflow INTEGER NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (workflow, seq)) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS "{jobs} deliveries" (
        workflow INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, last INTEGER NOT NULL, due_at INTEGER,
        told INTEGER NOT NULL DEFAULT -1, failures INTEGER NOT NULL DEFAULT 0, attempts TEXT, faults TEXT)
    """,
    """
    CREATE TABLE IF NOT EXISTS "{jobs} namespace events" (
        position INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, feed_position INTEGER NOT NULL, key TEXT NOT NULL,
        type TEXT NOT NULL, at INTEGER NOT NULL, job_ids TEXT, body TEXT NOT NULL, keep_until INTEGER NOT NULL,
        UNIQUE (epoch, key))
    """,
    """
    CREATE TABLE IF NOT EXISTS "{jobs} named jobs" (
        epoch INTEGER NOT NULL, job TEXT NOT NULL, position INTEGER NOT NULL,
        PRIMARY KEY (epoch, job, position)) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS "{jobs} fleets" (
        epoch INTEGER PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL)
    """,
    """
    CREATE TABLE IF NOT EXISTS "{jobs} fleet costs" (
        epoch INTEGER NOT NULL, id TEXT NOT NULL, began_at INTEGER NOT NULL, ended_at INTEGER NOT NULL,
        body TEXT NOT NULL, PRIMARY KEY (epoch, id)) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS "{resources}" (
        epoch INTEGER NOT NULL, key TEXT NOT NULL, source TEXT NOT NULL, version TEXT, id TEXT NOT NULL,
        identity TEXT NOT NULL, search TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (epoch, key))
    """,
    """
    CREATE TABLE IF NOT EXISTS blobs (
        epoch INTEGER NOT NULL, key TEXT NOT NULL, content_type TEXT NOT NULL, size INTEGER NOT NULL,
        etag TEXT NOT NULL, keep_until INTEGER NOT NULL, owner TEXT, recipe TEXT, facts TEXT, fault TEXT,
        PRIMARY KEY (epoch, key))
    """,
    "CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL)",
    """
    CREATE TABLE IF NOT EXISTS namespaces (
        name TEXT PRIMARY KEY, epoch INTEGER NOT NULL, changed INTEGER NOT NULL, used_at INTEGER NOT NULL,
        is_deleted INTEGER NOT NULL, document TEXT NOT NULL) WITHOUT ROWID
    """,
    "CREATE TABLE IF NOT EXISTS ended_epochs (number INTEGER PRIMARY KEY, revision INTEGER NOT NULL)",
    """
    CREATE TABLE IF NOT EXISTS processes (
        id TEXT PRIMARY KEY, revision INTEGER NOT NULL, seen_at INTEGER NOT NULL) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS leases (
        name TEXT PRIMARY KEY, holder TEXT NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS counters (
        epoch INTEGER NOT NULL, key TEXT NOT NULL, value INTEGER NOT NULL, PRIMARY KEY (epoch, key)) WITHOUT ROWID
    """,
)
# A space keeps the name of an index apart from any table's. Partial indexes hold unfinished jobs, so they stay small
# however many jobs are kept. Types are few and mostly asked for together, so they only end the indexes by age. The
# epoch is first in each, so that no namespace waits for another, and those with work are found by leaps.
INDEXES = (
    """
    CREATE INDEX IF NOT EXISTS "{jobs} to claim" ON "{jobs}" (epoch, priority DESC, created_at, id)
    WHERE worker_id IS NULL AND outcome IS NULL AND waits = 0 AND moved_by IS NOT 'REQUESTS'
    """,
    """
    CREATE INDEX IF NOT EXISTS "{jobs} to claim by time" ON "{jobs}" (epoch, priority DESC, created_at, id)
    WHERE worker_id IS NULL AND outcome IS NULL AND waits = 0 AND moved_by = 'TIME'
    """,
    """
    CREATE INDEX IF NOT EXISTS "{jobs} by worker" ON "{jobs}" (epoch, worker_id)
    WHERE worker_id IS NOT NULL AND outcome IS NULL
    """,
    """
    CREATE INDEX IF NOT EXISTS "{jobs} by lease" ON "{jobs}" (epoch, lease_until)
    WHERE worker_id IS NOT NULL AND outcome IS NULL
    """,
    """CREATE INDEX IF NOT EXISTS "{jobs} by deadline" ON "{jobs}" (epoch, expire_at) WHERE outcome IS NULL""",
    """CREATE INDEX IF NOT EXISTS "{jobs} that wait" ON "{jobs}" (epoch, id) WHERE waits = 1""",
    """CREATE INDEX IF NOT EXISTS "{jobs} by age" ON "{jobs}" (epoch, created_at, submission_id, id, type)""",
    """
    CREATE INDEX IF NOT EXISTS "{jobs} by consumer" ON "{jobs}"
    (epoch, issued_by, created_at, submission_id, id, type)
    """,
    """
    CREATE INDEX IF NOT EXISTS "{jobs} by charge" ON "{jobs}" (epoch, issued_by, cost, charged, outcome)
    WHERE charged = 1 AND (outcome IS NULL OR outcome = 'SUCCEEDED')
    """,
    """CREATE INDEX IF NOT EXISTS "{jobs} by kept charge" ON "{jobs}" (epoch, issued_by, cost) WHERE charged = 2""",
    """CREATE INDEX IF NOT EXISTS "{jobs} by end" ON "{jobs}" (epoch, changed_at) WHERE outcome IS NOT NULL""",
    """
    CREATE INDEX IF NOT EXISTS "{jobs} to tell of" ON "{jobs}" (epoch, callback_due_at, id)
    WHERE callback_due_at IS NOT NULL
    """,
    """CREATE INDEX IF NOT EXISTS "{jobs} to sweep" ON "{jobs}" (epoch, keep_until)""",
    """
    CREATE UNIQUE INDEX IF NOT EXISTS "{jobs} {job_events} by position" ON "{jobs} {job_events}" (position)
    WHERE position IS NOT NULL
    """,
    """
    CREATE UNIQUE INDEX IF NOT EXISTS "{jobs} workflows by external id" ON "{jobs} workflows"
    (epoch, owner, external_id) WHERE external_id IS NOT NULL
    """,
    """
    CREATE INDEX IF NOT EXISTS "{jobs} workflows by age" ON "{jobs} workflows"
    (epoch, owner, created_at, id, has_failed) WHERE is_listed = 1
    """,
    """
    CREATE INDEX IF NOT EXISTS "{jobs} workflows that run" ON "{jobs} workflows" (epoch, id)
    WHERE is_over = 0 AND is_deleted = 0
    """,
    """
    CREATE INDEX IF NOT EXISTS "{jobs} workflows by charge" ON "{jobs} workflows"
    (epoch, owner, blue, green, yellow, fake_red)
    """,
    """CREATE INDEX IF NOT EXISTS "{jobs} workflows to sweep" ON "{jobs} workflows" (epoch, keep_until)""",
    """
    CREATE INDEX IF NOT EXISTS "{jobs} to announce" ON "{jobs} deliveries" (epoch, due_at)
    WHERE due_at IS NOT NULL
    """,
    """
    CREATE INDEX IF NOT EXISTS "{jobs} namespace events to sweep" ON "{jobs} namespace events" (epoch, keep_until)
    """,
    """CREATE INDEX IF NOT EXISTS "{jobs} fleet costs by end" ON "{jobs} fleet costs" (epoch, ended_at, id)""",
    """CREATE INDEX IF NOT EXISTS "{resources} by version" ON "{resources}" (epoch, source, version, key)""",
    """CREATE INDEX IF NOT EXISTS "{resources} by model" ON "{resources}" (epoch, source, id, key)""",
    """CREATE INDEX IF NOT EXISTS "{resources} by identity" ON "{resources}" (epoch, identity)""",
    "CREATE INDEX IF NOT EXISTS [blobs to sweep] ON blobs (epoch, keep_until)",
    "CREATE INDEX IF NOT EXISTS [namespaces by change] ON namespaces (changed)",
    "CREATE INDEX IF NOT EXISTS [namespaces by use] ON namespaces (used_at) WHERE is_deleted = 0",
    "CREATE INDEX IF NOT EXISTS [namespaces that are deleted] ON namespaces (changed) WHERE is_deleted = 1",
    "CREATE INDEX IF NOT EXISTS [leases by end] ON leases (until)",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableNames:
    """Names of the tables that users may choose; raise ValueError for one that is odd, taken, or SQLite's own."""

    resources: str = "resources"
    jobs: str = "jobs"
    job_events: str = "jobEvent"

    def __post_init__(self) -> None:
        names: tuple[str, ...] = astuple(self)
        for name in names:
            if not NAME_PATTERN.fullmatch(name) or name.lower().startswith("sqlite_") or name.lower() in RESERVED:
                raise ValueError(
                    f"'{name}' cannot be the name of a table; expected letters, digits, '_', '-' and '.',"
                    f" a letter or '_' first, at most 64 in all, and none of {', '.join(sorted(RESERVED))}, sqlite_*",
                )
        if len({name.lower() for name in names}) < len(names):
            raise ValueError(f"the names of the tables must differ, found {', '.join(names)}")

    def fill(self, sql: str) -> str:
        """Put the names in for `{jobs}`, `{job_events}` and `{resources}`, and the columns of a job for `{job}`."""
        filled = sql.replace("{job}", JOB)
        return filled.format(resources=self.resources, jobs=self.jobs, job_events=self.job_events)


def filled(statements: Callable[[TableNames], S], names: TableNames) -> S:
    """Return statements with these names, which are shared by all who ask for them: there may be thousands."""
    found: S = _filled(statements, names)
    return found


@cache
def _filled(statements: Callable[[TableNames], Any], names: TableNames) -> Any:
    return statements(names)
