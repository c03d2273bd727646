"""Delete what is left in SQLite of epochs that are over, a little at a time."""

import asyncio
import sqlite3
from datetime import UTC, datetime
from functools import partial

from civitai_mock.domain.micros import to_micros
from civitai_mock.domain.namespaces import BEGUN
from civitai_mock.storage.sqlite.blob_bytes import BlobContent
from civitai_mock.storage.sqlite.database import Database
from civitai_mock.storage.sqlite.schema import TableNames

ROWS_OF_JOB = 5  # about
FILES = 32  # which a write unlinks while others wait
EPOCHS = 50  # that are looked at in one step
ENDED = "SELECT number FROM ended_epochs WHERE number > ? ORDER BY number LIMIT ?"
# An epoch that was begun and not adopted yet is listed, too, and is left alone as long as somebody writes into it.
IS_WORKED_ON = "SELECT until > ? FROM leases WHERE name = ?"
END_WORK = "DELETE FROM leases WHERE name = ? AND until <= ?"
# A process that has not heard of the end may still write; the next round finds that, too.
IS_OBEYED = """
    SELECT 1 FROM ended_epochs
    WHERE number = ? AND revision <= coalesce((SELECT min(revision) FROM processes), revision)
"""
FORGET = "DELETE FROM ended_epochs WHERE number = ?"
FORGET_NAMES = """
    DELETE FROM namespaces WHERE is_deleted = 1
    AND changed <= coalesce((SELECT min(revision) FROM processes), changed)
    AND epoch NOT IN (SELECT number FROM ended_epochs)
"""
HAS_DELETED = "SELECT 1 FROM namespaces WHERE is_deleted = 1 LIMIT 1"
JOBS = 'SELECT number FROM "{jobs}" WHERE epoch = ? LIMIT ?'
OF_JOB = (
    'DELETE FROM "{jobs}" WHERE number = ?',
    'DELETE FROM "{jobs} requests" WHERE job = ?',
    'DELETE FROM "{jobs} texts" WHERE job = ?',
    'DELETE FROM "{jobs} {job_events}" WHERE job = ?',
)
WORKFLOWS = 'SELECT number FROM "{jobs} workflows" WHERE epoch = ? LIMIT ?'
OF_WORKFLOW = (
    'DELETE FROM "{jobs} workflows" WHERE number = ?',
    'DELETE FROM "{jobs} places" WHERE workflow = ?',
    'DELETE FROM "{jobs} announcements" WHERE workflow = ?',
    'DELETE FROM "{jobs} deliveries" WHERE workflow = ?',
)
DELETE = "DELETE FROM {table} WHERE epoch = ?1 AND ({key}) IN (SELECT {key} FROM {table} WHERE epoch = ?1 LIMIT ?2)"
KEYS = {
    '"{jobs} leaves"': "leaf, born, submission, job",
    '"{jobs} tags"': "owner, tag, born, workflow",
    '"{jobs} namespace events"': "position",
    '"{jobs} named jobs"': "job, position",
    '"{jobs} fleets"': "epoch",
    '"{jobs} fleet costs"': "id",
    '"{resources}"': "key",
    "counters": "key",
}
HAS_ROW = "EXISTS (SELECT 1 FROM {table} WHERE epoch = ?1)"
TABLES = ('"{jobs}"', '"{jobs} workflows"', "blobs", *KEYS)
BLOBS = "SELECT key FROM blobs WHERE epoch = ? LIMIT ?"
DELETE_BLOB = "DELETE FROM blobs WHERE epoch = ? AND key = ?"


class EpochStatements:
    """The statements with the names of the tables filled in."""

    def __init__(self, names: TableNames) -> None:
        self.has_rows = names.fill("SELECT " + " OR ".join([HAS_ROW.replace("{table}", table) for table in TABLES]))
        self.jobs = names.fill(JOBS)
        self.of_job = tuple(map(names.fill, OF_JOB))
        self.workflows = names.fill(WORKFLOWS)
        self.of_workflow = tuple(map(names.fill, OF_WORKFLOW))
        self.others = tuple(
            names.fill(DELETE.replace("{table}", table).replace("{key}", key)) for table, key in KEYS.items()
        )


class EpochSweep:
    """Deletes rows and files of epochs that are over, and forgets an epoch once nobody can write to it any more."""

    def __init__(self, *, database: Database, names: TableNames, content: BlobContent) -> None:
        self._database = database
        self._sql = EpochStatements(names)
        self._content = content
        self._looked_at = 0  # the last epoch, in the order of their numbers

    async def sweep(self, *, limit: int) -> bool:
        """Delete at most about `limit` rows; return False once all epochs were looked at and none had any."""
        epochs = self._database.read(ENDED, (self._looked_at, EPOCHS))
        for (epoch,) in epochs:
            if await self._is_worked_on(epoch):
                self._looked_at = epoch
                continue
            if self._database.read(self._sql.has_rows, (epoch,))[0][0]:
                await self._sweep_some(epoch, limit)
                return True
            if self._database.read(IS_OBEYED, (epoch,)):
                await asyncio.to_thread(self._content.remove_all, epoch)
                await self._database.write(partial(_forget, epoch))
            self._looked_at = epoch
        if len(epochs) == EPOCHS:
            return True
        self._looked_at = 0
        if self._database.read(HAS_DELETED):
            await self._database.write(lambda db: db.execute(FORGET_NAMES))
        return False

    async def _sweep_some(self, epoch: int, limit: int) -> None:
        if await self._database.write(partial(self._sweep_rows, epoch, limit)) == 0:
            await self._sweep_blobs(epoch, limit)

    async def _is_worked_on(self, epoch: int) -> bool:
        """Return whether somebody writes into an epoch that was begun; once nobody does, it can never be adopted."""
        name, now = f"{BEGUN}{epoch}", to_micros(datetime.now(UTC))
        leases = self._database.read(IS_WORKED_ON, (now, name))
        if not leases or leases[0][0]:
            return bool(leases)
        return await self._database.write(lambda db: db.execute(END_WORK, (name, now)).rowcount == 0)

    def _sweep_rows(self, epoch: int, limit: int, db: sqlite3.Connection) -> int:
        left = limit
        some = -(-limit // ROWS_OF_JOB)
        for numbers, of_number in ((self._sql.jobs, self._sql.of_job), (self._sql.workflows, self._sql.of_workflow)):
            found = db.execute(numbers, (epoch, some)).fetchall() if left > 0 else []
            left -= sum([db.executemany(statement, found).rowcount for statement in of_number])
        for statement in self._sql.others:
            left -= db.execute(statement, (epoch, left)).rowcount if left > 0 else 0
        return limit - left

    async def _sweep_blobs(self, epoch: int, limit: int) -> None:
        await self._database.write(
            partial(self._sweep_some_blobs, epoch, min(limit, FILES)), is_repeatable=self._content.is_repeatable
        )

    def _sweep_some_blobs(self, epoch: int, limit: int, db: sqlite3.Connection) -> None:
        keys = [key for (key,) in db.execute(BLOBS, (epoch, limit)).fetchall()]
        for key in keys:
            db.execute(DELETE_BLOB, (epoch, key))
            self._content.remove(epoch, key)


def _forget(epoch: int, db: sqlite3.Connection) -> None:
    db.execute(FORGET, (epoch,))
