"""The breaker of a server opens after failures in a row, and lets one prompt through after each cooldown."""

import asyncio
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from civitai_mock.clock import SeededIds, VirtualClock
from civitai_mock.providers.comfyui.options import ComfyOptions, WorkerDependencies
from civitai_mock.providers.comfyui.workers.breaker import MOST_FAILURES_IN_A_ROW, Breaker
from tests.support.dates import START
from tests.support.event_loop import settle, until

OPTIONS = ComfyOptions(cooldown=timedelta(seconds=30), longest_cooldown=timedelta(seconds=100))


class BreakerBench:
    def __init__(self) -> None:
        self.clock = VirtualClock(START)
        self.changes = 0
        dependencies = WorkerDependencies(clock=self.clock, ids=SeededIds(), options=OPTIONS)
        self.breaker = Breaker(worker_id="gpu", dependencies=dependencies, on_change=self._count_change)

    def _count_change(self) -> None:
        self.changes += 1

    def fail(self, *prompt_ids: str) -> None:
        for prompt_id in prompt_ids:
            self.breaker.record_failure(prompt_id, "CUDA error")


@pytest.fixture
def bench() -> BreakerBench:
    return BreakerBench()


def test_it_opens_when_different_prompts_fail_in_a_row(bench: BreakerBench) -> None:
    bench.fail(*map(str, range(MOST_FAILURES_IN_A_ROW - 1)))
    assert bench.breaker.is_closed
    bench.fail("last")
    assert bench.breaker.is_open
    assert bench.breaker.reason.endswith("failed here (CUDA error); one is tried in 30 s")
    assert bench.changes == 1


def test_one_prompt_that_fails_again_and_again_does_not_open_it(bench: BreakerBench) -> None:
    bench.fail(*["same"] * 10)
    assert bench.breaker.is_closed


def test_a_success_in_between_keeps_it_closed(bench: BreakerBench) -> None:
    bench.fail("1", "2")
    bench.breaker.record_success()
    bench.fail("3", "4")
    assert bench.breaker.is_closed
    assert bench.breaker.reason == ""


def test_each_cooldown_is_twice_as_long_up_to_a_bound_and_only_the_first_is_logged(bench: BreakerBench) -> None:
    with capture_logs() as logs:
        bench.fail("1", "2", "3")
        for seconds in (30, 60, 100, 100):
            bench.clock.advance(seconds - 1)
            assert bench.breaker.is_open
            bench.clock.advance(1)
            assert bench.breaker.is_half_open
            bench.fail("trial")
        bench.breaker.record_success()
    assert [log["event"] for log in logs] == ["server put aside", "server back"]


def test_after_it_has_closed_it_begins_with_a_short_cooldown_again(bench: BreakerBench) -> None:
    bench.fail("1", "2", "3")
    bench.clock.advance(30)
    bench.fail("trial")
    bench.breaker.record_success()
    bench.fail("1", "2", "3")
    bench.clock.advance(30)
    assert bench.breaker.is_half_open


def test_what_fails_while_it_is_open_prolongs_nothing(bench: BreakerBench) -> None:
    bench.fail("1", "2", "3")
    bench.clock.advance(29)
    bench.fail("sent before")
    bench.clock.advance(1)
    assert bench.breaker.is_half_open


async def test_a_cooldown_that_is_ended_lets_one_prompt_through_at_once(bench: BreakerBench) -> None:
    bench.breaker.end_cooldown()
    assert bench.breaker.is_closed
    bench.fail("1", "2", "3")
    running = asyncio.create_task(bench.breaker.run())
    await settle()
    changes = bench.changes
    bench.breaker.end_cooldown()
    assert bench.breaker.is_half_open
    await until(lambda: bench.changes == changes + 1)
    bench.fail("trial")
    assert bench.breaker.reason.endswith("one is tried in 60 s")
    running.cancel()
