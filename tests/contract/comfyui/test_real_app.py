"""Each feature in each ecosystem works through the whole app on a real server; see `tests/support/real_comfyui.py`."""

from collections.abc import AsyncIterator
from typing import Any, TypeAlias

import pytest

from civitai_mock.domain.json_types import JsonObject
from tests.support.real_comfyui import NO_URL, URL
from tests.support.real_jobs import RealJobs, image_job, real_jobs

SMALL = (64, 64)
LARGE = (128, 128)
CANNY: JsonObject = {
    "preprocessor": "canny",
    "weight": 0.8,
    "startStep": 0,
    "endStep": 0.8,
    "blobKey": "@SOURCE_KEY",
    "model": "@SD1_CANNY",
}

pytestmark = pytest.mark.skipif(not URL, reason=NO_URL)


def with_network(name: str) -> JsonObject:
    return {"members": {"additionalNetworks": {name: {}}}}


@pytest.fixture
async def jobs() -> AsyncIterator[RealJobs]:
    async with real_jobs() as opened:
        yield opened


@pytest.fixture
async def source(jobs: RealJobs) -> None:
    """Make an image that other jobs may read by its key or its URL."""
    made = await jobs.run(image_job("SD1", width=128, height=128))
    (result,) = made.job["result"]
    jobs.placeholders.update(SOURCE_KEY=result["blobKey"], SOURCE_URL=result["blobUrl"])


Case: TypeAlias = tuple[str, JsonObject, set[str], tuple[int, int]]

# The checkpoint, what else the request says, node classes that there must be, and the size of the images.
PLAIN: dict[str, Case] = {
    "sd1": ("SD1", {}, {"CheckpointLoaderSimple", "KSampler"}, SMALL),
    "sdxl": ("SDXL", {}, {"CheckpointLoaderSimple", "KSampler"}, SMALL),
    "flux dev": ("FLUX_DEV", {}, {"UNETLoader", "DualCLIPLoader", "VAELoader", "FluxGuidance"}, SMALL),
    "flux dev in one file": ("FLUX_DEV_CHECKPOINT", {}, {"CheckpointLoaderSimple", "FluxGuidance"}, SMALL),
    "flux schnell": ("FLUX_SCHNELL", {}, {"UNETLoader", "DualCLIPLoader", "VAELoader"}, SMALL),
    "flux schnell in one file": ("FLUX_SCHNELL_CHECKPOINT", {}, {"CheckpointLoaderSimple"}, SMALL),
    "sd1 batch": ("SD1", {"members": {"quantity": 3}}, {"KSampler"}, SMALL),
    "sdxl batch": ("SDXL", {"members": {"quantity": 2}}, {"KSampler"}, SMALL),
    "flux batch": ("FLUX_DEV", {"members": {"quantity": 2}}, {"UNETLoader"}, SMALL),
    "sd1 lora": ("SD1", with_network("@SD1_LORA"), {"LoraLoader"}, SMALL),
    "sdxl lora": ("SDXL", with_network("@SDXL_LORA"), {"LoraLoader"}, SMALL),
    "flux lora": ("FLUX_DEV", with_network("@FLUX_LORA"), {"LoraLoader"}, SMALL),
    "flux lora in one file": ("FLUX_DEV_CHECKPOINT", with_network("@FLUX_LORA"), {"LoraLoader"}, SMALL),
    "sd1 clip skip": ("SD1", {"clipSkip": 2}, {"CLIPSetLastLayer"}, SMALL),
    "sd1 embedding": ("SD1", with_network("@SD1_EMBEDDING"), {"CLIPTextEncode"}, SMALL),
    "sd1 vae": ("SD1", with_network("@SD1_VAE"), {"VAELoader"}, SMALL),
    "sd1 hires": ("SD1", {"hires": {"scale": 2}}, {"LatentUpscale"}, LARGE),
    "sdxl hires": ("SDXL", {"hires": {"scale": 2}}, {"LatentUpscale"}, LARGE),
    "flux hires": ("FLUX_DEV", {"hires": {"scale": 2}}, {"LatentUpscale"}, LARGE),
    "sd1 hires by model": ("SD1", {"hires": {"scale": 2, "upscaler": "@UPSCALER"}}, {"ImageUpscaleWithModel"}, LARGE),
    "sd1 upscale": ("SD1", {"upscale": {"model": "@UPSCALER", "scale": 2}}, {"ImageUpscaleWithModel"}, LARGE),
    "sdxl refiner": ("SDXL", {"steps": 5, "refiner": {"model": "@SDXL_REFINER"}}, {"KSamplerAdvanced"}, SMALL),
}

GUIDED: dict[str, Case] = {
    "sd1": ("SD1", {"sourceImage": "@SOURCE_KEY", "denoiseStrength": 0.6}, {"LoadImage", "VAEEncode"}, SMALL),
    "sdxl by url": ("SDXL", {"sourceImage": "@SOURCE_URL"}, {"LoadImage", "VAEEncode"}, SMALL),
    "flux": ("FLUX_DEV", {"sourceImage": "@SOURCE_KEY"}, {"LoadImage", "VAEEncode"}, SMALL),
    "flux in one file": ("FLUX_SCHNELL_CHECKPOINT", {"sourceImage": "@SOURCE_KEY"}, {"LoadImage", "VAEEncode"}, SMALL),
    "canny": ("SD1", {"members": {"controlNets": [CANNY]}}, {"Canny", "ControlNetApplyAdvanced"}, SMALL),
}


async def check(jobs: RealJobs, template: JsonObject, classes: set[str], size: tuple[int, int]) -> None:
    """Check that there are as many images as were asked for, each of its size, and that all name the graph that ran."""
    made = await jobs.run(template)
    assert classes <= made.classes
    assert made.event_graph == made.ran
    assert [image.size for image in made.images] == [size] * int(str(template.get("quantity", 1)))
    assert len({image.tobytes() for image in made.images}) == len(made.images)
    for result, image in zip(made.job["result"], made.images, strict=True):
        assert made.seeds == {result["seed"]} == {made.job["job"]["params"]["seed"]}
        assert f"Seed: {result['seed']}" in image.info["parameters"]


@pytest.mark.parametrize(("model", "options", "classes", "size"), PLAIN.values(), ids=PLAIN)
async def test_a_job_makes_the_images_that_its_result_describes(
    jobs: RealJobs, model: str, options: Any, classes: set[str], size: tuple[int, int]
) -> None:
    await check(jobs, image_job(model, **options), classes, size)


@pytest.mark.parametrize(("model", "options", "classes", "size"), GUIDED.values(), ids=GUIDED)
@pytest.mark.usefixtures("source")
async def test_a_job_reads_the_image_of_another(
    jobs: RealJobs, model: str, options: Any, classes: set[str], size: tuple[int, int]
) -> None:
    await check(jobs, image_job(model, **options), classes, size)
