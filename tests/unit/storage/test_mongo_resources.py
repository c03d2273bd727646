"""Resources over a MongoDB that is a toy in this process: it knows queries, but no server."""

from collections.abc import Sequence
from typing import Any

import pytest
from mongomock_motor import AsyncMongoMockClient

from civitai_mock.domain.air import Air, parse_reference
from civitai_mock.domain.errors import ConflictError
from civitai_mock.domain.namespaces import SHARED_EPOCH, Epoch
from civitai_mock.storage.mongo.collections import RESOURCES
from civitai_mock.storage.mongo.resources import MongoResourceStore, resource_document
from tests.support.jobs import CHECKPOINT, LORA, make_resource

PONY = "urn:air:pony:checkpoint:civitai:257749@290640"
ELSEWHERE = "urn:air:sd1:lora:other:9@128078"


@pytest.fixture
async def store() -> MongoResourceStore:
    database: Any = AsyncMongoMockClient().test  # mongomock has no types
    collection = database.resources
    await collection.create_indexes(RESOURCES)
    store = MongoResourceStore(epoch=Epoch(), resources=collection)
    assert await store.add_missing([make_resource(air) for air in (CHECKPOINT, LORA, PONY, ELSEWHERE)]) == 4
    return store


@pytest.mark.parametrize(
    ("references", "found"),
    [
        ([], []),
        ([CHECKPOINT.upper().replace("URN:AIR", "urn:air")], [CHECKPOINT]),
        (["@civitai/290640", "civitai:257749@290640"], [PONY, PONY]),
        (["urn:air:sdxl:checkpoint:civitai:257749@290640+7", "civitai:9@290640", "civitai:257749"], [PONY] * 3),
        (["@other/128078"], [ELSEWHERE]),
        (["@other/290640", "civitai:290640", "civitai:257749@29064"], []),
        ([LORA, "@civitai/0", PONY], [LORA, PONY]),
    ],
)
async def test_references_find_what_they_name(
    store: MongoResourceStore, references: Sequence[str], found: Sequence[str]
) -> None:
    resources = await store.find([parse_reference(text) for text in references])
    assert [str(resource.air) for resource in resources.values()] == list(found)
    assert set(resources) <= {str(parse_reference(text)) for text in references}


async def test_an_air_in_other_letters_is_a_conflict(store: MongoResourceStore) -> None:
    with pytest.raises(ConflictError, match="exists already"):
        await store.add(make_resource("SDXL:Checkpoint:Civitai:101055@128078"))


async def test_a_version_of_an_earlier_program_is_not_added_again() -> None:
    """Its document has an `_id` of the database's own."""
    database: Any = AsyncMongoMockClient().test
    await database.resources.create_indexes(RESOURCES)
    await database.resources.insert_one(resource_document(make_resource(PONY), SHARED_EPOCH))
    store, spelt = MongoResourceStore(epoch=Epoch(), resources=database.resources), PONY.replace("pony", "sdxl")
    with pytest.raises(ConflictError, match="exists already"):
        await store.add(make_resource(spelt))
    assert await store.add_missing([make_resource(spelt), make_resource(LORA)]) == 1
    assert await store.delete(Air.parse(spelt))
    assert await store.add_missing([make_resource(spelt)]) == 1
