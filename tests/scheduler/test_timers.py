"""Many timers, one call of the clock."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from civitai_mock.clock import VirtualClock
from civitai_mock.scheduler.timers import Timers
from tests.support.dates import START
from tests.support.event_loop import settle


@dataclass
class TimerBench:
    clock: VirtualClock
    due: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.timers = Timers(clock=self.clock, on_due=self.due.append)

    def set(self, key: str, seconds: float) -> None:
        self.timers.set(key, START + timedelta(seconds=seconds))

    async def pass_time(self, seconds: float) -> list[str]:
        await settle(20)
        self.clock.advance(seconds)
        await settle(20)
        return self.due


@pytest.fixture
async def bench(clock: VirtualClock) -> TimerBench:
    return TimerBench(clock)


async def test_a_timer_is_due_at_its_time_and_not_before(bench: TimerBench) -> None:
    bench.set("a", 10)
    assert await bench.pass_time(9.999) == []
    assert await bench.pass_time(0.001) == ["a"]
    assert await bench.pass_time(100) == ["a"]


async def test_a_sooner_timer_that_is_set_later_is_due_first(bench: TimerBench) -> None:
    bench.set("late", 10)
    await settle(20)
    bench.set("soon", 5)
    assert await bench.pass_time(5) == ["soon"]
    assert await bench.pass_time(5) == ["soon", "late"]


async def test_a_timer_in_the_past_is_due_at_once(bench: TimerBench) -> None:
    bench.set("a", -1)
    assert await bench.pass_time(0) == ["a"]


async def test_a_cleared_timer_is_never_due(bench: TimerBench) -> None:
    bench.set("a", 5)
    bench.timers.clear("a")
    assert await bench.pass_time(10) == []


async def test_a_moved_timer_is_due_once_at_its_last_time(bench: TimerBench) -> None:
    bench.set("a", 5)
    bench.set("a", 10)
    assert await bench.pass_time(5) == []
    assert await bench.pass_time(5) == ["a"]


async def test_thousands_of_timers_have_no_task_and_leave_nothing_behind(bench: TimerBench) -> None:
    others = len(asyncio.all_tasks())
    for number in range(5000):
        bench.set(str(number), 600 + number)
        if number % 10:
            bench.timers.clear(str(number))
    await settle(20)
    assert len(asyncio.all_tasks()) == others
    assert len(bench.timers._heap) < 1500
    assert len(await bench.pass_time(5600)) == 500
