"""The fleet of a namespace in SQLite."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from functools import partial

import orjson

from civitai_mock.domain.fleet.costs import CostEntry, entry_json, stored_entry
from civitai_mock.domain.json_types import JsonObject, ReadOnlyJson
from civitai_mock.domain.micros import to_micros
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.storage.sqlite.database import Database
from civitai_mock.storage.sqlite.encoding import to_json
from civitai_mock.storage.sqlite.schema import TableNames, filled

READ = """SELECT version, body FROM "{jobs} fleets" WHERE epoch = ?"""
BEGIN = """
    INSERT INTO "{jobs} fleets" (epoch, version, body) VALUES (?1, 1, ?2) ON CONFLICT (epoch) DO NOTHING
    RETURNING version
"""
SAVE = """
    UPDATE "{jobs} fleets" SET version = version + 1, body = ?2 WHERE epoch = ?1 AND version = ?3 RETURNING version
"""
ADD_COST = """
    INSERT INTO "{jobs} fleet costs" (epoch, id, began_at, ended_at, body) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (epoch, id) DO NOTHING
"""
COSTS = """
    SELECT body FROM "{jobs} fleet costs"
    WHERE epoch = ?1 AND (?2 IS NULL OR ended_at >= ?2) AND (?3 IS NULL OR began_at < ?3) ORDER BY ended_at, id
"""


class FleetStatements:
    """The statements with the names of the tables filled in."""

    def __init__(self, names: TableNames) -> None:
        self.read = names.fill(READ)
        self.begin = names.fill(BEGIN)
        self.save = names.fill(SAVE)
        self.add_cost = names.fill(ADD_COST)
        self.costs = names.fill(COSTS)


class SqliteFleetStore:
    """Implements `FleetStore`."""

    def __init__(self, *, database: Database, names: TableNames, epoch: Epoch) -> None:
        self._database = database
        self._epoch = epoch
        self._sql = filled(FleetStatements, names)

    async def read(self) -> tuple[int, JsonObject] | None:
        for version, body in self._database.read(self._sql.read, (self._epoch.number,)):
            return version, orjson.loads(body)
        return None

    async def save(self, version: int | None, state: ReadOnlyJson) -> int | None:
        body = to_json(dict(state))
        return await self._database.write(partial(self._save, version, body), epoch=self._epoch)

    async def add_costs(self, entries: Sequence[CostEntry]) -> None:
        rows = [
            (each.id, to_micros(each.began_at), to_micros(each.ended_at), to_json(entry_json(each))) for each in entries
        ]

        def add(db: sqlite3.Connection) -> None:
            db.executemany(self._sql.add_cost, [(self._epoch.number, *row) for row in rows])

        await self._database.write(add, epoch=self._epoch)

    async def costs(self, *, since: datetime | None = None, until: datetime | None = None) -> Sequence[CostEntry]:
        dates = [None if at is None else to_micros(at) for at in (since, until)]
        rows = self._database.read(self._sql.costs, (self._epoch.number, *dates))
        return [stored_entry(orjson.loads(body)) for (body,) in rows]

    def _save(self, version: int | None, body: str, db: sqlite3.Connection) -> int | None:
        epoch = self._epoch.number
        if version is None:
            saved = db.execute(self._sql.begin, (epoch, body)).fetchone()
        else:
            saved = db.execute(self._sql.save, (epoch, body, version)).fetchone()
        return None if saved is None else int(saved[0])
