"""What only MongoDB can get wrong about jobs: two writes that a crash may part, and claimers in many processes."""

import asyncio
from dataclasses import replace
from functools import partial

import pytest

from civitai_mock.domain.claims import Claim
from civitai_mock.domain.errors import ConflictError, TransientError
from civitai_mock.domain.events import LONG_TEXT
from civitai_mock.domain.job import Job
from civitai_mock.domain.namespaces import FIRST_EPOCH
from civitai_mock.domain.stages import Outcome, Stage
from civitai_mock.ports import JobQueue, Stores
from civitai_mock.storage.mongo import job_changes
from civitai_mock.storage.mongo.collections import Collections
from civitai_mock.storage.mongo.encoding import json_text
from civitai_mock.storage.mongo.job_documents import event_documents
from tests.support.dates import START
from tests.support.jobs import LEASE, add_claimed, add_jobs, job_id, make_claim, make_job
from tests.support.mongo import Interrupted, Meanwhile, MongoAddress, SentAgain, process_on

pytestmark = pytest.mark.mongo


def accepted(job: Job) -> Job:
    return job.entered(Stage.CLAIMED, at=START, until=START + LEASE, context={"step": 1})


def claimed_by(job: Job, claim: Claim) -> Job:
    return replace(job, claim=claim)


def cancelled(job: Job) -> Job:
    return job.ended(Outcome.DELETED, at=START, context={})


async def stored_seqs(inside: Collections) -> list[int]:
    return [event["seq"] async for event in inside.job_events.find().sort("seq")]


async def test_a_crash_before_the_event_is_stored_loses_nothing_of_the_history(
    stores: Stores, inside: Collections
) -> None:
    job = await add_claimed(stores.jobs, stores.queue)
    dying = process_on(inside, events=Interrupted(inside.job_events, "insert_many")).jobs
    assert await dying.replace(job, accepted(job))
    assert await stored_seqs(inside) == []
    assert await stores.jobs.events(job.id) == [job.last_event, accepted(job).last_event]


@pytest.mark.parametrize("next_process", ["none", "the same", "another"])
async def test_a_crash_before_several_events_are_stored_loses_none_of_them(
    stores: Stores, inside: Collections, next_process: str
) -> None:
    job = await add_claimed(stores.jobs, stores.queue)
    first = accepted(job)
    second = first.entered(Stage.PROMPT_PREPARED, at=START, until=START + LEASE, context={"step": 2})
    events = Interrupted(inside.job_events, "insert_many")
    dying = process_on(inside, events=events).jobs
    assert await dying.replace(job, second, between=[first.last_event])
    assert await stored_seqs(inside) == []
    told = [job.last_event, first.last_event, second.last_event]
    assert await stores.jobs.events(job.id) == told
    events.broken = False
    if next_process != "none":
        successor = dying if next_process == "the same" else stores.jobs
        ended = cancelled(second)
        assert await successor.replace(second, ended)
        assert await stored_seqs(inside) == [0, 1, 2, 3]
        assert await stores.jobs.events(job.id) == [*told, ended.last_event]


@pytest.mark.parametrize("next_process", ["the same", "another"])
async def test_whoever_changes_the_job_next_stores_the_event_that_a_crash_left_out(
    stores: Stores, inside: Collections, next_process: str
) -> None:
    job = await add_claimed(stores.jobs, stores.queue)
    events = Interrupted(inside.job_events, "insert_many")
    dying = process_on(inside, events=events).jobs
    assert await dying.replace(job, accepted(job))
    events.broken = False
    successor = dying if next_process == "the same" else stores.jobs
    assert await successor.replace(accepted(job), cancelled(accepted(job)))
    assert await stored_seqs(inside) == [0, 1, 2]
    assert [event.context for event in await stores.jobs.events(job.id)] == [{}, {"step": 1}, {}]


async def test_an_event_that_was_stored_is_not_doubled_by_the_next_process(stores: Stores, inside: Collections) -> None:
    job = await add_claimed(stores.jobs, stores.queue)
    assert await process_on(inside).jobs.replace(job, accepted(job))
    assert await stores.jobs.replace(accepted(job), cancelled(accepted(job)))
    assert await stored_seqs(inside) == [0, 1, 2]


async def test_a_process_with_more_jobs_than_it_remembers_stores_each_event_once(
    stores: Stores, inside: Collections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_changes, "REMEMBERED_JOBS", 1)
    await add_jobs(stores.jobs, 2)
    for job in await stores.queue.claim(make_claim(), limit=2):
        assert await stores.jobs.replace(job, accepted(job))
    for job in await stores.jobs.get_many([job_id(1), job_id(2)]):
        assert await stores.jobs.replace(job, cancelled(job))
    assert await stored_seqs(inside) == [0, 0, 1, 1, 2, 2]


async def test_of_two_processes_that_change_a_job_at_once_one_writes(stores: Stores, inside: Collections) -> None:
    job = await add_claimed(stores.jobs, stores.queue)
    both = (stores.jobs.replace(job, accepted(job)), process_on(inside).jobs.replace(job, cancelled(job)))
    assert sorted(await asyncio.gather(*both)) == [False, True]
    assert await stored_seqs(inside) == [0, 1]


async def test_changes_of_one_instant_are_answered_one_by_one(stores: Stores, inside: Collections) -> None:
    await add_jobs(stores.jobs, 3)
    first, second, third = await stores.queue.claim(make_claim(), limit=3)
    pairs = [(first, accepted(first)), (first, cancelled(first)), (second, accepted(second)), (make_job(9), third)]
    assert await asyncio.gather(*(stores.jobs.replace(*pair) for pair in pairs)) == [True, False, True, False]
    assert await stored_seqs(inside) == [0, 0, 1, 1]


async def test_a_submission_is_one_command_and_its_event_is_in_the_job(stores: Stores, inside: Collections) -> None:
    jobs = await add_jobs(stores.jobs, 2)
    assert await stored_seqs(inside) == []
    assert [await stores.jobs.events(job.id) for job in jobs] == [[job.last_event] for job in jobs]


async def test_the_first_event_of_a_job_of_an_earlier_version_is_not_doubled(
    stores: Stores, inside: Collections
) -> None:
    """Up to version 4 a submission stored it as a document of its own."""
    job = await add_claimed(stores.jobs, stores.queue)
    await inside.job_events.insert_many(event_documents(job, [job.last_event], FIRST_EPOCH))
    assert await stores.jobs.replace(job, accepted(job))
    assert await stored_seqs(inside) == [0, 1]
    assert await stores.jobs.events(job.id) == [job.last_event, accepted(job).last_event]


async def test_a_submission_that_breaks_off_leaves_no_job_and_no_event(stores: Stores, inside: Collections) -> None:
    breaking = process_on(inside, jobs=Interrupted(inside.jobs, "insert_many", carried_out=True)).jobs
    with pytest.raises(TransientError):
        await breaking.add([make_job(1), make_job(2)])
    assert await stores.jobs.get_many([job_id(1), job_id(2)]) == []
    assert await stored_seqs(inside) == []


async def test_a_taken_id_leaves_the_job_that_has_it_alone(stores: Stores, inside: Collections) -> None:
    await stores.jobs.add([make_job(2)])
    with pytest.raises(ConflictError):
        await stores.jobs.add([make_job(1), make_job(2), make_job(3)])
    assert await stores.jobs.get_many([job_id(1), job_id(2), job_id(3)]) == [make_job(2)]
    assert await stores.jobs.events(job_id(2)) == [make_job(2).last_event]


@pytest.mark.parametrize("stored", [None, 1, 2])
async def test_a_submission_that_the_driver_sends_again_is_stored_once(
    stores: Stores, inside: Collections, stored: int | None
) -> None:
    jobs = [make_job(1), make_job(2), make_job(3)]
    await process_on(inside, jobs=SentAgain(inside.jobs, "insert_many", stored=stored)).jobs.add(jobs)
    assert await stores.jobs.get_many([job_id(1), job_id(2), job_id(3)]) == jobs
    assert await inside.jobs.count_documents({}) == 3


@pytest.mark.parametrize("stored", [None, 1])
async def test_a_submission_that_the_driver_sends_again_meets_a_taken_id(
    stores: Stores, inside: Collections, stored: int | None
) -> None:
    await stores.jobs.add([make_job(2)])
    sending = process_on(inside, jobs=SentAgain(inside.jobs, "insert_many", stored=stored)).jobs
    with pytest.raises(ConflictError):
        await sending.add([make_job(1), make_job(2), make_job(3)])
    assert await stores.jobs.get_many([job_id(1), job_id(2), job_id(3)]) == [make_job(2)]


async def test_processes_that_claim_at_once_share_the_jobs_out(address: MongoAddress, stores: Stores) -> None:
    async def work_off(claimer: JobQueue, claim: Claim) -> list[str]:
        mine: list[str] = []
        while claimed := await claimer.claim(claim, limit=7):
            mine += [job.id for job in claimed]
        return mine

    jobs = await add_jobs(stores.jobs, 60)
    async with address.open() as other, address.open() as third:
        claimers = {"a": stores.queue, "b": other.queue, "c": third.queue}
        shares = await asyncio.gather(*(work_off(claimer, make_claim(name)) for name, claimer in claimers.items()))
    assert sorted(job_id for share in shares for job_id in share) == [job.id for job in jobs]


@pytest.mark.parametrize("lost", [1, 2])
async def test_a_claimer_that_is_overtaken_looks_further_back(stores: Stores, inside: Collections, lost: int) -> None:
    await add_jobs(stores.jobs, 4)
    overtaken = partial(stores.queue.claim, make_claim("rival"), limit=lost)  # between our look and our write
    late = process_on(inside, jobs=Meanwhile(inside.jobs, "update_many", overtaken)).queue
    claimed = await late.claim(make_claim(), limit=2)
    assert [job.id for job in claimed] == [job_id(lost + 1), job_id(lost + 2)]


@pytest.mark.parametrize("call", ["claim", "renew"])
async def test_jobs_of_a_claim_whose_answer_was_lost_go_back(stores: Stores, inside: Collections, call: str) -> None:
    (job,) = await add_jobs(stores.jobs, 1)
    jobs = Interrupted(inside.jobs, "update_many", carried_out=True)
    claimer = process_on(inside, jobs=jobs).queue
    with pytest.raises(TransientError):
        await claimer.claim(make_claim(), limit=1)
    assert await stores.queue.claim(make_claim("other"), limit=1) == []
    jobs.broken = False
    if call == "claim":
        assert await claimer.claim(make_claim(), limit=1) == [claimed_by(job, make_claim())]
    else:
        assert await claimer.renew("local-1", [], START + LEASE) == frozenset()
        assert await stores.queue.claim(make_claim("other"), limit=1) == [claimed_by(job, make_claim("other"))]


async def test_a_change_whose_caller_gave_up_is_written_before_the_store_closes(address: MongoAddress) -> None:
    async with address.open() as stores:
        job = await add_claimed(stores.jobs, stores.queue)
        caller = asyncio.create_task(stores.jobs.replace(job, accepted(job)))
        await asyncio.sleep(0)
        caller.cancel()
    async with address.open() as stores:
        assert await stores.jobs.get(job.id) == accepted(job)


async def test_an_id_that_no_document_can_hold_is_unknown(stores: Stores) -> None:
    assert await stores.jobs.get("\ud800") is None


async def test_a_text_that_several_events_repeat_is_stored_once(stores: Stores, inside: Collections) -> None:
    graph = "graph " * LONG_TEXT
    job = await add_claimed(stores.jobs, stores.queue)
    for number in range(3):
        before, job = job, job.progressed(at=START, context={"graph": graph, "number": number})
        assert await stores.jobs.replace(before, job)
    document = await inside.jobs.find_one({"jobId": job.id})
    assert document is not None
    assert list(document["texts"].values()) == [graph]
    events = [event async for event in inside.job_events.find()]
    assert str([document, *events]).count(graph) == 1


async def test_an_event_that_was_stored_with_its_text_comes_back(stores: Stores, inside: Collections) -> None:
    """So did versions up to 5."""
    graph = "graph " * LONG_TEXT
    job = await add_claimed(stores.jobs, stores.queue)
    after = job.progressed(at=START, context={"graph": graph})
    assert await stores.jobs.replace(job, after)
    old = {"context": json_text({"graph": graph})}
    await inside.job_events.update_many({"seq": 1}, {"$set": old, "$unset": {"text": ""}})
    last = {f"lastEvent.{name}": value for name, value in old.items()}
    await inside.jobs.update_many({}, {"$set": last, "$unset": {"texts": "", "lastEvent.text": ""}})
    assert await stores.jobs.get(job.id) == after
    ended = after.progressed(at=START, context={"graph": graph, "later": 1})
    assert await stores.jobs.replace(after, ended)
    assert list(await stores.jobs.events(job.id)) == [job.last_event, after.last_event, ended.last_event]
