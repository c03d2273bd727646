"""/v2/resources: list, create, read, replace, change, delete."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.support.served_app import Served, serve

RESOURCES = "/v2/resources"
AIR = "urn:air:sdxl:checkpoint:civitai:1@2"
OTHER = "urn:air:sd1:lora:civitai:3@4"
REQUIRED = {
    "size": 0,
    "hashes": {},
    "downloadUrls": [],
    "checkPermission": False,
    "canGenerate": True,
    "fileFormat": "safeTensor",
    "hasMatureContentRestriction": False,
    "hasNSFWContentRestriction": False,
}


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """Without the built-in catalogue."""
    async with serve(seed_resources=False) as opened:
        yield opened


async def _create(client: httpx.AsyncClient, air: str = AIR, **fields: Any) -> httpx.Response:
    return await _create_document(client, {"air": air, **fields})


async def _create_document(client: httpx.AsyncClient, document: dict[str, Any]) -> httpx.Response:
    answer = await client.post(RESOURCES, json=document)
    assert answer.status_code == 201, answer.text
    return answer


async def test_a_created_resource_is_a_whole_resource_info(client: httpx.AsyncClient) -> None:
    answer = await _create(client, modelName="A Model", type="checkpoint")
    assert answer.json() == {"air": AIR, **REQUIRED, "modelName": "A Model", "type": "checkpoint"}


async def test_the_location_of_a_created_resource_leads_to_it(client: httpx.AsyncClient) -> None:
    air = "urn:air:sdxl:checkpoint:huggingface:org/model@main%20x"
    created = await _create(client, air)
    assert (await client.get(created.headers["location"])).json() == created.json()


async def test_unknown_fields_are_kept_as_they_are(client: httpx.AsyncClient) -> None:
    fields = {"big": 2**63 - 1, "small": -(2**63), "é🦊": [None, {"$a.b": 0.1}], "": "x\x00y", "nothing": None}
    await _create_document(client, {"air": AIR, **fields})
    body = (await client.get(f"{RESOURCES}/{AIR}")).json()
    assert {name: body[name] for name in fields} == fields


async def test_a_known_field_that_is_null_counts_as_missing(client: httpx.AsyncClient) -> None:
    body = (await _create(client, size=None, modelName=None)).json()
    assert body == {"air": AIR, **REQUIRED}


async def test_a_second_resource_with_the_same_air_is_a_409(client: httpx.AsyncClient) -> None:
    await _create(client)
    answer = await client.post(RESOURCES, json={"air": AIR.upper()})
    assert (answer.status_code, answer.json()["title"]) == (409, "Conflict")


@pytest.mark.parametrize("spelling", [AIR, AIR.upper(), AIR.removeprefix("urn:air:"), "civitai:1@2"])
@pytest.mark.parametrize("encode", [str, lambda air: quote(air, safe="")], ids=["raw", "percent-encoded"])
async def test_a_resource_is_found_by_any_spelling(client: httpx.AsyncClient, spelling: str, encode: Any) -> None:
    await _create(client)
    assert (await client.get(f"{RESOURCES}/{encode(spelling)}")).json()["air"] == AIR


@pytest.mark.parametrize("encode", [str, lambda air: quote(air, safe="")], ids=["raw", "percent-encoded"])
async def test_an_air_with_slashes_can_be_in_the_path(client: httpx.AsyncClient, encode: Any) -> None:
    air = "urn:air:flux1:checkpoint:huggingface:black-forest-labs/FLUX.1-dev@main.safetensors"
    await _create(client, air)
    assert (await client.get(f"{RESOURCES}/{encode(air)}")).json()["air"] == air


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
async def test_an_unknown_resource_is_a_404(client: httpx.AsyncClient, method: str) -> None:
    body = {"air": AIR} if method in {"PUT", "PATCH"} else None
    assert (await client.request(method, f"{RESOURCES}/{AIR}", json=body)).status_code == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "air", ["nonsense", "a:..", "urn:air:x:y:civitai:..%2F..%2Fetc@1", "%FF:%FE", "x:" + "9" * 600]
)
async def test_what_is_no_air_in_the_path_is_a_400(client: httpx.AsyncClient, method: str, air: str) -> None:
    body = {"air": AIR} if method in {"PUT", "PATCH"} else None
    answer = await client.request(method, f"{RESOURCES}/{air}", json=body)
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["air"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"size": "7"}, "size"),
        ({"size": 7.5}, "size"),
        ({"size": True}, "size"),
        ({"size": -1}, "size"),
        ({"hashes": []}, "hashes"),
        ({"hashes": {"SHA256": 7}}, "hashes.SHA256"),
        ({"downloadUrls": "https://x"}, "downloadUrls"),
        ({"downloadUrls": [7]}, "downloadUrls[0]"),
        ({"checkPermission": "true"}, "checkPermission"),
        ({"canGenerate": 1}, "canGenerate"),
        ({"hasMatureContentRestriction": 0}, "hasMatureContentRestriction"),
        ({"hasNSFWContentRestriction": "no"}, "hasNSFWContentRestriction"),
        ({"fileFormat": "zip"}, "fileFormat"),
        ({"modelName": 7}, "modelName"),
        ({"type": []}, "type"),
        ({"tags": "cat"}, "tags"),
        ({"tags": ["cat", 7]}, "tags[1]"),
        ({"trainedWords": {}}, "trainedWords"),
        ({"fileName": ""}, "fileName"),
        ({"fileName": "/etc/passwd"}, "fileName"),
        ({"fileName": "../x"}, "fileName"),
        ({"fileName": "a/../x"}, "fileName"),
        ({"fileName": "a\\..\\x"}, "fileName"),
        ({"fileName": "a//x"}, "fileName"),
        ({"fileName": "a/"}, "fileName"),
        ({"fileName": "C:\\x"}, "fileName"),
        ({"fileName": "a\x00b"}, "fileName"),
        ({"fileName": 7}, "fileName"),
    ],
)
async def test_a_known_field_of_the_wrong_kind_is_a_400(
    client: httpx.AsyncClient, method: str, fields: dict[str, Any], path: str
) -> None:
    if method != "POST":
        await _create(client)
    url = RESOURCES if method == "POST" else f"{RESOURCES}/{AIR}"
    answer = await client.request(method, url, json={"air": AIR, **fields})
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [path]


@pytest.mark.parametrize("name", ["x.safetensors", "sdxl/my model.safetensors", "a\\b.ckpt", "..x/.y", "a..b"])
async def test_a_file_name_may_be_any_relative_path(client: httpx.AsyncClient, name: str) -> None:
    assert (await _create(client, fileName=name)).json()["fileName"] == name


@pytest.mark.parametrize("body", [{}, {"air": None}, {"air": 7}, {"air": "nonsense"}, {"air": "@civitai/2"}])
async def test_a_resource_without_a_usable_air_is_a_400(client: httpx.AsyncClient, body: dict[str, Any]) -> None:
    answer = await client.post(RESOURCES, json=body)
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["air"]


async def test_put_replaces_the_whole_document(client: httpx.AsyncClient) -> None:
    await _create(client, modelName="old", custom=1)
    answer = await client.put(f"{RESOURCES}/{AIR}", json={"air": AIR, "size": 7})
    assert answer.status_code == 200
    assert answer.json() == {"air": AIR, **REQUIRED, "size": 7} == (await client.get(f"{RESOURCES}/{AIR}")).json()


async def test_put_takes_another_spelling_of_the_same_air(client: httpx.AsyncClient) -> None:
    await _create(client)
    assert (await client.put(f"{RESOURCES}/{AIR.lower()}", json={"air": AIR.upper()})).status_code == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("air", [OTHER, "nonsense", 7])
async def test_the_air_of_a_resource_cannot_change(client: httpx.AsyncClient, method: str, air: Any) -> None:
    await _create(client)
    answer = await client.request(method, f"{RESOURCES}/{AIR}", json={"air": air})
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["air"]


async def test_patch_sets_what_it_names_and_takes_away_what_is_null(client: httpx.AsyncClient) -> None:
    await _create(client, modelName="old", custom=1, size=7)
    answer = await client.patch(
        f"{RESOURCES}/{AIR}",
        json={"air": AIR, "modelName": "new", "custom": None, "size": None},
        headers={"content-type": "application/merge-patch+json"},
    )
    assert answer.json() == {"air": AIR, **REQUIRED, "modelName": "new"}
    assert answer.json() == (await client.get(f"{RESOURCES}/{AIR}")).json()


async def test_a_patch_of_nothing_changes_nothing(client: httpx.AsyncClient) -> None:
    created = await _create(client, modelName="old")
    assert (await client.patch(f"{RESOURCES}/{AIR}", json={})).json() == created.json()


async def test_delete_answers_204_and_then_it_is_gone(client: httpx.AsyncClient) -> None:
    await _create(client)
    answer = await client.delete(f"{RESOURCES}/{AIR}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await client.get(f"{RESOURCES}/{AIR}")).status_code == 404


async def test_a_list_comes_in_pages_in_order_of_air(client: httpx.AsyncClient) -> None:
    airs = [f"urn:air:sd1:lora:civitai:1@{number}" for number in range(1, 6)]
    for air in reversed(airs):
        await _create(client, air)
    pages = [(await client.get(RESOURCES, params={"limit": 2, "page": page})).json() for page in (1, 2, 3, 4)]
    assert [[item["air"] for item in page["items"]] for page in pages] == [airs[:2], airs[2:4], airs[4:], []]
    assert [(page["page"], page["limit"], page["total"]) for page in pages] == [(n, 2, 5) for n in (1, 2, 3, 4)]


async def test_a_list_has_twenty_items_unless_asked_otherwise(client: httpx.AsyncClient) -> None:
    body = (await client.get(RESOURCES)).json()
    assert body == {"page": 1, "limit": 20, "total": 0, "items": []}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [AIR, OTHER]),
        ("sdxl", [AIR]),
        ("fancy CAT", [AIR]),
        ("ÉTÉ", [AIR]),
        ("DOG", [OTHER]),
        ("100%", [OTHER]),
        ("%", [OTHER]),
        ("_", []),
        (".*", []),
        ("civitai:3@4", [OTHER]),
        ("hidden", []),
    ],
)
async def test_q_is_looked_for_literally_in_air_names_and_tags(
    client: httpx.AsyncClient, query: str, found: list[str]
) -> None:
    await _create(client, modelName="A Fancy Cat", versionName="été", secret="hidden")
    await _create(client, OTHER, tags=["dog", "100% real"])
    body = (await client.get(RESOURCES, params={"q": query})).json()
    assert sorted(item["air"] for item in body["items"]) == sorted(found)
    assert body["total"] == len(found)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("limit=", "limit"),
        ("limit=1.5", "limit"),
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=99999999999999999999", "page"),
        ("page=x", "page"),
    ],
)
async def test_a_page_that_cannot_be_is_a_400_and_never_a_422(client: httpx.AsyncClient, query: str, name: str) -> None:
    answer = await client.get(f"{RESOURCES}?{query}")
    assert answer.status_code == 400
    assert answer.json()["title"] == "One or more validation errors occurred."
    assert list(answer.json()["errors"]) == [name]


async def test_the_built_in_catalogue_is_there_from_the_start() -> None:
    async with serve() as served:
        body = (await served.client.get(RESOURCES, params={"limit": 100})).json()
        assert {air.split(":")[2] for air in (item["air"] for item in body["items"])} >= {"sd1", "sdxl", "flux1"}
