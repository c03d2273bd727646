"""A queue stands still while nothing new runs: one row for each story."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest

from civitai_mock.clock import SeededIds, VirtualClock
from civitai_mock.providers.comfyui.options import ComfyOptions, WorkerDependencies
from civitai_mock.providers.comfyui.protocol.records import QueuePlace
from civitai_mock.providers.comfyui.workers.queue_watch import QueueWatch
from civitai_mock.providers.comfyui.workers.runs import Runs
from tests.support.dates import START

OPTIONS = ComfyOptions(health_interval=timedelta(seconds=10))  # a gap counts for at most twice as long


def make_watch() -> QueueWatch:
    return QueueWatch(
        Runs(on_end=lambda _: None, on_capacity=lambda: None),
        worker_id="gpu",
        dependencies=WorkerDependencies(clock=VirtualClock(START), ids=SeededIds(), options=OPTIONS),
        client_id=lambda: None,
        on_change=lambda: None,
    )


def queue(running: str = "", pending: str = "") -> Mapping[str, QueuePlace]:
    return dict.fromkeys(pending, QueuePlace.PENDING) | dict.fromkeys(running, QueuePlace.RUNNING)


STORIES = {
    "empty": ([queue()] * 3, 0),
    "the same one runs": ([queue("a")] * 3, 20),
    "the same one runs while others come and go": ([queue("a", "b"), queue("a", "bc"), queue("a")], 20),
    "one after the other": ([queue("a", "b"), queue("b"), queue("c")], 0),
    "nobody runs those that wait": ([queue("", "ab"), queue("", "abc"), queue("", "abc")], 20),
    "the first poll after a time without prompts": ([queue(), queue(), queue("a")], 0),
}


@pytest.mark.parametrize(("polls", "quiet"), STORIES.values(), ids=STORIES)
def test_a_queue_is_quiet_while_nothing_new_runs(polls: Sequence[Mapping[str, QueuePlace]], quiet: int) -> None:
    watch = make_watch()
    for number, seen in enumerate(polls):
        watch.on_queue(seen, START + timedelta(seconds=10 * number))
    assert watch.quiet == timedelta(seconds=quiet)


def test_a_message_between_two_polls_is_a_sign_of_life() -> None:
    watch = make_watch()
    watch.on_queue(queue("a"), START)
    watch.on_message()
    watch.on_queue(queue("a"), START + timedelta(seconds=10))
    assert watch.quiet == timedelta()


@pytest.mark.parametrize(("seconds", "counted"), [(10, 10), (20, 20), (3600, 20), (-3600, 0)])
def test_time_in_which_nobody_polled_does_not_count(seconds: int, counted: int) -> None:
    watch = make_watch()
    watch.on_queue(queue("a"), START)
    watch.on_queue(queue("a"), START + timedelta(seconds=seconds))
    assert watch.quiet == timedelta(seconds=counted)
