"""Whether SQLite can be used now."""

from civitai_mock.storage.sqlite.database import Database

TOUCH = "UPDATE secrets SET value = value WHERE name = ''"


class SqliteHealth:
    def __init__(self, *, database: Database) -> None:
        self._database = database
        self.description = database.description

    async def ping(self) -> None:
        """A write that changes nothing needs the lock that every write needs."""
        await self._database.write(lambda db: db.execute(TOUCH))
