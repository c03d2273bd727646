"""The clock of a namespace: real, standing, at another rate, and from one to the other."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitai_mock.clock import NamespaceClock, VirtualClock
from civitai_mock.domain.clock_state import LATEST_DATE, REAL, ClockMode, ClockState, frozen
from civitai_mock.services.activity import Activity, Worker, current_worker
from tests.support.dates import START
from tests.support.event_loop import settle

SECOND, YEAR = timedelta(seconds=1), timedelta(days=365)


class Bench:
    """Is a clock of a namespace, and that of the machine, which the test moves."""

    def __init__(self, state: ClockState = REAL) -> None:
        self.machine = VirtualClock(START)
        self.activity = Activity()
        self.clock = NamespaceClock(system_clock=self.machine, activity=self.activity, state=state)
        self.called: list[str] = []

    def call(self, name: str, *, after: float) -> None:
        self.clock.call_later(after, lambda: self.called.append(name))

    def scaled(self, rate: float) -> ClockState:
        return ClockState(mode=ClockMode.SCALED, at=self.clock.now(), since=self.machine.now(), rate=rate)

    @staticmethod
    def rounded(seconds: float) -> float:
        return timedelta(seconds=seconds).total_seconds()

    def seconds(self) -> float:
        return (self.clock.now() - START).total_seconds()

    def run_until(self, seconds: float) -> None:
        while (due := self.clock.next_due()) is not None and due <= START + timedelta(seconds=seconds):
            self.clock.run_next()


async def test_a_real_clock_goes_as_the_machine_does() -> None:
    bench = Bench()
    bench.call("a", after=10)
    bench.machine.advance(9.9)
    assert bench.called == []
    bench.machine.advance(0.1)
    assert (bench.called, bench.clock.now()) == (["a"], START + 10 * SECOND)
    assert bench.clock.next_due() is None


async def test_a_clock_that_stands_calls_nobody() -> None:
    bench = Bench(frozen(START))
    bench.call("a", after=1)
    bench.machine.advance(YEAR.total_seconds())
    await settle(5)
    assert (bench.called, bench.clock.now()) == ([], START)


async def test_a_clock_that_is_stopped_keeps_what_it_owes() -> None:
    bench = Bench()
    bench.call("a", after=10)
    bench.machine.advance(4)
    bench.clock.set(frozen(bench.clock.now()))
    bench.machine.advance(1000)
    assert bench.clock.next_due() == START + 10 * SECOND
    bench.clock.set(bench.scaled(1))
    bench.machine.advance(5.9)
    assert bench.called == []
    bench.machine.advance(0.1)
    assert bench.called == ["a"]


async def test_a_clock_at_another_rate_calls_sooner() -> None:
    bench = Bench()
    bench.clock.set(bench.scaled(60))
    bench.call("a", after=60)
    bench.machine.advance(0.9)
    assert (bench.called, bench.clock.now()) == ([], START + 54 * SECOND)
    bench.machine.advance(0.1)
    assert bench.called == ["a"]


async def test_what_a_jump_leaves_behind_is_called_in_order_of_its_time() -> None:
    bench = Bench()
    for name, after in (("c", 30), ("a", 10), ("late", 100), ("b", 20)):
        bench.call(name, after=after)
    bench.clock.set(frozen(START + 50 * SECOND))
    assert not bench.activity.is_at_rest
    await settle(3)
    assert bench.called == ["a", "b", "c"]
    assert bench.activity.is_at_rest


async def test_what_is_cancelled_is_not_called_however_the_clock_goes() -> None:
    bench = Bench(frozen(START))
    timers = [bench.clock.call_later(seconds, lambda: bench.called.append("no")) for seconds in (0, 5, 10)]
    for timer in timers:
        timer.cancel()
    await settle(3)
    bench.run_until(100)
    assert (bench.called, bench.clock.next_due(), bench.activity.is_at_rest) == ([], None, True)


async def test_a_worker_is_at_rest_while_it_sleeps_and_not_a_moment_longer() -> None:
    bench = Bench(frozen(START))

    async def work() -> None:
        current_worker.set(worker)
        await bench.clock.sleep(10)
        bench.called.append("woken")

    worker = Worker(bench.activity, rank=(START, "a"))
    task = asyncio.create_task(work())
    assert not bench.activity.is_at_rest
    await settle(2)
    assert bench.activity.is_at_rest
    bench.clock.run_next()
    assert not bench.activity.is_at_rest  # though it has not gone on yet
    await task
    assert bench.called == ["woken"]
    worker.finish()
    assert bench.activity.is_at_rest


async def test_a_worker_whose_sleep_is_cancelled_is_at_work_at_once() -> None:
    bench = Bench(frozen(START))

    async def work() -> None:
        current_worker.set(worker)
        await bench.clock.sleep(10)

    worker = Worker(bench.activity, rank=(START, "a"))
    task = asyncio.create_task(work())
    await settle(2)
    task.cancel()
    assert not bench.activity.is_at_rest
    with pytest.raises(asyncio.CancelledError):
        await task
    assert bench.clock.next_due() is None


async def test_sleeps_that_end_together_end_in_order_of_rank() -> None:
    bench = Bench(frozen(START))

    async def work(name: str) -> None:
        current_worker.set(Worker(bench.activity, rank=(START, name)))
        await bench.clock.sleep(10)
        bench.called.append(name)

    tasks = [asyncio.create_task(work(name)) for name in "cab"]
    await settle(2)
    for _ in tasks:
        bench.clock.run_next()
        await settle(2)
    assert bench.called == ["a", "b", "c"]


async def test_a_call_for_this_moment_has_its_place_among_those_that_are_still_to_be_made() -> None:
    """Work that ends in the moment of its timeout has ended in time."""
    bench = Bench(frozen(START))

    async def work(name: str) -> None:
        current_worker.set(Worker(bench.activity, rank=(START, name)))
        await bench.clock.sleep(10)
        bench.called.append(name)

    tasks = [asyncio.create_task(work(name)) for name in "ab"]
    await settle(2)
    bench.clock.run_next()
    bench.call("timeout", after=0)
    await settle(3)
    assert bench.called == ["a"]
    bench.clock.run_next()
    await asyncio.wait(tasks)
    bench.clock.run_next()
    assert bench.called == ["a", "b", "timeout"]


@given(st.lists(st.tuples(st.floats(0.001, 1000), st.booleans()), max_size=40), st.data())
async def test_calls_are_made_in_order_whatever_is_cancelled_or_added(
    plan: list[tuple[float, bool]], data: st.DataObject
) -> None:
    bench, made = Bench(frozen(START)), list[float]()
    timers = [bench.clock.call_later(after, lambda: made.append(bench.seconds())) for after, _ in plan]
    for timer, (_, is_kept) in zip(timers, plan, strict=True):
        if not is_kept:
            timer.cancel()
    expected = sorted(bench.rounded(after) for after, is_kept in plan if is_kept)
    target = data.draw(st.floats(0, 1000))
    bench.run_until(target)
    assert made == [seconds for seconds in expected if seconds <= bench.rounded(target)]


def test_no_clock_goes_beyond_the_last_date() -> None:
    fast = ClockState(mode=ClockMode.SCALED, at=LATEST_DATE - SECOND, since=START, rate=100_000)
    assert fast.now(START + YEAR * 1000) == LATEST_DATE
