"""Make the tables of a SQLite store, and upgrade those of earlier versions of the schema."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from itertools import groupby
from operator import itemgetter

import orjson
import structlog

from civitai_mock.domain.air import Air
from civitai_mock.domain.blob import blob_keys
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.micros import MICROSECOND, from_micros
from civitai_mock.domain.namespaces import DEFAULT, FIRST_EPOCH, SERVER, SHARED_EPOCH
from civitai_mock.domain.stages import JobEventType, Stage
from civitai_mock.ports import NewerSchemaError
from civitai_mock.storage.sqlite.job_events import EventStatements, JobFacts, append_events, is_implied
from civitai_mock.storage.sqlite.job_rows import INSERT_LEAF, stored_leaf_rows
from civitai_mock.storage.sqlite.schema import INDEXES, TABLES, VERSION, TableNames

logger = structlog.stdlib.get_logger()

# Several events are one row, as if they had been written together; not all, as a job may have thousands.
EVENTS_IN_A_ROW = 8

COLUMNS = "SELECT name FROM pragma_table_info('{table}')"
SET_ASIDE = 'ALTER TABLE "{table}" RENAME TO "{table} of before"'
COUNT = 'SELECT count(*) FROM "{table} of before"'
DROP = 'DROP TABLE "{table} of before"'
# What is found by an id or a name, with the epoch of what was there before version 10.
EPOCHS: Mapping[str, int] = {
    "{jobs}": FIRST_EPOCH,
    "{jobs} leaves": FIRST_EPOCH,
    "{jobs} workflows": FIRST_EPOCH,
    "{jobs} tags": FIRST_EPOCH,
    "{jobs} deliveries": FIRST_EPOCH,
    "blobs": FIRST_EPOCH,
    "{resources}": SHARED_EPOCH,
}
TAKE_OVER_ROWS = """
    INSERT INTO "{table}" (epoch, {columns}{more}) SELECT {epoch}, {columns}{values} FROM "{table} of before"
"""
NOTHING_MORE = {"more": "", "values": ""}
SAME_COLUMNS = """
    id, priority, created_at, expire_at, keep_until, slots, seq, stage, retry_attempt, outcome,
    provider, worker_id, claimed_at, lease_until, prompt_id
"""
CHANGED_AT = """
    (SELECT json_extract(last.body, '$.at') FROM "{job_events}" AS last
        WHERE last.job_id = old.id AND last.seq = old.seq)
"""
# Version 1 charged nothing, and knew the jobs of a request only by their ids, so each becomes a submission.
TAKE_OVER_1 = """
    INSERT INTO "{jobs}" (epoch, type, issued_by, submission_id, cost, charged, waits, changed_at, {same_columns})
    SELECT 1, json_extract(body, '$.type'), json_extract(body, '$.issued_by'), id, json_extract(body, '$.cost'), 0, 0,
        {changed_at}, {same_columns}
    FROM "{jobs} of before" AS old ORDER BY created_at, id
"""
BODY_OF_1 = """
    json_set(json_remove(body, '$.type', '$.issued_by', '$.cost'),
        '$.name', NULL, '$.callback_url', NULL, '$.providers', json('[]'), '$.dependencies', json('[]'))
"""
TAKE_OVER = """
    INSERT INTO "{jobs}" (epoch, type, issued_by, submission_id, cost, charged, waits, result, taint,
        callback_due_at, callback_told, callback_failures, changed_at, {same_columns})
    SELECT 1, type, issued_by, submission_id, cost, charged, waits, result, taint,
        callback_due_at, callback_told, callback_failures, {changed_at}, {same_columns}
    FROM "{jobs} of before" AS old ORDER BY created_at, submission_id, id
"""
TAKE_OVER_REQUESTS = """
    INSERT INTO "{jobs} requests" (job, body)
    SELECT job.number, {body} FROM "{jobs}" AS job JOIN "{jobs} of before" AS old ON old.id = job.id
"""
OLD_BODIES = """SELECT 1, created_at, id, id, body FROM "{jobs} of before" """
OLD_EVENTS = """
    SELECT job.number, job.created_at, old.job_id, old.seq, old.body
    FROM "{jobs}" AS job JOIN "{job_events}" AS old ON old.job_id = job.id ORDER BY job.number, old.seq
"""
# Other tables of jobs may have events there, too.
DROP_OLD_EVENTS = """DELETE FROM "{job_events}" WHERE job_id IN (SELECT id FROM "{jobs}")"""
HAS_EVENTS = """SELECT EXISTS (SELECT 1 FROM "{job_events}")"""
DROP_EVENTS = """DROP TABLE "{job_events}" """
ADD_COLUMN = "ALTER TABLE blobs ADD COLUMN {} TEXT"
LATER_COLUMNS = ("owner", "recipe", "facts", "fault")  # which came with versions 3, 5, 6 and 12
ARE_UNOWNED = "SELECT EXISTS (SELECT 1 FROM blobs WHERE epoch = 1 AND owner IS NULL)"
MAKERS = """SELECT id, issued_by, json_array_length(slots) FROM "{jobs}" WHERE epoch = 1 """
ADD_POSITION = """ALTER TABLE "{jobs} {job_events}" ADD COLUMN position INTEGER"""
# Columns of texts that came with versions 11 and 12, by table.
NEW_COLUMNS: Mapping[str, Sequence[str]] = {
    "{jobs}": ("callback_attempts", "faults", "callback_faults"),
    "{jobs} deliveries": ("attempts", "faults"),
}
ADD_NEW_COLUMN = 'ALTER TABLE "{table}" ADD COLUMN {column} TEXT'
INSERT_NAMESPACE = """
    INSERT INTO namespaces (name, epoch, changed, used_at, is_deleted, document) VALUES (?, ?, 0, 0, 0, '{}')
    ON CONFLICT (name) DO NOTHING
"""
SET_OWNER = "UPDATE blobs SET owner = ? WHERE epoch = 1 AND key = ? AND owner IS NULL"


def create_schema(connection: sqlite3.Connection, names: TableNames) -> None:
    """Make the tables and indexes that are missing in one transaction; raise `NewerSchemaError` before any change."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version(connection)
        add_columns_of_blobs(connection)
        add_positions_of_events(connection, names)
        add_new_columns(connection, names)
        with old_jobs_taken_over(connection, names), epochs_added(connection, names):
            for statement in TABLES:
                connection.execute(names.fill(statement))
        find_owners_of_blobs(connection, names)
        connection.executemany(INSERT_NAMESPACE, [(DEFAULT, FIRST_EPOCH), (SERVER, SHARED_EPOCH)])
        for statement in INDEXES:
            connection.execute(names.fill(statement))
        connection.execute(f"PRAGMA user_version = {VERSION}")
    except BaseException:
        connection.rollback()
        raise
    connection.execute("COMMIT")
    if 0 < version < VERSION:
        logger.info("store upgraded", from_version=version, to_version=VERSION)


def _version(connection: sqlite3.Connection) -> int:
    """Return the version of the schema, 0 for a new file; raise `NewerSchemaError` for one that is unknown."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > VERSION:
        raise NewerSchemaError(f"its schema has version {version}, this program knows {VERSION}")
    return version


@contextmanager
def old_jobs_taken_over(connection: sqlite3.Connection, names: TableNames) -> Iterator[None]:
    """Set an old table of jobs aside, let the caller make the current ones, then move its jobs and drop it.

    The version of the file does not say whether: it may have several tables of jobs, some of them upgraded already.
    """
    columns = _columns(connection, names.jobs)
    is_old = bool(columns) and "number" not in columns
    if is_old:
        _set_aside(connection, names.jobs)
        _log_upgrade(connection, names)
    yield
    if is_old:
        _take_jobs_over(connection, names, is_first="submission_id" not in columns)
        _take_events_over(connection, names)
        connection.execute(DROP.format(table=names.jobs))


@contextmanager
def epochs_added(connection: sqlite3.Connection, names: TableNames) -> Iterator[None]:
    """Set tables without epochs aside, let the caller make the current ones, then move their rows and drop them."""
    connection.create_function("identity_of", 1, _identity_of, deterministic=True)
    tables = {names.fill(name): epoch for name, epoch in EPOCHS.items()}
    columns = {table: found for table in tables if (found := _columns(connection, table)) and "epoch" not in found}
    for table in columns:
        _set_aside(connection, table)
    if names.jobs in columns:
        _log_upgrade(connection, names)
    yield
    for table, found in columns.items():
        more = {"more": ", identity", "values": ", identity_of(body)"} if table == names.resources else NOTHING_MORE
        values = {"table": table, "columns": ", ".join(found), "epoch": tables[table], **more}
        connection.execute(TAKE_OVER_ROWS.format(**values))
        connection.execute(DROP.format(table=table))


def _columns(connection: sqlite3.Connection, table: str) -> Sequence[str]:
    return [name for (name,) in connection.execute(COLUMNS.format(table=table))]


def _identity_of(resource: str) -> str:
    return Air(**orjson.loads(resource)["air"]).identity


def _set_aside(connection: sqlite3.Connection, table: str) -> None:
    connection.execute(SET_ASIDE.format(table=table))


def _log_upgrade(connection: sqlite3.Connection, names: TableNames) -> None:
    (jobs,) = connection.execute(COUNT.format(table=names.jobs)).fetchone()
    logger.info("upgrading the jobs of the store, which may take a while", jobs=jobs)


def _take_jobs_over(connection: sqlite3.Connection, names: TableNames, *, is_first: bool) -> None:
    """Move jobs from version 1, or from 2 or 3, which differ in nothing but their blobs."""
    take_over = TAKE_OVER_1 if is_first else TAKE_OVER
    connection.execute(
        names.fill(take_over.replace("{changed_at}", CHANGED_AT).replace("{same_columns}", SAME_COLUMNS))
    )
    requests = TAKE_OVER_REQUESTS.replace("{body}", BODY_OF_1 if is_first else "old.body")
    connection.execute(names.fill(requests))
    if is_first:
        leaves = (row for job in connection.execute(names.fill(OLD_BODIES)) for row in stored_leaf_rows([job]))
        connection.executemany(names.fill(INSERT_LEAF), leaves)


def _take_events_over(connection: sqlite3.Connection, names: TableNames) -> None:
    sql = EventStatements(names)
    stored = connection.execute(names.fill(OLD_EVENTS))
    for (number, created_at), rows in groupby(stored, key=itemgetter(0, 1)):
        append = partial(append_events, connection, sql, number=number, created_at=from_micros(created_at))
        events = [_old_event_from(*row) for _, _, *row in rows]
        first = 1 if _is_implied(events[0], from_micros(created_at)) else 0
        for start in range(first, len(events), EVENTS_IN_A_ROW):
            append(events[start : start + EVENTS_IN_A_ROW])
    connection.execute(names.fill(DROP_OLD_EVENTS))
    if connection.execute(names.fill(HAS_EVENTS)).fetchone() == (0,):
        connection.execute(names.fill(DROP_EVENTS))


def _is_implied(event: JobEvent, created_at: datetime) -> bool:
    facts = JobFacts(job_id=event.job_id, job_type=event.job_type, trace_id=event.trace_id, created_at=created_at)
    return is_implied(event, facts)


def _old_event_from(job_id: str, seq: int, text: str) -> JobEvent:
    """Make an event of a row of its own; raise an error of the database for one that is broken."""
    try:
        body = orjson.loads(text)
        claim_duration = body["claim_duration"]
        return JobEvent(
            job_id=job_id,
            seq=seq,
            type=JobEventType(body["type"]),
            stage=Stage(body["stage"]),
            at=from_micros(body["at"]),
            job_type=body["job_type"],
            trace_id=body["trace_id"],
            context=body["context"],
            job_duration=body["job_duration"] * MICROSECOND,
            retry_attempt=body["retry_attempt"],
            claim_duration=None if claim_duration is None else claim_duration * MICROSECOND,
            provider=body["provider"],
            worker_id=body["worker_id"],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise sqlite3.DatabaseError(f"event {seq} of job {job_id} cannot be read: {error!r}") from error


def add_columns_of_blobs(connection: sqlite3.Connection) -> None:
    """Add the columns that earlier versions did not have."""
    columns = _columns(connection, "blobs")
    for name in LATER_COLUMNS:
        if columns and name not in columns:
            connection.execute(ADD_COLUMN.format(name))


def add_positions_of_events(connection: sqlite3.Connection, names: TableNames) -> None:
    """Add the column of positions; events that are there have none, as nobody can have followed them."""
    columns = _columns(connection, names.fill("{jobs} {job_events}"))
    if columns and "position" not in columns:
        connection.execute(names.fill(ADD_POSITION))


def add_new_columns(connection: sqlite3.Connection, names: TableNames) -> None:
    """Add the columns that tables with epochs may not have; older ones are made anew with them."""
    for name, new in NEW_COLUMNS.items():
        table = names.fill(name)
        columns = _columns(connection, table)
        for column in new:
            if "epoch" in columns and column not in columns:
                connection.execute(ADD_NEW_COLUMN.format(table=table, column=column))


def find_owners_of_blobs(connection: sqlite3.Connection, names: TableNames) -> None:
    """Set the owners of blobs by the jobs that can have made them; a pinned blob without a job stays without one."""
    if connection.execute(ARE_UNOWNED).fetchone() == (1,):
        made = (
            (owner, key)
            for job_id, owner, slots in connection.execute(names.fill(MAKERS)).fetchall()
            for key in blob_keys(job_id, slots)
        )
        connection.executemany(SET_OWNER, made)
