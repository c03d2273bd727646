"""Events of namespaces in SQLite.

A position is the time, or one more than the last, so that it grows though the last event may be gone.
"""

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

import orjson

from civitai_mock.domain.micros import from_micros, to_micros
from civitai_mock.domain.namespace_events import LoggedEvent, NamespaceEvent
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.storage.sqlite.database import Database
from civitai_mock.storage.sqlite.encoding import Row, to_json
from civitai_mock.storage.sqlite.event_feed import LAST as LAST_OF_JOBS
from civitai_mock.storage.sqlite.schema import TableNames, filled

EVENT = "position, epoch, feed_position, key, type, at, job_ids, body"
LAST = """SELECT max(position) FROM "{jobs} namespace events" """
APPEND = """
    INSERT INTO "{jobs} namespace events" (position, epoch, feed_position, key, type, at, job_ids, body, keep_until)
    VALUES (max(?, 1 + coalesce(({last}), 0)), ?, coalesce(({last_of_jobs}), 0), ?, ?, ?, ?, ?, ?)
    ON CONFLICT (epoch, key) DO NOTHING RETURNING position
"""
NAME_JOB = """INSERT OR IGNORE INTO "{jobs} named jobs" (epoch, job, position) VALUES (?, ?, ?)"""
AFTER = """
    SELECT {event} FROM "{jobs} namespace events" WHERE position > ? ORDER BY position LIMIT max(?, 0)
"""
OF_JOBS = """
    SELECT {event} FROM "{jobs} namespace events" WHERE position IN (
        SELECT position FROM "{jobs} named jobs"
        WHERE epoch = ? AND job IN (SELECT value FROM json_each(?)) AND position > ?)
    ORDER BY position
"""
OLD = """SELECT position FROM "{jobs} namespace events" WHERE epoch = ?1 AND keep_until < ?2"""
SWEEP = (
    """DELETE FROM "{jobs} named jobs" WHERE epoch = ?1 AND position IN ({old})""",
    """DELETE FROM "{jobs} namespace events" WHERE epoch = ?1 AND keep_until < ?2""",
)


class EventStatements:
    """The statements with the names of the tables filled in."""

    def __init__(self, names: TableNames) -> None:
        self.last = names.fill(LAST)
        self.append = names.fill(APPEND.replace("{last}", LAST).replace("{last_of_jobs}", LAST_OF_JOBS))
        self.name_job = names.fill(NAME_JOB)
        self.after = names.fill(AFTER.replace("{event}", EVENT))
        self.of_jobs = names.fill(OF_JOBS.replace("{event}", EVENT))
        self.has_old = names.fill(OLD) + " LIMIT 1"
        self.sweep = tuple([names.fill(statement.replace("{old}", OLD)) for statement in SWEEP])


class SqliteNamespaceEventFeed:
    """Implements `NamespaceEventFeed`: SQLite makes one transaction after the other."""

    def __init__(self, *, database: Database, names: TableNames) -> None:
        self._database = database
        self._sql = filled(EventStatements, names)

    async def last_position(self) -> int:
        ((last,),) = self._database.read(self._sql.last)
        return int(last or 0)

    async def after(self, position: int, *, limit: int) -> Sequence[LoggedEvent]:
        return [_logged(row) for row in self._database.read(self._sql.after, (position, limit))]


class SqliteNamespaceEventStore:
    """Implements `NamespaceEventStore`; which jobs an event names stands in a table of its own."""

    def __init__(self, *, database: Database, names: TableNames, epoch: Epoch) -> None:
        self._database = database
        self._epoch = epoch
        self._sql = filled(EventStatements, names)

    async def append(self, events: Sequence[NamespaceEvent], *, keep_until: datetime) -> None:
        await self._database.write(partial(self._append, events, to_micros(keep_until)), epoch=self._epoch)

    async def of_jobs(self, job_ids: Sequence[str], *, after: int) -> Sequence[LoggedEvent]:
        rows = self._database.read(self._sql.of_jobs, (self._epoch.number, to_json(job_ids), after))
        return [_logged(row) for row in rows]

    async def sweep(self, now: datetime) -> int:
        old = (self._epoch.number, to_micros(now))
        if not self._database.read(self._sql.has_old, old):
            return 0
        return await self._database.write(partial(self._sweep, old), epoch=self._epoch)

    def _append(self, events: Sequence[NamespaceEvent], keep_until: int, db: sqlite3.Connection) -> None:
        epoch = self._epoch.number
        for event in events:
            values = (to_micros(datetime.now(UTC)), epoch, *_values(event), keep_until)
            for (position,) in db.execute(self._sql.append, values).fetchall():
                db.executemany(self._sql.name_job, [(epoch, job_id, position) for job_id in event.job_ids or ()])

    def _sweep(self, old: tuple[int, int], db: sqlite3.Connection) -> int:
        return [db.execute(statement, old).rowcount for statement in self._sql.sweep][-1]


def _values(event: NamespaceEvent) -> Row:
    job_ids = None if event.job_ids is None else to_json(event.job_ids)
    return event.key, event.type, to_micros(event.at), job_ids, to_json(dict(event.body))


def _logged(row: Row) -> LoggedEvent:
    position, epoch, feed_position, key, kind, at, job_ids, body = row
    return LoggedEvent(
        position=position,
        epoch=epoch,
        feed_position=str(feed_position),
        event=NamespaceEvent(
            key=key,
            type=kind,
            at=from_micros(at),
            body=orjson.loads(body),
            job_ids=None if job_ids is None else orjson.loads(job_ids),
        ),
    )
