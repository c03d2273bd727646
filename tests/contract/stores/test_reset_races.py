"""A reset against all that goes on in a namespace: whoever comes too late hears of it, and the new life is empty."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from random import Random

import pytest

from civitai_mock.domain.errors import ConflictError, NamespaceResetError, NotFoundError
from civitai_mock.domain.namespaces import Epoch, NamespaceRecord
from civitai_mock.domain.search import JobCriteria
from civitai_mock.domain.stages import Outcome
from civitai_mock.ports import Stores
from tests.support.dates import START
from tests.support.jobs import chunks, job_id, make_claim, make_job, succeeded
from tests.support.workflows import MONTH, OWNER, first_jobs, make_workflow, workflow_id

NAME, JOBS, KEY = "raced", 6, "kept.png"
SWEPT_AFTER = 10  # rounds; more than one goes over what is left of several epochs
ON_A_SERVER = {25: 12, 1000: 200}  # rounds, as each takes a tenth of a second there
ROUNDS = [pytest.param(25, id="few"), pytest.param(1000, id="thousand", marks=pytest.mark.long)]
Work = Callable[[Stores, Random], Awaitable[None]]


async def submit(stores: Stores, random: Random) -> None:
    for number in random.sample(range(JOBS, 2 * JOBS), 4):
        await stores.jobs.add([make_job(number)])
    workflow = make_workflow(random.randrange(1, 9))
    await stores.workflows.add(workflow, first_jobs(workflow))


async def run(stores: Stores, random: Random) -> None:
    """Claim jobs, store an image, and let them succeed, as a worker does."""
    for _ in range(JOBS):
        for job in await stores.queue.claim(make_claim(f"local-{random.random()}"), limit=2):
            await stores.blobs.put(KEY, chunks(b"content"), content_type="image/png", keep_until=START + MONTH)
            await stores.jobs.replace(job, succeeded(job))


async def cancel(stores: Stores, random: Random) -> None:
    for number in random.sample(range(JOBS), JOBS):
        job = await stores.jobs.get(job_id(number))
        if job is not None and job.outcome is None:
            await stores.jobs.replace(job, job.ended(Outcome.DELETED, at=START, context={}))


async def renew_leases(stores: Stores, random: Random) -> None:
    for _ in range(random.randrange(1, 9)):
        await stores.queue.renew("local-1", [job_id(number) for number in range(JOBS)], START + MONTH)


WORK: Sequence[Work] = (submit, submit, run, run, cancel, renew_leases)


async def until_reset(work: Work, stores: Stores, random: Random) -> bool:
    """Work until it is done, or until the namespace is reset, and return whether it was."""
    for _ in range(random.randrange(12)):
        await asyncio.sleep(0)
    try:
        while True:
            await work(stores, random)
            await asyncio.sleep(0)  # a store in memory answers without letting others run
    except NamespaceResetError:
        return True
    except (ConflictError, NotFoundError):
        return False  # as another one was the first to submit a job with this id


async def reset(stores: Stores, epoch: Epoch, random: Random) -> NamespaceRecord:
    for _ in range(random.randrange(40)):
        await asyncio.sleep(0)
    renewed = await stores.namespaces.renew(NAME, {})
    epoch.end()
    assert renewed is not None
    return renewed


async def assert_empty(stores: Stores) -> None:
    assert await stores.search.find(JobCriteria(), limit=99) == []
    assert (await stores.queue.backlog()).jobs == 0
    assert await stores.queue.claim(make_claim("thief"), limit=99) == []
    assert await stores.jobs.spent(OWNER) == 0
    assert list(await stores.workflows.unfinished(after="", limit=9)) == []
    assert await stores.workflows.get(workflow_id(1)) is None
    assert await stores.blobs.stat(KEY) is None


@pytest.mark.parametrize("rounds", ROUNDS)
async def test_a_reset_leaves_nothing_of_what_goes_on(stores: Stores, rounds: int) -> None:
    random, is_remote = Random(rounds), "MongoDB" in stores.health.description
    record = await stores.namespaces.add(NAME, now=START, document={})
    for number in range(ON_A_SERVER[rounds] if is_remote else rounds):
        epoch = Epoch(NAME, record.epoch)
        old = stores.in_epoch(epoch)
        await old.jobs.add([make_job(number) for number in range(JOBS)])
        tasks = [asyncio.create_task(until_reset(work, old, random)) for work in WORK]
        renewed = await reset(stores, epoch, random)
        fresh = stores.in_epoch(Epoch(NAME, renewed.epoch))
        await assert_empty(fresh)
        assert any(await asyncio.gather(*tasks))
        await assert_empty(fresh)
        assert list(await stores.namespaces.epochs_with_work()) == []
        record = renewed
        if number % SWEPT_AFTER == 0:
            await stores.namespaces.sweep_over(limit=500)
    while await stores.namespaces.sweep_over(limit=5000):
        pass
    for number in range(record.epoch):
        await assert_empty(stores.in_epoch(Epoch(NAME, number)))


async def test_of_many_resets_at_once_each_begins_a_life_of_its_own(stores: Stores) -> None:
    record = await stores.namespaces.add(NAME, now=START, document={})
    await stores.in_epoch(Epoch(NAME, record.epoch)).jobs.add([make_job()])
    renewed = [found for found in await asyncio.gather(*(stores.namespaces.renew(NAME, {}) for _ in range(9))) if found]
    for found in renewed:
        await assert_empty(stores.in_epoch(Epoch(NAME, found.epoch)))
    assert await stores.namespaces.get(NAME) == max(renewed, key=lambda found: found.changed)
