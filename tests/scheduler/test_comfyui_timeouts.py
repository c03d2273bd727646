"""Prompts on ComfyUI servers that take longer than their job's claim may."""

from civitai_mock.domain.stages import Outcome
from tests.scheduler.conftest import Bench
from tests.scheduler.test_comfyui_absence import MODELS, PARAMS, ended, pass_seconds, until, working
from tests.support.comfyui import HELD, Gate
from tests.support.provider_openers import draw_simulated
from tests.support.standin import running_standin


async def test_a_prompt_that_was_stopped_for_its_time_is_run_again_and_not_taken_for_a_stopped_job(
    bench: Bench,
) -> None:
    """The server's history says of the first one that it was interrupted, as it would if a user had done it."""
    gate = Gate()
    async with (
        running_standin(models=MODELS, draw=draw_simulated, clock=gate, options=HELD) as standin,
        working(bench, standin),
    ):
        (job,) = await bench.submit(params=PARAMS, timeout="00:08:00")

        async def is_back() -> bool:
            return "ClaimExpired" in await bench.told(job.id)

        await pass_seconds(bench, 60 * 8 - 2)
        await until(bench, is_back)
        gate.open()
        done = await ended(bench, job)
    assert (done.outcome, done.retry_attempt) == (Outcome.SUCCEEDED, 1)
