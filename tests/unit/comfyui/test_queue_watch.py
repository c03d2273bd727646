"""Queues that move, and queues that do not: one row for each story."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest

from civitai_mock.providers.comfyui.protocol.records import QueuePlace
from civitai_mock.providers.comfyui.workers.queue_watch import QueueWatch
from tests.support.dates import START

GAP = timedelta(seconds=20)


def queue(running: str = "", pending: str = "") -> Mapping[str, QueuePlace]:
    return dict.fromkeys(pending, QueuePlace.PENDING) | dict.fromkeys(running, QueuePlace.RUNNING)


STORIES = {
    "empty": ([queue()] * 3, 0),
    "the same one runs": ([queue("a")] * 3, 20),
    "the same one runs while others come and go": ([queue("a", "b"), queue("a", "bc"), queue("a")], 20),
    "one after the other": ([queue("a", "b"), queue("b"), queue("c")], 0),
    "nobody runs those that wait": ([queue("", "ab"), queue("", "abc"), queue("", "abc")], 20),
    "the first look after a time without prompts": ([queue(), queue(), queue("a")], 0),
}


@pytest.mark.parametrize(("looks", "quiet"), STORIES.values(), ids=STORIES)
def test_a_queue_is_quiet_while_nothing_new_runs(looks: Sequence[Mapping[str, QueuePlace]], quiet: int) -> None:
    watch = QueueWatch(longest_gap=GAP)
    for number, seen in enumerate(looks):
        watch.see(seen, START + timedelta(seconds=10 * number))
    assert watch.quiet == timedelta(seconds=quiet)


def test_a_message_between_two_looks_is_a_sign_of_life() -> None:
    watch = QueueWatch(longest_gap=GAP)
    watch.see(queue("a"), START)
    watch.hear()
    watch.see(queue("a"), START + timedelta(seconds=10))
    assert watch.quiet == timedelta()


@pytest.mark.parametrize(("seconds", "counted"), [(10, 10), (20, 20), (3600, 20), (-3600, 0)])
def test_time_in_which_nobody_looked_does_not_count(seconds: int, counted: int) -> None:
    watch = QueueWatch(longest_gap=GAP)
    watch.see(queue("a"), START)
    watch.see(queue("a"), START + timedelta(seconds=seconds))
    assert watch.quiet == timedelta(seconds=counted)
