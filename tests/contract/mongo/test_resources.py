"""What only MongoDB can get wrong about resources: another process, or the driver itself, that adds the same one."""

from dataclasses import replace
from typing import Any

import pytest

from civitai_mock.domain.errors import ConflictError
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.ports import Stores
from civitai_mock.storage.mongo.collections import Collections
from civitai_mock.storage.mongo.resources import MongoResourceStore
from tests.support.jobs import LORA, make_resource
from tests.support.mongo import Meanwhile, SentAgain

pytestmark = pytest.mark.mongo

EPOCHS = [Epoch(), Epoch("here", 7)]


@pytest.mark.parametrize("epoch", EPOCHS, ids=["shared", "own"])
async def test_a_resource_that_the_driver_sends_again_is_added_once(
    stores: Stores, inside: Collections, epoch: Epoch
) -> None:
    again: Any = SentAgain(inside.resources, "insert_many")
    sending = MongoResourceStore(epoch=epoch, resources=again)
    await sending.add(make_resource(LORA))
    assert (await stores.in_epoch(epoch).resources.search("", offset=0, limit=9)).total == 1
    with pytest.raises(ConflictError):
        await sending.add(make_resource(LORA))


@pytest.mark.parametrize("epoch", EPOCHS, ids=["shared", "own"])
async def test_a_resource_that_another_process_adds_meanwhile_is_there_already(
    stores: Stores, inside: Collections, epoch: Epoch
) -> None:
    resource = make_resource(LORA)
    other = replace(resource, fields={**resource.fields, "name": "another"})

    async def overtake() -> None:
        await stores.in_epoch(epoch).resources.add(other)

    overtaken: Any = Meanwhile(inside.resources, "insert_many", overtake)
    slow = MongoResourceStore(epoch=epoch, resources=overtaken)
    with pytest.raises(ConflictError):
        await slow.add(resource)
    (found,) = (await stores.in_epoch(epoch).resources.search("", offset=0, limit=9)).items
    assert found == other
