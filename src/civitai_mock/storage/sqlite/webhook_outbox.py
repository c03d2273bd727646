"""The outbox of webhooks in SQLite: which events receivers do not know yet.

`callback_due_at` has a value as long as there are events to deliver.
"""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from civitai_mock.domain.callbacks import CallbackAttempt, CallbackState
from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.domain.micros import from_micros, to_micros
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.domain.search import DueWebhook
from civitai_mock.storage.sqlite.attempts import DECIDED, NOTED, attempt_text, fault_values, faults_from, state_from
from civitai_mock.storage.sqlite.database import Database
from civitai_mock.storage.sqlite.encoding import Row, Value
from civitai_mock.storage.sqlite.job_rows import job_from
from civitai_mock.storage.sqlite.schema import TableNames, filled

IS_DUE = """SELECT 1 FROM "{jobs}" WHERE epoch = ? AND callback_due_at <= ? LIMIT 1"""
DUE = """
    SELECT {job}, callback_told, callback_failures, callback_faults FROM "{jobs}"
    WHERE epoch = ? AND callback_due_at <= ? ORDER BY callback_due_at, id LIMIT max(?, 0)
"""
NEXT_DUE = """SELECT min(callback_due_at) FROM "{jobs}" WHERE epoch = ? AND callback_due_at IS NOT NULL"""
HOLD = """UPDATE "{jobs}" SET callback_due_at = ? WHERE epoch = ? AND id = ?"""
# A job whose receiver does not know the last event yet is due since then.
DELIVERED = """
    UPDATE "{jobs}" SET callback_told = max(callback_told, :seq), callback_failures = 0,
        callback_due_at = CASE WHEN max(callback_told, :seq) < seq THEN changed_at END, callback_attempts = {noted}
    WHERE epoch = :epoch AND id = :id AND callback_due_at IS NOT NULL
"""
TRY_AGAIN = """
    UPDATE "{jobs}" SET callback_failures = callback_failures + 1, callback_due_at = :due_at,
        callback_attempts = {noted}
    WHERE epoch = :epoch AND id = :id AND callback_due_at IS NOT NULL
"""
GIVE_UP = """
    UPDATE "{jobs}" SET callback_told = seq, callback_failures = 0, callback_due_at = NULL,
        callback_attempts = {noted}
    WHERE epoch = :epoch AND id = :id AND callback_due_at IS NOT NULL
"""
POSTPONE = """
    UPDATE "{jobs}" SET callback_due_at = ? WHERE epoch = ? AND id = ? AND callback_due_at IS NOT NULL
"""
AWAIT_NEXT = """UPDATE "{jobs}" SET callback_due_at = NULL WHERE epoch = ? AND id = ? AND seq = ?"""
KEEP_FAULT = """
    UPDATE "{jobs}" SET callback_faults = {decided}
    WHERE epoch = :epoch AND id = :id AND callback_due_at IS NOT NULL RETURNING callback_faults
"""
STATE = """
    SELECT callback_told, callback_due_at, callback_attempts, callback_faults FROM "{jobs}" WHERE epoch = ? AND id = ?
"""


class OutboxStatements:
    """The statements with the names of the tables filled in."""

    def __init__(self, names: TableNames) -> None:
        self.is_due = names.fill(IS_DUE)
        self.due = names.fill(DUE)
        self.next_due = names.fill(NEXT_DUE)
        self.hold = names.fill(HOLD)
        noted, decided = NOTED.format(column="callback_attempts"), DECIDED.format(column="callback_faults")
        self.delivered = names.fill(DELIVERED.replace("{noted}", noted))
        self.try_again = names.fill(TRY_AGAIN.replace("{noted}", noted))
        self.give_up = names.fill(GIVE_UP.replace("{noted}", noted))
        self.postpone = names.fill(POSTPONE)
        self.await_next = names.fill(AWAIT_NEXT)
        self.keep_fault = names.fill(KEEP_FAULT.replace("{decided}", decided))
        self.state = names.fill(STATE)


class SqliteWebhookOutbox:
    """Implements `WebhookOutbox` in the rows of the jobs."""

    def __init__(self, *, database: Database, names: TableNames, epoch: Epoch) -> None:
        self._database = database
        self._epoch = epoch
        self._sql = filled(OutboxStatements, names)

    async def take_due(self, now: datetime, *, hold_until: datetime, limit: int) -> Sequence[DueWebhook]:
        """Ask without a transaction first, as mostly nothing is due."""
        if not self._database.read(self._sql.is_due, (self._epoch.number, to_micros(now))):
            return []
        hold = partial(self._hold, self._epoch.number, to_micros(now), to_micros(hold_until), limit)
        rows = await self._database.write(hold, epoch=self._epoch)
        return [
            DueWebhook(job=job_from(tuple(row)), delivered_seq=seq, failures=failures, faults=faults_from(faults))
            for *row, seq, failures, faults in rows
        ]

    def _hold(self, epoch: int, now: int, until: int, limit: int, connection: sqlite3.Connection) -> list[Row]:
        rows = connection.execute(self._sql.due, (epoch, now, limit)).fetchall()
        connection.executemany(self._sql.hold, [(until, epoch, job_id) for job_id, *_ in rows])
        return rows

    async def next_due(self) -> datetime | None:
        ((micros,),) = self._database.read(self._sql.next_due, (self._epoch.number,))
        return None if micros is None else from_micros(micros)

    async def mark_delivered(self, job_id: str, *, seq: int, attempt: CallbackAttempt | None = None) -> None:
        values = self._values(job_id, attempt) | {"seq": seq}
        await self._database.write(lambda db: db.execute(self._sql.delivered, values), epoch=self._epoch)

    async def mark_failed(
        self, job_id: str, *, retry_at: datetime | None, attempt: CallbackAttempt | None = None
    ) -> None:
        values = self._values(job_id, attempt)
        if retry_at is None:
            await self._database.write(lambda db: db.execute(self._sql.give_up, values), epoch=self._epoch)
        else:
            again = values | {"due_at": to_micros(retry_at)}
            await self._database.write(lambda db: db.execute(self._sql.try_again, again), epoch=self._epoch)

    async def postpone(self, job_id: str, *, until: datetime) -> None:
        values = (to_micros(until), self._epoch.number, job_id)
        await self._database.write(lambda db: db.execute(self._sql.postpone, values), epoch=self._epoch)

    async def await_next(self, job_id: str, *, seq: int) -> bool:
        values = (self._epoch.number, job_id, seq)
        return await self._database.write(
            lambda db: db.execute(self._sql.await_next, values).rowcount == 1, epoch=self._epoch
        )

    async def keep_fault(self, job_id: str, *, seq: int, fault: ReadOnlyJson) -> ReadOnlyJson | None:
        values = {"epoch": self._epoch.number, "id": job_id, **fault_values(seq, fault)}
        rows = await self._database.write(
            lambda db: db.execute(self._sql.keep_fault, values).fetchall(), epoch=self._epoch
        )
        return faults_from(rows[0][0])[str(seq)] if rows else None

    async def state(self, job_id: str) -> CallbackState | None:
        rows = self._database.read(self._sql.state, (self._epoch.number, job_id))
        return state_from(*rows[0]) if rows else None

    def _values(self, job_id: str, attempt: CallbackAttempt | None) -> dict[str, Value]:
        return {"epoch": self._epoch.number, "id": job_id, "attempt": attempt_text(attempt)}
