"""Tags in a prompt text that a server has no good file for: they cost the job nothing, and its event lists them."""

from typing import Any

import pytest

from civitai_mock.domain.job import Job
from civitai_mock.domain.stages import Outcome
from tests.scheduler.comfyui_bench import open_standin, running_on, wait_until_ended
from tests.scheduler.conftest import Bench
from tests.support.standin import RunningStandin

MODELS = {"checkpoints": ["sd1/civitai/4384/128713.safetensors"], "loras": ["style.safetensors"]}
SMALL = {"width": 64, "height": 64, "steps": 1}
BROKEN_FILE = ("safetensors_rust.SafetensorError", "Error while deserializing header: HeaderTooLarge")
OTHER_SHAPE = ("RuntimeError", "mat1 and mat2 shapes cannot be multiplied (77x2048 and 768x320)")
NOBODY_KNOWS = ("ValueError", "odd")
SICK_DEVICE = ("RuntimeError", "CUDA error: unspecified launch failure")


async def run(bench: Bench, prompt: str) -> Job:
    (job,) = await bench.submit(params={"prompt": prompt, **SMALL}, retries=1)
    return await wait_until_ended(bench, job)


def ignored_tags(job: Job) -> list[Any]:
    context: Any = job.last_event.context
    tags: list[Any] = context.get("ignoredTags", [])
    return tags


def ignored(job: Job) -> list[Any]:
    return [tag["tag"] for tag in ignored_tags(job)]


def spoil(standin: RunningStandin, failure: tuple[str, str]) -> None:
    kind, message = failure
    standin.server.faults.set(
        failing_class="LoraLoader", failing_type=kind, failing_message=message, failing_times=1_000_000
    )


async def test_ignored_tags_are_listed_whether_it_was_the_server_or_the_text_that_left_them_out(bench: Bench) -> None:
    prompt = "a fox <lora:style:0.5> <lora:nowhere:1> <lora:style:strong> <lora:nowhere:1>"
    async with open_standin(models=MODELS) as standin, running_on(bench, standin):
        job = await run(bench, prompt)
    assert job.outcome is Outcome.SUCCEEDED
    assert ignored(job) == ["<lora:style:strong>", "<lora:nowhere:1>"]
    assert "style.safetensors" in str(job.last_event.context["comfy_prompt_request"])


@pytest.mark.parametrize(
    ("loras", "reason"),
    [
        (["a/style.safetensors", "b/style.safetensors"], "'style' is in loras more than once: a/style.safetensors, b/"),
        (["styles.safetensors"], "'style' is not in loras (nearest: styles.safetensors)."),
        ([], "'style' is not in loras (nothing like it there)."),
    ],
)
async def test_a_tag_is_left_out_with_the_account_of_its_file(bench: Bench, loras: list[str], reason: str) -> None:
    models = {**MODELS, "loras": loras}
    async with open_standin(models=models) as standin, running_on(bench, standin):
        job = await run(bench, "a fox <lora:style:0.5>")
    (tag,) = ignored_tags(job)
    assert tag["tag"] == "<lora:style:0.5>"
    assert tag["reason"].startswith(reason)


async def test_a_tag_that_no_server_loads_is_left_out_with_what_was_said_of_it(bench: Bench) -> None:
    async with open_standin(models=MODELS) as standin, running_on(bench, standin):
        spoil(standin, BROKEN_FILE)
        (tag,) = ignored_tags(await run(bench, "a fox <lora:style:0.5>"))
    assert tag["reason"].endswith("(LoraLoader): Error while deserializing header: HeaderTooLarge.")


async def test_a_tag_that_is_left_out_for_two_reasons_is_listed_once(bench: Bench) -> None:
    async with open_standin(models=MODELS) as standin, running_on(bench, standin):
        job = await run(bench, "<lora:nowhere:1>" * 101)
    assert (job.outcome, ignored(job)) == (Outcome.SUCCEEDED, ["<lora:nowhere:1>"])


@pytest.mark.parametrize("failure", [BROKEN_FILE, OTHER_SHAPE, NOBODY_KNOWS], ids="{0[0]}".format)
async def test_a_file_that_cannot_be_loaded_is_left_out_at_no_cost(bench: Bench, failure: tuple[str, str]) -> None:
    async with open_standin(models=MODELS) as standin, running_on(bench, standin):
        spoil(standin, failure)
        job = await run(bench, "a fox <lora:style:0.5>, <lora:style:0.7>")
    assert (job.outcome, job.retry_attempt) == (Outcome.SUCCEEDED, 0)
    assert ignored(job) == ["<lora:style:0.5>", "<lora:style:0.7>"]


async def test_another_server_is_asked_before_a_file_is_left_out(bench: Bench) -> None:
    async with (
        open_standin(models=MODELS) as bad,
        open_standin(models=MODELS) as good,
        running_on(bench, bad, good),
    ):
        spoil(bad, BROKEN_FILE)
        jobs = [await run(bench, "a fox <lora:style:0.5>") for _ in range(4)]
    assert {(job.outcome, job.retry_attempt, *ignored(job)) for job in jobs} == {(Outcome.SUCCEEDED, 0)}


async def test_a_sick_device_is_not_the_fault_of_a_tag(bench: Bench) -> None:
    async with open_standin(models=MODELS) as standin, running_on(bench, standin):
        spoil(standin, SICK_DEVICE)
        job = await run(bench, "a fox <lora:style:0.5>")
    assert (job.outcome, job.retry_attempt) == (Outcome.FAILED, 1)
