"""`ResourceStore`: resources by AIR, by version, and by what they are called."""

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import replace

import pytest

from civitai_mock.domain.air import Air, parse_reference
from civitai_mock.domain.errors import ConflictError
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.domain.resource import Resource
from civitai_mock.ports import ResourcePage, ResourceStore, Stores
from tests.support.jobs import CHECKPOINT, LORA, make_resource

AWKWARD: JsonObject = {
    "modelName": "Кот 🐈",
    "tags": ["a", 1, None],
    "hashes": {"SHA256": "AB", "$set": 1, "a.b": [], "": {}},
    "size": 2**53,
    "ratio": 0.1,
    "_id": "x",
    "air": "not this one",
}


@pytest.fixture(params=["shared", "of a namespace"])
def resources(request: pytest.FixtureRequest, stores: Stores) -> ResourceStore:
    """Both are the same to whoever sees no more."""
    return stores.resources if request.param == "shared" else stores.in_epoch(Epoch("a", 7)).resources


async def add(store: ResourceStore, *airs: str) -> None:
    for air in airs:
        await store.add(make_resource(air))


async def found(store: ResourceStore, *texts: str) -> dict[str, str]:
    """AIRs by the texts that found them."""
    resources = await store.find([parse_reference(text) for text in texts])
    return {text: str(resource.air) for text, resource in resources.items()}


async def the(resources: ResourceStore, air: str) -> Resource | None:
    """The one resource that an AIR names."""
    return (await resources.find([parse_reference(air)])).get(str(parse_reference(air)))


def airs(page: ResourcePage) -> list[str]:
    return [str(resource.air) for resource in page.items]


async def test_a_stored_resource_comes_back_as_it_was(resources: ResourceStore) -> None:
    resource = replace(make_resource(), fields=AWKWARD)
    await resources.add(resource)
    assert await the(resources, str(resource.air)) == resource


async def test_an_unknown_resource_is_none(resources: ResourceStore) -> None:
    await add(resources, CHECKPOINT)
    assert await the(resources, LORA) is None


async def test_the_case_of_an_air_does_not_matter_and_is_kept(resources: ResourceStore) -> None:
    await add(resources, "urn:air:SDXL:Checkpoint:Civitai:Some/Model@V1.safeTensors")
    resource = await the(resources, "URN:AIR:sdxl:CHECKPOINT:civitai:some/MODEL@v1.SAFETENSORS")
    assert resource is not None
    assert str(resource.air) == "urn:air:SDXL:Checkpoint:Civitai:Some/Model@V1.safeTensors"


@pytest.mark.parametrize("again", [CHECKPOINT, CHECKPOINT.upper()])
async def test_an_air_is_added_once(resources: ResourceStore, again: str) -> None:
    await resources.add(make_resource(CHECKPOINT, modelName="first"))
    with pytest.raises(ConflictError):
        await resources.add(make_resource(again, modelName="second"))
    kept = await the(resources, CHECKPOINT)
    assert kept == make_resource(CHECKPOINT, modelName="first")


async def test_of_simultaneous_additions_one_wins(resources: ResourceStore) -> None:
    rivals = [make_resource(CHECKPOINT, modelName=str(number)) for number in range(5)]
    answers = await asyncio.gather(*(resources.add(rival) for rival in rivals), return_exceptions=True)
    assert [type(answer) for answer in answers if answer] == [ConflictError] * 4
    assert await the(resources, CHECKPOINT) == rivals[answers.index(None)]


async def test_what_is_missing_is_added_and_what_is_there_is_left_alone(resources: ResourceStore) -> None:
    await resources.add(make_resource(CHECKPOINT, modelName="mine"))
    catalogue = [make_resource(CHECKPOINT.upper(), modelName="theirs"), make_resource(LORA), make_resource(LORA)]
    assert await resources.add_missing(catalogue) == 1
    assert await the(resources, CHECKPOINT) == make_resource(CHECKPOINT, modelName="mine")
    assert await the(resources, LORA) == make_resource(LORA)
    assert await resources.add_missing(catalogue) == 0
    assert await resources.add_missing([]) == 0


async def test_a_replaced_resource_has_only_its_new_fields(resources: ResourceStore) -> None:
    await resources.add(make_resource(CHECKPOINT, modelName="old", size=1))
    new = make_resource(CHECKPOINT.upper(), modelName="new")
    assert await resources.replace(new)
    assert await the(resources, CHECKPOINT) == new
    assert (await resources.search("old", offset=0, limit=10)).total == 0
    assert (await resources.search("new", offset=0, limit=10)).total == 1


async def test_an_unknown_resource_is_not_replaced(resources: ResourceStore) -> None:
    assert not await resources.replace(make_resource(CHECKPOINT))
    assert await the(resources, CHECKPOINT) is None


async def test_a_deleted_resource_is_gone_once(resources: ResourceStore) -> None:
    await add(resources, CHECKPOINT, LORA)
    assert await resources.delete(Air.parse(CHECKPOINT.upper()))
    assert not await resources.delete(Air.parse(CHECKPOINT))
    assert airs(await resources.search("", offset=0, limit=10)) == [LORA]


FAMILY = (
    "urn:air:pony:checkpoint:civitai:257749@290640",
    "urn:air:sdxl:checkpoint:civitai:101055@128078",
    "urn:air:sdxl:checkpoint:civitai:101055@99",
    "urn:air:sdxl:lora:Civitai:200@7+55.safetensors",
    "urn:air:sdxl:lora:huggingface:Author/Name@128078",
    "urn:air:sdxl:vae:civitai:300",
    "urn:air:sd1:vae:civitai:300.pt",
    "urn:air:sd1:lora:civitai:400@V1",
    "urn:air:sd1:lora:huggingface:Author/Name@128078",
)
PONY, SDXL, OLDER, PINNED, HUGGING, UNVERSIONED, OTHER_UNVERSIONED, UNNUMBERED, OTHER_HUGGING = FAMILY


REFERENCES: Mapping[str, tuple[str, str | None]] = {
    "whole": (SDXL, SDXL),
    "whole in another case": (SDXL.upper(), SDXL),
    "of the root ecosystem": ("urn:air:sdxl:checkpoint:civitai:257749@290640", PONY),
    "of another ecosystem": ("urn:air:flux1:checkpoint:civitai:257749@290640", PONY),
    "of another type": ("urn:air:pony:lora:civitai:257749@290640", PONY),
    "of another model": ("urn:air:pony:checkpoint:civitai:1@290640", PONY),
    "with a file": ("urn:air:sdxl:checkpoint:civitai:101055@128078+96501", SDXL),
    "with a format": ("urn:air:sdxl:checkpoint:civitai:101055@128078.safetensors", SDXL),
    "with a file and a format": ("urn:air:sdxl:checkpoint:civitai:101055@128078+96501.ckpt", SDXL),
    "with a layer": ("urn:air:sdxl:checkpoint:civitai:101055@128078:unet", SDXL),
    "percent-encoded": ("urn:air:sdxl:checkpoint:civitai:101055@128078%2B96501", SDXL),
    "without ecosystem and type": ("civitai:101055@128078", SDXL),
    "without ecosystem and type, with a prefix": ("urn:air:civitai:101055@128078", SDXL),
    "without type": ("air:sdxl:civitai:101055@128078", SDXL),
    "compressed": ("@civitai/128078", SDXL),
    "compressed, in another case": ("@CIVITAI/128078", SDXL),
    "compressed, with a file": ("@civitai/128078+96501", SDXL),
    "of a resource that was added with a file": ("@civitai/7", PINNED),
    "otherwise spelt, of one added with a file": ("urn:air:sd1:checkpoint:civitai:1@7", PINNED),
    "of a model: the newest": ("urn:air:sdxl:checkpoint:civitai:101055", SDXL),
    "of a model, without ecosystem and type": ("civitai:101055", SDXL),
    "of a model, as something else": ("urn:air:sd1:lora:civitai:101055", SDXL),
    "of a model, with a format": ("urn:air:sdxl:checkpoint:civitai:101055.safetensors", SDXL),
    "of a model without versions": ("civitai:300", UNVERSIONED),
    "of such a model, whole": ("urn:air:sdxl:vae:civitai:300", UNVERSIONED),
    "of such a model, otherwise spelt": ("urn:air:sd1:vae:civitai:300.pt", OTHER_UNVERSIONED),
    "of a model with a version without a number": ("civitai:400", UNNUMBERED),
    "of a version without a number": ("urn:air:sd1:lora:civitai:400@v1", UNNUMBERED),
    "of such a version, of another ecosystem": ("urn:air:sdxl:lora:civitai:400@v1", None),
    "of such a version, compressed": ("@civitai/v1", UNNUMBERED),
    "of a number that only begins another": ("@civitai/12807", None),
    "of such a number, with the model": ("civitai:101055@12807", None),
    "of a version that is not a number": ("civitai:101055@128078a", None),
    "of a version that is not a number either": ("civitai:101055@128078-1", None),
    "of a model that has the number of a version": ("civitai:128078", None),
    "elsewhere, whole": ("urn:air:sdxl:lora:huggingface:author/name@128078", HUGGING),
    "elsewhere, of its own": ("urn:air:sd1:lora:huggingface:Author/Name@128078", OTHER_HUGGING),
    "elsewhere, of another ecosystem": ("urn:air:flux1:lora:huggingface:Author/Name@128078", None),
    "elsewhere, without a version": ("urn:air:sdxl:lora:huggingface:Author/Name", None),
    "elsewhere, of several the first": ("huggingface:author/name@128078", OTHER_HUGGING),
    "elsewhere, compressed": ("@huggingface/128078", OTHER_HUGGING),
    "elsewhere, with a file": ("@huggingface/128078+1", None),
    "of another source": ("orchestrator:x@128078", None),
}


async def test_a_reference_finds_its_resource(resources: ResourceStore) -> None:
    await add(resources, *FAMILY)
    for what, (text, air) in REFERENCES.items():
        key = str(parse_reference(text))
        assert await found(resources, text) == ({key: air} if air else {}), what


TWINS = [
    PONY,
    "urn:air:sdxl:checkpoint:civitai:257749@290640",
    "URN:AIR:sdxl:lora:civitai:1@290640+7",
    "civitai:257749@290640.safetensors",
]


@pytest.mark.parametrize("first", TWINS)
async def test_a_version_is_added_once_however_it_is_spelt(resources: ResourceStore, first: str) -> None:
    await resources.add(make_resource(first, modelName="first"))
    for second in TWINS:
        with pytest.raises(ConflictError):
            await resources.add(make_resource(second))
        assert await resources.add_missing([make_resource(second)]) == 0
        page = await resources.search("", offset=0, limit=10)
        assert [item.fields for item in page.items] == [{"modelName": "first"}], second


async def test_of_simultaneous_spellings_one_is_added(resources: ResourceStore) -> None:
    added = await asyncio.gather(*(resources.add_missing([make_resource(air)]) for air in TWINS * 3))
    assert sorted(added) == [0] * 11 + [1]
    assert (await resources.search("", offset=0, limit=10)).total == 1


async def test_of_several_spellings_at_once_one_is_added(resources: ResourceStore) -> None:
    assert await resources.add_missing([make_resource(air) for air in TWINS]) == 1


async def test_versions_of_one_model_and_of_other_sources_are_no_twins(resources: ResourceStore) -> None:
    await add(resources, *FAMILY)
    assert (await resources.search("", offset=0, limit=10)).total == len(FAMILY)


@pytest.mark.parametrize("spelling", TWINS)
async def test_a_resource_is_replaced_and_deleted_by_any_spelling(resources: ResourceStore, spelling: str) -> None:
    await add(resources, SDXL, PONY)
    new = make_resource(spelling, modelName="new")
    assert await resources.replace(new)
    assert (await resources.find([parse_reference("@civitai/290640")])) == {"@civitai/290640": new}
    assert await resources.delete(Air.parse(PONY))
    assert airs(await resources.search("", offset=0, limit=10)) == [SDXL]


@pytest.mark.parametrize("air", ["civitai:101055", "urn:air:sdxl:checkpoint:civitai:101055"])
async def test_nothing_is_replaced_or_deleted_because_it_is_the_newest(resources: ResourceStore, air: str) -> None:
    await add(resources, SDXL)
    assert not await resources.replace(make_resource(air))
    assert not await resources.delete(Air.parse(air))
    assert airs(await resources.search("", offset=0, limit=10)) == [SDXL]


async def test_many_references_are_found_at_once(resources: ResourceStore) -> None:
    await add(resources, CHECKPOINT, LORA)
    texts = (LORA, "@civitai/128078", "urn:air:sd1:vae:civitai:9@9", "@nobody/1", CHECKPOINT)
    assert await found(resources, *texts) == {LORA: LORA, "@civitai/128078": CHECKPOINT, CHECKPOINT: CHECKPOINT}


async def test_no_reference_finds_nothing(resources: ResourceStore) -> None:
    await add(resources, CHECKPOINT)
    assert await found(resources) == {}


async def test_pages_are_in_order_of_air_and_know_the_total(resources: ResourceStore) -> None:
    numbers = (3, 1, 5, 2, 4)
    await add(resources, *(f"urn:air:sd1:lora:other:{number}@1" for number in numbers))
    pages = [await resources.search("", offset=offset, limit=2) for offset in (0, 2, 4)]
    assert [page.total for page in pages] == [5, 5, 5]
    assert [air for page in pages for air in airs(page)] == [f"urn:air:sd1:lora:other:{n}@1" for n in range(1, 6)]


async def test_the_order_of_airs_does_not_depend_on_their_case(resources: ResourceStore) -> None:
    await add(resources, "urn:air:sd1:lora:other:b@1", "urn:air:sd1:lora:other:C@1", "urn:air:sd1:lora:other:A@1")
    page = await resources.search("", offset=0, limit=10)
    assert [air[-3] for air in airs(page)] == ["A", "b", "C"]


async def test_a_page_beyond_the_end_is_empty(resources: ResourceStore) -> None:
    await add(resources, CHECKPOINT, LORA)
    for offset in (2, 3, 2**31, sys.maxsize, 10**30):
        page = await resources.search("civitai", offset=offset, limit=10)
        assert (page.total, list(page.items)) == (2, []), offset


async def test_an_empty_store_has_an_empty_page(resources: ResourceStore) -> None:
    assert await resources.search("", offset=0, limit=10) == ResourcePage(total=0, items=[])


QUERIES: Mapping[str, bool] = {
    "realistic": True,
    "REALISTIC": True,
    "c v": True,
    "realisticv": False,
    "portrait": True,
    "second tag": True,
    "hidden": False,
    "101055@128078": True,
    "sdxl:checkpoint": True,
    "100%": True,
    "100_": False,
    "%": True,
    "_tag": False,
    "a.b": True,
    "axb": False,
    ".*": False,
    "[a-z]": False,
    "^urn": False,
    "(x": True,
    "\\": True,
    "\\d": False,
    "'": False,
    "straße": True,
    "STRASSE": True,
    "ПРИВЕТ": True,
    "İ": True,
    "🐈": True,
    "\x00": False,
}


async def test_a_query_is_looked_for_literally_in_any_case(resources: ResourceStore) -> None:
    names: dict[str, Json] = {
        "modelName": "Realistic Vision (x)",
        "versionName": "100% a.b \\ Straße",
        "resourceName": "İstanbul 🐈",
        "tags": ["Portrait", "second tag", "привет"],
        "description": "hidden",
    }
    await resources.add(make_resource(CHECKPOINT, **names))
    await resources.add(make_resource("urn:air:sd1:vae:orchestrator:x@y"))
    for query, matches in QUERIES.items():
        page = await resources.search(query, offset=0, limit=10)
        assert (page.total, airs(page)) == ((1, [CHECKPOINT]) if matches else (0, [])), query
