"""Namespaces in SQLite: their records, and what the processes on one file share about them."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import orjson

from civitai_mock.domain.errors import ConflictError
from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.domain.micros import from_micros, to_micros
from civitai_mock.domain.namespaces import (
    BEGUN,
    DEFAULT,
    FIRST_EPOCH,
    SERVER,
    SHARED_EPOCH,
    USUAL_MOST,
    LiveProcess,
    NamespaceRecord,
)
from civitai_mock.storage.sqlite.blob_bytes import BlobContent
from civitai_mock.storage.sqlite.database import Database
from civitai_mock.storage.sqlite.encoding import Row, to_json
from civitai_mock.storage.sqlite.epoch_sweep import FORGET, EpochSweep
from civitai_mock.storage.sqlite.schema import TableNames

# The columns that `_record` reads.
SELECT = "SELECT name, epoch, changed, used_at, is_deleted, document FROM namespaces WHERE "
GET = SELECT + "name = ? AND is_deleted = 0"
LIST = SELECT + "name > ? AND is_deleted = 0 ORDER BY name LIMIT max(?, 0)"
CHANGED = SELECT + "changed > ? ORDER BY changed"
COUNT = "SELECT count(*) FROM namespaces WHERE is_deleted = 0 AND name <> ?"
PUT = """
    INSERT INTO namespaces (name, epoch, changed, used_at, is_deleted, document) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET
        epoch = excluded.epoch, changed = excluded.changed, used_at = excluded.used_at,
        is_deleted = excluded.is_deleted, document = excluded.document
"""
TOUCH = "UPDATE namespaces SET used_at = max(used_at, ?) WHERE name = ? AND is_deleted = 0"
UNUSED = """
    SELECT name FROM namespaces WHERE is_deleted = 0 AND used_at < ? AND name NOT IN (?, ?)
    ORDER BY used_at LIMIT max(?, 0)
"""
END_EPOCH = "INSERT INTO ended_epochs (number, revision) VALUES (?, ?)"
# The counters of `SHARED_EPOCH` are the store's own.
COUNT_ON = """
    INSERT INTO counters (epoch, key, value) VALUES (?1, ?2, ?3 + 1)
    ON CONFLICT (epoch, key) DO UPDATE SET value = value + 1 RETURNING value
"""
COUNTED = "SELECT value FROM counters WHERE epoch = ? AND key = ?"
COUNTED_OF = "SELECT key, value FROM counters WHERE epoch = ? AND key IN (SELECT value FROM json_each(?))"
SWAP_COUNT = "UPDATE counters SET value = ? WHERE epoch = ? AND key = ? AND value = ?"
BEGIN_COUNT = "INSERT INTO counters (epoch, key, value) VALUES (?, ?, ?) ON CONFLICT (epoch, key) DO NOTHING"
SET_COUNT = "INSERT OR REPLACE INTO counters (epoch, key, value) VALUES (?, ?, ?)"
FORGET_COUNTS = "DELETE FROM counters WHERE epoch = ? AND key IN (SELECT value FROM json_each(?))"
REVISION, LAST_EPOCH = "revision", "epoch"
BEAT = "INSERT OR REPLACE INTO processes (id, revision, seen_at) VALUES (?, ?, ?)"
FAREWELL = "DELETE FROM processes WHERE id = ?"
PROCESSES = "SELECT id, revision, seen_at FROM processes ORDER BY id"
FORGOTTEN_AFTER = 10  # times as long as a process is taken for alive without a word of it
HELD = "SELECT 1 FROM leases WHERE name = ? AND holder <> ? AND until > ?"
HOLD = """
    INSERT INTO leases (name, holder, until) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO UPDATE SET
        holder = excluded.holder, until = excluded.until
    WHERE leases.holder = excluded.holder OR leases.until <= ?4
"""
FORGET_LEASES = "DELETE FROM leases WHERE until <= ?"
RELEASE = "DELETE FROM leases WHERE name = ? AND holder = ?"
# A note is a text that somebody holds up for a while, so it is a row like a lease.
POST = "INSERT OR REPLACE INTO leases (name, holder, until) VALUES (?, ?, ?)"
POSTED = "SELECT name, holder FROM leases WHERE name >= ?1 AND name < ?1 || char(0x10FFFF)"
TAKE_DOWN = "DELETE FROM leases WHERE name >= ?1 AND name < ?1 || char(0x10FFFF)"
KEEP_EPOCH = "UPDATE leases SET until = ? WHERE name = ?"
LEAVE_EPOCH = "DELETE FROM leases WHERE name = ?"
# What the namespace has of its own takes the place of what all share; a row without a body hid one of these.
SHARE_RESOURCES = (
    """
    DELETE FROM "{resources}" WHERE epoch = 0
    AND identity IN (SELECT identity FROM "{resources}" WHERE epoch = :epoch)
    """,
    """DELETE FROM "{resources}" WHERE epoch = :epoch AND body = ''""",
    """UPDATE "{resources}" SET epoch = 0 WHERE epoch = :epoch""",
)
# What has work of one kind, by leaps over the index of that.
LEAPS = """
    {name} (epoch) AS (
        SELECT (SELECT min(epoch) FROM {table} WHERE {has_work}) UNION ALL
        SELECT (SELECT min(epoch) FROM {table} WHERE {has_work} AND epoch > {name}.epoch)
        FROM {name} WHERE {name}.epoch IS NOT NULL)
"""
FOUND = "SELECT epoch FROM {name} WHERE epoch IS NOT NULL"
NOT_ENDED = "EXCEPT SELECT number FROM ended_epochs"
WORK = {
    "unfinished_jobs": ('"{jobs}" INDEXED BY "{jobs} by deadline"', "outcome IS NULL"),
    "webhooks": ('"{jobs}" INDEXED BY "{jobs} to tell of"', "callback_due_at IS NOT NULL"),
    "unfinished_workflows": (
        '"{jobs} workflows" INDEXED BY "{jobs} workflows that run"',
        "is_over = 0 AND is_deleted = 0",
    ),
    "announcements": ('"{jobs} deliveries" INDEXED BY "{jobs} to announce"', "due_at IS NOT NULL"),
}


def with_work(names: TableNames) -> str:
    """Return the statement that finds all epochs with work."""
    leaps = [
        LEAPS.replace("{name}", name).replace("{table}", table).replace("{has_work}", has_work)
        for name, (table, has_work) in WORK.items()
    ]
    found = [FOUND.replace("{name}", name) for name in WORK]
    return names.fill(f"WITH RECURSIVE {','.join(leaps)} {' UNION '.join(found)} {NOT_ENDED}")


class SqliteNamespaceStore:
    """Implements `NamespaceStore`; each change is one transaction, and all are in the order of their revisions."""

    def __init__(
        self, *, database: Database, names: TableNames, content: BlobContent, forget_resources: Callable[[], None]
    ) -> None:
        """`forget_resources` is called within a write that changes resources which all namespaces share."""
        self._database = database
        self._forget_resources = forget_resources
        self._share = [names.fill(statement) for statement in SHARE_RESOURCES]
        self._with_work = with_work(names)
        self._sweep = EpochSweep(database=database, names=names, content=content)

    @property
    def is_private(self) -> bool:
        return self._database.is_private

    async def get(self, name: str) -> NamespaceRecord | None:
        rows = self._database.read(GET, (name,))
        return _record(*rows[0]) if rows else None

    async def list(self, *, after: str, limit: int) -> Sequence[NamespaceRecord]:
        return [_record(*row) for row in self._database.read(LIST, (after, limit))]

    async def add(self, name: str, *, now: datetime, document: ReadOnlyJson, most: int = USUAL_MOST) -> NamespaceRecord:
        if (known := await self.get(name)) is not None:
            return known
        return await self._database.write(partial(_add, name, now, document, most))

    async def save(self, record: NamespaceRecord, document: ReadOnlyJson) -> NamespaceRecord | None:
        return await self._database.write(partial(_save, record, document))

    async def renew(self, name: str, document: ReadOnlyJson) -> NamespaceRecord | None:
        return await self._database.write(partial(_renew, name, document))

    async def delete(self, name: str) -> bool:
        return await self._database.write(partial(_delete, name))

    async def touch(self, names: Sequence[str], now: datetime) -> None:
        rows = [(to_micros(now), name) for name in names]
        await self._database.write(lambda db: db.executemany(TOUCH, rows))

    async def unused_since(self, before: datetime, *, limit: int) -> Sequence[str]:
        return [name for (name,) in self._database.read(UNUSED, (to_micros(before), DEFAULT, SERVER, limit))]

    async def revision(self) -> int:
        rows = self._database.read(COUNTED, (SHARED_EPOCH, REVISION))
        return int(rows[0][0]) if rows else 0

    async def changed_since(self, revision: int) -> Sequence[NamespaceRecord]:
        return [_record(*row) for row in self._database.read(CHANGED, (revision,))]

    async def heartbeat(self, process: str, *, revision: int, now: datetime) -> None:
        beat = (process, revision, to_micros(now))
        await self._database.write(lambda db: db.execute(BEAT, beat))

    async def farewell(self, process: str) -> None:
        await self._database.write(lambda db: db.execute(FAREWELL, (process,)))

    async def live_processes(self, since: datetime) -> Sequence[LiveProcess]:
        """Take the last heartbeat of any process for now, as whoever asks has one of its own."""
        rows = self._database.read(PROCESSES)
        processes = [LiveProcess(id=name, revision=known, seen_at=from_micros(seen)) for name, known, seen in rows]
        last = max((process.seen_at for process in processes), default=since)
        forgotten = [(found.id,) for found in processes if last - found.seen_at > FORGOTTEN_AFTER * (last - since)]
        if forgotten and last > since:
            await self._database.write(lambda db: db.executemany(FAREWELL, forgotten))
        return [process for process in processes if process.seen_at >= since]

    async def hold(self, name: str, holder: str, *, now: datetime, until: datetime) -> bool:
        """Ask without a transaction first, as mostly somebody else holds it still."""
        at = to_micros(now)
        if self._database.read(HELD, (name, holder, at)):
            return False
        return await self._database.write(partial(_hold, name, holder, at, to_micros(until)))

    async def release(self, name: str, holder: str) -> None:
        await self._database.write(lambda db: db.execute(RELEASE, (name, holder)))

    async def count(self, epoch: int, key: str) -> int:
        return await self._database.write(partial(_count_on, epoch, key)) - 1

    async def counted(self, epoch: int, keys: Sequence[str]) -> Mapping[str, int]:
        rows = self._database.read(COUNTED_OF, (epoch, orjson.dumps(list(keys)).decode()))
        return {str(key): int(value) for key, value in rows}

    async def swap_count(self, epoch: int, key: str, before: int, after: int) -> bool:
        swap = (SWAP_COUNT, (after, epoch, key, before)) if before else (BEGIN_COUNT, (epoch, key, after))
        return await self._database.write(lambda db: db.execute(*swap).rowcount == 1)

    async def set_count(self, epoch: int, key: str, value: int) -> None:
        await self._database.write(lambda db: db.execute(SET_COUNT, (epoch, key, value)))

    async def forget_counts(self, epoch: int, keys: Sequence[str]) -> None:
        named = (epoch, orjson.dumps(list(keys)).decode())
        await self._database.write(lambda db: db.execute(FORGET_COUNTS, named))

    async def post(self, name: str, text: str, *, until: datetime, is_news: bool = False) -> None:
        await self._database.write(partial(_post, name, text, to_micros(until), is_news))

    async def posted(self, prefix: str) -> Mapping[str, str]:
        return {name[len(prefix) :]: text for name, text in self._database.read(POSTED, (prefix,))}

    async def take_down(self, prefix: str) -> None:
        await self._database.write(lambda db: db.execute(TAKE_DOWN, (prefix,)))

    async def begin_epoch(self, *, lasting: timedelta) -> int:
        until = to_micros(datetime.now(UTC) + lasting)
        return await self._database.write(partial(_begin_epoch, until))

    async def keep_epoch(self, epoch: int, *, lasting: timedelta) -> bool:
        kept = (to_micros(datetime.now(UTC) + lasting), f"{BEGUN}{epoch}")
        return await self._database.write(lambda db: db.execute(KEEP_EPOCH, kept).rowcount == 1)

    async def leave_epoch(self, epoch: int) -> None:
        await self._database.write(lambda db: db.execute(LEAVE_EPOCH, (f"{BEGUN}{epoch}",)))

    async def adopt(
        self, name: str, epoch: int, *, now: datetime, document: ReadOnlyJson, most: int = USUAL_MOST
    ) -> NamespaceRecord:
        def adopt(db: sqlite3.Connection) -> NamespaceRecord:
            record = _adopt(name, epoch, to_micros(now), document, most, db)
            if name == DEFAULT:
                self._forget_resources()
                for statement in self._share:
                    db.execute(statement, {"epoch": epoch})
            return record

        return await self._database.write(adopt)

    async def epochs_with_work(self) -> Sequence[int]:
        return [epoch for (epoch,) in await self._database.scan(self._with_work)]

    async def sweep_over(self, *, limit: int) -> bool:
        return await self._sweep.sweep(limit=limit)


def _record(name: str, epoch: int, changed: int, used_at: int, is_deleted: int, document: str) -> NamespaceRecord:
    return NamespaceRecord(
        name=name,
        epoch=epoch,
        changed=changed,
        used_at=from_micros(used_at),
        document=orjson.loads(document),
        is_deleted=is_deleted == 1,
    )


def _found(name: str, db: sqlite3.Connection) -> NamespaceRecord | None:
    rows = db.execute(GET, (name,)).fetchall()
    return _record(*rows[0]) if rows else None


def _add(name: str, now: datetime, document: ReadOnlyJson, most: int, db: sqlite3.Connection) -> NamespaceRecord:
    if (known := _found(name, db)) is not None:
        return known
    _check_number(most, db)
    return _put(name, _next_epoch(db), to_micros(now), document, db)


def _check_number(most: int, db: sqlite3.Connection) -> None:
    """Raise `ConflictError` if there can be no more namespaces."""
    if db.execute(COUNT, (SERVER,)).fetchone()[0] >= most:
        raise ConflictError(f"There are {most} namespaces already; delete some, or raise NAMESPACES_MAX.")


def _save(record: NamespaceRecord, document: ReadOnlyJson, db: sqlite3.Connection) -> NamespaceRecord | None:
    known = _found(record.name, db)
    if known is None or known.changed != record.changed:
        return None
    return _put(known.name, known.epoch, to_micros(known.used_at), document, db)


def _renew(name: str, document: ReadOnlyJson, db: sqlite3.Connection) -> NamespaceRecord | None:
    known = None if name == SERVER else _found(name, db)
    if known is None:
        return None
    renewed = _put(name, _next_epoch(db), to_micros(known.used_at), document, db)
    db.execute(END_EPOCH, (known.epoch, renewed.changed))
    return renewed


def _delete(name: str, db: sqlite3.Connection) -> bool:
    known = None if name in {DEFAULT, SERVER} else _found(name, db)
    if known is None:
        return False
    deleted = _put(name, known.epoch, to_micros(known.used_at), {}, db, is_deleted=True)
    db.execute(END_EPOCH, (known.epoch, deleted.changed))
    return True


def _begin_epoch(until: int, db: sqlite3.Connection) -> int:
    """List the epoch as one that is over, so that a crash leaves nothing; the lease keeps it from being swept."""
    epoch = _next_epoch(db)
    db.execute(HOLD, (f"{BEGUN}{epoch}", BEGUN, until, until))
    revisions = db.execute(COUNTED, (SHARED_EPOCH, REVISION)).fetchall()
    db.execute(END_EPOCH, (epoch, revisions[0][0] if revisions else 0))
    return epoch


def _adopt(
    name: str, epoch: int, now: int, document: ReadOnlyJson, most: int, db: sqlite3.Connection
) -> NamespaceRecord:
    if db.execute(LEAVE_EPOCH, (f"{BEGUN}{epoch}",)).rowcount == 0:
        raise ConflictError(f"The epoch {epoch} counts as over already.")
    known = _found(name, db)
    if known is None:
        _check_number(most, db)
    db.execute(FORGET, (epoch,))
    adopted = _put(name, epoch, now if known is None else to_micros(known.used_at), document, db)
    if known is not None:
        db.execute(END_EPOCH, (known.epoch, adopted.changed))
    return adopted


def _put(
    name: str, epoch: int, used_at: int, document: ReadOnlyJson, db: sqlite3.Connection, *, is_deleted: bool = False
) -> NamespaceRecord:
    row: Row = (name, epoch, _count_on(SHARED_EPOCH, REVISION, db), used_at, int(is_deleted), to_json(dict(document)))
    db.execute(PUT, row)
    return _record(*row)


def _next_epoch(db: sqlite3.Connection) -> int:
    return _count_on(SHARED_EPOCH, LAST_EPOCH, db, start=FIRST_EPOCH)


def _count_on(epoch: int, key: str, db: sqlite3.Connection, *, start: int = 0) -> int:
    ((value,),) = db.execute(COUNT_ON, (epoch, key, start)).fetchall()
    return int(value)


def _hold(name: str, holder: str, now: int, until: int, db: sqlite3.Connection) -> bool:
    is_held = db.execute(HOLD, (name, holder, until, now)).rowcount == 1
    db.execute(FORGET_LEASES, (now,))
    return is_held


def _post(name: str, text: str, until: int, is_news: bool, db: sqlite3.Connection) -> None:
    db.execute(POST, (name, text, until))
    if is_news:
        _count_on(SHARED_EPOCH, REVISION, db)
