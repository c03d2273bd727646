"""The stores that the processes share: each can be taken away for a while, and looked into at the end."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from tests.bench.load import HOST
from tests.bench.servers import PATIENCE_SECONDS, ChildProcess, UnmeasuredError, end, free_port, spawn_stand_in

DATABASE = "civitai-mock.db"
LOCK_SECONDS = 30.0
TABLES_BY_EPOCH = ('"jobs"', '"jobs workflows"', '"jobs leaves"', "blobs", "counters", '"resources"')
LOST_EPOCHS = """
    SELECT epoch FROM {} WHERE epoch > 0
    EXCEPT SELECT epoch FROM namespaces EXCEPT SELECT number FROM ended_epochs
"""


class SoakedStore(Protocol):
    """`reads_while_away` says whether a GET is still answered while it is away.

    `may_be_slow` is true for a stand-in that takes seconds for some writes while the machine is busy.
    """

    reads_while_away: bool
    may_be_slow: bool

    @property
    def settings(self) -> Mapping[str, str]: ...

    async def open(self) -> None: ...

    def away(self) -> AbstractAsyncContextManager[None]: ...

    async def close(self) -> None: ...

    def faults(self) -> Sequence[str]:
        """What is wrong with what it holds, once all processes have ended."""
        ...


@dataclass(kw_only=True)
class FileStore:
    """A SQLite file, which another process can lock."""

    folder: Path
    reads_while_away: bool = True
    may_be_slow: bool = False

    @property
    def settings(self) -> Mapping[str, str]:
        return {"DATA_DIR": str(self.folder)}

    async def open(self) -> None:
        """The first process makes it."""

    @asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        """Hold its write lock."""
        connection = sqlite3.connect(
            self.folder / DATABASE, isolation_level=None, timeout=LOCK_SECONDS, check_same_thread=False
        )
        with closing(connection):
            await asyncio.to_thread(connection.execute, "BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")

    async def close(self) -> None:
        """It is closed when the last process has ended."""

    def faults(self) -> Sequence[str]:
        with closing(sqlite3.connect(self.folder / DATABASE)) as connection:
            found = [str(line) for (line,) in connection.execute("PRAGMA integrity_check")]
            lost = [table for table in TABLES_BY_EPOCH if connection.execute(LOST_EPOCHS.format(table)).fetchall()]
        return [
            *(f"integrity_check of SQLite: {line}" for line in found if line != "ok"),
            *(f"{table} has rows of an epoch that is nobody's, and that nobody will sweep" for table in lost),
        ]


@dataclass(kw_only=True)
class MongoStore:
    """The MongoDB stand-in, which is killed with -9 and started again on its files."""

    folder: Path
    data: Path
    reads_while_away: bool = False
    may_be_slow: bool = True
    port: int = field(default_factory=free_port)
    process: ChildProcess | None = None

    @property
    def uri(self) -> str:
        return f"mongodb://{HOST}:{self.port}/"

    @property
    def settings(self) -> Mapping[str, str]:
        return {"MONGODB_URI": self.uri, "SEED_RESOURCES": "true", "DATA_DIR": str(self.data)}

    async def open(self) -> None:
        self.process = spawn_stand_in(self.folder, self.port)
        await asyncio.to_thread(self._ping)

    @asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        await self.close()
        yield
        await self.open()

    async def close(self) -> None:
        if self.process is not None:
            end(self.process)

    def faults(self) -> Sequence[str]:
        """It must answer; what it answers has been compared already."""
        try:
            self._ping()
        except UnmeasuredError as error:
            return [str(error)]
        return ["files were written beside MongoDB"] if self.data.exists() and any(self.data.iterdir()) else []

    def _ping(self) -> None:
        client: MongoClient[dict[str, Any]] = MongoClient(self.uri, serverSelectionTimeoutMS=PATIENCE_SECONDS * 1000)
        with client:
            try:
                client.admin.command("ping")
            except PyMongoError as error:
                raise UnmeasuredError(f"no MongoDB stand-in: {error}") from error


def make_store(kind: str, folder: Path) -> SoakedStore:
    if kind == "file":
        return FileStore(folder=folder / "data")
    (folder / "mongo").mkdir()
    return MongoStore(folder=folder / "mongo", data=folder / "data")
