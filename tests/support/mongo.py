"""A MongoDB for tests: the one of MONGODB_TEST_URI, or SecantusDB as a process of its own."""

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import pytest
from bson import json_util
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import MongoClient
from pymongo.database import Database as SyncDatabase
from pymongo.errors import AutoReconnect

from civitai_mock.domain.namespaces import Epoch
from civitai_mock.ports import Stores
from civitai_mock.storage.mongo import CollectionNames, open_mongo
from civitai_mock.storage.mongo import open as opening
from civitai_mock.storage.mongo.budgets import Reservations
from civitai_mock.storage.mongo.collections import Collection, Collections, Document, collections_of, create_indexes
from civitai_mock.storage.mongo.job_queries import MongoJobSearch
from civitai_mock.storage.mongo.jobs import MongoJobStore, grouped_changes
from civitai_mock.storage.mongo.queue import MongoJobQueue
from civitai_mock.storage.mongo.revisions import store_first_records
from civitai_mock.storage.mongo.schema import note_version
from civitai_mock.storage.mongo.upgrade import upgrade
from civitai_mock.storage.mongo.webhook_outbox import MongoWebhookOutbox
from civitai_mock.storage.mongo.workflow_outbox import MongoWorkflowOutbox
from civitai_mock.storage.mongo.workflows import MongoWorkflowStore
from tests.support.paths import fast_folder

START_SECONDS = 60.0
AT_REST = 8
NAMES = CollectionNames()
# What is done to a database when it is opened, by the names that it is called by there.
PREPARATIONS: Mapping[str, Callable[..., Awaitable[None]]] = {
    prepare.__name__: prepare for prepare in (create_indexes, upgrade, store_first_records, note_version)
}

_at_rest: deque["Emptied"] = deque()


class MongoProcess:
    """SecantusDB on a free port; it can be killed and started again on the same data."""

    def __init__(self, *options: str) -> None:
        self._options = options
        self.port = free_port()
        self.uri = f"mongodb://127.0.0.1:{self.port}/"
        self._folder = Path(tempfile.mkdtemp(prefix="civitai-mock-mongo-", dir=fast_folder()))
        self._log = self._folder / "output.txt"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        address = ("--host", "127.0.0.1", "--port", str(self.port))
        storage = ("--storage-path", str(self._folder / "data"), "--sync-on-commit", *self._options)
        with self._log.open("ab") as log:
            command = [sys.executable, "-m", "secantus", *address, *storage]
            self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=self._folder)
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"SecantusDB did not start:\n{self._log.read_text('utf-8', 'replace')}")
            time.sleep(0.02)

    def kill(self) -> None:
        """As a power cut would: nothing is flushed or said."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def remove(self) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class MongoAddress:
    """A database that is the test's own; open it as often as there are processes to play."""

    uri: str
    database: str

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Stores]:
        async with open_mongo(uri=self.uri, database=self.database, names=NAMES) as stores:
            yield stores

    async def fill(self, dump: Path) -> None:
        """Write documents by collection, given as MongoDB's extended JSON."""
        client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(self.uri)
        try:
            for name, documents in json_util.loads(dump.read_text("utf-8")).items():
                if documents:
                    await client[self.database][name].insert_many(documents)
        finally:
            client.close()

    @asynccontextmanager
    async def inside(self) -> AsyncIterator[Collections]:
        """What is stored, as an operator sees it."""
        client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(self.uri)
        try:
            yield collections_of(client[self.database], NAMES)
        finally:
            client.close()


@asynccontextmanager
async def mongo_address() -> AsyncIterator[MongoAddress]:
    """Skips where there is neither MONGODB_TEST_URI nor a SecantusDB for this Python."""
    given = os.environ.get("MONGODB_TEST_URI")
    address = MongoAddress(uri=given or _shared_process().uri, database=f"test_{uuid.uuid4().hex[:16]}")
    try:
        yield address
    finally:
        if given:
            _administration(given).drop_database(address.database)


@dataclass(frozen=True, slots=True, kw_only=True)
class Emptied:
    """Is a database that tests have one after the other, and what a new one has, by collection."""

    name: str
    first: Mapping[str, Sequence[Document]]


@asynccontextmanager
async def emptied_address() -> AsyncIterator[MongoAddress]:
    """A new database that earlier tests had: it has its indexes, which take longer to make than most tests.

    What a test left on its way is written by the time that the last of those `AT_REST` is emptied and had again.
    """
    uri = os.environ.get("MONGODB_TEST_URI") or _shared_process().uri
    if len(_at_rest) < AT_REST:
        emptied = await _prepared(uri)
    else:
        emptied = _at_rest.popleft()
        _empty(_administration(uri)[emptied.name], emptied.first)
    with _opening_as(dict.fromkeys(PREPARATIONS, _is_done)):
        yield MongoAddress(uri=uri, database=emptied.name)
    _at_rest.append(emptied)


async def _prepared(uri: str) -> Emptied:
    """Make a database with all indexes."""
    address = MongoAddress(uri=uri, database=f"test_{uuid.uuid4().hex[:16]}")
    with _opening_as(PREPARATIONS):  # also while a test has another database
        async with address.open():
            atexit.register(_administration(uri).drop_database, address.database)
    database = _administration(uri)[address.database]
    found = {name: list(database[name].find()) for name in database.list_collection_names()}
    return Emptied(name=address.database, first={name: documents for name, documents in found.items() if documents})


def _empty(database: SyncDatabase[Document], first: Mapping[str, Sequence[Document]]) -> None:
    for name in database.list_collection_names():
        database[name].delete_many({})
    for name, documents in first.items():
        database[name].insert_many(documents)


@contextmanager
def _opening_as(preparations: Mapping[str, Callable[..., Awaitable[None]]]) -> Iterator[None]:
    """Let a store prepare its database in other ways when it is opened."""
    with pytest.MonkeyPatch.context() as patched:
        for name, prepare in preparations.items():
            patched.setattr(opening, name, prepare)
        yield


async def _is_done(_: Collections | Collection) -> None:
    """Stand for what was done when the database was opened for the first time."""


@asynccontextmanager
async def open_test_mongo() -> AsyncIterator[Stores]:
    """An empty store."""
    async with emptied_address() as address, address.open() as stores:
        yield stores


class Interrupted:
    """A collection that loses its connection at one kind of call, until it is repaired."""

    def __init__(self, collection: Collection, call: str, *, carried_out: bool = False) -> None:
        self.broken = True
        self._collection = collection
        self._call = call
        self._carried_out = carried_out

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._collection, name)
        return partial(self._interrupt, call) if self.broken and name == self._call else call

    async def _interrupt(self, call: Callable[..., Awaitable[object]], *args: object, **kwargs: object) -> object:
        if self._carried_out:
            await call(*args, **kwargs)
        raise AutoReconnect("connection closed")


class Meanwhile(Interrupted):
    """A collection at whose first call of one kind something else happens: before it is carried out, or after."""

    def __init__(
        self, collection: Collection, call: str, happens: Callable[[], Awaitable[object]], *, after: bool = False
    ) -> None:
        super().__init__(collection, call)
        self._happens = happens
        self._after = after

    async def _interrupt(self, call: Callable[..., Awaitable[object]], *args: object, **kwargs: object) -> object:
        self.broken = False
        if not self._after:
            await self._happens()
        answer = await call(*args, **kwargs)
        if self._after:
            await self._happens()
        return answer


class SentAgain(Interrupted):
    """A collection at which the driver sends an insert again: its answer was lost, and the server has forgotten it.

    `stored` is how many documents the first attempt has stored; all of them if it is None.
    """

    def __init__(self, collection: Collection, call: str, *, stored: int | None = None) -> None:
        super().__init__(collection, call)
        self._stored = stored

    async def _interrupt(self, call: Callable[..., Awaitable[object]], *args: object, **kwargs: object) -> object:
        self.broken = False
        if self._stored is None:
            await call(*args, **kwargs)
        else:
            await self._collection.insert_many(cast("list[Document]", args[0])[: self._stored])
        return await call(*args, **kwargs)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRoles:
    """What one process has of a database for its jobs and workflows."""

    jobs: MongoJobStore
    queue: MongoJobQueue
    search: MongoJobSearch
    webhooks: MongoWebhookOutbox
    workflows: MongoWorkflowStore
    announcements: MongoWorkflowOutbox


def job_roles(*, jobs: Any, events: Any, reservations: Any, workflows: Any) -> JobRoles:
    """Open the roles on collections, or on what stands in for them."""
    epoch = Epoch()
    budgets = Reservations(epoch=epoch, reservations=reservations, jobs=jobs, workflows=workflows)
    return JobRoles(
        jobs=MongoJobStore(
            epoch=epoch,
            jobs=jobs,
            events=events,
            workflows=workflows,
            reservations=budgets,
            changes=grouped_changes(jobs=jobs, events=events),
        ),
        queue=MongoJobQueue(epoch=epoch, jobs=jobs),
        search=MongoJobSearch(epoch=epoch, jobs=jobs),
        webhooks=MongoWebhookOutbox(epoch=epoch, jobs=jobs),
        workflows=MongoWorkflowStore(epoch=epoch, workflows=workflows, jobs=jobs, reservations=budgets),
        announcements=MongoWorkflowOutbox(epoch=epoch, workflows=workflows),
    )


def process_on(
    inside: Collections, *, jobs: Any = None, events: Any = None, reservations: Any = None, workflows: Any = None
) -> JobRoles:
    """A process on a database, with its own trouble."""
    return job_roles(
        jobs=jobs or inside.jobs,
        events=events or inside.job_events,
        reservations=reservations or inside.reservations,
        workflows=workflows or inside.workflows,
    )


def new_process(*options: str) -> MongoProcess:
    """Not started yet; the caller removes it."""
    if find_spec("secantus") is None:
        pytest.skip("no MongoDB: secantusdb has no wheel for this Python; set MONGODB_TEST_URI")
    return MongoProcess(*options)


@cache
def _shared_process() -> MongoProcess:
    """Started once, when the first test needs it."""
    process = new_process()
    atexit.register(process.remove)
    process.start()
    return process


@cache
def _administration(uri: str) -> MongoClient[Document]:
    """One for the whole session; a client of motor belongs to one test's event loop."""
    client: MongoClient[Document] = MongoClient(uri)
    atexit.register(client.close)
    return client


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
