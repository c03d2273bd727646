"""One poll of the feed tells all in a process what others did."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar, cast

import pytest

from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.search import FeedEntry, FeedPage
from civitai_mock.domain.stages import Outcome
from civitai_mock.services.event_feed import PAGE, FollowEvents
from tests.scheduler.conftest import POLL_SECONDS, Bench, running
from tests.support.event_loop import settle, until_found
from tests.support.gated_stores import StoreGate, gated
from tests.support.jobs import add_jobs

T = TypeVar("T")
SECOND = timedelta(seconds=1)


class Following:
    """Follows the feed of a bench, and keeps what its bus publishes of others."""

    def __init__(self, bench: Bench) -> None:
        self.feed: FollowEvents = bench.namespace.event_feed
        self.told: list[tuple[str, int]] = []
        bench.event_bus.subscribe_to_changes_elsewhere(self._add)

    def _add(self, entries: Sequence[FeedEntry]) -> None:
        self.told += [(entry.job_id, entry.seq) for entry in entries]


@pytest.fixture
async def following(bench: Bench) -> AsyncIterator[Following]:
    following = Following(bench)
    following.feed.follow("test", every=SECOND)
    await following.feed.begun()
    yield following
    following.feed.unfollow("test")


def _tasks() -> list[str]:
    return [task.get_name() for task in asyncio.all_tasks() if not task.cancelling()]


async def test_what_others_do_is_published_once_within_the_interval(bench: Bench, following: Following) -> None:
    job = await bench.elsewhere().add(1)
    await bench.pass_time(0.9)
    assert following.told == []
    await bench.pass_time(0.1)
    assert following.told == [(job.id, 0)]
    await bench.elsewhere().cancel(job.id)
    await bench.pass_time(1)
    await bench.pass_time(1)
    assert following.told == [(job.id, 0), (job.id, 1)]


async def test_what_this_process_did_is_not_published_again(bench: Bench, following: Following) -> None:
    job = await bench.add(1)
    await bench.pass_time(1)
    await bench.cancel(job.id)
    for _ in range(3):
        await bench.pass_time(1)
    assert following.told == []


async def test_what_was_written_here_and_never_published_is_found(bench: Bench, following: Following) -> None:
    """As by a request that is cancelled after its write."""
    job = await bench.add(1)
    await bench.pass_time(1)
    ended = job.ended(Outcome.DELETED, at=bench.clock.now(), context={})
    assert await bench.stores.jobs.replace(job, ended)
    await bench.pass_time(1)
    assert following.told == [(job.id, 1)]


async def test_more_than_a_page_is_published_at_once(bench: Bench, following: Following) -> None:
    jobs = await add_jobs(bench.stores.jobs, PAGE + 1)
    await bench.pass_time(1)
    assert following.told == [(job.id, 0) for job in jobs]


async def test_nothing_is_missed_while_the_store_is_away(
    bench: Bench, following: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await bench.elsewhere().add(1)
    with monkeypatch.context() as patched:
        patched.setattr(type(bench.stores.feed), "after", _away)
        await bench.pass_time(1)
    second = await bench.elsewhere().add(2)
    await bench.pass_time(1)
    assert following.told == [(first.id, 0), (second.id, 0)]


async def _away(*_: object, **__: object) -> FeedPage:
    raise TransientError("away")


async def test_a_listener_that_fails_does_not_end_the_following(bench: Bench, following: Following) -> None:
    def fail(entries: Sequence[FeedEntry]) -> None:
        raise ValueError(entries)

    bench.event_bus.subscribe_to_changes_elsewhere(fail)
    jobs = [await bench.elsewhere().add(1)]
    await bench.pass_time(1)
    jobs.append(await bench.elsewhere().add(2))
    await bench.pass_time(1)
    assert following.told == [(job.id, 0) for job in jobs]


async def test_whoever_follows_more_closely_is_told_sooner(bench: Bench, following: Following) -> None:
    following.feed.follow("closer", every=SECOND / 4)
    await settle()
    job = await bench.elsewhere().add(1)
    await bench.pass_time(0.25)
    assert following.told == [(job.id, 0)]
    following.feed.unfollow("closer")
    await bench.pass_time(0.25)
    await bench.elsewhere().add(2)
    await bench.pass_time(0.5)
    assert following.told == [(job.id, 0)]


async def test_nothing_runs_without_followers_and_what_happened_then_is_not_published(bench: Bench) -> None:
    following = Following(bench)
    assert "event feed" not in _tasks()
    for number in (1, 2):
        await bench.elsewhere().add(number)
        following.feed.follow("test", every=SECOND)
        await settle()
        assert "event feed" in _tasks()
        following.feed.unfollow("test")
        assert "event feed" not in _tasks()
    assert following.told == []


class Counting(StoreGate):
    """Counts the calls that pass, by name."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()

    async def pass_through(self, call: Awaitable[T]) -> T:
        self.calls[cast("str", getattr(call, "__name__", ""))] += 1
        return await call


async def test_followers_that_come_and_go_are_no_reason_to_look(bench: Bench) -> None:
    counting = Counting()
    feed = FollowEvents(
        feed=gated(bench.stores, counting).feed, namespace_feed=bench.stores.namespace_feed, clock=bench.clock
    )
    feed.follow("test", every=SECOND)
    await feed.begun()
    counting.calls.clear()
    for number in range(5):
        feed.follow(number, every=SECOND / 4)
        await settle()
        feed.unfollow(number)
        await settle()
    assert not counting.calls
    await bench.pass_time(0.25)
    assert counting.calls == {"after": 1}
    await bench.pass_time(0.25)
    assert counting.calls == {"after": 1}
    feed.unfollow("test")


async def test_an_idle_scheduler_asks_for_claims_leases_deadlines_and_the_feed_alone(bench: Bench) -> None:
    counting = Counting()
    stores = gated(bench.stores, counting)
    feed = FollowEvents(feed=stores.feed, namespace_feed=stores.namespace_feed, clock=bench.clock)
    counted = replace(bench, namespace=replace(bench.namespace, stores=stores, event_feed=feed))
    async with running(counted.scheduler()):
        await settle()
        counting.calls.clear()
        await bench.pass_time(POLL_SECONDS)
    assert counting.calls == {"claim": 1, "after": 1, "with_expired_lease": 1, "held_by_dead": 1, "past_deadline": 1}


async def test_a_job_that_is_stored_after_its_dependency_ended_starts_without_any_time_passing(bench: Bench) -> None:
    """As if the dependency ended between the check of a submission and its write."""
    async with running(bench.scheduler()):
        first = await bench.add(1)
        await until_found(lambda: bench.has_ended(first.id))
        await settle()
        second = await bench.add(2, after=[first])
        await until_found(lambda: bench.has_ended(second.id))
    assert (await bench.job(second.id)).outcome is Outcome.SUCCEEDED


async def test_a_job_of_another_process_whose_dependency_is_over_starts_at_the_next_poll(bench: Bench) -> None:
    async with running(bench.elsewhere().scheduler()):
        first = await bench.add(1)
        await bench.pass_time(POLL_SECONDS)
        await until_found(lambda: bench.has_ended(first.id))
        second = await bench.add(2, after=[first])
        await settle()
        assert not await bench.has_ended(second.id)
        bench.clock.advance(POLL_SECONDS)
        await until_found(lambda: bench.has_ended(second.id))
