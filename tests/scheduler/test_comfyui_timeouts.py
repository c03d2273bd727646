"""Prompts on ComfyUI servers that take longer than their job's claim may."""

from civitai_mock.domain.stages import Outcome
from tests.scheduler.comfyui_bench import (
    PARAMS,
    open_standin,
    pass_seconds,
    pass_time_until,
    running_on,
    wait_until_ended,
)
from tests.scheduler.conftest import Bench
from tests.support.comfyui import HELD, Gate


async def test_a_prompt_that_was_stopped_for_its_time_is_run_again_and_not_taken_for_a_stopped_job(
    bench: Bench,
) -> None:
    """The server's history says of the first one that it was interrupted, as it would if a user had done it."""
    gate = Gate()
    async with (
        open_standin(clock=gate, options=HELD) as standin,
        running_on(bench, standin),
    ):
        (job,) = await bench.submit(params=PARAMS, timeout="00:08:00")

        async def is_back() -> bool:
            return "ClaimExpired" in await bench.event_types(job.id)

        await pass_seconds(bench, 60 * 8 - 2)
        await pass_time_until(bench, is_back)
        gate.open()
        done = await wait_until_ended(bench, job)
    assert (done.outcome, done.retry_attempt) == (Outcome.SUCCEEDED, 1)
