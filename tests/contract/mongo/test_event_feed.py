"""The feed of events in MongoDB: writes become visible in any order, and some of them late."""

import pytest

from civitai_mock.domain.job import Job
from civitai_mock.domain.stages import Outcome
from civitai_mock.ports import Stores
from civitai_mock.storage.mongo import event_feed
from civitai_mock.storage.mongo.collections import Collections
from civitai_mock.storage.mongo.event_feed import FeedPositions
from tests.support.dates import START
from tests.support.jobs import SECOND, add_claimed, job_id, make_job
from tests.support.mongo import Meanwhile, process_on

pytestmark = pytest.mark.mongo


async def _position_of(inside: Collections, job_id: str) -> str:
    document = await inside.jobs.find_one({"jobId": job_id}, {"feedPosition": 1})
    assert document is not None
    return str(document["feedPosition"])


def _progressed(job: Job) -> Job:
    return job.progressed(at=START + SECOND, context={})


async def test_a_write_that_others_overtook_is_found_by_who_read_past_it(stores: Stores, inside: Collections) -> None:
    slow = await add_claimed(stores.jobs, stores.queue)
    passed: list[str] = []

    async def others_write_and_read() -> None:
        await stores.jobs.add([make_job(2)])
        page = await stores.feed.after("", limit=100)
        assert {entry.job_id: entry.seq for entry in page.entries} == {slow.id: 0, job_id(2): 0}
        passed.append(page.position)

    jobs = Meanwhile(inside.jobs, "bulk_write", others_write_and_read)
    assert await process_on(inside, jobs=jobs).jobs.replace(slow, _progressed(slow))
    assert await _position_of(inside, slow.id) < await _position_of(inside, job_id(2))
    found = (await stores.feed.after(passed[0], limit=100)).entries
    assert (slow.id, 1) in {(entry.job_id, entry.seq) for entry in found}


async def test_a_write_that_takes_too_long_is_moved_to_the_end_of_the_feed(
    stores: Stores, inside: Collections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_feed, "LATE_SECONDS", 0.0)
    slow = await add_claimed(stores.jobs, stores.queue)

    async def others_write() -> None:
        await stores.jobs.add([make_job(2)])

    jobs = Meanwhile(inside.jobs, "bulk_write", others_write)
    assert await process_on(inside, jobs=jobs).jobs.replace(slow, _progressed(slow))
    assert await _position_of(inside, slow.id) > await _position_of(inside, job_id(2))


async def test_a_job_never_goes_back_in_the_feed_though_clocks_differ(stores: Stores, inside: Collections) -> None:
    ahead = "2999-01-01T00:00:00.000000Z"
    for number, url in ((1, None), (2, "http://127.0.0.1/")):
        job = make_job(number)
        await stores.jobs.add([job])
        await inside.jobs.update_one({"jobId": job.id}, {"$set": {"feedPosition": ahead, "callbackUrl": url}})
        stored = await stores.jobs.get(job.id)
        assert stored is not None
        assert await stores.jobs.replace(stored, stored.ended(Outcome.DELETED, at=START, context={}))
        assert await _position_of(inside, job.id) == ahead


def test_positions_grow_though_they_are_drawn_in_one_microsecond() -> None:
    positions = FeedPositions()
    drawn = [positions.draw() for _ in range(1000)]
    assert drawn == sorted(set(drawn))
