"""The built-in resources: they are what the first jobs run on."""

import json
from importlib.resources import files
from typing import Any

import pytest

from civitai_mock.domain.air import Air
from civitai_mock.domain.resource import REQUIRED_FIELDS
from civitai_mock.generation.ecosystems import ECOSYSTEMS, find_ecosystem
from tests.support.paths import DATA
from tests.support.table import table

CATALOGUE: list[dict[str, Any]] = json.loads((files("civitai_mock") / "services" / "catalogue.json").read_text("utf-8"))
AIRS = [Air.parse(entry["air"]) for entry in CATALOGUE]
FILE_FORMATS = {"unknown", "safeTensor", "pickleTensor", "diffusers", "coreML", "onnx", "tar"}


@table("entry", CATALOGUE, ids=lambda entry: entry["air"])
def test_an_entry_has_what_the_official_description_requires(entry: dict[str, Any]) -> None:
    assert {name: type(entry[name]) for name in REQUIRED_FIELDS} == {
        name: type(value) for name, value in REQUIRED_FIELDS.items()
    }
    assert entry["fileFormat"] in FILE_FORMATS
    assert entry["air"] == str(Air.parse(entry["air"]))
    assert find_ecosystem(Air.parse(entry["air"])) is not None


def test_no_two_entries_share_an_air_or_a_compressed_air() -> None:
    assert len({air.key for air in AIRS}) == len({air.compressed for air in AIRS}) == len(AIRS)


def test_there_is_something_of_every_kind() -> None:
    there = {(ECOSYSTEMS[air.ecosystem or ""].name, air.type) for air in AIRS}
    models = {(ecosystem, kind) for ecosystem in ("sd1", "sdxl", "flux1") for kind in ("checkpoint", "lora")}
    assert there >= {*models, ("sd1", "embedding"), ("sd1", "vae")}


@pytest.mark.parametrize("name", ["v1-create-request-sd1-lora.json", "v1-create-request-sdxl.json"])
def test_the_requests_of_the_captures_find_all_their_resources(name: str) -> None:
    request = json.loads((DATA / "captures" / name).read_text("utf-8"))
    named = {request["model"], *request.get("additionalNetworks", {})}
    assert named <= {entry["air"] for entry in CATALOGUE}


@pytest.mark.parametrize("name", ["v2-resource-checkpoint.json", "v2-resource-lora-flux1.json"])
def test_the_resources_of_the_captures_are_there_as_they_are(name: str) -> None:
    assert json.loads((DATA / "captures" / name).read_text("utf-8")) in CATALOGUE
