"""`EventFeed`: who goes on from a position misses nothing."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import pytest

from civitai_mock.clock import VirtualClock
from civitai_mock.domain.job import Job
from civitai_mock.domain.namespaces import FIRST_EPOCH
from civitai_mock.domain.search import FeedEntry, FeedPage
from civitai_mock.domain.stages import Outcome
from civitai_mock.ports import EventFeed, JobQueue, JobStore, Stores
from civitai_mock.services.event_bus import EventBus
from civitai_mock.services.event_feed import FollowEvents
from tests.support.dates import START
from tests.support.event_loop import settle
from tests.support.gated_stores import StoreGate, gated
from tests.support.jobs import SECOND, add_claimed, add_jobs, job_id, make_blocked, make_claim, make_job, succeeded

T = TypeVar("T")
PAGE = 7
WRITERS, CHANGES, EVENTS = 8, 4, 6
JOBS_OF_EACH, ON_A_SERVER = 12, 4  # as each event takes some milliseconds there


async def read(feed: EventFeed, position: str, *, limit: int = PAGE) -> tuple[Sequence[FeedEntry], str]:
    """Return all entries after a position, read page by page, and where it goes on."""
    entries: list[FeedEntry] = []
    page = FeedPage(entries=(), position=position, is_last=False)
    while not page.is_last:
        page = await feed.after(page.position, limit=limit)
        assert len(page.entries) <= limit
        entries += page.entries
    return entries, page.position


def last_seqs(entries: Sequence[FeedEntry]) -> dict[str, int]:
    """Return the last event of each job; those of one job must not go back."""
    seqs: dict[str, int] = {}
    for entry in entries:
        assert seqs.get(entry.job_id, -1) <= entry.seq
        seqs[entry.job_id] = entry.seq
    return seqs


async def test_an_empty_store_has_an_empty_feed(feed: EventFeed) -> None:
    assert (await read(feed, ""))[0] == []
    assert (await read(feed, await feed.last_position()))[0] == []


async def test_an_entry_says_what_has_become_of_the_job(feed: EventFeed, jobs: JobStore, queue: JobQueue) -> None:
    claimed = await add_claimed(jobs, queue)
    await jobs.replace(claimed, succeeded(claimed))
    await jobs.add([make_blocked(2, claimed.id), replace(make_job(3), callback_url="http://127.0.0.1/")])
    found = {entry.job_id: entry._replace(position="") for entry in (await read(feed, ""))[0]}
    assert found == {
        claimed.id: FeedEntry(claimed.id, succeeded(claimed).seq, Outcome.SUCCEEDED, False, False),
        job_id(2): FeedEntry(job_id(2), 0, None, True, False),
        job_id(3): FeedEntry(job_id(3), 0, None, False, True),
    }


async def test_nothing_that_was_written_before_the_last_position_is_missed_by_those_who_knew_it(
    feed: EventFeed, jobs: JobStore
) -> None:
    before = await feed.last_position()
    await add_jobs(jobs, 3)
    assert last_seqs((await read(feed, before))[0]) == {job_id(number): 0 for number in (1, 2, 3)}


@pytest.mark.parametrize("limit", [0, -1])
async def test_a_page_without_room_is_empty_and_goes_on_from_where_it_began(
    feed: EventFeed, jobs: JobStore, limit: int
) -> None:
    await add_jobs(jobs, 1)
    page = await feed.after("", limit=limit)
    assert (list(page.entries), page.position, page.is_last) == ([], "", False)
    assert len((await read(feed, page.position))[0]) == 1


async def test_jobs_that_are_swept_leave_the_feed_and_later_ones_come_after_them(
    feed: EventFeed, jobs: JobStore
) -> None:
    await add_jobs(jobs, 5)
    _, position = await read(feed, "")
    await jobs.sweep(START + timedelta(days=9))
    assert (await read(feed, ""))[0] == []
    await jobs.add([make_job(9)])
    assert last_seqs((await read(feed, position))[0]) == {job_id(9): 0}


async def test_a_reader_that_comes_back_misses_nothing_of_very_many_events_by_many_writers(
    stores: Stores, feed: EventFeed, jobs: JobStore, queue: JobQueue
) -> None:
    """It reads while eight write, from where it stopped, and knows the last event of each job in the end."""
    of_each = ON_A_SERVER if "MongoDB" in stores.health.description else JOBS_OF_EACH
    added = await add_jobs(jobs, WRITERS * of_each)
    claimed = await queue.claim(make_claim(), limit=len(added))
    seqs: dict[str, int] = {}
    has_written, is_over = asyncio.Event(), asyncio.Event()

    async def follow() -> None:
        position, knows_all = "", False
        while not knows_all:
            await has_written.wait()
            has_written.clear()
            knows_all = is_over.is_set()
            entries, position = await read(feed, position, limit=50)
            seqs.update(last_seqs(entries))

    async def write(own: Sequence[Job]) -> None:
        for turn in range(CHANGES):
            own = await asyncio.gather(*(_changed(jobs, job, turn) for job in own))
            has_written.set()

    following = asyncio.create_task(follow())
    try:
        await asyncio.gather(*(write(claimed[number::WRITERS]) for number in range(WRITERS)))
    finally:
        is_over.set()
        has_written.set()
        await following
    assert seqs == {job.id: CHANGES * EVENTS for job in added}


async def _changed(jobs: JobStore, job: Job, turn: int) -> Job:
    """Store what happened to a job in one write."""
    happened = [job]
    for _ in range(EVENTS):
        happened.append(happened[-1].progressed(at=START + turn * SECOND, context={"turn": turn}))
    assert await jobs.replace(job, happened[-1], between=[after.last_event for after in happened[1:-1]])
    return happened[-1]


class Watched(StoreGate):
    """Says when a call was answered."""

    def __init__(self) -> None:
        self.is_answered = asyncio.Event()

    async def pass_through(self, call: Awaitable[T]) -> T:
        answer = await call
        self.is_answered.set()
        return answer


async def test_who_follows_is_told_once_though_the_end_of_the_feed_is_read_again(stores: Stores) -> None:
    clock, event_bus, watched, told = VirtualClock(START), EventBus(), Watched(), list[FeedEntry]()
    event_bus.subscribe_to_changes_elsewhere(told.extend)
    following = FollowEvents(feed=gated(stores, watched).feed, namespace_feed=stores.namespace_feed, clock=clock)
    following.add(FIRST_EPOCH, event_bus)
    following.follow("test", every=SECOND)
    await following.begun()
    await stores.jobs.add([make_job()])
    for _ in range(5):
        watched.is_answered.clear()
        await settle()
        clock.advance(1)
        await watched.is_answered.wait()
        await settle()
    following.unfollow("test")
    assert [entry._replace(position="") for entry in told] == [FeedEntry(job_id(1), 0, None, False, False)]


async def test_a_claim_alone_is_no_event(feed: EventFeed, jobs: JobStore, queue: JobQueue) -> None:
    await add_jobs(jobs, 1)
    _, position = await read(feed, "")
    await queue.claim(make_claim(), limit=1)
    assert all(entry.seq == 0 for entry in (await read(feed, position))[0])
