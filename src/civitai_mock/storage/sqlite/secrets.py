"""Secrets in SQLite: random keys that all processes on one store share."""

import secrets
import sqlite3

from civitai_mock.storage.sqlite.database import Database

SELECT = "SELECT value FROM secrets WHERE name = ?"
INSERT_MISSING = "INSERT INTO secrets (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING"


class SqliteSecretStore:
    """Implements `SecretStore` in a table."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def secret(self, name: str) -> bytes:
        drawn = secrets.token_bytes(32)

        def draw_once(connection: sqlite3.Connection) -> bytes:
            connection.execute(INSERT_MISSING, (name, drawn))
            value: bytes = connection.execute(SELECT, (name,)).fetchone()[0]
            return value

        return await self._database.write(draw_once)
