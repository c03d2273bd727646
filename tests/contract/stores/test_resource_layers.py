"""`ResourceStore` in namespaces: what the default one writes all see, and what another one writes nobody else does."""

import pytest

from civitai_mock.domain.air import Air, parse_reference
from civitai_mock.domain.errors import ConflictError
from civitai_mock.domain.json_types import Json
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.ports import ResourceStore, Stores
from tests.support.jobs import CHECKPOINT, LORA, make_resource

VERSION = "@civitai/128078"  # of the checkpoint
RENAMED = "urn:air:sdxl:checkpoint:civitai:999999@128078"
NEWER = "urn:air:sdxl:checkpoint:civitai:101055@999999"
ELSEWHERE, FULL = "huggingface:a/b@main", "urn:air:sdxl:checkpoint:huggingface:a/b@main"


@pytest.fixture
def shared(stores: Stores) -> ResourceStore:
    return stores.resources


@pytest.fixture
def own(stores: Stores) -> ResourceStore:
    return stores.in_epoch(Epoch("own", 7)).resources


@pytest.fixture
def other(stores: Stores) -> ResourceStore:
    return stores.in_epoch(Epoch("other", 8)).resources


async def words(resources: ResourceStore, text: str) -> Json:
    """Return the trained words of what a text names, by which the tests tell resources apart; None if it is unknown."""
    reference = parse_reference(text)
    found = (await resources.find([reference])).get(str(reference))
    return None if found is None else found.fields.get("trainedWords")


async def airs(resources: ResourceStore, query: str = "") -> list[str]:
    page = await resources.search(query, offset=0, limit=99)
    assert page.total == len(page.items)
    return [str(resource.air) for resource in page.items]


async def test_what_the_default_namespace_writes_all_see(
    shared: ResourceStore, own: ResourceStore, other: ResourceStore
) -> None:
    await shared.add(make_resource(trainedWords=["shared"]))
    for resources in (shared, own, other):
        for text in (CHECKPOINT, VERSION, "civitai:101055"):
            assert await words(resources, text) == ["shared"]
        assert await airs(resources) == [CHECKPOINT]


async def test_what_another_namespace_writes_nobody_else_sees(
    shared: ResourceStore, own: ResourceStore, other: ResourceStore
) -> None:
    await own.add(make_resource(LORA, trainedWords=["own"]))
    await other.add(make_resource(LORA, trainedWords=["other"]))
    assert await words(own, LORA) == ["own"]
    assert await words(other, LORA) == ["other"]
    assert await words(shared, LORA) is None
    assert await airs(shared) == []
    await shared.add(make_resource(LORA, trainedWords=["shared"]))
    assert [await words(resources, LORA) for resources in (own, other)] == [["own"], ["other"]]
    assert await airs(own) == [LORA]


async def test_a_shared_resource_is_in_the_way_of_one_with_its_identity(
    shared: ResourceStore, own: ResourceStore
) -> None:
    await shared.add(make_resource())
    with pytest.raises(ConflictError):
        await own.add(make_resource(RENAMED))
    assert await own.add_missing([make_resource(CHECKPOINT), make_resource(LORA)]) == 1
    assert await airs(shared) == [CHECKPOINT]


@pytest.mark.parametrize("air", [CHECKPOINT, CHECKPOINT.upper(), RENAMED])
async def test_a_shared_resource_that_is_replaced_is_replaced_there_alone(
    shared: ResourceStore, own: ResourceStore, other: ResourceStore, air: str
) -> None:
    await shared.add(make_resource(trainedWords=["shared"]))
    assert await own.replace(make_resource(air, trainedWords=["own"]))
    assert await words(own, VERSION) == ["own"]
    assert await airs(own) == [str(Air.parse(air))]
    for resources in (shared, other):
        assert await words(resources, VERSION) == ["shared"]
        assert await airs(resources) == [CHECKPOINT]
    assert await shared.replace(make_resource(trainedWords=["shared since"]))
    assert await words(own, VERSION) == ["own"]
    assert await words(other, VERSION) == ["shared since"]
    assert await own.replace(make_resource(trainedWords=["own since"]))
    assert await words(own, VERSION) == ["own since"]


async def test_a_model_is_found_under_the_name_that_it_has_in_the_namespace(
    shared: ResourceStore, own: ResourceStore
) -> None:
    await shared.add(make_resource(trainedWords=["shared"]))
    await own.replace(make_resource(RENAMED, trainedWords=["own"]))
    assert await words(own, "civitai:999999") == ["own"]
    assert await words(own, "civitai:101055") is None
    assert await words(shared, "civitai:101055") == ["shared"]


async def test_an_air_that_says_less_replaces_the_one_that_says_more(shared: ResourceStore, own: ResourceStore) -> None:
    await shared.add(make_resource(FULL, trainedWords=["shared"]))
    assert await own.replace(make_resource(ELSEWHERE, trainedWords=["own"]))
    assert await airs(own) == [str(Air.parse(ELSEWHERE))]
    assert await airs(shared) == [FULL]


async def test_the_newest_version_of_a_model_may_be_shared_or_not(shared: ResourceStore, own: ResourceStore) -> None:
    await shared.add(make_resource(trainedWords=["shared"]))
    await own.add(make_resource(NEWER, trainedWords=["own"]))
    assert await words(own, "civitai:101055") == ["own"]
    assert await words(shared, "civitai:101055") == ["shared"]
    assert await own.delete(Air.parse(NEWER))
    assert await words(own, "civitai:101055") == ["shared"]


async def test_a_shared_resource_that_is_deleted_is_deleted_there_alone(
    shared: ResourceStore, own: ResourceStore, other: ResourceStore
) -> None:
    await shared.add(make_resource(trainedWords=["shared"]))
    assert await own.delete(Air.parse(CHECKPOINT))
    assert not await own.delete(Air.parse(CHECKPOINT))
    assert not await own.replace(make_resource())
    for text in (CHECKPOINT, VERSION, "civitai:101055"):
        assert await words(own, text) is None
    assert await airs(own) == []
    for resources in (shared, other):
        assert await words(resources, VERSION) == ["shared"]
        assert await airs(resources) == [CHECKPOINT]


async def test_what_was_deleted_can_be_added_and_deleted_again(shared: ResourceStore, own: ResourceStore) -> None:
    await shared.add(make_resource(trainedWords=["shared"]))
    for _ in range(2):
        assert await own.delete(Air.parse(CHECKPOINT))
        assert await own.add_missing([make_resource(trainedWords=["own"])]) == 1
        assert await words(own, VERSION) == ["own"]
        assert await own.add_missing([make_resource()]) == 0
    assert await own.delete(Air.parse(CHECKPOINT))
    assert await airs(own) == []
    assert await words(shared, VERSION) == ["shared"]


async def test_what_replaced_a_shared_resource_leaves_nothing_when_it_is_deleted(
    shared: ResourceStore, own: ResourceStore
) -> None:
    await shared.add(make_resource())
    await own.replace(make_resource(RENAMED))
    assert await own.delete(Air.parse(RENAMED))
    assert await airs(own) == []


async def test_a_list_has_both_kinds_in_the_order_of_their_airs(shared: ResourceStore, own: ResourceStore) -> None:
    kinds = [shared, own, shared, own, shared]
    texts = [f"urn:air:sdxl:lora:civitai:{number}@{number}" for number in range(1, 6)]
    for resources, text in zip(kinds, texts, strict=True):
        await resources.add(make_resource(text, modelName="Fox"))
    await own.delete(Air.parse(texts[4]))
    pages = [await own.search("FOX", offset=offset, limit=3) for offset in (0, 3)]
    assert [[str(resource.air) for resource in page.items] for page in pages] == [texts[:3], texts[3:4]]
    assert [page.total for page in pages] == [4, 4]
    assert await airs(shared, "fox") == [texts[0], texts[2], texts[4]]
    assert await airs(own, "nothing") == []


async def test_another_life_of_a_namespace_begins_with_what_is_shared(stores: Stores, own: ResourceStore) -> None:
    await stores.resources.add(make_resource(trainedWords=["shared"]))
    await own.replace(make_resource(trainedWords=["own"]))
    await own.add(make_resource(LORA))
    fresh = stores.in_epoch(Epoch("own", 9)).resources
    assert await words(fresh, CHECKPOINT) == ["shared"]
    assert await airs(fresh) == [CHECKPOINT]


async def test_what_is_shared_outlives_the_default_namespace(stores: Stores) -> None:
    await stores.resources.add(make_resource(trainedWords=["shared"]))
    fresh = stores.in_epoch(Epoch(number=9)).resources
    assert await words(fresh, CHECKPOINT) == ["shared"]
    assert await fresh.replace(make_resource(trainedWords=["since"]))
    assert await words(stores.resources, CHECKPOINT) == ["since"]
