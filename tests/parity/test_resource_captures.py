"""Recorded resources, created here, come back as they were recorded.

Validated against recordings and the official v2 description of 2026-06.
"""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.parity.replay import read_capture
from tests.support.paths import DATA
from tests.support.served_app import serve

CAPTURES = ("v2-resource-checkpoint", "v2-resource-lora-flux1")
RECORDED_ONLY = {"modelName": {"type": "string"}}  # recorded, but not described
OURS = {"type": {"type": "string"}, "fileName": {}, "tags": {}, "trainedWords": {}}  # of our own management surface


def _resource_info(extra: dict[str, Any]) -> Any:
    document = json.loads((DATA / "openapi-v2-resources.json").read_text("utf-8"))
    info = document["components"]["schemas"]["ResourceInfo"]
    info["properties"] |= extra
    info["properties"]["air"].pop("pattern")  # in .NET's spelling of named groups, which Python does not read
    return {"$ref": "#/components/schemas/ResourceInfo", **document}


@pytest.mark.parametrize("capture", CAPTURES)
async def test_a_recorded_resource_comes_back_to_the_last_member(capture: str) -> None:
    recorded = read_capture(capture)
    async with serve(seed_resources=False) as served:
        await served.client.post("/v2/resources", json=recorded)
        answer = (await served.client.get(f"/v2/resources/{recorded['air']}")).json()
    assert (answer, list(answer)) == (recorded, list(recorded))


@pytest.mark.parametrize("capture", CAPTURES)
def test_recorded_resources_meet_the_official_schema(capture: str) -> None:
    assert Draft202012Validator(_resource_info(RECORDED_ONLY)).is_valid(read_capture(capture))


async def test_every_built_in_resource_meets_the_official_schema() -> None:
    validator = Draft202012Validator(_resource_info(RECORDED_ONLY | OURS))
    async with serve() as served:
        listed = (await served.client.get("/v2/resources", params={"limit": 100})).json()["items"]
    assert [error.message for item in listed for error in validator.iter_errors(item)] == []


async def test_a_minimal_resource_meets_the_official_schema() -> None:
    minimal = {"air": "urn:air:sd1:checkpoint:civitai:1@2", "modelName": "A Model", "type": "checkpoint"}
    async with serve(seed_resources=False) as served:
        created = (await served.client.post("/v2/resources", json=minimal)).json()
    assert Draft202012Validator(_resource_info(RECORDED_ONLY | OURS)).is_valid(created)
