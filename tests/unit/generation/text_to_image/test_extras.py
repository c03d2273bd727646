"""Extras of a `textToImage` request: how they are written, what they come to, what is refused."""

import json
from typing import Any

import pytest

from civitai_mock.api.v1.job_types import JOB_TYPES_BY_TYPE
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.resource import Resource
from tests.support.generation import MODELS, graph_of, make_found, plan, planned_job, references_of, spec_of
from tests.support.table import table

SD1, SDXL, FLUX1 = MODELS.values()
UPSCALER = "urn:air:other:upscaler:civitai:147759@164821"
OTHER_UPSCALER = "urn:air:multi:Upscaler:civitai:1@2"
REFINER = "urn:air:sdxl:checkpoint:civitai:3@4"
LORA = "urn:air:sdxl:lora:civitai:5@6"
BLOB_KEY = "AC146E9943652A7D6359696406CAFFBF3796C4AD81CD3711502EEBA988663395"
URL = "http://127.0.0.1:3000/v2/consumer/blobs/fox?sig=1"
EXTRAS = ("sourceImage", "denoiseStrength", "hires", "upscale", "refiner")


def template(params: JsonObject, *, model: str = SD1, **members: Any) -> JsonObject:
    return {"model": model, "params": params, **members}


def extras_of(params: JsonObject, *, model: str = SD1) -> Any:
    complete: Any = spec_of(template(params, model=model))["params"]
    return {name: complete[name] for name in EXTRAS if name in complete}


def upscale_of(template: JsonObject, **found: Resource) -> Any:
    params: Any = spec_of(template, found)["params"]
    return params["upscale"]


def error_paths(template: JsonObject) -> list[str]:
    with pytest.raises(InvalidRequestError) as caught:
        plan(template)
    return list(caught.value.errors)


@pytest.mark.parametrize(
    ("given", "complete"),
    [
        ({}, {}),
        (dict.fromkeys(EXTRAS), {}),
        ({"sourceImage": BLOB_KEY}, {"sourceImage": BLOB_KEY, "denoiseStrength": 0.75}),
        ({"sourceImage": URL, "denoiseStrength": 1}, {"sourceImage": URL, "denoiseStrength": 1}),
        (
            {"sourceImage": URL, "sourceImageDenoiseStrenght": 0.25},
            {"sourceImage": URL, "denoiseStrength": 0.25},
        ),
        (
            {"sourceImage": URL, "sourceImageDenoiseStrength": 0.25},
            {"sourceImage": URL, "denoiseStrength": 0.25},
        ),
        ({"hires": {}}, {"hires": {"scale": 1.5, "steps": 20, "denoiseStrength": 0.5}}),
        (
            {"steps": 9, "hires": {"scale": 2.0, "upscaler": UPSCALER}},
            {"hires": {"scale": 2, "steps": 9, "denoiseStrength": 0.5, "upscaler": UPSCALER}},
        ),
        (
            {"hires": {"steps": 12, "denoiseStrength": 0.3}},
            {"hires": {"scale": 1.5, "steps": 12, "denoiseStrength": 0.3}},
        ),
        ({"upscale": {"model": UPSCALER}}, {"upscale": {"model": UPSCALER}}),
        ({"upscale": {"model": UPSCALER, "scale": 3}}, {"upscale": {"model": UPSCALER, "scale": 3}}),
    ],
)
def test_extras_are_stored_complete(given: JsonObject, complete: JsonObject) -> None:
    assert extras_of(given) == complete


def test_a_refiner_takes_over_late_unless_the_request_says_when() -> None:
    assert extras_of({"refiner": {"model": REFINER}}, model=SDXL) == {"refiner": {"model": REFINER, "switchAt": 0.8}}
    given: JsonObject = {"refiner": {"model": REFINER, "switchAt": 0.5}}
    assert extras_of(given, model=SDXL) == given


@pytest.mark.parametrize("model", [SDXL, "urn:air:pony:checkpoint:civitai:257749@290640"])
def test_models_that_were_trained_on_sdxl_can_be_refined(model: str) -> None:
    assert "refiner" in extras_of({"refiner": {"model": REFINER}}, model=model)


@table(
    ("params", "path"),
    [
        ({"denoiseStrength": 0.5}, "params.denoiseStrength"),
        ({"sourceImage": None, "denoiseStrength": 0.5}, "params.denoiseStrength"),
        ({"sourceImageDenoiseStrenght": 0.5}, "params.sourceImageDenoiseStrenght"),
        ({"sourceImage": URL, "denoiseStrength": 0}, "params.denoiseStrength"),
        ({"sourceImage": URL, "denoiseStrength": 0.001}, "params.denoiseStrength"),
        ({"sourceImage": URL, "denoiseStrength": 1.1}, "params.denoiseStrength"),
        ({"sourceImage": URL, "denoiseStrength": "0.5"}, "params.denoiseStrength"),
        ({"sourceImage": "file:///etc/passwd"}, "params.sourceImage"),
        ({"sourceImage": "ftp://images.example/fox.png"}, "params.sourceImage"),
        ({"sourceImage": "https://"}, "params.sourceImage"),
        ({"sourceImage": "data:image/png;base64,AAAA"}, "params.sourceImage"),
        ({"sourceImage": "../fox.png"}, "params.sourceImage"),
        ({"sourceImage": ""}, "params.sourceImage"),
        ({"sourceImage": 5}, "params.sourceImage"),
        ({"sourceImage": "ftp://images.example", "denoiseStrength": 0.5}, "params.sourceImage"),
        ({"hires": True}, "params.hires"),
        ({"hires": {"scale": 1}}, "params.hires.scale"),
        ({"hires": {"scale": 4.5}}, "params.hires.scale"),
        ({"hires": {"steps": 0}}, "params.hires.steps"),
        ({"hires": {"steps": 151}}, "params.hires.steps"),
        ({"hires": {"denoiseStrength": 0}}, "params.hires.denoiseStrength"),
        ({"hires": {"upscaler": "4x-UltraSharp"}}, "params.hires.upscaler"),
        ({"hires": {"upscaler": SD1}}, "params.hires.upscaler"),
        ({"width": 2048, "hires": {"scale": 2.01}}, "params.hires.scale"),
        ({"height": 1368, "hires": {"scale": 3}}, "params.hires.scale"),
        ({"upscale": {}}, "params.upscale.model"),
        ({"upscale": {"model": LORA}}, "params.upscale.model"),
        ({"upscale": {"model": UPSCALER, "scale": 1}}, "params.upscale.scale"),
        ({"upscale": {"model": UPSCALER, "scale": 8.5}}, "params.upscale.scale"),
        ({"width": 2048, "upscale": {"model": UPSCALER, "scale": 4.01}}, "params.upscale"),
        ({"width": 1400, "hires": {}, "upscale": {"model": UPSCALER}}, "params.upscale"),
        ({"refiner": {"model": REFINER}}, "params.refiner"),
    ],
)
def test_extras_that_cannot_be_are_refused(params: JsonObject, path: str) -> None:
    assert error_paths(template(params)) == [path]


@pytest.mark.parametrize(
    ("params", "path"),
    [
        ({"refiner": {}}, "params.refiner.model"),
        ({"refiner": {"model": REFINER, "switchAt": 0}}, "params.refiner.switchAt"),
        ({"refiner": {"model": REFINER, "switchAt": 1}}, "params.refiner.switchAt"),
        ({"refiner": {"model": SD1}}, "params.refiner.model"),
        ({"refiner": {"model": LORA}}, "params.refiner.model"),
        ({"refiner": {"model": "civitai:3@4"}}, "params.refiner.model"),
        ({"steps": 1, "refiner": {"model": REFINER}}, "params.refiner"),
    ],
)
def test_refiners_that_cannot_be_are_refused(params: JsonObject, path: str) -> None:
    assert error_paths(template(params, model=SDXL)) == [path]


def test_flux_has_no_refiner() -> None:
    assert error_paths(template({"refiner": {"model": REFINER}}, model=FLUX1)) == ["params.refiner"]


def test_as_many_images_are_made_of_one_as_comfyui_can_repeat() -> None:
    source: JsonObject = {"sourceImage": BLOB_KEY}
    assert plan(template(source, quantity=64)).images == 64
    assert error_paths(template(source, quantity=65)) == ["quantity"]
    assert plan(template({}, quantity=65)).images == 65


def test_images_as_large_as_may_be_are_taken() -> None:
    params: JsonObject = {"width": 2048, "hires": {"scale": 2}, "upscale": {"model": UPSCALER, "scale": 2}}
    assert plan(template(params)).images == 1


def test_resources_of_extras_are_known_by_their_path() -> None:
    params: JsonObject = {
        "hires": {"upscaler": UPSCALER},
        "upscale": {"model": OTHER_UPSCALER},
        "refiner": {"model": REFINER},
    }
    assert references_of(template(params, model=SDXL)) == {
        "model": SDXL,
        "params.hires.upscaler": UPSCALER,
        "params.upscale.model": OTHER_UPSCALER,
        "params.refiner.model": REFINER,
    }


def test_resources_of_extras_come_last_and_once() -> None:
    """In any spelling, and also where the refiner is the model itself."""
    params: JsonObject = {
        "hires": {"upscaler": UPSCALER},
        "upscale": {"model": UPSCALER.upper()},
        "refiner": {"model": SDXL},
    }
    asked = template(params, model=SDXL, additionalNetworks={LORA: {}})
    assert [str(resource.air) for resource in plan(asked).resources] == [SDXL, LORA, UPSCALER]
    assert upscale_of(asked) == {"model": UPSCALER}
    assert "UpscaleModelLoader_1" not in graph_of(asked)


@pytest.mark.parametrize(
    ("extras", "cost"),
    [
        ({}, 0.9600000000000002),
        ({"sourceImage": URL, "denoiseStrength": 0.1}, 0.9600000000000002),
        ({"upscale": {"model": UPSCALER}}, 0.9600000000000002),
        ({"hires": {}}, 0.96 * 3.25),
        ({"hires": {"steps": 10, "scale": 2}}, 0.96 * 3),
        ({"hires": {"upscaler": UPSCALER}, "upscale": {"model": UPSCALER, "scale": 2}}, 0.96 * 3.25),
    ],
)
def test_the_cost_is_that_of_what_is_sampled(extras: JsonObject, cost: float) -> None:
    params = {"width": 768, "height": 512, "steps": 20, **extras}
    assert plan(template(params)).cost == pytest.approx(cost, rel=1e-12)
    assert plan(template(params, quantity=3)).cost == pytest.approx(3 * cost, rel=1e-12)


def test_a_refiner_costs_nothing() -> None:
    asked = template({"refiner": {"model": REFINER}}, model=SDXL)
    assert plan(asked).cost == plan(template({}, model=SDXL)).cost


def test_extras_are_shown_with_the_compressed_airs_of_their_resources() -> None:
    params: JsonObject = {
        "sourceImage": URL,
        "hires": {"upscaler": UPSCALER},
        "upscale": {"model": UPSCALER, "scale": 2},
        "refiner": {"model": REFINER},
    }
    job = planned_job(template(params, model=SDXL))
    described: Any = JOB_TYPES_BY_TYPE[job.type].describe(job)
    assert {name: described["params"][name] for name in EXTRAS} == {
        "sourceImage": URL,
        "denoiseStrength": 0.75,
        "hires": {"scale": 1.5, "steps": 20, "denoiseStrength": 0.5, "upscaler": "@civitai/164821"},
        "upscale": {"model": "@civitai/164821", "scale": 2},
        "refiner": {"model": "@civitai/4", "switchAt": 0.8},
    }


def test_a_hires_pass_without_an_upscaler_is_shown_as_it_is() -> None:
    job = planned_job(template({"hires": {"scale": 2.0}}))
    described: Any = JOB_TYPES_BY_TYPE[job.type].describe(job)
    assert json.dumps(described["params"]["hires"]) == '{"scale": 2, "steps": 20, "denoiseStrength": 0.5}'


def test_a_resource_of_an_extra_may_be_named_by_its_compressed_air() -> None:
    found = {"@civitai/164821": make_found(UPSCALER)}
    assert upscale_of(template({"upscale": {"model": "@civitai/164821"}}), **found) == {"model": UPSCALER}
