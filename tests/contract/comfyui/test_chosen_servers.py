"""Prompts that only one server may run, and servers that are left alone as long as others have room."""

import asyncio
from dataclasses import replace

import pytest

from civitai_mock.clock import VirtualClock
from civitai_mock.domain.errors import NoWorkerError, RunFailedError
from tests.contract.comfyui.test_queues import MOBILE, occupied
from tests.support.comfyui import HELD, IMPATIENT, comfyui_on, finish, is_pending, make_submission, until
from tests.support.dates import START
from tests.support.standin import running_standin


@pytest.mark.parametrize("number", [0, 1])
async def test_a_prompt_runs_on_the_one_server_that_it_is_for(number: int) -> None:
    async with running_standin() as one, running_standin() as two, comfyui_on(one, two) as provider:
        name = provider.workers[number].id
        for _ in range(3):
            assert (await finish(provider, replace(make_submission(), only_on=name))).worker == name


async def test_a_prompt_waits_for_its_server_though_another_has_nothing_to_do() -> None:
    async with occupied(options=MOBILE) as (one, two, provider):
        submission = replace(make_submission(), only_on=provider.workers[0].id)
        await provider.send(submission)
        other = await finish(provider, make_submission())
        assert other.worker == provider.workers[1].id
        await asyncio.sleep(2 * MOBILE.move_after.total_seconds())  # in which it would be moved
        assert is_pending(one, submission.prompt_id)
        assert submission.prompt_id not in two.server.state.stats.prompts


async def test_a_prompt_for_a_server_that_is_away_goes_to_no_other() -> None:
    async with running_standin() as one, running_standin() as two, comfyui_on(one, two) as provider:
        one.go_down()
        await until(lambda: not provider.workers[0].answers)
        with pytest.raises(NoWorkerError, match=provider.workers[0].id):
            await provider.send(replace(make_submission(), only_on=provider.workers[0].id))
        assert two.server.state.stats.prompts == {}


async def test_a_prompt_for_a_server_that_is_nobodys_is_not_sent() -> None:
    async with running_standin() as one, comfyui_on(one) as provider:
        with pytest.raises(NoWorkerError, match="'gpu-9:8188' is not among"):
            await provider.send(replace(make_submission(), only_on="gpu-9:8188"))


async def test_a_prompt_that_fails_on_its_server_is_not_tried_on_another() -> None:
    async with running_standin() as one, running_standin() as two, comfyui_on(one, two) as provider:
        one.server.faults.set(failing_class="KSampler", failing_times=1)
        submission = replace(make_submission(), only_on=provider.workers[0].id)
        await provider.send(submission)
        with pytest.raises(RunFailedError):
            await provider.collect(submission.prompt_id)
        assert (await finish(provider, submission)).worker == provider.workers[0].id
        assert two.server.state.stats.prompts == {}


async def test_a_server_is_left_alone_until_the_others_are_full() -> None:
    options = replace(IMPATIENT, max_in_flight=1)
    async with (
        running_standin(clock=VirtualClock(START), options=HELD) as one,
        running_standin(clock=VirtualClock(START), options=HELD) as two,
        comfyui_on(one, two, options=options) as provider,
    ):
        first = provider.workers[0].id
        for count in (1, 2):
            await provider.send(replace(make_submission(), rather_not_on=[first]))
            assert len(two.server.state.stats.prompts) == 1
            assert len(one.server.state.stats.prompts) == count - 1


async def test_a_report_says_since_when_a_server_answers() -> None:
    async with running_standin() as one, comfyui_on(one) as provider:
        there = provider.workers[0]
        assert there.answers
        one.go_down()
        await until(lambda: not provider.workers[0].answers)
        away = provider.workers[0]
        assert away.since > there.since
        await one.come_back()
        await until(lambda: provider.workers[0].answers)
        assert provider.workers[0].since > away.since
