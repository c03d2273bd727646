"""The ComfyUI provider on servers that misbehave: no prompt is lost, and none runs twice needlessly."""

import asyncio
import io
from dataclasses import replace
from datetime import timedelta

import pytest
from PIL import Image

from civitai_mock.clock import SystemClock
from civitai_mock.domain.errors import NotStartedError, TransientError
from civitai_mock.providers.comfyui.options import Timeouts
from civitai_mock.providers.comfyui.provider import ComfyUI
from tests.support.comfyui import (
    ENDLESS,
    HELD,
    IMPATIENT,
    TICK,
    Gate,
    comfyui_on,
    contents_of,
    endless_submission,
    finish,
    is_pending,
    is_running,
    make_submission,
    until,
)
from tests.support.standin import plain_png, running_standin
from tests.support.standin_session import text_to_image, with_node

PATIENT = replace(IMPATIENT, server_wait=1000 * TICK)


@pytest.mark.parametrize("fault", ["deaf", "unannounced", "duplicated", "shuffled"], ids="a socket that is {}".format)
async def test_a_prompt_comes_to_its_end_whatever_the_socket_says(fault: str) -> None:
    async with running_standin() as standin, comfyui_on(standin) as provider:
        standin.server.faults.set(**{fault: True})
        for _ in range(3):
            submission = make_submission()
            assert (await finish(provider, submission)).tries == 1
            assert standin.server.prompt(submission.prompt_id).accepted == 1


async def test_a_prompt_survives_the_loss_of_its_socket() -> None:
    gate = Gate()
    async with running_standin(clock=gate, options=HELD) as standin, comfyui_on(standin) as provider:
        submission = make_submission()
        await provider.send(submission)
        await until(lambda: is_running(standin, submission.prompt_id))
        standin.server.drop_sockets()
        gate.open()
        assert (await finish(provider, submission)).tries == 1
        assert standin.server.prompt(submission.prompt_id).accepted == 1


async def test_each_connection_has_a_client_id_of_its_own() -> None:
    """A server that sees an id again goes mute when it cleans up after the old connection."""
    async with running_standin() as standin, comfyui_on(standin) as provider:
        hub = standin.server.life.hub
        await until(lambda: len(hub.client_ids) == 1)
        (before,) = hub.client_ids
        standin.server.drop_sockets()
        await until(lambda: before not in hub.client_ids and len(hub.client_ids) == 1)
        assert (await finish(provider, make_submission())).tries == 1


async def test_a_prompt_of_whose_start_nothing_was_heard_has_not_begun() -> None:
    """Nobody has polled the queue by then, but the socket would have reported its start."""
    gate, options = Gate(), replace(PATIENT, poll_interval=timedelta(hours=1))
    async with running_standin(clock=gate, options=HELD) as standin, comfyui_on(standin, options=options) as provider:
        await until(lambda: len(standin.server.life.hub.client_ids) == 1)
        first, second = make_submission(), make_submission()
        await provider.send(first)
        await until(lambda: _has_begun(provider, first.prompt_id))
        await provider.send(second)
        standin.server.restart()
        with pytest.raises(TransientError) as lost:
            await provider.collect(first.prompt_id)
        assert not isinstance(lost.value, NotStartedError)
        with pytest.raises(NotStartedError):
            await provider.collect(second.prompt_id)


def _has_begun(provider: ComfyUI, prompt_id: str) -> bool:
    """The provider knows no better: the moment that its turn came is past."""
    turn_came_at = provider.waited_until(prompt_id)
    return turn_came_at is not None and SystemClock().now() - turn_came_at > TICK


async def test_a_restart_loses_no_prompt() -> None:
    gate = Gate()
    async with running_standin(clock=gate, options=HELD) as standin, comfyui_on(standin) as provider:
        running, queued = make_submission(), make_submission()
        await provider.send(running)
        await provider.send(queued)
        await until(lambda: is_running(standin, running.prompt_id))
        waiting = [asyncio.create_task(provider.collect(each.prompt_id)) for each in (running, queued)]
        standin.server.restart()
        for task in waiting:
            with pytest.raises(TransientError, match="lost"):
                await task
        gate.open()
        for submission in (running, queued):
            await finish(provider, submission)
            assert standin.server.prompt(submission.prompt_id).accepted == 2
            assert standin.server.prompt(submission.prompt_id).outcomes == ["success"]


async def test_a_server_that_is_killed_and_started_again_loses_no_prompt() -> None:
    gate = Gate()
    async with running_standin(clock=gate, options=HELD) as standin, comfyui_on(standin, options=PATIENT) as provider:
        submission = make_submission()
        finishing = asyncio.create_task(finish(provider, submission))
        await until(lambda: is_running(standin, submission.prompt_id))
        standin.go_down()
        await until(lambda: not provider.workers[0].ready)
        gate.open()
        await standin.come_back()
        assert (await finishing).contents
        assert standin.server.prompt(submission.prompt_id).accepted == 2
        assert standin.server.prompt(submission.prompt_id).outcomes == ["success"]


async def test_a_prompt_that_is_done_while_its_server_cannot_be_reached_is_not_run_again() -> None:
    gate = Gate()
    async with running_standin(clock=gate, options=HELD) as standin, comfyui_on(standin, options=PATIENT) as provider:
        submission = make_submission()
        finishing = asyncio.create_task(finish(provider, submission))
        await until(lambda: is_running(standin, submission.prompt_id))
        standin.server.faults.set(hang=True)
        await until(lambda: not provider.workers[0].ready)
        gate.open()
        await until(lambda: standin.server.prompt(submission.prompt_id).outcomes == ["success"])
        standin.server.faults.clear()
        assert (await finishing).contents
        assert standin.server.prompt(submission.prompt_id).accepted == 1


async def test_a_prompt_is_given_up_when_its_server_stays_away() -> None:
    async with running_standin(clock=Gate(), options=HELD) as standin, comfyui_on(standin) as provider:
        submission = make_submission()
        await provider.send(submission)
        standin.go_down()
        with pytest.raises(TransientError, match="out of reach"):
            await provider.collect(submission.prompt_id)
        with pytest.raises(TransientError, match="No ComfyUI server that may run this graph is there"):
            await provider.send(submission)


@pytest.mark.parametrize("fault", ["prompt_errors_after_queueing", "lost_answers"])
async def test_a_prompt_that_arrived_although_its_answer_did_not_is_not_sent_again(fault: str) -> None:
    async with running_standin() as standin, comfyui_on(standin) as provider:
        standin.server.faults.set(**{fault: 1})
        submission = make_submission()
        assert (await finish(provider, submission)).tries == 1
        assert standin.server.prompt(submission.prompt_id).accepted == 1


async def test_a_server_with_a_full_disk_is_tried_again_later() -> None:
    async with running_standin() as standin, comfyui_on(standin) as provider:
        standin.server.faults.set(disk_full=True)
        submission = make_submission()
        with pytest.raises(TransientError, match="500"):
            await provider.send(submission)
        await until(lambda: provider.workers[0].in_flight == 0)
        standin.server.faults.clear()
        assert (await finish(provider, submission)).tries == 1
        assert standin.server.prompt(submission.prompt_id).accepted == 1


@pytest.mark.parametrize("place", ["waits", "runs"])
async def test_after_a_crash_of_ours_the_stored_prompt_id_is_asked_for_first(place: str) -> None:
    gate = Gate()
    async with running_standin(clock=gate, options=HELD) as standin:
        submission, blocker = make_submission(), make_submission()
        async with comfyui_on(standin) as crashed:
            if place == "waits":
                await crashed.send(blocker)
            await crashed.send(submission)
            where = is_pending if place == "waits" else is_running
            await until(lambda: where(standin, submission.prompt_id))
        async with comfyui_on(standin) as provider:
            assert (await provider.send(submission)).found
            collecting = asyncio.create_task(provider.collect(submission.prompt_id))
            gate.open()
            assert (await collecting).items
        assert standin.server.prompt(submission.prompt_id).accepted == 1


@pytest.mark.parametrize("resumed_at", ["send", "collect"])
async def test_after_a_crash_of_ours_a_finished_prompt_is_fetched(resumed_at: str) -> None:
    async with running_standin() as standin:
        submission = make_submission()
        async with comfyui_on(standin) as crashed:
            await crashed.send(submission)
            await crashed.collect(submission.prompt_id)
        async with comfyui_on(standin) as provider:
            if resumed_at == "send":
                assert (await provider.send(submission)).found
            assert (await provider.collect(submission.prompt_id)).items
        assert standin.server.prompt(submission.prompt_id).accepted == 1


async def test_a_send_that_was_broken_off_is_not_repeated_if_it_arrived() -> None:
    gate = Gate()
    async with running_standin(clock=gate, options=HELD) as standin, comfyui_on(standin) as provider:
        submission = make_submission()
        standin.server.faults.set(hang=True)
        sending = asyncio.create_task(provider.send(submission))
        await until(lambda: standin.server.state.stats.requests["GET /queue"] > 0)
        standin.server.faults.clear()
        await until(lambda: standin.server.prompt(submission.prompt_id).accepted == 1)
        sending.cancel()
        gate.open()
        assert (await finish(provider, submission)).contents
        assert standin.server.prompt(submission.prompt_id).accepted == 1


async def test_an_image_that_is_cut_off_is_fetched_to_its_end() -> None:
    async with running_standin() as standin, comfyui_on(standin) as provider:
        standin.server.faults.set(half_images=2)
        submission = make_submission()
        finished = await finish(provider, submission)
        assert finished.tries == 1
        assert finished.contents[0].endswith(b"IEND\xaeB`\x82")
        assert standin.server.prompt(submission.prompt_id).accepted == 1


async def test_an_image_is_fetched_later_if_its_server_goes_away_before() -> None:
    options = replace(IMPATIENT, timeouts=Timeouts(ordinary=50 * TICK, transfer=10 * TICK))
    async with running_standin() as standin, comfyui_on(standin, options=options) as provider:
        submission = make_submission()
        await provider.send(submission)
        outputs = await provider.collect(submission.prompt_id)
        standin.server.faults.set(hang=True)
        with pytest.raises(TransientError):
            await contents_of(outputs)
        standin.server.faults.clear()
        await until(lambda: provider.workers[0].ready)
        assert (await finish(provider, submission)).contents
        assert standin.server.prompt(submission.prompt_id).accepted == 1


@pytest.mark.parametrize("again", [1, 2])
async def test_an_image_that_is_gone_is_made_again_under_another_name(again: int) -> None:
    """Its graph is cached as a whole, so the same one would point at the missing file for ever."""
    async with running_standin() as standin, comfyui_on(standin) as provider:
        standin.server.faults.set(missing_images=again)
        submission = make_submission()
        finished = await finish(provider, submission)
        assert finished.tries == 1 + again
        assert finished.contents[0].startswith(b"\x89PNG")
        facts = standin.server.prompt(submission.prompt_id)
        assert facts.accepted == 1 + again
        assert facts.nodes_run == 7 + again


async def test_an_identical_graph_whose_file_was_deleted_is_made_again() -> None:
    async with running_standin() as standin, comfyui_on(standin) as provider:
        graph = text_to_image(seed=77)
        await finish(provider, make_submission(graph))
        standin.server.forget_files()
        assert (await finish(provider, make_submission(graph))).tries == 2


async def test_images_that_went_with_the_socket_are_made_again() -> None:
    gate = Gate()
    async with running_standin(clock=gate, options=HELD) as standin, comfyui_on(standin) as provider:
        graph = with_node(text_to_image(seed=78), "9", "SaveImageWebsocket", images=["8", 0])
        submission = make_submission(graph)
        finishing = asyncio.create_task(finish(provider, submission))
        await until(lambda: is_running(standin, submission.prompt_id))
        standin.server.drop_sockets()
        gate.open()
        finished = await finishing
        assert finished.tries == 2
        (content,) = finished.contents
        assert Image.open(io.BytesIO(content)).tobytes() == Image.open(io.BytesIO(plain_png())).tobytes()


async def test_a_prompt_whose_history_was_wiped_is_done_if_it_was_heard_to_its_end() -> None:
    async with running_standin() as standin, comfyui_on(standin) as provider:
        submission = make_submission()
        await provider.send(submission)
        await until(lambda: standin.server.prompt(submission.prompt_id).outcomes == ["success"])
        standin.server.life.history.clear()
        assert (await finish(provider, submission)).tries == 1
        assert standin.server.prompt(submission.prompt_id).accepted == 1


async def test_a_prompt_that_shows_no_sign_of_life_is_given_up_and_its_server_with_it() -> None:
    async with running_standin() as standin:
        standin.server.faults.set(stuck=True)
        async with comfyui_on(standin, options=replace(IMPATIENT, stall_timeout=100 * TICK)) as provider:
            submission = make_submission()
            await provider.send(submission)
            with pytest.raises(TransientError, match="no sign of life"):
                await provider.collect(submission.prompt_id)
            assert not provider.workers[0].ready
            assert provider.workers[0].reason.startswith("its queue has not moved for")
            standin.server.faults.clear()
            standin.server.restart()
            await until(lambda: provider.workers[0].ready)
            assert (await finish(provider, submission)).tries == 1


async def test_a_prompt_that_shows_signs_of_life_is_left_to_run() -> None:
    options = replace(IMPATIENT, stall_timeout=100 * TICK)
    async with running_standin(options=ENDLESS) as standin, comfyui_on(standin, options=options) as provider:
        submission = endless_submission()
        await provider.send(submission)
        started = asyncio.get_running_loop().time()
        collecting = asyncio.create_task(provider.collect(submission.prompt_id))
        await until(lambda: asyncio.get_running_loop().time() - started > 1.5)
        assert not collecting.done()
        collecting.cancel()
        await provider.cancel(submission.prompt_id)
