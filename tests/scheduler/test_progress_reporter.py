"""Progress of many jobs, published in turns."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from civitai_mock.clock import VirtualClock
from civitai_mock.scheduler.progress import MOST_PER_SECOND, ProgressReporter
from tests.support.dates import START
from tests.support.event_loop import settle

INTERVAL = timedelta(seconds=2)


class EndlessSource:
    """Has always changed, and publishes for as long as it is held."""

    def __init__(self, *, held: bool = False) -> None:
        self.begun = self.cancelled = 0
        self.go_on = asyncio.Event()
        if not held:
            self.go_on.set()

    def has_changed(self) -> bool:
        return True

    async def publish(self) -> None:
        self.begun += 1
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise


class BrokenSource(EndlessSource):
    def has_changed(self) -> bool:
        raise RuntimeError("a bug")


class ReporterBench:
    """Runs a reporter on a clock of its own."""

    def __init__(self, interval: timedelta = INTERVAL) -> None:
        self.clock = VirtualClock(START)
        self.reporter = ProgressReporter(clock=self.clock, interval=interval)
        self.running = asyncio.ensure_future(self.reporter.run())
        self._works: list[asyncio.Task[None]] = []

    def report(self, source: EndlessSource) -> tuple[asyncio.Task[None], asyncio.Event]:
        """Return a task that is in the block until the event, and the event."""
        end = asyncio.Event()

        async def work() -> None:
            async with self.reporter.reporting(source):
                await end.wait()

        self._works.append(asyncio.ensure_future(work()))
        return self._works[-1], end

    async def close(self) -> None:
        tasks = [self.running, *self._works]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

    async def go(self, seconds: float = INTERVAL.total_seconds()) -> None:
        await settle()
        self.clock.advance(seconds)
        await settle()


@pytest.fixture
async def bench() -> AsyncIterator[ReporterBench]:
    opened = ReporterBench()
    yield opened
    await opened.close()


async def test_nothing_is_published_once_the_block_is_left(bench: ReporterBench) -> None:
    source = EndlessSource()
    work, end = bench.report(source)
    await bench.go()
    end.set()
    await work
    for _ in range(3):
        await bench.go()
    assert source.begun == 1


async def test_the_block_is_left_when_the_publishing_that_has_begun_is_done(bench: ReporterBench) -> None:
    source = EndlessSource(held=True)
    work, end = bench.report(source)
    await bench.go()
    end.set()
    await settle()
    assert not work.done()
    source.go_on.set()
    await work
    assert source.cancelled == 0


async def test_a_cancelled_block_cancels_the_publishing_at_once(bench: ReporterBench) -> None:
    source = EndlessSource(held=True)
    work, _ = bench.report(source)
    await bench.go()
    work.cancel()
    await settle()
    assert work.cancelled()
    assert source.cancelled == 1


async def test_a_block_that_waits_for_its_publishing_can_still_be_cancelled(bench: ReporterBench) -> None:
    source = EndlessSource(held=True)
    work, end = bench.report(source)
    await bench.go()
    end.set()
    await settle()
    work.cancel()
    await settle()
    assert work.cancelled()
    assert source.cancelled == 1


async def test_a_bug_in_one_jobs_source_keeps_no_other_from_being_published(bench: ReporterBench) -> None:
    bench.report(BrokenSource())
    source = EndlessSource()
    bench.report(source)
    await bench.go()
    assert source.begun == 1


async def test_a_job_that_leaves_during_a_round_is_not_published(bench: ReporterBench) -> None:
    first, second = EndlessSource(), EndlessSource()
    bench.report(first)
    work, end = bench.report(second)
    await bench.go()
    end.set()
    await work
    await bench.go(1 / MOST_PER_SECOND)
    assert (first.begun, second.begun) == (1, 0)


async def test_without_an_interval_nothing_is_published() -> None:
    bench = ReporterBench(timedelta())
    source = EndlessSource()
    bench.report(source)
    await bench.go()
    is_done = bench.running.done()
    await bench.close()
    assert (is_done, source.begun) == (True, 0)
