"""Steps and previews of a job on a ComfyUI server."""

import asyncio
from io import BytesIO

from PIL import Image

from civitai_mock.comfyui_standin.options import StandinOptions
from civitai_mock.domain.job import Job
from civitai_mock.domain.progress import SamplingProgress, progress_of
from tests.scheduler.conftest import PROGRESS_SECONDS, Bench, running
from tests.support.comfyui import ENDLESS, LONGEST_WAIT_SECONDS, comfyui_on
from tests.support.jobs import collect
from tests.support.standin import running_standin

MODELS = {"checkpoints": ["sd1/civitai/4384/128713.safetensors"]}
STEPS = 150


async def test_a_job_on_a_server_shows_its_steps_and_a_preview_that_is_a_image(bench: Bench) -> None:
    options = StandinOptions(previews=True, durations=ENDLESS.durations)
    async with (
        running_standin(models=MODELS, options=options) as standin,
        comfyui_on(standin) as provider,
        running(bench.scheduler(provider=provider)),
    ):
        (job,) = await bench.submit(params={"prompt": "a fox", "width": 64, "height": 64, "steps": STEPS})
        shown = await _shown(bench, job)
        image = await _image(bench, shown)
        await bench.cancel(job.id)
    assert (shown.steps, shown.node_type) == (STEPS, "KSampler")
    assert 0 < shown.step <= STEPS
    assert shown.fraction == round(shown.step / STEPS, 4)
    assert image.format == "JPEG"


async def _shown(bench: Bench, job: Job) -> SamplingProgress:
    """What the job shows as soon as it shows a preview; the scheduler's time goes by with each look."""
    async with asyncio.timeout(LONGEST_WAIT_SECONDS):
        while True:
            shown = progress_of(await bench.job(job.id))
            if shown is not None and shown.preview_key is not None:
                return shown
            await asyncio.sleep(0)
            bench.clock.advance(PROGRESS_SECONDS / 100)


async def _image(bench: Bench, shown: SamplingProgress) -> Image.Image:
    blob = await bench.stores.blobs.stat(str(shown.preview_key))
    assert blob is not None
    image = Image.open(BytesIO(await collect(bench.stores.blobs.read(blob.key, start=0, stop=blob.size))))
    image.load()
    return image
