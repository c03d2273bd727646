"""One directory, several processes, some of which die."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, closing
from dataclasses import replace
from pathlib import Path

import pytest

from civitai_mock.domain.errors import ConflictError, TransientError
from civitai_mock.domain.search import Budget, JobCriteria
from civitai_mock.ports import Stores
from civitai_mock.storage.sqlite import TableNames, open_sqlite
from civitai_mock.storage.sqlite.open import FILE_NAME, UPLOADS, WORKERS
from tests.support.dates import START
from tests.support.jobs import LEASE, SECOND, add_claimed, add_jobs, chunks, job_id, make_claim, make_job
from tests.support.sqlite_process import WORKER, other_process


def opening(directory: Path) -> AbstractAsyncContextManager[Stores]:
    return open_sqlite(directory=directory, names=TableNames())


@pytest.fixture
async def stores(tmp_path: Path) -> AsyncIterator[Stores]:
    async with opening(tmp_path) as opened:
        yield opened


@pytest.fixture
async def others(stores: Stores, tmp_path: Path) -> AsyncIterator[Stores]:
    """The same directory, opened as another process would."""
    async with opening(tmp_path) as opened:
        yield opened


def lock_files(directory: Path) -> list[str]:
    return sorted(path.name for path in (directory / WORKERS).glob("*.lock"))


def uploads(directory: Path) -> list[Path]:
    return list((directory / UPLOADS).glob("*/*"))


async def test_what_one_writes_the_other_reads(stores: Stores, others: Stores) -> None:
    await stores.jobs.add([make_job()])
    assert await others.jobs.get(job_id(1)) == make_job()
    await others.blobs.put("A" * 64, chunks(b"content"), content_type="image/png", keep_until=START)
    assert [chunk async for chunk in stores.blobs.read("A" * 64, start=0, stop=7)] == [b"content"]
    assert await stores.secrets.secret("x") == await others.secrets.secret("x")


async def test_who_follows_the_feed_misses_nothing_that_two_others_write(
    stores: Stores, others: Stores, tmp_path: Path
) -> None:
    """The followers read while the two write, in the order in which SQLite lets them."""
    numbers = {"ours": range(1, 401), "theirs": range(1001, 1401)}

    async def write(to: Stores, numbers: range) -> None:
        for start in range(numbers.start, numbers.stop, 8):
            await asyncio.gather(*(to.jobs.add([make_job(number)]) for number in range(start, start + 8)))

    async with opening(tmp_path) as reader:
        writing = asyncio.gather(write(stores, numbers["ours"]), write(others, numbers["theirs"]))
        found, position, is_over = [], "", False
        while not is_over:
            is_over = writing.done()
            page = await reader.feed.after(position, limit=50)
            is_over &= page.is_last
            found += [entry.job_id for entry in page.entries]
            position = page.position
            await asyncio.sleep(0)
        await writing
    assert sorted(found) == sorted(job_id(number) for part in numbers.values() for number in part)


async def test_a_write_that_is_not_committed_keeps_all_later_ones_from_the_feed(
    stores: Stores, others: Stores, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as slow:
        slow.execute("BEGIN IMMEDIATE")
        slow.execute("INSERT INTO \"jobs jobEvent\" (job, seq, body, position) VALUES (-1, 0, x'', 1)")
        adding = asyncio.create_task(stores.jobs.add([make_job()]))
        for _ in range(20):
            await asyncio.sleep(0)
            assert not (await others.feed.after("", limit=10)).entries
        slow.execute("COMMIT")
        await adding
    assert [entry.job_id for entry in (await others.feed.after("", limit=10)).entries] == [job_id(1)]


async def test_claimers_of_two_stores_get_disjoint_jobs(stores: Stores, others: Stores) -> None:
    await add_jobs(stores.jobs, 40)
    claims = [(stores, make_claim("ours")), (others, make_claim("theirs"))] * 10
    got = await asyncio.gather(*(store.queue.claim(claim, limit=2) for store, claim in claims))
    taken = [job.id for batch in got for job in batch]
    assert sorted(taken) == [job_id(number) for number in range(1, 41)]


async def test_submissions_to_two_stores_never_get_past_a_budget_together(stores: Stores, others: Stores) -> None:
    budget = Budget(issued_by=make_job().issued_by, limit=5 * make_job().cost)
    asked = [(stores, others)[number % 2].jobs.add([make_job(number)], budget=budget) for number in range(20)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert answers.count(None) == 5


async def test_two_stores_are_given_different_jobs_to_tell_of(stores: Stores, others: Stores) -> None:
    await stores.jobs.add([replace(make_job(number), callback_url="http://localhost/") for number in range(20)])
    asked = [
        (stores, others)[number % 2].webhooks.take_due(START, hold_until=START + SECOND, limit=3)
        for number in range(10)
    ]
    given = [callback.job.id for callbacks in await asyncio.gather(*asked) for callback in callbacks]
    assert sorted(given) == [job_id(number) for number in range(20)]


async def test_questions_at_once_get_each_their_own_answer(stores: Stores) -> None:
    await stores.jobs.add([replace(make_job(number), issued_by=str(number)) for number in range(50)])
    found = await asyncio.gather(*(stores.search.find(JobCriteria(issued_by=str(n)), limit=9) for n in range(50)))
    assert [[job.id for job in jobs] for jobs in found] == [[job_id(number)] for number in range(50)]


async def test_writers_of_two_stores_wait_for_each_other(stores: Stores, others: Stores) -> None:
    adds = [(stores, others)[number % 2].jobs.add([make_job(number)]) for number in range(200)]
    await asyncio.gather(*adds)
    assert len(await stores.jobs.get_many([job_id(number) for number in range(200)])) == 200


async def test_reads_and_other_tasks_go_on_while_another_process_writes(stores: Stores, tmp_path: Path) -> None:
    await stores.jobs.add([make_job(1)])
    with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        adding = asyncio.create_task(stores.jobs.add([make_job(2)]))
        for _ in range(10):
            await asyncio.sleep(0)
            assert await stores.jobs.get(job_id(1)) == make_job(1)
        assert not adding.done()
        assert await stores.jobs.get(job_id(2)) is None
        holder.execute("COMMIT")
        await adding
    assert await stores.jobs.get(job_id(2)) == make_job(2)


async def test_who_holds_the_lock_too_long_makes_the_store_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("civitai_mock.storage.sqlite.database.BUSY_SECONDS", 0.05)
    async with opening(tmp_path) as stores:
        with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            with pytest.raises(TransientError, match="locked"):
                await stores.health.ping()
            holder.execute("ROLLBACK")
        await stores.health.ping()
        await stores.jobs.add([make_job()])


async def test_a_worker_that_lives_elsewhere_keeps_its_jobs(stores: Stores, others: Stores) -> None:
    claimed = await add_claimed(stores.jobs, stores.queue)
    assert list(await others.queue.held_by_dead(limit=10)) == []
    assert list(await others.queue.with_expired_lease(START + LEASE + SECOND, limit=10)) == [claimed]
    assert list(await others.queue.held_by_dead(limit=10)) == []


async def test_jobs_left_by_a_store_that_was_closed_come_back_at_once(stores: Stores, tmp_path: Path) -> None:
    async with opening(tmp_path) as others:
        claimed = await add_claimed(others.jobs, others.queue)
        assert lock_files(tmp_path) != []
    assert list(await stores.queue.held_by_dead(limit=10)) == [claimed]
    assert lock_files(tmp_path) == []


async def test_opening_deletes_the_locks_of_dead_processes_and_of_no_others(stores: Stores, tmp_path: Path) -> None:
    await add_claimed(stores.jobs, stores.queue)
    living = lock_files(tmp_path)
    for folder in (WORKERS, UPLOADS):
        (tmp_path / folder / "dead-0123456789abcdef.lock").touch()
    async with opening(tmp_path) as others:
        assert lock_files(tmp_path) == living
        assert not list((tmp_path / UPLOADS).glob("dead*"))
        assert list(await others.queue.held_by_dead(limit=10)) == []


async def test_a_name_that_is_in_use_elsewhere_cannot_claim(stores: Stores, others: Stores) -> None:
    await add_jobs(stores.jobs, 2)
    await stores.queue.claim(make_claim("same"), limit=1)
    with pytest.raises(ConflictError, match="'same' is in use"):
        await others.queue.claim(make_claim("same"), limit=1)
    assert len(await others.queue.claim(make_claim("other"), limit=1)) == 1


async def test_names_that_look_alike_as_files_are_different_workers(stores: Stores, others: Stores) -> None:
    await add_jobs(stores.jobs, 2)
    await stores.queue.claim(make_claim("a/b"), limit=1)
    assert len(await others.queue.claim(make_claim("a:b"), limit=1)) == 1


async def test_lock_files_stay_in_their_folder(stores: Stores, tmp_path: Path) -> None:
    await add_claimed(stores.jobs, stores.queue, make_claim("../../escaped"))
    assert len(lock_files(tmp_path)) == 1
    assert not list(tmp_path.parent.glob("escaped*"))


async def test_lock_files_that_cannot_be_made_make_the_store_away(stores: Stores, tmp_path: Path) -> None:
    await add_jobs(stores.jobs, 1)
    shutil.rmtree(tmp_path / WORKERS)
    (tmp_path / WORKERS).touch()
    with pytest.raises(TransientError, match=WORKERS):
        await stores.queue.claim(make_claim(), limit=1)
    (tmp_path / WORKERS).unlink()
    assert len(await stores.queue.claim(make_claim(), limit=1)) == 1


async def test_the_jobs_of_the_dead_are_not_more_than_asked_for(stores: Stores, tmp_path: Path) -> None:
    async with opening(tmp_path) as others:
        await add_jobs(others.jobs, 3)
        await others.queue.claim(make_claim("dead"), limit=3)
    assert len(await stores.queue.held_by_dead(limit=2)) == 2
    assert len(await stores.queue.held_by_dead(limit=10)) == 3


@pytest.mark.slow
async def test_jobs_of_a_killed_process_come_back_at_once(tmp_path: Path) -> None:
    async with opening(tmp_path) as stores:
        with other_process("claim", tmp_path) as process:
            claimed_id = process.line()
            assert list(await stores.queue.held_by_dead(limit=10)) == []
            process.kill()
        (left,) = await stores.queue.held_by_dead(limit=10)
        assert (left.id, left.claim) == (claimed_id, make_claim(WORKER))
        assert await stores.jobs.replace(left, left.claim_expired(at=START, reason="died"))
        assert list(await stores.queue.held_by_dead(limit=10)) == []
        again = await stores.queue.claim(make_claim("heir"), limit=10)
        assert [job.retry_attempt for job in again] == [1, 0]


@pytest.mark.slow
async def test_processes_that_claim_at_once_get_disjoint_jobs(tmp_path: Path) -> None:
    async with opening(tmp_path) as stores:
        await add_jobs(stores.jobs, 300)
        with other_process("race", tmp_path) as process:
            assert process.line() == "ready"
            ours: list[str] = []
            while claimed := await stores.queue.claim(make_claim("ours"), limit=3):
                ours.extend(job.id for job in claimed)
            theirs: list[str] = []
            while (line := process.line()) != "done":
                theirs.append(line)
        assert sorted([*ours, *theirs]) == [job_id(number) for number in range(1, 301)]


@pytest.mark.slow
async def test_whatever_was_acknowledged_before_a_kill_is_there_after_it(tmp_path: Path) -> None:
    with other_process("add", tmp_path) as process:
        acknowledged = [int(process.line()) for _ in range(200)]
        acknowledged += [int(line) for line in process.kill() if line]
    async with opening(tmp_path) as stores:
        await stores.health.ping()
        expected = [job_id(number + extra) for number in acknowledged for extra in (0, 1)]
        assert [job.id for job in await stores.jobs.get_many(expected)] == expected
        for number in (acknowledged[0], acknowledged[-1]):
            assert list(await stores.jobs.events(job_id(number))) == [make_job(number).last_event]
        # What came after the last word is there whole or not at all.
        unsaid = await stores.jobs.get_many([job_id(acknowledged[-1] + extra) for extra in (2, 3)])
        assert len(unsaid) in {0, 2}


@pytest.mark.slow
async def test_what_a_killed_process_was_receiving_is_cleaned_up(tmp_path: Path) -> None:
    with other_process("upload", tmp_path) as process:
        process.line()
        async with opening(tmp_path) as stores:
            assert await stores.blobs.stat("A" * 64) is None
            assert len(uploads(tmp_path)) == 1, "the upload of a living process is left alone"
        process.kill()
    async with opening(tmp_path):
        assert uploads(tmp_path) == []
