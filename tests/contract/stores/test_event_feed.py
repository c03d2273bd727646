"""`EventFeed`: who goes on from a position misses nothing."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from civitai_mock.domain.job import Job
from civitai_mock.domain.search import FeedEntry, FeedPage
from civitai_mock.domain.stages import Outcome
from civitai_mock.ports import EventFeed, JobQueue, JobStore
from tests.support.dates import START
from tests.support.jobs import SECOND, add_claimed, add_jobs, job_id, make_blocked, make_claim, make_job, succeeded

PAGE = 7
WRITERS, CHANGES = 8, 12


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
    found = {entry.job_id: entry for entry in (await read(feed, ""))[0]}
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


async def test_a_reader_that_comes_back_misses_nothing_of_thousands_of_events_by_many_writers(
    feed: EventFeed, jobs: JobStore, queue: JobQueue
) -> None:
    """It reads while eight write, from where it stopped, and knows the last event of each job in the end."""
    added = await add_jobs(jobs, WRITERS * 12)
    claimed = await queue.claim(make_claim(), limit=len(added))
    seqs: dict[str, int] = {}
    is_over = asyncio.Event()

    async def follow() -> None:
        position, knows_all = "", False
        while not knows_all:
            knows_all = is_over.is_set()
            entries, position = await read(feed, position, limit=50)
            seqs.update(last_seqs(entries))
            await asyncio.sleep(0)

    async def write(own: Sequence[Job]) -> None:
        for turn in range(CHANGES):
            own = [await _changed(jobs, job, turn) for job in own]

    following = asyncio.create_task(follow())
    try:
        await asyncio.gather(*(write(claimed[number::WRITERS]) for number in range(WRITERS)))
    finally:
        is_over.set()
        await following
    assert seqs == {job.id: CHANGES for job in added}


async def _changed(jobs: JobStore, job: Job, turn: int) -> Job:
    after = job.progressed(at=START + turn * SECOND, context={"turn": turn})
    assert await jobs.replace(job, after)
    return after


async def test_a_claim_alone_is_no_event(feed: EventFeed, jobs: JobStore, queue: JobQueue) -> None:
    await add_jobs(jobs, 1)
    _, position = await read(feed, "")
    await queue.claim(make_claim(), limit=1)
    assert all(entry.seq == 0 for entry in (await read(feed, position))[0])
