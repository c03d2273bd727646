"""Jobs on ComfyUI servers that are sick, with the options that users have and a clock that is moved."""

import pytest

from civitai_mock.domain.job import MAX_RETRY_ATTEMPT
from civitai_mock.domain.stages import Outcome
from tests.scheduler.comfyui_bench import PARAMS, open_standin, pass_seconds, running_on, wait_until_ended
from tests.scheduler.conftest import Bench
from tests.support.standin import RunningStandin

ALWAYS = 1_000_000


def sicken(standin: RunningStandin, node: str, message: str, *, times: int = ALWAYS) -> None:
    standin.server.faults.set(failing_class=node, failing_message=message, failing_times=times)


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ("SaveImage", "[Errno 28] No space left on device"),
        ("KSampler", "CUDA error: an illegal memory access was encountered"),
        ("KSampler", "Allocation on device 0 would exceed allowed memory. (out of memory)"),
    ],
)
async def test_one_sick_server_of_two_costs_no_job_and_no_retry(bench: Bench, node: str, message: str) -> None:
    async with (
        open_standin() as sick,
        open_standin() as well,
        running_on(bench, sick, well),
    ):
        sicken(sick, node, message)
        jobs = [await wait_until_ended(bench, job) for job in await bench.submit(20, params=PARAMS)]
    assert {(job.outcome, job.retry_attempt) for job in jobs} == {(Outcome.SUCCEEDED, 0)}


async def test_one_server_of_two_whose_images_are_gone_costs_no_job_and_no_retry(bench: Bench) -> None:
    async with (
        open_standin() as sick,
        open_standin() as well,
        running_on(bench, sick, well),
    ):
        sick.server.faults.set(missing_images=ALWAYS)
        jobs = [await wait_until_ended(bench, job) for job in await bench.submit(12, params=PARAMS)]
    assert {(job.outcome, job.retry_attempt) for job in jobs} == {(Outcome.SUCCEEDED, 0)}


async def test_a_server_that_is_sick_for_ten_minutes_does_not_burn_the_queue(bench: Bench) -> None:
    async with open_standin() as standin, running_on(bench, standin):
        sicken(standin, "KSampler", "CUDA error: unspecified launch failure")
        submitted = await bench.submit(12, params=PARAMS)
        await pass_seconds(bench, 600)
        runs = sum(facts.started for facts in standin.server.state.stats.prompts.values())
        standin.server.faults.clear()
        jobs = [await wait_until_ended(bench, job) for job in submitted]
    assert {job.outcome for job in jobs} == {Outcome.SUCCEEDED}
    assert runs <= 10


async def test_a_job_that_fails_each_time_ends_with_comfyuis_words(bench: Bench) -> None:
    async with open_standin() as standin, running_on(bench, standin):
        sicken(standin, "SaveImage", "[Errno 28] No space left on device")
        (job,) = await bench.submit(params=PARAMS)
        done = await wait_until_ended(bench, job)
    assert (done.outcome, done.retry_attempt) == (Outcome.FAILED, MAX_RETRY_ATTEMPT)
    context = done.last_event.context
    assert (context["error"], context["node_type"]) == ("job_failed", "SaveImage")
    assert "No space left on device" in str(context["message"])
