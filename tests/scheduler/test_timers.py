"""Many alarms, one sleeper."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from civitai_mock.clock import VirtualClock
from civitai_mock.scheduler.timers import Timers
from tests.support.dates import START
from tests.support.turns import settle


@dataclass
class Bell:
    clock: VirtualClock
    rung: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.alarms = Timers(clock=self.clock, ring=self.rung.append)

    def set(self, key: str, seconds: float) -> None:
        self.alarms.set(key, START + timedelta(seconds=seconds))

    async def pass_time(self, seconds: float) -> list[str]:
        await settle(20)
        self.clock.advance(seconds)
        await settle(20)
        return self.rung


@pytest.fixture
async def bell(clock: VirtualClock) -> AsyncIterator[Bell]:
    made = Bell(clock)
    running = asyncio.create_task(made.alarms.run())
    yield made
    running.cancel()


async def test_an_alarm_rings_at_its_time_and_not_before(bell: Bell) -> None:
    bell.set("a", 10)
    assert await bell.pass_time(9.999) == []
    assert await bell.pass_time(0.001) == ["a"]
    assert await bell.pass_time(100) == ["a"]


async def test_a_sooner_alarm_that_is_set_later_rings_first(bell: Bell) -> None:
    bell.set("late", 10)
    await settle(20)
    bell.set("soon", 5)
    assert await bell.pass_time(5) == ["soon"]
    assert await bell.pass_time(5) == ["soon", "late"]


async def test_an_alarm_in_the_past_rings_at_once(bell: Bell) -> None:
    bell.set("a", -1)
    assert await bell.pass_time(0) == ["a"]


async def test_a_cleared_alarm_does_not_ring(bell: Bell) -> None:
    bell.set("a", 5)
    bell.alarms.clear("a")
    assert await bell.pass_time(10) == []


async def test_a_moved_alarm_rings_once_at_its_last_time(bell: Bell) -> None:
    bell.set("a", 5)
    bell.set("a", 10)
    assert await bell.pass_time(5) == []
    assert await bell.pass_time(5) == ["a"]


async def test_thousands_of_alarms_have_one_sleeper_and_leave_nothing_behind(bell: Bell) -> None:
    others = len(asyncio.all_tasks())
    for number in range(5000):
        bell.set(str(number), 600 + number)
        if number % 10:
            bell.alarms.clear(str(number))
    await settle(20)
    assert len(asyncio.all_tasks()) - others <= 2
    assert len(bell.alarms._heap) < 1500
    assert len(await bell.pass_time(5600)) == 500
