"""One version of a resource under all the spellings that requests use: it is found, and never made a second time."""

import asyncio
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.served_app import JOBS, Served, serve

COVERAGE = "/v1/consumer/coverage"
RESOURCES = "/v2/resources"
# As the site's own API spells a version today, by how the built-in catalogue has it.
SPELLINGS = {
    "urn:air:pony:checkpoint:civitai:257749@290640": [
        "urn:air:pony:checkpoint:civitai:257749@290640",
        "urn:air:sdxl:checkpoint:civitai:257749@290640",
        "URN:AIR:SDXL:CHECKPOINT:CIVITAI:257749@290640",
        "air:sdxl:checkpoint:civitai:257749@290640",
        "urn:air:sdxl:model:civitai:257749@290640",
        "sdxl:checkpoint:civitai:257749@290640",
        "urn:air:civitai:257749@290640",
        "civitai:257749@290640",
        "civitai:257749",
        "civitai:257749.safetensors",
        "urn:air:sdxl:checkpoint:civitai:257749+1234",
        "urn:air:sdxl:checkpoint:civitai:257749",
        "@civitai/290640",
        "urn:air:sdxl:checkpoint:civitai:257749@290640+1234",
        "urn:air:sdxl:checkpoint:civitai:257749@290640.safetensors",
        "urn:air:sdxl:checkpoint:civitai:257749@290640+1234.safetensors",
        "urn:air:other:checkpoint:civitai:1@290640",
    ],
    "urn:air:illustrious:checkpoint:civitai:795765@889818": ["urn:air:sdxl:checkpoint:civitai:795765@889818"],
    "urn:air:noobai:checkpoint:civitai:833294@1116447": ["urn:air:sdxl:checkpoint:civitai:833294@1116447"],
    "urn:air:sdxl:checkpoint:civitai:101055@128078": ["urn:air:sdxl:checkpoint:civitai:101055@128078+96501"],
    "urn:air:flux1:checkpoint:civitai:618692@691639": ["urn:air:sdxl:checkpoint:civitai:618692@691639"],
}
PAIRS = [(text, air) for air, texts in SPELLINGS.items() for text in texts]
CHECKPOINT = "urn:air:sdxl:checkpoint:civitai:101055@128078"
LORA, OTHER_LORA = "urn:air:sdxl:lora:civitai:122359@135867", "urn:air:sd1:lora:civitai:122359@135867+7"
ADDED = {
    "upscaler": "urn:air:other:upscaler:civitai:147759@164821",
    "control net": "urn:air:sdxl:controlnet:civitai:9@900001",
    "refiner": "urn:air:sdxl:checkpoint:civitai:9@900002",
}
OTHERWISE = {
    "upscaler": "urn:air:sdxl:upscaler:civitai:147759@164821+99",
    "control net": "urn:air:sd1:controlnet:civitai:9@900001",
    "refiner": "civitai:8@900002.safetensors",
}
UNKNOWN = "urn:air:sdxl:checkpoint:civitai:5@777777"


def asked(**members: Any) -> dict[str, Any]:
    """A request for an image; members of `params` stand beside the others."""
    params = {name: members.pop(name) for name in ("hires", "refiner", "upscale") if name in members}
    asked: dict[str, Any] = {"$type": "textToImage", "model": CHECKPOINT, **members}
    return {**asked, "params": {"prompt": "a lighthouse", **params}}


async def planned(served: Served, request: dict[str, Any]) -> Any:
    answer = await served.client.post(f"{JOBS}?whatif=true&detailed=true", json=request)
    assert answer.status_code == 200, answer.text
    return answer.json()["jobs"][0]["job"]


async def airs(served: Served) -> list[str]:
    return [item["air"] for item in (await served.client.get(RESOURCES, params={"limit": 100})).json()["items"]]


@pytest.mark.parametrize(("text", "air"), PAIRS)
@pytest.mark.parametrize("mode", ["strict", "lenient"])
async def test_a_known_model_is_found_and_no_twin_is_made(text: str, air: str, mode: str) -> None:
    version = air.rpartition("@")[2]
    async with serve(missing_resources=mode) as served:
        before = await airs(served)
        answer = await served.client.post(f"{JOBS}?detailed=true", json=asked(model=text))
        assert answer.status_code == 202, answer.text
        assert answer.json()["jobs"][0]["job"]["model"] == f"@civitai/{version}"
        assert await airs(served) == before


@pytest.mark.parametrize(("text", "air"), PAIRS)
async def test_coverage_answers_under_the_text_as_it_was_sent(text: str, air: str) -> None:
    async with serve() as served:
        for sent in (quote(text, safe=""), text):
            answer = (await served.client.get(f"{COVERAGE}?model={sent}")).json()
            assert answer == {text: {"availability": "Available", "workers": 1}}
        covered = (await served.client.get(COVERAGE, params={"model": [text, air, UNKNOWN]})).json()
    assert list(covered) == list(dict.fromkeys([text, air, UNKNOWN]))
    assert covered[UNKNOWN]["availability"] == "Unavailable"


@pytest.mark.parametrize(("text", "air"), PAIRS)
async def test_a_resource_is_read_under_each_of_its_names(text: str, air: str) -> None:
    async with serve() as served:
        assert (await served.client.get(f"{RESOURCES}/{text}")).json()["air"] == air
        assert (await served.client.get(f"{RESOURCES}/{quote(text, safe='')}")).json()["air"] == air


PLACES = {
    "additionalNetworks": (asked(additionalNetworks={OTHER_LORA: {"strength": 1}}), "@civitai/135867"),
    "additionalNetworks with an id": (
        asked(additionalNetworks={"mine": {"id": "@civitai/135867+1"}}),
        "@civitai/135867",
    ),
    "refiner": (asked(refiner={"model": OTHERWISE["refiner"]}), "@civitai/900002"),
    "upscale": (asked(upscale={"model": OTHERWISE["upscaler"], "scale": 2}), "@civitai/164821"),
    "hires": (asked(hires={"upscaler": OTHERWISE["upscaler"]}), "@civitai/164821"),
    "controlNets": (
        asked(controlNets=[{"preprocessor": "Canny", "blobKey": "A" * 64, "model": OTHERWISE["control net"]}]),
        "@civitai/900001",
    ),
    "comfy": (
        {
            "$type": "comfy",
            "params": {
                "workflow": {
                    "1": {"class_type": "LoraLoaderModelOnly", "inputs": {"lora_name": OTHER_LORA}},
                    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0]}},
                }
            },
        },
        "@civitai/135867",
    ),
    "imageResourceTraining": (
        {
            "$type": "imageResourceTraining",
            "model": "civitai:257749@290640",
            "trainingData": "https://example.com/x.zip",
        },
        "@civitai/290640",
    ),
    "prepareModel": ({"$type": "prepareModel", "model": "urn:air:sdxl:checkpoint:civitai:257749"}, "@civitai/290640"),
}


@pytest.mark.parametrize("mode", ["strict", "lenient"])
@pytest.mark.parametrize(("request_", "named"), PLACES.values(), ids=PLACES)
async def test_a_known_resource_is_found_wherever_it_is_named(request_: Any, named: str, mode: str) -> None:
    async with serve(missing_resources=mode) as served:
        for air in ADDED.values():
            assert (await served.client.post(RESOURCES, json={"air": air})).status_code == 201
        before = await airs(served)
        answer = await served.client.post(f"{JOBS}?detailed=true", json=request_)
        assert answer.status_code == 202, answer.text
        assert named in answer.json()["jobs"][0]["job"]["resources"]
        assert await airs(served) == before


@pytest.mark.parametrize(
    ("air", "availability"),
    [
        (ADDED["upscaler"], "Available"),
        ("urn:air:other:lora:civitai:1@900003", "Available"),
        ("urn:air:wanvideo:checkpoint:civitai:1@900004", "Unsupported"),
        ("civitai:1@900005", "Unsupported"),
    ],
)
async def test_only_models_have_to_be_of_a_known_ecosystem(air: str, availability: str) -> None:
    async with serve() as served:
        assert (await served.client.post(RESOURCES, json={"air": air})).status_code == 201
        covered = (await served.client.get(COVERAGE, params={"model": air})).json()
    assert covered[air]["availability"] == availability


async def test_one_resource_under_two_spellings_is_named_twice() -> None:
    async with serve() as served:
        networks: dict[str, Any] = {LORA: {}, OTHER_LORA: {}}
        answer = await served.client.post(JOBS, json=asked(additionalNetworks=networks))
    assert answer.json()["errors"] == {f"additionalNetworks.{OTHER_LORA}": ["This resource is named twice."]}


@pytest.mark.parametrize(
    "texts",
    [
        [UNKNOWN, "urn:air:pony:checkpoint:civitai:5@777777"],
        [f"{UNKNOWN}+5", UNKNOWN, f"{UNKNOWN}.safetensors"],
        ["@civitai/777777", UNKNOWN.upper(), "civitai:5@777777", "civitai:5"],
    ],
)
async def test_one_request_makes_an_unknown_version_up_once(texts: list[str]) -> None:
    async with serve(missing_resources="lenient", seed_resources=False) as served:
        jobs = [asked(model=text) for text in texts]
        answer = (await served.client.post(f"{JOBS}?detailed=true", json={"jobs": jobs})).json()
        assert [job["job"]["model"] for job in answer["jobs"]] == ["@civitai/777777"] * len(texts)
        (air,) = await airs(served)
    assert air.lower() == UNKNOWN


async def test_the_type_model_says_nothing() -> None:
    """It stands in the sample request of the v1 description."""
    model, lora = "urn:air:sdxl:model:civitai:4201@130073", "urn:air:sdxl:model:civitai:58390@62834"
    async with serve(missing_resources="lenient", seed_resources=False) as served:
        job = await planned(served, asked(model=model, additionalNetworks={lora: {"type": "Lora"}}))
    assert job["model"] == "@civitai/130073"
    assert job["additionalNetworks"] == {"@civitai/62834": {"type": "Lora", "strength": 1}}


async def test_requests_at_once_make_an_unknown_version_up_once() -> None:
    async with serve(missing_resources="lenient", seed_resources=False) as served:
        texts = [f"urn:air:{name}:checkpoint:civitai:5@777777" for name in ("sdxl", "pony", "illustrious", "noobai")]
        jobs = [served.client.post(JOBS, json=asked(model=text)) for text in texts * 3]
        assert [answer.status_code for answer in await asyncio.gather(*jobs)] == [202] * 12
        assert len(await airs(served)) == 1


@pytest.mark.parametrize("text", ["civitai:257749@290640", "@civitai/290640", "urn:air:sdxl:lora:civitai:1@290640+2"])
async def test_a_resource_is_managed_under_each_of_its_names(text: str) -> None:
    async with serve() as served:
        path = f"{RESOURCES}/{quote(text, safe='')}"
        spelt = {"air": "urn:air:sdxl:checkpoint:civitai:257749@290640"}
        assert (await served.client.post(RESOURCES, json=spelt)).status_code == 409
        assert (await served.client.patch(path, json={"modelName": "mine"})).json()["modelName"] == "mine"
        assert (await served.client.put(path, json={**spelt, "size": 7})).json()["size"] == 7
        assert (await served.client.get(f"{RESOURCES}/@civitai/290640")).json()["air"] == spelt["air"]
        assert (await served.client.delete(path)).status_code == 204
        assert (await served.client.get(path)).status_code == 404


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
async def test_a_model_without_a_version_names_nothing_that_could_be_changed(method: str) -> None:
    air = "urn:air:pony:checkpoint:civitai:257749"
    async with serve() as served:
        body = None if method == "DELETE" else {"air": air}
        assert (await served.client.request(method, f"{RESOURCES}/{air}", json=body)).status_code == 404
        assert (await served.client.get(f"{RESOURCES}/{air}")).json()["air"] == f"{air}@290640"


async def test_without_a_version_the_newest_one_is_used() -> None:
    async with serve() as served:
        for version in ("99", "300000", "4"):
            added = {"air": f"urn:air:sdxl:checkpoint:civitai:257749@{version}"}
            assert (await served.client.post(RESOURCES, json=added)).status_code == 201
        job = await planned(served, asked(model="urn:air:pony:checkpoint:civitai:257749"))
    assert job["model"] == "@civitai/300000"


@pytest.mark.parametrize(
    "text", ["urn:air:sdxl:checkpoint:civitai:257749@29064", "urn:air:sdxl:checkpoint:civitai:290640", "@other/290640"]
)
async def test_another_version_is_still_unknown(text: str) -> None:
    async with serve() as served:
        answer = await served.client.post(JOBS, json=asked(model=text))
    assert answer.json()["errors"] == {"model": [f"The resource '{text}' does not exist."]}
