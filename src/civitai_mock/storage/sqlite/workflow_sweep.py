"""Look for unfinished workflows in SQLite, and delete those whose time is over, without reading what they are."""

import sqlite3

from civitai_mock.storage.sqlite.schema import TableNames
from civitai_mock.storage.sqlite.settled import Settled

BATCH = 10  # workflows, each of which may have a thousand jobs
HAS_ANNOUNCEMENT = 'SELECT 1 FROM "{jobs} deliveries" WHERE epoch = ? AND due_at IS NOT NULL LIMIT 1'
# INDEXED BY, as SQLite would look through all workflows of the epoch.
IS_UNFINISHED = """
    SELECT 1 FROM "{jobs} workflows" INDEXED BY "{jobs} workflows that run"
    WHERE epoch = ? AND is_over = 0 AND is_deleted = 0 LIMIT 1
"""
EXPIRED = 'SELECT number FROM "{jobs} workflows" WHERE epoch = ? AND keep_until <= ? ORDER BY keep_until LIMIT ?'
EXPIRE_JOBS = """
    UPDATE "{jobs}" SET keep_until = min(keep_until, ?)
    WHERE number IN (SELECT job FROM "{jobs} places" WHERE workflow = ?)
"""
# A workflow that is not listed has no tags there.
SWEEP_TAGS = """
    DELETE FROM "{jobs} tags" WHERE epoch = (SELECT epoch FROM "{jobs} workflows" WHERE number = ?1)
    AND (owner, tag, born, workflow) IN (
        SELECT expired.owner, tagged.value, expired.created_at, expired.id
        FROM "{jobs} workflows" AS expired, json_each(expired.body, '$.tags') AS tagged WHERE expired.number = ?1)
"""
SWEEP_PLACES = """DELETE FROM "{jobs} places" WHERE workflow = ?"""
SWEEP_ANNOUNCEMENTS = """DELETE FROM "{jobs} announcements" WHERE workflow = ?"""
SWEEP_DELIVERIES = """DELETE FROM "{jobs} deliveries" WHERE workflow = ?"""
SWEEP = """DELETE FROM "{jobs} workflows" WHERE number = ?"""


class SweepStatements:
    """The statements with the names of the tables filled in."""

    def __init__(self, names: TableNames) -> None:
        self.is_unfinished = names.fill(IS_UNFINISHED)
        self.has_announcement = names.fill(HAS_ANNOUNCEMENT)
        self.expired = names.fill(EXPIRED)
        self.expire_jobs = names.fill(EXPIRE_JOBS)
        self.sweep_tags = names.fill(SWEEP_TAGS)
        self.sweep_places = names.fill(SWEEP_PLACES)
        self.sweep_announcements = names.fill(SWEEP_ANNOUNCEMENTS)
        self.sweep_deliveries = names.fill(SWEEP_DELIVERIES)
        self.sweep = names.fill(SWEEP)


def sweep_workflow_batch(
    epoch: int, now: int, connection: sqlite3.Connection, *, sql: SweepStatements, settled: Settled | None
) -> bool:
    """Delete a batch of workflows, let their jobs expire, so that they are swept next, and return whether it was full.

    What stands for a workflow alone goes with it.
    """
    numbers = connection.execute(sql.expired, (epoch, now, BATCH)).fetchall()
    if settled is not None and numbers:
        settled.workflows.clear()
    connection.executemany(sql.expire_jobs, [(now, number) for (number,) in numbers])
    for statement in (
        sql.sweep_tags,
        sql.sweep_places,
        sql.sweep_announcements,
        sql.sweep_deliveries,
        sql.sweep,
    ):
        connection.executemany(statement, numbers)
    return len(numbers) == BATCH
