"""The tables, and how a file gets them."""

import sqlite3

from civitai_mock.storage.sqlite.tables import TableNames
from civitai_mock.storage.sqlite.upgrade import add_owner_of_blobs, find_owners_of_blobs, old_jobs_taken_over

VERSION = 3
# Columns that change are apart from the JSON of what never does. A job's last event is not repeated in its row: it is
# the event with the job's `seq`, which keeps a `replace` small whatever is in the event's context. Leaves of properties
# are digests, each with the job's `Position`; the names of these columns differ from those of the jobs.
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
# A space keeps the name of an index apart from any table's. Partial indexes hold what is unfinished, so they stay small
# however many jobs are kept. Types are few and wanted together, so they only ride along with what is in order of age.
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


class NewerSchemaError(Exception):
    """The file was written by a later version of this program."""


def create_schema(connection: sqlite3.Connection, names: TableNames) -> None:
    """Make what is missing, in one transaction; raise `NewerSchemaError` before anything is touched."""
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
