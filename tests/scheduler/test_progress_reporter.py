"""News of many jobs, told in turns."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from civitai_mock.clock import VirtualClock
from civitai_mock.scheduler.progress import MOST_PER_SECOND, ProgressReporter
from tests.support.dates import START
from tests.support.turns import settle

INTERVAL = timedelta(seconds=2)


class Endless:
    """Always has news, and tells it for as long as it is held."""

    def __init__(self, *, held: bool = False) -> None:
        self.begun = self.broken_off = 0
        self.go_on = asyncio.Event()
        if not held:
            self.go_on.set()

    def has_come(self) -> bool:
        return True

    async def tell(self) -> None:
        self.begun += 1
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.broken_off += 1
            raise


class Broken(Endless):
    def has_come(self) -> bool:
        raise RuntimeError("a bug")


class Round:
    """Turns that run on a clock of their own."""

    def __init__(self, interval: timedelta = INTERVAL) -> None:
        self.clock = VirtualClock(START)
        self.turns = ProgressReporter(clock=self.clock, interval=interval)
        self.running = asyncio.ensure_future(self.turns.run())
        self._works: list[asyncio.Task[None]] = []

    def follow(self, news: Endless) -> tuple[asyncio.Task[None], asyncio.Event]:
        """A task that is in the block until the event."""
        end = asyncio.Event()

        async def work() -> None:
            async with self.turns.during(news):
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
async def turns() -> AsyncIterator[Round]:
    opened = Round()
    yield opened
    await opened.close()


async def test_nothing_is_told_once_the_block_is_left(turns: Round) -> None:
    news = Endless()
    work, end = turns.follow(news)
    await turns.go()
    end.set()
    await work
    for _ in range(3):
        await turns.go()
    assert news.begun == 1


async def test_the_block_is_left_when_the_telling_that_has_begun_is_done(turns: Round) -> None:
    news = Endless(held=True)
    work, end = turns.follow(news)
    await turns.go()
    end.set()
    await settle()
    assert not work.done()
    news.go_on.set()
    await work
    assert news.broken_off == 0


async def test_a_cancelled_block_breaks_the_telling_off_at_once(turns: Round) -> None:
    news = Endless(held=True)
    work, _ = turns.follow(news)
    await turns.go()
    work.cancel()
    await settle()
    assert work.cancelled()
    assert news.broken_off == 1


async def test_a_block_that_waits_for_its_telling_can_still_be_cancelled(turns: Round) -> None:
    news = Endless(held=True)
    work, end = turns.follow(news)
    await turns.go()
    end.set()
    await settle()
    work.cancel()
    await settle()
    assert work.cancelled()
    assert news.broken_off == 1


async def test_a_bug_in_one_jobs_news_leaves_the_others_theirs(turns: Round) -> None:
    turns.follow(Broken())
    news = Endless()
    turns.follow(news)
    await turns.go()
    assert news.begun == 1


async def test_a_job_that_leaves_during_a_round_is_not_told(turns: Round) -> None:
    first, second = Endless(), Endless()
    turns.follow(first)
    work, end = turns.follow(second)
    await turns.go()
    end.set()
    await work
    await turns.go(1 / MOST_PER_SECOND)
    assert (first.begun, second.begun) == (1, 0)


async def test_without_an_interval_nothing_is_told() -> None:
    turns = Round(timedelta())
    news = Endless()
    turns.follow(news)
    await turns.go()
    is_done = turns.running.done()
    await turns.close()
    assert (is_done, news.begun) == (True, 0)
