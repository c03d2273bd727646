"""Servers that fail what others can do: another one gets a try, and who fails everything is put aside."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from civitai_mock.comfyui_standin.options import Damage, StandinOptions
from civitai_mock.domain.errors import JobError, NotStartedError, RunFailedError, TransientError, TryElsewhereError
from civitai_mock.providers.comfyui.options import Timeouts
from civitai_mock.providers.comfyui.provider import ComfyUI
from tests.support.comfyui import (
    ENDLESS,
    IMPATIENT,
    TICK,
    comfyui_on,
    contents_of,
    endless_submission,
    finish,
    make_submission,
    until,
)
from tests.support.standin import RunningStandin, running_standin
from tests.support.standin_session import text_to_image, with_inputs

ALWAYS = 1_000_000
FULL_DISK = ("SaveImage", "OSError", "[Errno 28] No space left on device")
SICK_DEVICE = ("KSampler", "RuntimeError", "CUDA error: an illegal memory access was encountered")
FULL_MEMORY = ("KSampler", "torch.OutOfMemoryError", "Allocation on device 0 would exceed allowed memory.")
NOBODY_KNOWS = ("VAEDecode", "ValueError", "odd")
SICKNESSES = [FULL_DISK, SICK_DEVICE, FULL_MEMORY, NOBODY_KNOWS]
CALM = replace(IMPATIENT, timeouts=Timeouts())  # a busy machine is not a server that is away
RESTLESS = replace(CALM, cooldown=timedelta(hours=1), longest_cooldown=timedelta(hours=1))
WELL = pytest.mark.parametrize("sickness", SICKNESSES, ids="{0[1]}".format)


def sicken(standin: RunningStandin, sickness: tuple[str, str, str], *, times: int = ALWAYS) -> None:
    node, kind, message = sickness
    standin.server.faults.set(failing_class=node, failing_type=kind, failing_message=message, failing_times=times)


def runs_on(standin: RunningStandin) -> int:
    return sum(facts.started for facts in standin.server.state.stats.prompts.values())


async def failure(provider: ComfyUI) -> Exception:
    submission = make_submission()
    await provider.send(submission)
    with pytest.raises((JobError, TransientError)) as caught:
        await provider.collect(submission.prompt_id)
    return caught.value


@WELL
async def test_what_one_server_fails_another_one_does(sickness: tuple[str, str, str]) -> None:
    async with (
        running_standin() as sick,
        running_standin() as well,
        comfyui_on(sick, well, options=RESTLESS) as provider,
    ):
        sicken(sick, sickness)
        finished = await asyncio.gather(*(finish(provider, make_submission(), most_tries=2) for _ in range(12)))
        assert {one.worker for one in finished} == {provider.workers[1].id}
        assert runs_on(sick) <= 2 * IMPATIENT.max_in_flight
        assert [worker.ready for worker in provider.workers] == [False, True]
        assert sickness[2] in provider.workers[0].reason


@pytest.mark.parametrize("fault", ["missing_images", "half_images"])
async def test_images_that_cannot_be_had_are_made_on_another_server_at_no_cost(fault: str) -> None:
    async with (
        running_standin() as sick,
        running_standin() as well,
        comfyui_on(sick, well, options=RESTLESS) as provider,
    ):
        sick.server.faults.set(**{fault: ALWAYS})
        submission = make_submission()
        await provider.send(submission)
        with pytest.raises(TryElsewhereError):
            await contents_of(await provider.collect(submission.prompt_id))
        assert (await finish(provider, submission)).worker == provider.workers[1].id
        await asyncio.gather(*(finish(provider, make_submission(), most_tries=2) for _ in range(12)))
        assert runs_on(sick) <= 2 * IMPATIENT.max_in_flight
        assert not provider.workers[0].ready
        assert provider.workers[1].ready


async def test_images_that_no_server_hands_out_cost_a_retry_and_report_each_error() -> None:
    async with running_standin() as one, running_standin() as two, comfyui_on(one, two, options=CALM) as provider:
        for standin in (one, two):
            standin.server.faults.set(missing_images=ALWAYS)
        with pytest.raises(TransientError) as caught:
            await finish(provider, make_submission(), most_tries=2)
        assert not isinstance(caught.value, NotStartedError)
        assert all(f"{worker.id} no longer has" in caught.value.message for worker in provider.workers)


async def test_a_failure_that_another_server_may_mend_costs_no_retry_and_names_the_server() -> None:
    async with running_standin() as one, running_standin() as two, comfyui_on(one, two, options=CALM) as provider:
        sicken(one, FULL_DISK)
        error = await failure(provider)
        assert isinstance(error, TryElsewhereError)
        assert error.message.startswith(f"{provider.workers[0].id}: ComfyUI failed in node 9 (SaveImage): [Errno 28]")


async def test_a_job_fails_once_every_server_has_and_reports_each_error() -> None:
    async with running_standin() as one, running_standin() as two, comfyui_on(one, two, options=CALM) as provider:
        sicken(one, FULL_DISK)
        sicken(two, SICK_DEVICE)
        with pytest.raises(JobError) as caught:
            await finish(provider, make_submission(), most_tries=3)
        for worker, (_, _, said) in zip(provider.workers, (FULL_DISK, SICK_DEVICE), strict=True):
            assert worker.id in caught.value.message
            assert said in caught.value.message
        failures = caught.value.evidence["failures"]
        assert isinstance(failures, list)
        assert {said["worker"] for said in failures} == {worker.id for worker in provider.workers}
        assert (runs_on(one), runs_on(two)) == (1, 1)


async def test_what_no_server_could_do_is_not_tried_on_another() -> None:
    shapes = ("KSampler", "RuntimeError", "mat1 and mat2 shapes cannot be multiplied (154x2048 and 768x320)")
    async with running_standin() as one, running_standin() as two, comfyui_on(one, two, options=CALM) as provider:
        sicken(one, shapes)
        sicken(two, shapes)
        assert isinstance(await failure(provider), JobError)
        assert runs_on(one) + runs_on(two) == 1
        assert all(worker.ready for worker in provider.workers)


@WELL
async def test_the_only_server_tries_again(sickness: tuple[str, str, str]) -> None:
    async with running_standin() as standin, comfyui_on(standin, options=CALM) as provider:
        sicken(standin, sickness, times=2)
        submission = make_submission()
        assert (await finish(provider, submission)).tries == 3
        assert standin.server.prompt(submission.prompt_id).outcomes == ["error", "error", "success"]


async def test_the_only_server_that_has_the_files_tries_again() -> None:
    async with (
        running_standin(models={"checkpoints": []}) as poor,
        running_standin() as rich,
        comfyui_on(poor, rich, options=CALM) as provider,
    ):
        sicken(rich, FULL_DISK, times=1)
        assert isinstance(await failure(provider), RunFailedError)
        assert (await finish(provider, make_submission())).worker == provider.workers[1].id


async def test_what_nobody_knows_the_fault_of_is_the_requests_if_others_succeeded_in_between() -> None:
    odd = with_inputs(text_to_image(seed=4242), "8", samples=["3", 0])
    async with running_standin() as standin, comfyui_on(standin, options=CALM) as provider:
        submission = make_submission(odd)
        sicken(standin, NOBODY_KNOWS, times=1)
        await provider.send(submission)
        with pytest.raises(RunFailedError):
            await provider.collect(submission.prompt_id)
        await finish(provider, make_submission())
        sicken(standin, NOBODY_KNOWS, times=1)
        await provider.send(submission)
        with pytest.raises(JobError, match="odd"):
            await provider.collect(submission.prompt_id)


async def test_graphs_that_fail_alike_on_every_server_put_none_aside() -> None:
    async with running_standin() as one, running_standin() as two, comfyui_on(one, two, options=RESTLESS) as provider:
        for standin in (one, two):
            sicken(standin, NOBODY_KNOWS)
        for _ in range(2):
            submissions = [
                make_submission() for _ in range(3)
            ]  # more at once may open both breakers before a second try
            ends = await asyncio.gather(
                *(finish(provider, submission, most_tries=2) for submission in submissions), return_exceptions=True
            )
            assert {type(end) for end in ends} == {JobError}
            assert all(worker.ready for worker in provider.workers)


async def test_a_server_that_fails_everything_is_put_aside_tried_and_taken_back() -> None:
    with capture_logs() as logs:
        async with running_standin() as standin, comfyui_on(standin, options=CALM) as provider:
            sicken(standin, SICK_DEVICE)
            for _ in range(3):
                await failure(provider)
            (worker,) = provider.workers
            assert not worker.ready
            assert worker.reason.startswith("put aside: prompt after prompt failed here (ComfyUI failed in node 3")
            trials = [asyncio.create_task(failure(provider)) for _ in range(2)]
            await until(lambda: any(trial.done() for trial in trials))
            assert runs_on(standin) == 4
            assert not provider.workers[0].ready
            standin.server.faults.clear()
            for trial in trials:
                trial.cancel()
            await finish(provider, make_submission())
            assert provider.workers[0].ready
    told = [log["event"] for log in logs if log["event"] in {"server put aside", "server back"}]
    assert told == ["server put aside", "server back"]


async def test_a_server_that_was_put_aside_gets_a_trial_when_somebody_asks_for_it() -> None:
    async with running_standin() as standin, comfyui_on(standin, options=RESTLESS) as provider:
        sicken(standin, SICK_DEVICE, times=3)
        for _ in range(3):
            await failure(provider)
        waiting = asyncio.create_task(finish(provider, make_submission()))
        assert not provider.workers[0].ready
        await provider.servers.check(provider.workers[0].id, within=timedelta(seconds=60))
        assert "one prompt is tried" in provider.workers[0].reason
        assert (await waiting).worker == provider.workers[0].id
        assert provider.workers[0].ready


async def test_a_server_that_answers_no_prompt_is_put_aside_as_well() -> None:
    async with (
        running_standin() as sick,
        running_standin() as well,
        comfyui_on(sick, well, options=RESTLESS) as provider,
    ):
        sick.server.faults.set(disk_full=True)
        finished = await asyncio.gather(*(finish(provider, make_submission(), most_tries=1) for _ in range(12)))
        assert {one.worker for one in finished} == {provider.workers[1].id}
        assert not provider.workers[0].ready


async def test_a_server_that_dies_of_prompt_after_prompt_is_put_aside() -> None:
    async with running_standin(options=ENDLESS) as standin, comfyui_on(standin, options=RESTLESS) as provider:
        for _ in range(3):
            await _dies_of_a_prompt(standin, provider)
        (worker,) = provider.workers
        assert not worker.ready
        assert "The server has lost the prompt" in worker.reason


async def _dies_of_a_prompt(standin: RunningStandin, provider: ComfyUI) -> None:
    submission = endless_submission()
    await provider.send(submission)
    await until(lambda: standin.server.prompt(submission.prompt_id).started == 1)
    standin.server.restart()
    with pytest.raises(TransientError):
        await provider.collect(submission.prompt_id)


async def test_after_a_restart_of_ours_a_failure_in_history_is_judged_like_any_other() -> None:
    async with running_standin() as one, running_standin() as two:
        submission = make_submission()
        async with comfyui_on(one, options=CALM) as crashed:
            sicken(one, FULL_DISK)
            await crashed.send(submission)
            await until(lambda: one.server.prompt(submission.prompt_id).outcomes == ["error"])
        async with comfyui_on(one, two, options=CALM) as provider:
            finished = await finish(provider, submission, most_tries=2)
            assert finished.worker == provider.workers[1].id
            assert runs_on(one) == 1


async def test_a_trial_is_for_a_prompt_that_has_not_failed_there() -> None:
    """One that fails wherever it goes must not keep a server aside that could do all others."""
    options = replace(CALM, cooldown=30 * TICK)
    async with running_standin() as standin, comfyui_on(standin, options=options) as provider:
        sicken(standin, NOBODY_KNOWS, times=3)
        bad = [make_submission() for _ in range(3)]
        for submission in bad:
            await provider.send(submission)
            with pytest.raises(RunFailedError):
                await provider.collect(submission.prompt_id)
        again = [asyncio.create_task(provider.send(submission)) for submission in bad]
        good = make_submission()
        await provider.send(good)
        assert standin.server.prompt(good.prompt_id).accepted == 1
        assert all(not task.done() for task in again)
        await provider.collect(good.prompt_id)
        await asyncio.gather(*again)


async def test_one_file_that_cannot_be_read_does_not_put_its_server_aside() -> None:
    options = StandinOptions(damage={"sd15.safetensors": Damage.CORRUPT})
    async with running_standin(options=options) as standin, comfyui_on(standin, options=RESTLESS) as provider:
        for _ in range(4):
            assert isinstance(await failure(provider), RunFailedError)
        assert provider.workers[0].ready


async def test_a_server_that_can_read_none_of_its_files_is_put_aside() -> None:
    names = [f"{number}.safetensors" for number in range(3)]
    options = StandinOptions(damage=dict.fromkeys(names, Damage.CORRUPT))
    async with (
        running_standin(models={"checkpoints": names}, options=options) as standin,
        comfyui_on(standin, options=RESTLESS) as provider,
    ):
        for name in names:
            submission = make_submission(text_to_image(checkpoint=name))
            await provider.send(submission)
            with pytest.raises(RunFailedError):
                await provider.collect(submission.prompt_id)
        assert not provider.workers[0].ready
