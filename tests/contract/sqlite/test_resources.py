"""Resources that SQLite gives out again and again."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from civitai_mock.domain.air import Air, parse_reference
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.domain.resource import Resource
from civitai_mock.ports import ResourceStore
from civitai_mock.storage.sqlite import TableNames, open_sqlite
from civitai_mock.storage.sqlite.connections import Connections, connect_memory
from civitai_mock.storage.sqlite.database import Database
from civitai_mock.storage.sqlite.resources import LARGEST_CACHED, SqliteResourceStore
from tests.support.jobs import CHECKPOINT, make_resource


@pytest.fixture
def connections() -> Connections:
    return connect_memory(TableNames())


@pytest.fixture
async def resources(connections: Connections) -> AsyncIterator[SqliteResourceStore]:
    names = TableNames()
    database = Database(connections, description="SQLite under test")
    yield SqliteResourceStore(database=database, names=names, epoch=Epoch(), kept={})
    await database.close()


async def found(resources: ResourceStore) -> Resource:
    (resource,) = (await resources.find([parse_reference(CHECKPOINT)])).values()
    return resource


async def test_a_resource_that_nobody_changed_is_the_same_value_each_time(resources: SqliteResourceStore) -> None:
    await resources.add(make_resource(hashes={"SHA256": "AB" * 32}))
    first = await found(resources)
    assert await found(resources) is first
    assert first.hashes is first.hashes


async def test_a_change_is_seen_at_once(resources: SqliteResourceStore) -> None:
    await resources.add(make_resource(trainedWords=["before"]))
    assert (await found(resources)).trained_words == ("before",)
    await resources.replace(make_resource(trainedWords=["after"]))
    assert (await found(resources)).trained_words == ("after",)


async def test_a_large_resource_is_not_kept_in_memory(resources: SqliteResourceStore) -> None:
    await resources.add(make_resource(notes="x" * LARGEST_CACHED))
    assert await found(resources) == await found(resources)
    assert await found(resources) is not await found(resources)


OTHER = "urn:air:sd1:lora:civitai:82098@87153"


async def test_what_is_spelled_as_in_the_store_is_found_with_one_statement(
    resources: SqliteResourceStore, connections: Connections
) -> None:
    for text in (CHECKPOINT, OTHER):
        await resources.add(Resource(air=Air.parse(text), fields={}))
    statements: list[str] = []
    connections.reader.set_trace_callback(statements.append)
    both = await resources.find([parse_reference(CHECKPOINT), parse_reference(OTHER.upper())])
    assert [resource.air.text for resource in both.values()] == [CHECKPOINT, OTHER]
    assert len(statements) == 1


async def test_resources_in_memory_are_read_once_until_one_changes(
    resources: SqliteResourceStore, connections: Connections
) -> None:
    await resources.add(make_resource(trainedWords=["before"]))
    await found(resources)
    statements: list[str] = []
    connections.reader.set_trace_callback(statements.append)
    assert (await found(resources)).trained_words == ("before",)
    assert statements == []
    await resources.replace(make_resource(trainedWords=["after"]))
    assert (await found(resources)).trained_words == ("after",)
    await resources.delete(Air.parse(CHECKPOINT))
    assert await resources.find([parse_reference(CHECKPOINT)]) == {}


async def test_a_change_by_another_process_is_seen_at_once(tmp_path: Path) -> None:
    async with (
        open_sqlite(directory=tmp_path, names=TableNames()) as here,
        open_sqlite(directory=tmp_path, names=TableNames()) as there,
    ):
        await here.resources.add(make_resource(trainedWords=["before"]))
        assert (await found(here.resources)).trained_words == ("before",)
        await there.resources.replace(make_resource(trainedWords=["after"]))
        assert (await found(here.resources)).trained_words == ("after",)
        await there.resources.delete(Air.parse(CHECKPOINT))
        assert await here.resources.find([parse_reference(CHECKPOINT)]) == {}
