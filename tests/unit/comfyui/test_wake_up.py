"""Bells, pauses and timetables."""

import asyncio
from datetime import timedelta

import pytest

from civitai_mock.clock import SeededIds, VirtualClock
from civitai_mock.providers.comfyui.options import ComfyOptions
from civitai_mock.providers.comfyui.protocol.messages import Succeeded
from civitai_mock.providers.comfyui.protocol.tracker import PromptTracker
from civitai_mock.providers.comfyui.wake_up import WakeUp, backoff_seconds
from civitai_mock.providers.comfyui.workers.follower import PollSchedule
from civitai_mock.providers.comfyui.workers.runs import Run
from tests.support.dates import START
from tests.support.event_loop import settle

OPTIONS = ComfyOptions(poll_interval=timedelta(seconds=2), socketless_poll_interval=timedelta(seconds=0.5))
LIVE = "live"


def make_run(*, client_id: str | None = LIVE) -> Run:
    return Run(tracker=PromptTracker("p", now=START), graph={}, answer={}, client_id=client_id)


def make_timetable(clock: VirtualClock) -> PollSchedule:
    timetable = PollSchedule(clock=clock, ids=SeededIds(), options=OPTIONS)
    timetable.looked()
    return timetable


async def test_a_bell_ends_a_wait_before_its_time(clock: VirtualClock) -> None:
    bell = WakeUp(clock)
    waiting = asyncio.create_task(bell.wait(60))
    await settle()
    assert not waiting.done()
    bell.notify()
    await waiting


async def test_a_wait_ends_when_its_time_has_passed(clock: VirtualClock) -> None:
    waiting = asyncio.create_task(WakeUp(clock).wait(60))
    await settle()
    clock.advance(59)
    await settle()
    assert not waiting.done()
    clock.advance(1)
    await waiting


async def test_a_ring_that_nobody_waited_for_is_kept_once(clock: VirtualClock) -> None:
    bell = WakeUp(clock)
    bell.notify()
    bell.notify()
    await bell.wait()
    waiting = asyncio.create_task(bell.wait())
    await settle()
    assert not waiting.done()
    waiting.cancel()


@pytest.mark.parametrize(
    ("failures", "whole"), [(1, 0.5), (2, 1.0), (3, 2.0), (4, 4.0), (5, 5.0), (50, 5.0), (5000, 5.0)]
)
def test_pauses_grow_to_their_limit_and_differ(failures: int, whole: float) -> None:
    ids = SeededIds()
    pauses = [backoff_seconds(failures, longest=5.0, ids=ids) for _ in range(100)]
    assert all(whole / 2 <= pause <= whole for pause in pauses)
    assert len(set(pauses)) > 50


@pytest.mark.parametrize(("client_id", "pause"), [(LIVE, 2.0), ("dropped", 0.5), (None, 0.5)])
def test_prompts_that_are_not_heard_of_are_asked_about_more_often(
    clock: VirtualClock, client_id: str | None, pause: float
) -> None:
    timetable = make_timetable(clock)
    runs = [make_run(), make_run(client_id=client_id)]
    assert timetable.pause(runs, LIVE) == pause
    assert timetable.pause(runs, None) == 0.5


def test_without_prompts_of_ours_a_look_is_due_now_and_then(clock: VirtualClock) -> None:
    assert make_timetable(clock).pause([], LIVE) == 10


def test_a_look_is_due_when_its_interval_has_passed(clock: VirtualClock) -> None:
    timetable, runs = make_timetable(clock), [make_run()]
    clock.advance(1.5)
    assert not timetable.is_due(runs, LIVE)
    assert timetable.pause(runs, LIVE) == 0.5
    clock.advance(1)
    assert timetable.is_due(runs, LIVE)
    assert timetable.pause(runs, LIVE) == 0.0


def test_a_look_is_due_at_once_when_something_has_changed(clock: VirtualClock) -> None:
    timetable = make_timetable(clock)
    timetable.hurry()
    assert timetable.is_due([make_run()], LIVE)


def test_a_prompt_that_is_said_to_have_ended_is_asked_about_at_once_and_then_ever_less(clock: VirtualClock) -> None:
    timetable, run = make_timetable(clock), make_run()
    run.tracker.on_message(Succeeded("p"), START)
    pauses = []
    for _ in range(9):
        pauses.append(timetable.pause([run], LIVE))
        timetable.settled(all_settled=False)
    assert pauses[:3] == [0.005, 0.01, 0.02]
    assert pauses[-1] == 0.5
    timetable.settled(all_settled=True)
    assert timetable.pause([run], LIVE) == 0.005


def test_a_server_that_does_not_answer_is_asked_ever_less(clock: VirtualClock) -> None:
    timetable, runs = make_timetable(clock), [make_run()]
    pauses = []
    for _ in range(6):
        timetable.answered(answered=False)
        pauses.append(timetable.pause(runs, LIVE) or 0.0)
    assert 0.25 <= pauses[0] <= 0.5
    assert 2.5 <= pauses[-1] <= 5.0
    timetable.answered(answered=True)
    assert timetable.pause(runs, LIVE) == 2.0
