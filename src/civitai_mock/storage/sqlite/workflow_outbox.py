"""The outbox of workflows in SQLite: announcements in order, and which of them receivers know."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

import orjson

from civitai_mock.domain.callbacks import CallbackAttempt, CallbackState
from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.domain.micros import from_micros, to_micros
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.domain.workflow_search import Announcement, DueAnnouncement
from civitai_mock.storage.sqlite.attempts import DECIDED, NOTED, attempt_text, fault_values, faults_from, state_from
from civitai_mock.storage.sqlite.database import Database
from civitai_mock.storage.sqlite.encoding import Row, Value, to_json
from civitai_mock.storage.sqlite.schema import TableNames, filled

NUMBER = 'SELECT number FROM "{jobs} workflows" WHERE epoch = ? AND id = ? AND is_deleted = 0'
BEGIN = """
    INSERT INTO "{jobs} deliveries" (epoch, workflow, last, due_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING
"""
GO_ON = 'UPDATE "{jobs} deliveries" SET last = ?, due_at = coalesce(due_at, ?) WHERE workflow = ? AND last = ?'
INSERT = 'INSERT INTO "{jobs} announcements" (workflow, seq, at, body) VALUES (?, ?, ?, ?)'
ANNOUNCED = """
    SELECT seq, at, body FROM "{jobs} announcements"
    WHERE workflow = (SELECT number FROM "{jobs} workflows" WHERE epoch = ? AND id = ?) ORDER BY seq
"""
IS_DUE = 'SELECT 1 FROM "{jobs} deliveries" WHERE epoch = ? AND due_at <= ? LIMIT 1'
DUE = """
    SELECT delivery.workflow, workflow.id, delivery.failures, delivery.faults, next.seq, next.at, next.body
    FROM "{jobs} deliveries" AS delivery
    CROSS JOIN "{jobs} announcements" AS next ON next.workflow = delivery.workflow AND next.seq = delivery.told + 1
    CROSS JOIN "{jobs} workflows" AS workflow ON workflow.number = delivery.workflow
    WHERE delivery.epoch = ? AND delivery.due_at <= ? ORDER BY delivery.due_at LIMIT max(?, 0)
"""
NEXT_DUE = 'SELECT min(due_at) FROM "{jobs} deliveries" WHERE epoch = ? AND due_at IS NOT NULL'
HOLD = 'UPDATE "{jobs} deliveries" SET due_at = ? WHERE workflow = ?'
# A workflow whose receivers do not know its last announcement yet is due since the next one.
TOLD = """
    UPDATE "{jobs} deliveries" SET told = :seq, failures = 0, attempts = {noted}, due_at = (
        SELECT next.at FROM "{jobs} announcements" AS next WHERE next.workflow = "{jobs} deliveries".workflow
        AND next.seq = :seq + 1)
    WHERE workflow = (SELECT number FROM "{jobs} workflows" WHERE epoch = :epoch AND id = :id) AND told < :seq
"""
TRY_AGAIN = """
    UPDATE "{jobs} deliveries" SET failures = failures + 1, due_at = :due_at, attempts = {noted}
    WHERE workflow = (SELECT number FROM "{jobs} workflows" WHERE epoch = :epoch AND id = :id) AND told < :seq
"""
POSTPONE = """
    UPDATE "{jobs} deliveries" SET due_at = :due_at
    WHERE workflow = (SELECT number FROM "{jobs} workflows" WHERE epoch = :epoch AND id = :id) AND told < :seq
"""
AWAIT_NEXT = """
    UPDATE "{jobs} deliveries" SET due_at = NULL
    WHERE workflow = (SELECT number FROM "{jobs} workflows" WHERE epoch = :epoch AND id = :id) AND last = :seq
"""
KEEP_FAULT = """
    UPDATE "{jobs} deliveries" SET faults = {decided}
    WHERE workflow = (SELECT number FROM "{jobs} workflows" WHERE epoch = :epoch AND id = :id) RETURNING faults
"""
STATE = """
    SELECT told, due_at, attempts, faults FROM "{jobs} deliveries"
    WHERE workflow = (SELECT number FROM "{jobs} workflows" WHERE epoch = ? AND id = ?)
"""


class AnnouncementStatements:
    """The statements with the names of the tables filled in."""

    def __init__(self, names: TableNames) -> None:
        self.number = names.fill(NUMBER)
        self.begin = names.fill(BEGIN)
        self.go_on = names.fill(GO_ON)
        self.insert = names.fill(INSERT)
        self.announced = names.fill(ANNOUNCED)
        self.is_due = names.fill(IS_DUE)
        self.due = names.fill(DUE)
        self.next_due = names.fill(NEXT_DUE)
        self.hold = names.fill(HOLD)
        noted = NOTED.format(column="attempts")
        self.told = names.fill(TOLD.replace("{noted}", noted))
        self.try_again = names.fill(TRY_AGAIN.replace("{noted}", noted))
        self.postpone = names.fill(POSTPONE)
        self.await_next = names.fill(AWAIT_NEXT)
        self.keep_fault = names.fill(KEEP_FAULT.replace("{decided}", DECIDED.format(column="faults")))
        self.state = names.fill(STATE)


class SqliteWorkflowOutbox:
    """Implements `WorkflowOutbox`; a workflow that announces nothing has no row there."""

    def __init__(self, *, database: Database, names: TableNames, epoch: Epoch) -> None:
        self._database = database
        self._epoch = epoch
        self._sql = filled(AnnouncementStatements, names)

    async def announce(self, workflow_id: str, announcements: Sequence[Announcement]) -> bool:
        return await self._database.write(
            partial(self._announce, self._epoch.number, workflow_id, announcements), epoch=self._epoch
        )

    def _announce(
        self, epoch: int, workflow_id: str, announcements: Sequence[Announcement], connection: sqlite3.Connection
    ) -> bool:
        found = connection.execute(self._sql.number, (epoch, workflow_id)).fetchall()
        if not found or not announcements:
            return False
        number, first, last = found[0][0], announcements[0], announcements[-1]
        due_at = to_micros(first.at)
        if first.seq == 0:
            appended = connection.execute(self._sql.begin, (epoch, number, last.seq, due_at))
        else:
            appended = connection.execute(self._sql.go_on, (last.seq, due_at, number, first.seq - 1))
        if appended.rowcount == 1:
            connection.executemany(
                self._sql.insert, [(number, *announcement_row(announcement)) for announcement in announcements]
            )
        return appended.rowcount == 1

    async def announced(self, workflow_id: str) -> Sequence[Announcement]:
        rows = self._database.read(self._sql.announced, (self._epoch.number, workflow_id))
        return [announcement_from(row) for row in rows]

    async def take_due(self, now: datetime, *, hold_until: datetime, limit: int) -> Sequence[DueAnnouncement]:
        """Ask without a transaction first, as mostly nothing is due."""
        if not self._database.read(self._sql.is_due, (self._epoch.number, to_micros(now))):
            return []
        hold = partial(self._hold, self._epoch.number, to_micros(now), to_micros(hold_until), limit)
        rows = await self._database.write(hold, epoch=self._epoch)
        return [
            DueAnnouncement(
                workflow_id=workflow_id,
                announcement=announcement_from(row),
                failures=failures,
                faults=faults_from(faults),
            )
            for _, workflow_id, failures, faults, *row in rows
        ]

    def _hold(self, epoch: int, now: int, until: int, limit: int, connection: sqlite3.Connection) -> list[Row]:
        rows: list[Row] = connection.execute(self._sql.due, (epoch, now, limit)).fetchall()
        connection.executemany(self._sql.hold, [(until, number) for number, *_ in rows])
        return rows

    async def next_due(self) -> datetime | None:
        ((micros,),) = self._database.read(self._sql.next_due, (self._epoch.number,))
        return None if micros is None else from_micros(micros)

    async def mark_delivered(self, workflow_id: str, *, seq: int, attempt: CallbackAttempt | None = None) -> None:
        values = self._values(workflow_id, seq, attempt)
        await self._database.write(lambda db: db.execute(self._sql.told, values), epoch=self._epoch)

    async def mark_failed(
        self, workflow_id: str, *, seq: int, retry_at: datetime | None, attempt: CallbackAttempt | None = None
    ) -> None:
        if retry_at is None:
            await self.mark_delivered(workflow_id, seq=seq, attempt=attempt)
            return
        again = self._values(workflow_id, seq, attempt) | {"due_at": to_micros(retry_at)}
        await self._database.write(lambda db: db.execute(self._sql.try_again, again), epoch=self._epoch)

    async def postpone(self, workflow_id: str, *, seq: int, until: datetime) -> None:
        values = {"epoch": self._epoch.number, "id": workflow_id, "seq": seq, "due_at": to_micros(until)}
        await self._database.write(lambda db: db.execute(self._sql.postpone, values), epoch=self._epoch)

    async def await_next(self, workflow_id: str, *, seq: int) -> bool:
        values = {"epoch": self._epoch.number, "id": workflow_id, "seq": seq}
        return await self._database.write(
            lambda db: db.execute(self._sql.await_next, values).rowcount == 1, epoch=self._epoch
        )

    async def keep_fault(self, workflow_id: str, *, seq: int, fault: ReadOnlyJson) -> ReadOnlyJson | None:
        values = {"epoch": self._epoch.number, "id": workflow_id, **fault_values(seq, fault)}
        rows = await self._database.write(
            lambda db: db.execute(self._sql.keep_fault, values).fetchall(), epoch=self._epoch
        )
        return faults_from(rows[0][0])[str(seq)] if rows else None

    async def state(self, workflow_id: str) -> CallbackState | None:
        rows = self._database.read(self._sql.state, (self._epoch.number, workflow_id))
        return state_from(*rows[0]) if rows else None

    def _values(self, workflow_id: str, seq: int, attempt: CallbackAttempt | None) -> dict[str, Value]:
        return {"epoch": self._epoch.number, "id": workflow_id, "seq": seq, "attempt": attempt_text(attempt)}


def announcement_row(announcement: Announcement) -> tuple[int, int, str]:
    about = (announcement.callback, announcement.scope, announcement.subject, announcement.status)
    return announcement.seq, to_micros(announcement.at), to_json(about)


def announcement_from(row: Sequence[Any]) -> Announcement:
    seq, at, body = row
    callback, scope, subject, status = orjson.loads(body)
    return Announcement(seq=seq, callback=callback, scope=scope, subject=subject, status=status, at=from_micros(at))
