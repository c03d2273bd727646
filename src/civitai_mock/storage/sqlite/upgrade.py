"""What earlier versions of the schema kept, into the tables of today."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from civitai_mock.domain.blob import blob_keys
from civitai_mock.storage.sqlite.job_rows import INSERT_LEAF, stored_leaf_rows
from civitai_mock.storage.sqlite.tables import TableNames

COLUMNS = """SELECT name FROM pragma_table_info('{jobs}')"""
SET_ASIDE = """ALTER TABLE "{jobs}" RENAME TO "{jobs} of version 1" """
# Nothing was charged then, and nobody asked for a request's jobs by anything but their ids: each is a submission.
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


@contextmanager
def old_jobs_taken_over(connection: sqlite3.Connection, names: TableNames) -> Iterator[None]:
    """Make the tables of today within; old jobs go into them at the end, and their own table with its indexes goes.

    The version of the file does not tell: a file may have several tables of jobs, and one may be upgraded already.
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
    """Versions 1 and 2 did not know whose a blob is."""
    columns = {name for (name,) in connection.execute(BLOB_COLUMNS)}
    if columns and "owner" not in columns:
        connection.execute(ADD_OWNER)


def find_owners_of_blobs(connection: sqlite3.Connection, names: TableNames) -> None:
    """Find the owners by the jobs that can have made them; a pinned blob whose job is gone stays nobody's."""
    if connection.execute(ARE_UNOWNED).fetchone() == (1,):
        made = (
            (owner, key)
            for job_id, owner, slots in connection.execute(names.fill(MAKERS)).fetchall()
            for key in blob_keys(job_id, slots)
        )
        connection.executemany(SET_OWNER, made)
