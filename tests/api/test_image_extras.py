"""Extras of an image job, through the whole server."""

import io
from collections.abc import AsyncIterator
from typing import Any

import pytest
from PIL import Image

from civitai_mock.domain.json_types import JsonObject
from tests.support.served_app import JOBS, Opened, Served, serve_all, template

UPSCALER = "urn:air:other:upscaler:civitai:147759@164821"
REFINER = "urn:air:sdxl:checkpoint:civitai:3@4"
PARAMS: JsonObject = {"prompt": "a fox", "width": 128, "height": 64, "seed": 7}
ABSENT = "The resource '{}' does not exist."


@pytest.fixture
async def opened() -> AsyncIterator[Opened]:
    async with serve_all(missing_resources="lenient") as everything:
        yield everything


async def run(opened: Opened, params: JsonObject) -> Any:
    return await opened.run(template(params={**PARAMS, **params}))


async def image_of(opened: Opened, job: Any) -> Image.Image:
    assert job["lastEvent"]["type"] == "Succeeded", job["lastEvent"]
    answer = await opened.client.get(job["result"][0]["blobUrl"])
    return Image.open(io.BytesIO(answer.content))


@pytest.mark.parametrize(
    ("params", "size", "said"),
    [
        (
            {"hires": {"scale": 2}},
            (256, 128),
            "Size: 128x64, Model: sdxl/civitai/101055/128078, Denoising strength: 0.5, Hires upscale: 2",
        ),
        ({"hires": {"upscaler": UPSCALER}}, (192, 96), "Hires upscale: 1.5"),
        ({"upscale": {"model": UPSCALER}}, (512, 256), "Postprocess upscaler: upscaler/other/"),
        ({"upscale": {"model": UPSCALER, "scale": 2.5}}, (320, 160), "Postprocess upscale by: 2.5"),
        ({"refiner": {"model": REFINER}, "steps": 30}, (128, 64), "Steps: 30"),
    ],
)
async def test_an_image_has_the_size_that_was_asked_for(
    opened: Opened, params: JsonObject, size: tuple[int, int], said: str
) -> None:
    image = await image_of(opened, await run(opened, params))
    assert image.size == size
    assert said in image.info["parameters"]


async def test_an_image_is_made_of_another_one(opened: Opened) -> None:
    key = (await run(opened, {}))["result"][0]["blobKey"]
    job = await run(opened, {"sourceImage": key, "denoiseStrength": 0.4, "seed": 8})
    image = await image_of(opened, job)
    assert image.size == (128, 64)
    assert "Denoising strength: 0.4" in image.info["parameters"]
    assert (job["job"]["params"]["sourceImage"], job["job"]["params"]["denoiseStrength"]) == (key, 0.4)


async def test_a_job_shows_its_extras_and_their_resources(opened: Opened) -> None:
    params: JsonObject = {"refiner": {"model": REFINER}, "hires": {"upscaler": UPSCALER}}
    job = (await run(opened, params))["job"]
    assert job["params"]["refiner"] == {"model": "@civitai/4", "switchAt": 0.8}
    assert job["params"]["hires"]["upscaler"] == "@civitai/164821"
    assert job["resources"] == ["@civitai/128078", "@civitai/164821", "@civitai/4"]


@pytest.mark.parametrize(
    ("params", "errors"),
    [
        ({"hires": {"upscaler": f"{UPSCALER}0"}}, {"params.hires.upscaler": [ABSENT.format(f"{UPSCALER}0")]}),
        ({"upscale": {"model": f"{UPSCALER}0"}}, {"params.upscale.model": [ABSENT.format(f"{UPSCALER}0")]}),
        ({"refiner": {"model": REFINER}}, {"params.refiner.model": [ABSENT.format(REFINER)]}),
    ],
)
async def test_a_missing_resource_is_reported_by_its_path(
    served: Served, params: JsonObject, errors: JsonObject
) -> None:
    answer = await served.client.post(JOBS, json=template(params={**PARAMS, **params}))
    assert (answer.status_code, answer.json()["errors"]) == (400, errors)


@pytest.mark.parametrize(
    ("params", "path"),
    [
        ({"denoiseStrength": 0.5}, "params.denoiseStrength"),
        ({"hires": {"scale": 40}}, "params.hires.scale"),
        ({"width": 2048, "hires": {"scale": 3}}, "params.hires.scale"),
    ],
)
async def test_extras_that_cannot_be_are_a_400_with_the_path(served: Served, params: JsonObject, path: str) -> None:
    answer = await served.client.post(JOBS, json=template(params={**PARAMS, **params}))
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [path]
