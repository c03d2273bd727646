"""The schema of a SQLite store: names of tables, their columns and indexes, and the upgrade of earlier versions."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass

from civitai_mock.domain.blob import blob_keys
from civitai_mock.ports import NewerSchemaError
from civitai_mock.storage.sqlite.job_rows import INSERT_LEAF, stored_leaf_rows

# Allows what a MongoDB collection can be called, too, and no character that could end the quotes around it in SQL.
NAME_PATTERN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}", re.ASCII)
RESERVED = frozenset({"blobs", "secrets"})
# The columns that `job_rows.job_from` reads.
JOB = """
    id, type, issued_by, submission_id, cost, charged, priority, created_at, expire_at, keep_until, body,
    slots, stage, retry_attempt, outcome, provider, worker_id, claimed_at, lease_until, prompt_id,
    waits, result, taint, seq,
    (SELECT last.body FROM "{job_events}" AS last WHERE last.job_id = "{jobs}".id AND last.seq = "{jobs}".seq)
"""

VERSION = 3
# What never changes of a job is JSON, what changes has columns. A job's last event is not repeated in its row, as it is
# the event with the job's `seq`: this keeps a `replace` small whatever the event's context is. A leaf is a digest of
# one property, with the job's `Position`; the names of its columns differ from those of the jobs.
TABLES = (
    """
    CREATE TABLE IF NOT EXISTS "{jobs}" (
        id TEXT PRIMARY KEY, type TEXT NOT NULL, issued_by TEXT NOT NULL, submission_id TEXT NOT NULL,
        cost REAL NOT NULL, charged INTEGER NOT NULL, priority INTEGER NOT NULL,
        created_at INTEGER NOT NULL, expire_at INTEGER NOT NULL, keep_until INTEGER NOT NULL, body TEXT NOT NULL,
        slots TEXT NOT NULL, seq INTEGER NOT NULL, stage TEXT NOT NULL, retry_attempt INTEGER NOT NULL, outcome TEXT,
        provider TEXT, worker_id TEXT, claimed_at INTEGER, lease_until INTEGER, prompt_id TEXT,
        waits INTEGER NOT NULL, result TEXT, ended_at INTEGER, taint TEXT,
        callback_due_at INTEGER, callback_told INTEGER NOT NULL DEFAULT -1,
        callback_failures INTEGER NOT NULL DEFAULT 0)
    """,
    """
    CREATE TABLE IF NOT EXISTS "{jobs} leaves" (
        leaf TEXT NOT NULL, born INTEGER NOT NULL, submission TEXT NOT NULL, job TEXT NOT NULL,
        PRIMARY KEY (leaf, born, submission, job)) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS "{job_events}" (
        job_id TEXT NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (job_id, seq))
    """,
    """
    CREATE TABLE IF NOT EXISTS "{resources}" (
        key TEXT PRIMARY KEY, source TEXT NOT NULL, version TEXT, id TEXT NOT NULL,
        search TEXT NOT NULL, body TEXT NOT NULL)
    """,
    """
    CREATE TABLE IF NOT EXISTS blobs (
        key TEXT PRIMARY KEY, content_type TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
        keep_until INTEGER NOT NULL, owner TEXT)
    """,
    "CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL)",
)
# A space keeps the name of an index apart from any table's. Partial indexes hold unfinished jobs, so they stay small
# however many jobs are kept. Types are few and mostly asked for together, so they only end the indexes by age.
INDEXES = (
    """
    CREATE INDEX IF NOT EXISTS "{jobs} to claim" ON "{jobs}" (priority DESC, created_at, id)
    WHERE worker_id IS NULL AND outcome IS NULL AND waits = 0
    """,
    """
    CREATE INDEX IF NOT EXISTS "{jobs} by worker" ON "{jobs}" (worker_id)
    WHERE worker_id IS NOT NULL AND outcome IS NULL
    """,
    """
    CREATE INDEX IF NOT EXISTS "{jobs} by lease" ON "{jobs}" (lease_until)
    WHERE worker_id IS NOT NULL AND outcome IS NULL
    """,
    """CREATE INDEX IF NOT EXISTS "{jobs} by deadline" ON "{jobs}" (expire_at) WHERE outcome IS NULL""",
    """CREATE INDEX IF NOT EXISTS "{jobs} that wait" ON "{jobs}" (id) WHERE waits = 1""",
    """CREATE INDEX IF NOT EXISTS "{jobs} by age" ON "{jobs}" (created_at, submission_id, id, type)""",
    """CREATE INDEX IF NOT EXISTS "{jobs} by consumer" ON "{jobs}" (issued_by, created_at, submission_id, id, type)""",
    """
    CREATE INDEX IF NOT EXISTS "{jobs} by charge" ON "{jobs}" (issued_by, cost, charged, outcome)
    WHERE charged = 1 AND (outcome IS NULL OR outcome = 'SUCCEEDED')
    """,
    """CREATE INDEX IF NOT EXISTS "{jobs} by end" ON "{jobs}" (ended_at) WHERE ended_at IS NOT NULL""",
    """
    CREATE INDEX IF NOT EXISTS "{jobs} to tell of" ON "{jobs}" (callback_due_at, id)
    WHERE callback_due_at IS NOT NULL
    """,
    """CREATE INDEX IF NOT EXISTS "{jobs} to sweep" ON "{jobs}" (keep_until)""",
    """CREATE INDEX IF NOT EXISTS "{resources} by version" ON "{resources}" (source, version, key)""",
    """CREATE INDEX IF NOT EXISTS "{resources} by model" ON "{resources}" (source, id, key)""",
    "CREATE INDEX IF NOT EXISTS [blobs to sweep] ON blobs (keep_until)",
)

COLUMNS = """SELECT name FROM pragma_table_info('{jobs}')"""
SET_ASIDE = """ALTER TABLE "{jobs}" RENAME TO "{jobs} of version 1" """
# Version 1 charged nothing, and knew the jobs of a request only by their ids, so each becomes a submission.
TAKE_OVER = """
    INSERT INTO "{jobs}" (id, type, issued_by, submission_id, cost, charged, priority,
        created_at, expire_at, keep_until, body,
        slots, seq, stage, retry_attempt, outcome, provider, worker_id, claimed_at, lease_until, prompt_id,
        waits, ended_at)
    SELECT id, json_extract(body, '$.type'), json_extract(body, '$.issued_by'), id, json_extract(body, '$.cost'), 0,
        priority, created_at, expire_at, keep_until,
        json_set(json_remove(body, '$.type', '$.issued_by', '$.cost'),
            '$.name', NULL, '$.callback_url', NULL, '$.providers', json('[]'), '$.dependencies', json('[]')),
        slots, seq, stage, retry_attempt, outcome, provider, worker_id, claimed_at, lease_until, prompt_id, 0,
        (SELECT json_extract(last.body, '$.at') FROM "{job_events}" AS last
            WHERE outcome IS NOT NULL AND last.job_id = old.id AND last.seq = old.seq)
    FROM "{jobs} of version 1" AS old
"""
STORED = """SELECT created_at, submission_id, id, body FROM "{jobs}" """
DROP = """DROP TABLE "{jobs} of version 1" """
BLOB_COLUMNS = "SELECT name FROM pragma_table_info('blobs')"
ADD_OWNER = "ALTER TABLE blobs ADD COLUMN owner TEXT"
ARE_UNOWNED = "SELECT EXISTS (SELECT 1 FROM blobs WHERE owner IS NULL)"
MAKERS = """SELECT id, issued_by, json_array_length(slots) FROM "{jobs}" """
SET_OWNER = "UPDATE blobs SET owner = ? WHERE key = ? AND owner IS NULL"


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


def create_schema(connection: sqlite3.Connection, names: TableNames) -> None:
    """Make the tables and indexes that are missing in one transaction; raise `NewerSchemaError` before any change."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        _refuse_newer(connection)
        add_owner_of_blobs(connection)
        with old_jobs_taken_over(connection, names):
            for statement in TABLES:
                connection.execute(names.fill(statement))
        find_owners_of_blobs(connection, names)
        for statement in INDEXES:
            connection.execute(names.fill(statement))
        connection.execute(f"PRAGMA user_version = {VERSION}")
    except BaseException:
        connection.rollback()
        raise
    connection.execute("COMMIT")


def _refuse_newer(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise NewerSchemaError(f"its schema has version {version}, this program knows {VERSION}")


@contextmanager
def old_jobs_taken_over(connection: sqlite3.Connection, names: TableNames) -> Iterator[None]:
    """Set an old table of jobs aside, let the caller make the current ones, then move its jobs and drop it.

    The version of the file does not say whether: it may have several tables of jobs, some of them upgraded already.
    """
    columns = {name for (name,) in connection.execute(names.fill(COLUMNS))}
    is_old = bool(columns) and "submission_id" not in columns
    if is_old:
        connection.execute(names.fill(SET_ASIDE))
    yield
    if is_old:
        connection.execute(names.fill(TAKE_OVER))
        for job in connection.execute(names.fill(STORED)):
            connection.executemany(names.fill(INSERT_LEAF), stored_leaf_rows([job]))
        connection.execute(names.fill(DROP))


def add_owner_of_blobs(connection: sqlite3.Connection) -> None:
    """Add the column for the owner of a blob, which versions 1 and 2 did not have."""
    columns = {name for (name,) in connection.execute(BLOB_COLUMNS)}
    if columns and "owner" not in columns:
        connection.execute(ADD_OWNER)


def find_owners_of_blobs(connection: sqlite3.Connection, names: TableNames) -> None:
    """Set the owners of blobs by the jobs that can have made them; a pinned blob without a job stays without one."""
    if connection.execute(ARE_UNOWNED).fetchone() == (1,):
        made = (
            (owner, key)
            for job_id, owner, slots in connection.execute(names.fill(MAKERS)).fetchall()
            for key in blob_keys(job_id, slots)
        )
        connection.executemany(SET_OWNER, made)
