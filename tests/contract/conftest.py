"""Every store, opened empty; the suite holds each of them against the same ports."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

import pytest
from pymongo.periodic_executor import PeriodicExecutor

from civitai_mock.ports import (
    BlobStore,
    EventFeed,
    JobQueue,
    JobSearch,
    JobStore,
    NamespaceStore,
    ResourceStore,
    SecretStore,
    Stores,
    WebhookOutbox,
    WorkflowOutbox,
    WorkflowStore,
)
from civitai_mock.storage.sqlite import TableNames, open_sqlite
from tests.support.paths import fast_folder

Opening: TypeAlias = AbstractAsyncContextManager[Stores]


@pytest.fixture(autouse=True)
def _mongo_closes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare each of hundreds of stores half a second: until then, the thread that reports to listeners sleeps.

    It ends by itself, and what is still to be reported is reported without it.
    """
    monkeypatch.setattr(PeriodicExecutor, "join", lambda *_: None)


@asynccontextmanager
async def _open_file() -> AsyncIterator[Stores]:
    with TemporaryDirectory(prefix="civitai-mock-sqlite-", dir=fast_folder()) as folder:
        async with open_sqlite(directory=Path(folder) / "store", names=TableNames()) as stores:
            yield stores


def _open_memory() -> Opening:
    return open_sqlite(directory=None, names=TableNames())


def _open_mongo() -> Opening:
    """Skips, with the reason, where its client or a server is not to be had."""
    opening: Opening = pytest.importorskip("tests.support.mongo", exc_type=ImportError).open_test_mongo()
    return opening


IN_FILE = pytest.param(_open_file, id="sqlite-file")
IN_MEMORY = pytest.param(_open_memory, id="sqlite-memory")
ON_MONGO = pytest.param(_open_mongo, id="mongo", marks=pytest.mark.mongo)
ON_MONGO_IF_LONG = pytest.param(_open_mongo, id="mongo", marks=[pytest.mark.mongo, pytest.mark.long])
OPENERS = [IN_FILE, IN_MEMORY, ON_MONGO]


@pytest.fixture(params=OPENERS)
async def stores(request: pytest.FixtureRequest) -> AsyncIterator[Stores]:
    open_store: Callable[[], Opening] = request.param
    async with open_store() as opened:
        yield opened


@pytest.fixture
def jobs(stores: Stores) -> JobStore:
    return stores.jobs


@pytest.fixture
def queue(stores: Stores) -> JobQueue:
    return stores.queue


@pytest.fixture
def search(stores: Stores) -> JobSearch:
    return stores.search


@pytest.fixture
def feed(stores: Stores) -> EventFeed:
    return stores.feed


@pytest.fixture
def webhooks(stores: Stores) -> WebhookOutbox:
    return stores.webhooks


@pytest.fixture
def workflows(stores: Stores) -> WorkflowStore:
    return stores.workflows


@pytest.fixture
def announcements(stores: Stores) -> WorkflowOutbox:
    return stores.announcements


@pytest.fixture
def resources(stores: Stores) -> ResourceStore:
    return stores.resources


@pytest.fixture
def blobs(stores: Stores) -> BlobStore:
    return stores.blobs


@pytest.fixture
def secrets(stores: Stores) -> SecretStore:
    return stores.secrets


@pytest.fixture
def namespaces(stores: Stores) -> NamespaceStore:
    return stores.namespaces
