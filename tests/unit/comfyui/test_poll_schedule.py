"""A server is polled when it is time: rarely beside a socket, often without one, at once when a prompt ends."""

from datetime import timedelta

import pytest

from civitai_mock.clock import SeededIds, VirtualClock
from civitai_mock.providers.comfyui.options import ComfyOptions, WorkerDependencies
from civitai_mock.providers.comfyui.protocol.messages import Succeeded
from civitai_mock.providers.comfyui.protocol.tracker import PromptTracker
from civitai_mock.providers.comfyui.workers.follower import PollSchedule
from civitai_mock.providers.comfyui.workers.runs import Run
from tests.support.dates import START

OPTIONS = ComfyOptions(poll_interval=timedelta(seconds=2), socketless_poll_interval=timedelta(seconds=0.5))
LIVE = "live"


def make_run(*, client_id: str | None = LIVE) -> Run:
    return Run(tracker=PromptTracker("p", now=START), graph={}, response={}, client_id=client_id)


def make_schedule(clock: VirtualClock) -> PollSchedule:
    schedule = PollSchedule(WorkerDependencies(clock=clock, ids=SeededIds(), options=OPTIONS))
    schedule.mark_polled()
    return schedule


@pytest.mark.parametrize(("client_id", "pause"), [(LIVE, 2.0), ("dropped", 0.5), (None, 0.5)])
def test_prompts_that_are_not_heard_of_are_asked_about_more_often(
    clock: VirtualClock, client_id: str | None, pause: float
) -> None:
    schedule = make_schedule(clock)
    runs = [make_run(), make_run(client_id=client_id)]
    assert schedule.pause_seconds(runs, LIVE) == pause
    assert schedule.pause_seconds(runs, None) == 0.5


def test_without_prompts_of_ours_a_poll_is_due_now_and_then(clock: VirtualClock) -> None:
    assert make_schedule(clock).pause_seconds([], LIVE) == 10


def test_a_poll_is_due_when_its_interval_has_passed(clock: VirtualClock) -> None:
    schedule, runs = make_schedule(clock), [make_run()]
    clock.advance(1.5)
    assert not schedule.is_due(runs, LIVE)
    assert schedule.pause_seconds(runs, LIVE) == 0.5
    clock.advance(1)
    assert schedule.is_due(runs, LIVE)
    assert schedule.pause_seconds(runs, LIVE) == 0.0


def test_a_poll_is_due_at_once_when_something_has_changed(clock: VirtualClock) -> None:
    schedule = make_schedule(clock)
    schedule.poll_now()
    assert schedule.is_due([make_run()], LIVE)


def test_a_prompt_that_is_said_to_have_ended_is_asked_about_at_once_and_then_ever_less(clock: VirtualClock) -> None:
    schedule, run = make_schedule(clock), make_run()
    run.tracker.on_message(Succeeded("p"), START)
    pauses = []
    for _ in range(9):
        pauses.append(schedule.pause_seconds([run], LIVE))
        schedule.mark_settled(all_settled=False)
    assert pauses[:3] == [0.005, 0.01, 0.02]
    assert pauses[-1] == 0.5
    schedule.mark_settled(all_settled=True)
    assert schedule.pause_seconds([run], LIVE) == 0.005


def test_a_server_that_does_not_answer_is_asked_ever_less(clock: VirtualClock) -> None:
    schedule, runs = make_schedule(clock), [make_run()]
    pauses = []
    for _ in range(6):
        schedule.mark_answered(is_answered=False)
        pauses.append(schedule.pause_seconds(runs, LIVE) or 0.0)
    assert 0.25 <= pauses[0] <= 0.5
    assert 2.5 <= pauses[-1] <= 5.0
    schedule.mark_answered(is_answered=True)
    assert schedule.pause_seconds(runs, LIVE) == 2.0
