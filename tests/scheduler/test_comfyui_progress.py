"""Steps and previews of a job on a ComfyUI server."""

import asyncio
from io import BytesIO

from PIL import Image

from civitai_mock.comfyui_standin.options import StandinOptions
from civitai_mock.domain.job import Job
from civitai_mock.domain.progress import SamplingProgress, progress_of
from tests.scheduler.comfyui_bench import MODELS
from tests.scheduler.conftest import PROGRESS_SECONDS, Bench, running
from tests.support.comfyui import ENDLESS, LONGEST_WAIT_SECONDS, comfyui_on
from tests.support.standin import running_standin

STEPS = 150


async def test_a_job_on_a_server_shows_its_steps_and_a_preview_that_is_an_image(bench: Bench) -> None:
    options = StandinOptions(previews=True, durations=ENDLESS.durations)
    async with (
        running_standin(models=MODELS, options=options) as standin,
        comfyui_on(standin) as provider,
        running(bench.scheduler(provider=provider)),
    ):
        (job,) = await bench.submit(params={"prompt": "a fox", "width": 64, "height": 64, "steps": STEPS})
        progress = await _progress_with_preview(bench, job)
        image = await _image(bench, progress)
        await bench.cancel(job.id)
    assert (progress.steps, progress.node_type) == (STEPS, "KSampler")
    assert 0 < progress.step <= STEPS
    assert progress.fraction == round(progress.step / STEPS, 4)
    assert image.format == "JPEG"


async def _progress_with_preview(bench: Bench, job: Job) -> SamplingProgress:
    """Return the job's progress once it has a preview; each look moves the scheduler's clock."""
    async with asyncio.timeout(LONGEST_WAIT_SECONDS):
        while True:
            progress = progress_of(await bench.job(job.id))
            if progress is not None and progress.preview_key is not None:
                return progress
            await asyncio.sleep(0)
            bench.clock.advance(PROGRESS_SECONDS / 100)


async def _image(bench: Bench, progress: SamplingProgress) -> Image.Image:
    image = Image.open(BytesIO(await bench.read_blob(str(progress.preview_key))))
    image.load()
    return image
