"""Queues that stand still, and prompts that wait in them: what has not begun is moved."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from civitai_mock.domain.errors import NotStartedError, TransientError
from civitai_mock.ports import Submission
from civitai_mock.providers.comfyui.options import ComfyOptions, Timeouts
from civitai_mock.providers.comfyui.provider import ComfyUI
from tests.support.comfyui import (
    HELD,
    IMPATIENT,
    TICK,
    Gate,
    comfyui_on,
    finish,
    is_pending,
    is_running,
    make_submission,
    until,
)
from tests.support.standin import RunningStandin, running_standin

NEVER = timedelta(hours=1)
CALM = replace(IMPATIENT, timeouts=Timeouts(), stall_timeout=NEVER, move_after=NEVER)
WATCHFUL = replace(CALM, stall_timeout=100 * TICK)
MOBILE = replace(CALM, move_after=10 * TICK)


@asynccontextmanager
async def occupied(*, options: ComfyOptions) -> AsyncIterator[tuple[RunningStandin, RunningStandin, ComfyUI]]:
    """Run two servers, of which somebody else's endless prompt occupies the first."""
    async with (
        running_standin() as one,
        running_standin() as two,
        comfyui_on(one, two, options=options) as provider,
    ):
        one.server.faults.set(foreign_prompt=True)
        await until(lambda: one.server.life.queue.running is not None)
        yield one, two, provider


async def queued_on_the_first(
    one: RunningStandin, two: RunningStandin, provider: ComfyUI, count: int
) -> list[Submission]:
    """Send prompts that wait behind the endless one, because the second server is away when they come."""
    two.go_down()
    await until(lambda: not provider.workers[1].ready)
    submissions = [make_submission() for _ in range(count)]
    for submission in submissions:
        await provider.send(submission)
        await until(lambda: is_pending(one, submission.prompt_id))  # noqa: B023 - waited for at once
    return submissions


async def test_what_waits_behind_somebody_elses_endless_prompt_is_moved_to_an_idle_server() -> None:
    async with occupied(options=MOBILE) as (one, two, provider):
        submissions = await queued_on_the_first(one, two, provider, 4)
        finishing = [asyncio.create_task(finish(provider, submission)) for submission in submissions]
        await two.come_back()
        finished = await asyncio.gather(*finishing)
        assert {each.worker for each in finished} == {provider.workers[1].id}
        assert one.server.life.queue.pending == []
        for submission in submissions:
            assert one.server.prompt(submission.prompt_id).started == 0
            assert two.server.prompt(submission.prompt_id).accepted == 1


async def test_what_waits_on_a_draining_server_is_moved_and_what_runs_there_ends_there() -> None:
    gate = Gate()
    async with (
        running_standin(clock=gate, options=HELD) as one,
        running_standin() as two,
        comfyui_on(one, two, options=MOBILE) as provider,
    ):
        first, second = provider.workers
        provider.servers.drain([second.id])
        running, waiting = make_submission(), make_submission()
        runs = asyncio.create_task(finish(provider, running))
        await until(lambda: is_running(one, running.prompt_id))
        waits = asyncio.create_task(finish(provider, waiting))
        await until(lambda: is_pending(one, waiting.prompt_id))
        provider.servers.drain([first.id])
        assert (await waits).worker == second.id
        gate.open()
        assert (await runs).worker == first.id
        assert [worker.ready for worker in provider.workers] == [False, True]


async def test_being_moved_costs_no_retry_and_says_why() -> None:
    async with occupied(options=MOBILE) as (one, two, provider):
        (submission,) = await queued_on_the_first(one, two, provider, 1)
        await two.come_back()
        with pytest.raises(NotStartedError, match=f"{provider.workers[1].id} has nothing to do"):
            await provider.collect(submission.prompt_id)


async def test_a_server_that_others_keep_busy_is_not_idle() -> None:
    async with occupied(options=MOBILE) as (one, two, provider):
        (submission,) = await queued_on_the_first(one, two, provider, 1)
        two.server.faults.set(foreign_prompt=True)
        await until(lambda: two.server.life.queue.running is not None)
        await two.come_back()
        await until(lambda: provider.workers[1].ready)
        asked = two.server.state.stats.requests["GET /queue"]
        await until(lambda: two.server.state.stats.requests["GET /queue"] > asked + 5)
        assert is_pending(one, submission.prompt_id)


async def test_a_server_whose_queue_does_not_move_is_not_ready_and_is_taken_back_when_it_does() -> None:
    with capture_logs() as logs:
        async with occupied(options=WATCHFUL) as (one, _, provider):
            await until(lambda: not provider.workers[0].ready)
            assert "its queue has not moved for" in provider.workers[0].reason
            assert "(not ours) is running" in provider.workers[0].reason
            assert (await finish(provider, make_submission())).worker == provider.workers[1].id
            one.server.faults.clear()
            await until(lambda: provider.workers[0].ready)
    told = [log["event"] for log in logs if "queue" in log["event"]]
    assert told == ["queue stuck", "queue moves again"]


async def test_what_waits_in_a_queue_that_does_not_move_is_taken_back_at_no_cost() -> None:
    """It is taken back even if no other server is there: the prompt that runs may never end."""
    async with running_standin() as standin, comfyui_on(standin, options=WATCHFUL) as provider:
        standin.server.faults.set(foreign_prompt=True)
        submission = make_submission()
        await provider.send(submission)
        with pytest.raises(NotStartedError, match="its queue has not moved"):
            await provider.collect(submission.prompt_id)
        assert not is_pending(standin, submission.prompt_id)
        with pytest.raises(TransientError, match="its queue has not moved"):
            await provider.send(submission)
        standin.server.faults.clear()
        assert (await finish(provider, submission)).contents
        assert standin.server.prompt(submission.prompt_id).started == 1


async def test_a_prompt_that_the_worker_died_of_makes_the_server_stuck() -> None:
    async with (
        running_standin() as one,
        running_standin() as two,
        comfyui_on(one, two, options=WATCHFUL) as provider,
    ):
        one.server.faults.set(stuck=True)
        finished = await asyncio.gather(*(finish(provider, make_submission()) for _ in range(8)))
        assert {each.worker for each in finished} == {provider.workers[1].id}
        assert not provider.workers[0].ready
