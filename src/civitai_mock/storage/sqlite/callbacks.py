"""Which jobs' receivers have to be told something, in SQLite."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from civitai_mock.domain.search import DueWebhook
from civitai_mock.storage.sqlite.callbacks_sql import CallbackStatements
from civitai_mock.storage.sqlite.database import Database
from civitai_mock.storage.sqlite.job_rows import job_from
from civitai_mock.storage.sqlite.rows import Row, to_micros


class Callbacks:
    def __init__(self, *, database: Database, statements: CallbackStatements) -> None:
        self._database = database
        self._sql = statements

    async def due(self, now: datetime, *, hold_until: datetime, limit: int) -> Sequence[DueWebhook]:
        """Asking costs no transaction while there is nothing."""
        if not self._database.read(self._sql.is_due, (to_micros(now),)):
            return []
        rows = await self._database.write(partial(self._hold, to_micros(now), to_micros(hold_until), limit))
        return [
            DueWebhook(job=job_from(tuple(row)), delivered_seq=seq, failures=failures) for *row, seq, failures in rows
        ]

    def _hold(self, now: int, until: int, limit: int, connection: sqlite3.Connection) -> list[Row]:
        rows = connection.execute(self._sql.due, (now, limit)).fetchall()
        connection.executemany(self._sql.hold, [(until, job_id) for job_id, *_ in rows])
        return rows

    async def told(self, job_id: str, *, seq: int) -> None:
        await self._database.write(lambda db: db.execute(self._sql.told, (seq, seq, job_id)))

    async def not_told(self, job_id: str, *, again_at: datetime | None) -> None:
        if again_at is None:
            await self._database.write(lambda db: db.execute(self._sql.give_up, (job_id,)))
        else:
            again = (to_micros(again_at), job_id)
            await self._database.write(lambda db: db.execute(self._sql.try_again, again))
