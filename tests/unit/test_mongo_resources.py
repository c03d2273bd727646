"""Resources over a MongoDB that is a toy in this process: it knows queries, but no server."""

from collections.abc import Sequence
from typing import Any

import pytest
from mongomock_motor import AsyncMongoMockClient

from civitai_mock.domain.air import parse_reference
from civitai_mock.domain.errors import ConflictError
from civitai_mock.storage.mongo.indexes import RESOURCES
from civitai_mock.storage.mongo.resources import MongoResourceStore
from tests.support.jobs import CHECKPOINT, LORA, make_resource

PONY = "urn:air:pony:checkpoint:civitai:257749@290640"
SAME_VERSION = "urn:air:sd1:lora:civitai:9@128078"


@pytest.fixture
async def store() -> MongoResourceStore:
    database: Any = AsyncMongoMockClient().test  # mongomock has no types
    collection = database.resources
    await collection.create_indexes(RESOURCES)
    store = MongoResourceStore(resources=collection)
    assert await store.add_missing([make_resource(air) for air in (CHECKPOINT, LORA, PONY, SAME_VERSION)]) == 4
    return store


@pytest.mark.parametrize(
    ("references", "found"),
    [
        ([], []),
        ([CHECKPOINT.upper().replace("URN:AIR", "urn:air")], [CHECKPOINT]),
        (["@civitai/290640", "civitai:257749@290640"], [PONY, PONY]),
        (["@civitai/128078"], [SAME_VERSION]),
        (["civitai:101055@128078"], [CHECKPOINT]),
        (["civitai:9@290640", "@other/290640"], []),
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
