"""`JobStore`: what is stored, changed, told of and swept."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest

from civitai_mock.domain.blob import BlobFacts, Slot
from civitai_mock.domain.errors import ConflictError
from civitai_mock.domain.events import LONG_TEXT
from civitai_mock.domain.job import Job, JobSummary
from civitai_mock.domain.job_fault import JobFault
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.domain.maturity import NsfwLevel
from civitai_mock.domain.stages import JobEventType, MovedBy, Outcome, Stage
from civitai_mock.ports import JobQueue, JobSearch, JobStore
from tests.support.dates import START
from tests.support.jobs import (
    LEASE,
    LIFETIME,
    SECOND,
    add_claimed,
    add_jobs,
    job_id,
    make_claim,
    make_job,
    prepared,
    succeeded,
)

AWKWARD: JsonObject = {
    "graph": '{"3": {"class_type": "KSampler", "inputs": {"seed": 18446744073709551615}}}',
    "empty": {},
    "": [[], None, True, 1.5e-7, -(2**63), "\x00\u2028'\"\\%_"],
    "$set": {"a.b": {"$gt": ""}},
    "_id": 1,
}


def ids(jobs: Sequence[Job]) -> list[str]:
    return [job.id for job in jobs]


async def test_a_stored_job_comes_back_as_it_was(jobs: JobStore) -> None:
    job = make_job()
    await jobs.add([job])
    assert await jobs.get(job.id) == job


async def test_a_fault_that_was_decided_is_kept_by_every_later_change(jobs: JobStore, queue: JobQueue) -> None:
    claimed = await add_claimed(jobs, queue)
    fault = JobFault(attempt=1, rule="a", does={"preset": "stuck-running"})
    decided = replace(claimed.progressed(at=START + SECOND, context={}), faults=(fault,))
    assert await jobs.replace(claimed, decided)
    assert await jobs.get(decided.id) == decided
    ended = decided.ended(Outcome.DELETED, at=START + 2 * SECOND, context={})
    assert await jobs.replace(decided, ended)
    stored = await jobs.get(decided.id)
    assert stored is not None
    assert stored.faults == (fault,)


async def test_what_was_decided_is_kept_without_an_event(jobs: JobStore, queue: JobQueue) -> None:
    queued, claimed = make_job(2), await add_claimed(jobs, queue)
    await jobs.add([queued])
    first, second = JobFault(attempt=1, rule="a", does=AWKWARD), JobFault(attempt=2, rule="b")
    for job in (claimed, queued):
        assert await jobs.keep_faults(job, [first])
        assert not await jobs.keep_faults(job, [second])
        decided = replace(job, faults=(first,))
        assert await jobs.get(job.id) == decided
        assert await jobs.keep_faults(decided, [first, second])
        assert await jobs.get(job.id) == replace(job, faults=(first, second))


async def test_nothing_is_decided_for_a_job_that_others_have(jobs: JobStore, queue: JobQueue) -> None:
    claimed = await add_claimed(jobs, queue)
    fault = JobFault(attempt=1, rule="a")
    assert not await jobs.keep_faults(replace(claimed, claim=None), [fault])
    assert await jobs.replace(claimed, claimed.progressed(at=START + SECOND, context={}))
    assert not await jobs.keep_faults(claimed, [fault])
    current = await jobs.get(claimed.id)
    assert current is not None
    ended = current.ended(Outcome.DELETED, at=START + SECOND, context={})
    assert await jobs.replace(current, ended)
    assert not await jobs.keep_faults(ended, [fault])
    assert not await jobs.keep_faults(make_job(9), [fault])


async def test_a_canceled_job_may_keep_a_part_of_its_cost(jobs: JobStore, queue: JobQueue) -> None:
    refunded, claimed = make_job(2), await add_claimed(jobs, queue)
    await jobs.add([refunded])
    assert await jobs.spent(claimed.issued_by) == pytest.approx(claimed.cost + refunded.cost)
    kept = replace(claimed.ended(Outcome.DELETED, at=START + SECOND, context={}), cost=0.25, keeps_cost=True)
    assert await jobs.replace(claimed, kept)
    assert await jobs.replace(refunded, refunded.ended(Outcome.DELETED, at=START + SECOND, context={}))
    assert await jobs.get(claimed.id) == kept
    assert await jobs.spent(claimed.issued_by) == 0.25


async def test_a_stored_job_comes_back_with_everything_that_a_job_can_have(jobs: JobStore) -> None:
    slots = (
        Slot(blob_key="A" * 64, name="a name", available=True),
        Slot(blob_key="B" * 64),
        Slot(blob_key="C.mp4", facts=BlobFacts(width=64, duration=2.5, nsfw_level=NsfwLevel.R)),
        Slot(blob_key="D.mp4", name="a name", facts=BlobFacts()),
    )
    job = replace(
        make_job(),
        submission_id="00000000-0000-4000-8000-000000000000",
        name='the "name" ключ',
        callback_url="http://localhost:1/?a=b",
        client_compat="official",
        moved_by=MovedBy.TIME,
        progress={"mode": "polls", "each": 2},
        asked_fault={"preset": "node-crash", "params": AWKWARD},
        result_key="0f/any",
        faults=(
            JobFault(attempt=1, rule="a", does=AWKWARD, is_over=True),
            JobFault(attempt=2, turns={"faults/c/1/": "every"}),
        ),
        providers=("local", "other"),
        dependencies=(job_id(2), job_id(3)),
        charged=False,
        cost=0,
        slots=slots,
        is_blocked=True,
        result=[AWKWARD, "text", None],
        taint=AWKWARD,
    )
    await jobs.add([job])
    assert await jobs.get(job.id) == job


@pytest.mark.parametrize("result", [AWKWARD, [], {}, [1.5, None], "text", "", 0, False, 7.25, None])
async def test_any_result_survives(jobs: JobStore, queue: JobQueue, result: Json) -> None:
    claimed = await add_claimed(jobs, queue)
    ended = replace(succeeded(claimed), result=result)
    assert await jobs.replace(claimed, ended)
    assert await jobs.get(ended.id) == ended


async def test_news_of_a_job_are_stored_with_its_slots(jobs: JobStore, queue: JobQueue) -> None:
    claimed = await add_claimed(jobs, queue)
    more = (*claimed.slots, Slot(blob_key="C" * 64, name="sample", available=True))
    progressed = claimed.progressed(at=START + SECOND, context={"epoch": 1}, slots=more)
    assert await jobs.replace(claimed, progressed)
    assert await jobs.get(claimed.id) == progressed
    assert list(await jobs.events(claimed.id)) == [claimed.last_event, progressed.last_event]


@pytest.mark.parametrize("taint", [AWKWARD, {}])
async def test_a_job_can_be_tainted_in_any_state(jobs: JobStore, queue: JobQueue, taint: JsonObject) -> None:
    await add_jobs(jobs, 3)
    claimed, finished = await queue.claim(make_claim(), limit=2)
    assert await jobs.replace(finished, succeeded(finished))
    tainted = [job_id(number) for number in (1, 2, 3, 9)]
    before = await jobs.get_many(tainted)
    assert await jobs.set_taint([*tainted, job_id(1)], taint) == 3
    assert list(await jobs.get_many(tainted)) == [replace(job, taint=taint) for job in before]
    assert await jobs.replace(claimed, prepared(claimed))


async def test_a_job_is_settled_from_its_end_until_it_is_tainted_or_swept(jobs: JobStore, queue: JobQueue) -> None:
    await add_jobs(jobs, 3)
    ids = [job_id(number) for number in (1, 2, 3, 9)]
    claimed, finished = await queue.claim(make_claim(), limit=2)
    assert [await jobs.settled_at(each) for each in ids] == [None] * 4
    ended = succeeded(finished, at=START + timedelta(microseconds=1))
    failed = claimed.ended(Outcome.FAILED, at=START + SECOND, context={})
    assert await jobs.replace(claimed, failed)
    assert await jobs.replace(finished, ended)
    assert [await jobs.settled_at(each) for each in ids] == [failed.settled_at, ended.settled_at, None, None]
    assert (failed.settled_at, ended.settled_at) == (failed.last_event.at, ended.last_event.at)
    await jobs.set_taint([failed.id], {})
    tainted = await jobs.get(failed.id)
    assert tainted is not None
    assert await jobs.settled_at(failed.id) is tainted.settled_at is None
    await jobs.sweep(ended.keep_until)
    assert await jobs.settled_at(ended.id) is None


async def test_the_summary_of_a_job_says_what_the_job_does(jobs: JobStore, queue: JobQueue) -> None:
    graph = {"comfy_prompt_request": AWKWARD["graph"], "long": "x" * LONG_TEXT}
    slots = (
        Slot(blob_key="A" * 64, name="a name", available=True),
        Slot(blob_key="B" * 64, seed=7),
        Slot(blob_key="7Q00000000000000000000000Z.jpeg", facts=BlobFacts(width=64, nsfw_level=NsfwLevel.R)),
    )
    await jobs.add([replace(make_job(number), properties=AWKWARD, cost=0.5) for number in (1, 2, 3)])
    first, second, _ = await queue.claim(make_claim(), limit=3)
    ended = replace(succeeded(first, at=START + SECOND), slots=slots, result=AWKWARD)
    failed = second.ended(Outcome.FAILED, at=START + SECOND, context=graph)
    assert await jobs.replace(first, ended)
    assert await jobs.replace(second, failed)
    assert await jobs.set_taint([failed.id], AWKWARD) == 1
    for number in (1, 2, 3):
        job, summary = await jobs.get(job_id(number)), await jobs.get_summary(job_id(number))
        assert members(summary) == members(job)


def members(job: JobSummary | None) -> dict[str, object]:
    return {field.name: getattr(job, field.name) for field in fields(JobSummary)}


async def test_an_unfinished_job_is_returned_whole(jobs: JobStore) -> None:
    await jobs.add([make_job()])
    assert await jobs.get_summary(job_id(1)) == make_job()


async def test_an_unknown_job_has_no_summary(jobs: JobStore) -> None:
    assert await jobs.get_summary(job_id(1)) is None


async def test_an_id_that_no_store_can_hold_is_not_settled(jobs: JobStore) -> None:
    assert await jobs.settled_at("\ud800") is None


async def test_tainting_no_job_is_no_error(jobs: JobStore) -> None:
    assert await jobs.set_taint([], {}) == 0


async def test_a_later_taint_takes_the_place_of_an_earlier(jobs: JobStore) -> None:
    await jobs.add([make_job()])
    await jobs.set_taint([job_id(1)], {"a": 1})
    await jobs.set_taint([job_id(1)], {"b": 2})
    assert await jobs.get(job_id(1)) == replace(make_job(), taint={"b": 2})


async def test_a_taint_survives_changes_by_someone_who_did_not_see_it(jobs: JobStore, queue: JobQueue) -> None:
    claimed = await add_claimed(jobs, queue)
    await jobs.set_taint([claimed.id], {"reason": "wrong"})
    assert await jobs.replace(claimed, prepared(claimed))
    assert await jobs.get(claimed.id) == replace(prepared(claimed), taint={"reason": "wrong"})


@pytest.mark.parametrize(
    "change",
    [
        {"is_lost": True, "available": False},
        {"expired_at": START + timedelta(microseconds=7)},
        {"expired_at": START, "is_lost": True, "available": False},
    ],
)
async def test_what_becomes_of_a_blob_is_kept_with_the_slot(
    jobs: JobStore, queue: JobQueue, search: JobSearch, change: dict[str, Any]
) -> None:
    slots = (
        Slot(blob_key="A" * 64, seed=3, available=True),
        Slot(blob_key="b.jpeg", name="a name", available=True, facts=BlobFacts(width=3, workflow_id="w")),
    )
    claimed = await add_claimed(jobs, queue, job=replace(make_job(), slots=slots))
    ended = replace(succeeded(claimed), slots=slots)
    assert await jobs.replace(claimed, ended)
    assert await jobs.settled_at(ended.id) == ended.settled_at is not None
    changed = replace(slots[1], **change)
    assert await jobs.change_slot(ended.id, changed)
    found = await jobs.get(ended.id)
    assert found == replace(ended, slots=(slots[0], changed))
    summary = await jobs.get_summary(ended.id)
    assert summary is not None
    assert summary.slots == found.slots
    assert (await jobs.settled_at(ended.id), found.settled_at) == (None, None)
    assert (await search.spending(None, since=None, until=None)).images == len(slots)  # as so many were made
    assert not await jobs.change_slot(ended.id, replace(changed, blob_key="c"))
    assert not await jobs.change_slot(job_id(9), changed)


async def test_an_unknown_job_is_none(jobs: JobStore) -> None:
    assert await jobs.get(job_id(1)) is None


@pytest.mark.parametrize("text", ["", "'", '"; DROP TABLE jobs; --', "\x00", "\ud800", "$where", "ф" * 5_000])
async def test_text_that_is_no_id_is_an_unknown_job(jobs: JobStore, text: str) -> None:
    await add_jobs(jobs, 1)
    assert await jobs.get(text) is None
    assert ids(await jobs.get_many([text, job_id(1)])) == [job_id(1)]
    assert list(await jobs.events(text)) == []


async def test_any_json_survives_in_a_job(jobs: JobStore) -> None:
    job = replace(make_job(), spec=AWKWARD, properties=AWKWARD)
    job = replace(job, last_event=replace(job.last_event, context=AWKWARD))
    await jobs.add([job])
    assert await jobs.get(job.id) == job


async def test_a_job_that_ends_without_resources_or_slots_comes_back_as_it_was(jobs: JobStore, queue: JobQueue) -> None:
    claimed = await add_claimed(jobs, queue, job=replace(make_job(), resources=(), slots=()))
    ended = succeeded(claimed, at=START + SECOND)
    assert await jobs.replace(claimed, ended)
    assert await jobs.get(ended.id) == ended


async def test_adding_no_job_is_no_error(jobs: JobStore, queue: JobQueue) -> None:
    await jobs.add([])
    assert list(await queue.claim(make_claim(), limit=1)) == []


async def test_many_jobs_come_back_in_the_order_asked_for_without_the_unknown(jobs: JobStore) -> None:
    await add_jobs(jobs, 3)
    found = await jobs.get_many([job_id(3), job_id(9), job_id(1), job_id(2)])
    assert ids(found) == [job_id(3), job_id(1), job_id(2)]


async def test_asking_for_no_job_gives_none(jobs: JobStore) -> None:
    await add_jobs(jobs, 1)
    assert list(await jobs.get_many([])) == []


@pytest.mark.parametrize("numbers", [(2, 1, 3), (1, 2, 3), (2, 3, 1), (2, 3, 2)])
async def test_either_all_jobs_are_added_or_none(jobs: JobStore, numbers: tuple[int, int, int]) -> None:
    await jobs.add([make_job(1)])
    with pytest.raises(ConflictError):
        await jobs.add([make_job(number, priority=5) for number in numbers])
    assert ids(await jobs.get_many([job_id(1), job_id(2), job_id(3)])) == [job_id(1)]
    assert await jobs.get(job_id(1)) == make_job(1)
    assert [list(await jobs.events(job_id(number))) for number in (1, 2, 3)] == [[make_job(1).last_event], [], []]


async def test_one_of_two_simultaneous_additions_of_an_id_wins(jobs: JobStore) -> None:
    both = [make_job(1, priority=1), make_job(1, priority=2)]
    answers = await asyncio.gather(*(jobs.add([job]) for job in both), return_exceptions=True)
    assert [type(answer) for answer in answers if answer] == [ConflictError]
    assert await jobs.get(job_id(1)) == both[answers.index(None)]


async def test_a_replaced_job_comes_back_as_it_was_written(jobs: JobStore, queue: JobQueue) -> None:
    claimed = await add_claimed(jobs, queue)
    entered = prepared(claimed, at=START + SECOND)
    assert await jobs.replace(claimed, entered)
    assert await jobs.get(claimed.id) == entered
    ended = succeeded(claimed, at=START + 2 * SECOND)
    assert await jobs.replace(entered, ended)
    assert await jobs.get(claimed.id) == ended


async def test_a_claim_that_was_dated_anew_is_stored_so_with_the_next_change(jobs: JobStore, queue: JobQueue) -> None:
    """As is done where time is moved; else its holder would not know the claim again."""
    claimed = await add_claimed(jobs, queue)
    assert claimed.claim is not None
    dated = replace(claimed, claim=replace(claimed.claim, at=claimed.claim.at + SECOND))
    assert await jobs.replace(dated, prepared(dated))
    assert await jobs.get(claimed.id) == prepared(dated)


async def test_an_unclaimed_job_can_be_replaced(jobs: JobStore) -> None:
    (job,) = await add_jobs(jobs, 1)
    deleted = job.ended(Outcome.DELETED, at=START, context={})
    assert await jobs.replace(job, deleted)
    assert await jobs.get(job.id) == deleted


async def test_a_job_goes_back_to_the_queue_and_can_be_claimed_again(jobs: JobStore, queue: JobQueue) -> None:
    claimed = await add_claimed(jobs, queue, make_claim("first"))
    entered = prepared(claimed)
    assert await jobs.replace(claimed, entered)
    assert await jobs.replace(entered, entered.released(at=START, reason="stopping"))
    (again,) = await queue.claim(make_claim("second"), limit=1)
    assert (again.stage, again.claim) == (Stage.QUEUED, make_claim("second"))


async def test_an_unknown_job_cannot_be_replaced(jobs: JobStore) -> None:
    job = make_job()
    assert not await jobs.replace(job, job.ended(Outcome.DELETED, at=START, context={}))
    assert await jobs.get(job.id) is None
    assert list(await jobs.events(job.id)) == []


def older_version(job: Job) -> Job:
    return replace(job, last_event=replace(job.last_event, seq=job.seq - 1))


def other_worker(job: Job) -> Job:
    return replace(job, claim=make_claim("other"))


def without_claim(job: Job) -> Job:
    return replace(job, claim=None)


@pytest.mark.parametrize("seen", [older_version, other_worker, without_claim])
async def test_a_job_that_changed_is_not_replaced(jobs: JobStore, queue: JobQueue, seen: Callable[[Job], Job]) -> None:
    claimed = await add_claimed(jobs, queue)
    entered = prepared(claimed)
    assert await jobs.replace(claimed, entered)
    events = list(await jobs.events(claimed.id))
    assert not await jobs.replace(seen(entered), entered.ended(Outcome.DELETED, at=START, context={}))
    assert await jobs.get(claimed.id) == entered
    assert list(await jobs.events(claimed.id)) == events


async def test_a_claim_unseen_by_a_canceller_stops_it(jobs: JobStore, queue: JobQueue) -> None:
    (queued,) = await add_jobs(jobs, 1)
    (claimed,) = await queue.claim(make_claim(), limit=1)
    assert not await jobs.replace(queued, queued.ended(Outcome.DELETED, at=START, context={}))
    assert await jobs.get(queued.id) == claimed


async def test_an_outcome_is_final(jobs: JobStore) -> None:
    (job,) = await add_jobs(jobs, 1)
    deleted = job.ended(Outcome.DELETED, at=START, context={})
    assert await jobs.replace(job, deleted)
    assert not await jobs.replace(deleted, replace(deleted, outcome=None))
    assert await jobs.get(job.id) == deleted


async def test_a_renewed_lease_does_not_stop_a_replace(jobs: JobStore, queue: JobQueue) -> None:
    claimed = await add_claimed(jobs, queue)
    await queue.renew("local-1", [claimed.id], START + 2 * LEASE)
    assert await jobs.replace(claimed, prepared(claimed))


async def test_of_replaces_from_many_sides_exactly_one_wins(jobs: JobStore, queue: JobQueue) -> None:
    claimed = await add_claimed(jobs, queue)
    sides = [claimed.ended(Outcome.DELETED, at=START + n * SECOND, context={"side": n}) for n in range(10)]
    won = await asyncio.gather(*(jobs.replace(claimed, side) for side in sides))
    assert won.count(True) == 1
    winner = sides[won.index(True)]
    assert await jobs.get(claimed.id) == winner
    assert list(await jobs.events(claimed.id)) == [make_job().last_event, winner.last_event]


async def test_events_are_complete_and_in_order(jobs: JobStore, queue: JobQueue) -> None:
    before = await add_claimed(jobs, queue)
    told = [before.last_event]
    for stage in (Stage.CLAIMED, Stage.PROMPT_PREPARED, Stage.SENT_TO_COMFY):
        after = before.entered(
            stage, at=START + SECOND, until=START + SECOND + LEASE, context={"stage": stage.value, **AWKWARD}
        )
        assert await jobs.replace(before, after)
        told.append(after.last_event)
        before = after
    ended = before.ended(Outcome.FAILED, at=START + 2 * SECOND, context={"error": "x"})
    assert await jobs.replace(before, ended)
    assert list(await jobs.events(ended.id)) == [*told, ended.last_event]


def passed(claimed: Job) -> Sequence[Job]:
    """Return a claimed job as it is in each stage on its way to its success."""
    jobs = [claimed]
    for stage in (Stage.CLAIMED, Stage.PROMPT_PREPARED, Stage.SENT_TO_COMFY):
        at = START + len(jobs) * SECOND
        jobs.append(jobs[-1].entered(stage, at=at, until=at + LEASE, context={"stage": stage.value, **AWKWARD}))
    ended = jobs[-1].ended(Outcome.SUCCEEDED, at=START + len(jobs) * SECOND, context={})
    return [*jobs[1:], ended]


async def test_several_events_are_appended_with_one_replace(jobs: JobStore, queue: JobQueue) -> None:
    claimed = await add_claimed(jobs, queue)
    *between, ended = passed(claimed)
    assert await jobs.replace(claimed, ended, between=[job.last_event for job in between])
    assert await jobs.get(claimed.id) == ended
    told = [job.last_event for job in (claimed, *between, ended)]
    assert list(await jobs.events(claimed.id)) == told


async def test_a_job_goes_on_after_several_events(jobs: JobStore, queue: JobQueue) -> None:
    claimed = await add_claimed(jobs, queue)
    first, second, third, last = passed(claimed)
    assert await jobs.replace(claimed, second, between=[first.last_event])
    assert await jobs.replace(second, last, between=[third.last_event])
    assert [event.seq for event in await jobs.events(claimed.id)] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("seen", [older_version, other_worker, without_claim])
async def test_a_replace_of_a_job_that_changed_appends_no_event_at_all(
    jobs: JobStore, queue: JobQueue, seen: Callable[[Job], Job]
) -> None:
    claimed = await add_claimed(jobs, queue)
    *between, ended = passed(claimed)
    first = between[0]
    assert await jobs.replace(claimed, first)
    assert not await jobs.replace(seen(first), ended, between=[job.last_event for job in between[1:]])
    assert await jobs.get(claimed.id) == first
    assert list(await jobs.events(claimed.id)) == [claimed.last_event, first.last_event]


async def test_of_several_events_and_a_cancel_at_once_one_wins_whole(jobs: JobStore, queue: JobQueue) -> None:
    await add_jobs(jobs, 6)
    for number, claimed in enumerate(await queue.claim(make_claim(), limit=6)):
        *between, ended = passed(claimed)
        deleted = claimed.ended(Outcome.DELETED, at=START, context={})
        sides = [
            jobs.replace(claimed, ended, between=[job.last_event for job in between]),
            jobs.replace(claimed, deleted),
        ]
        first = number % 2
        won = await asyncio.gather(*(sides[::-1] if first else sides))
        assert sorted(won) == [False, True]
        types = [event.type for event in await jobs.events(claimed.id)]
        whole = [JobEventType.INITIALIZED, *(job.last_event.type for job in (*between, ended))]
        assert types in (whole, [JobEventType.INITIALIZED, JobEventType.DELETED])


async def test_a_sweep_takes_events_that_were_appended_together(jobs: JobStore, queue: JobQueue) -> None:
    claimed = await add_claimed(jobs, queue)
    *between, ended = passed(claimed)
    assert await jobs.replace(claimed, ended, between=[job.last_event for job in between])
    assert await jobs.sweep(START + 2 * LIFETIME) == 1
    assert list(await jobs.events(claimed.id)) == []


async def test_more_than_nine_events_stay_in_order(jobs: JobStore, queue: JobQueue) -> None:
    before = await add_claimed(jobs, queue, job=make_job(max_retry_attempt=12))
    for attempt in range(12):
        back = before.claim_expired(at=START + attempt * SECOND, reason="away")
        assert await jobs.replace(before, back)
        (before,) = await queue.claim(make_claim(), limit=1)
    events = await jobs.events(before.id)
    assert [event.seq for event in events] == list(range(13))
    assert {event.type for event in events[1:]} == {JobEventType.CLAIM_EXPIRED}


async def test_polls_of_a_job_are_counted_until_it_changes(jobs: JobStore, queue: JobQueue) -> None:
    claimed = await add_claimed(jobs, queue)
    assert sorted(await asyncio.gather(*(jobs.count_poll(claimed.id, 0) for _ in range(10)))) == list(range(1, 11))
    after = claimed.entered(Stage.CLAIMED, at=START, until=START + LEASE, context={})
    assert await jobs.replace(claimed, after)
    assert [await jobs.count_poll(claimed.id, seq) for seq in (0, 1, 1, 2)] == [0, 1, 2, 0]
    assert await jobs.get(claimed.id) == after


async def test_polls_of_an_ended_or_unknown_job_are_not_counted(jobs: JobStore, queue: JobQueue) -> None:
    claimed = await add_claimed(jobs, queue)
    ended = succeeded(claimed)
    assert await jobs.replace(claimed, ended)
    assert await jobs.count_poll(claimed.id, ended.seq) == 0
    assert await jobs.count_poll(job_id(2), 0) == 0


async def test_every_job_has_its_own_events(jobs: JobStore) -> None:
    first, second = await add_jobs(jobs, 2)
    assert list(await jobs.events(first.id)) == [first.last_event]
    assert list(await jobs.events(second.id)) == [second.last_event]


async def test_a_sweep_takes_jobs_and_events_whose_time_has_passed(jobs: JobStore) -> None:
    await jobs.add([make_job(1, keep_until=START + SECOND), make_job(2, keep_until=START + 3 * SECOND)])
    assert await jobs.sweep(START + 2 * SECOND) == 1
    assert await jobs.get(job_id(1)) is None
    assert list(await jobs.events(job_id(1))) == []
    assert ids(await jobs.get_many([job_id(1), job_id(2)])) == [job_id(2)]
    assert len(await jobs.events(job_id(2))) == 1


async def test_a_sweep_takes_all_events_of_a_finished_job(jobs: JobStore, queue: JobQueue) -> None:
    claimed = await add_claimed(jobs, queue)
    entered = prepared(claimed)
    assert await jobs.replace(claimed, entered)
    assert await jobs.sweep(START + 2 * LIFETIME) == 1
    assert list(await jobs.events(claimed.id)) == []


async def test_a_sweep_takes_any_number_of_jobs(jobs: JobStore) -> None:
    await add_jobs(jobs, 250)
    assert await jobs.sweep(START + 2 * LIFETIME) == 250
    assert list(await jobs.get_many([job_id(number) for number in range(1, 251)])) == []


async def test_a_sweep_of_nothing_takes_nothing(jobs: JobStore) -> None:
    await add_jobs(jobs, 2)
    assert await jobs.sweep(START) == 0
    assert len(await jobs.get_many([job_id(1), job_id(2)])) == 2


async def test_a_swept_job_cannot_be_replaced(jobs: JobStore) -> None:
    (job,) = await add_jobs(jobs, 1)
    await jobs.sweep(START + 2 * LIFETIME)
    assert not await jobs.replace(job, job.ended(Outcome.DELETED, at=START, context={}))
    assert list(await jobs.events(job.id)) == []


@pytest.mark.parametrize("callback_url", [None, "http://localhost:1/"])
async def test_long_texts_that_events_repeat_come_back_with_each(
    jobs: JobStore, queue: JobQueue, callback_url: str | None
) -> None:
    """A store may keep such a text once, whatever is in it."""
    graph, other = '{"$a.b": "\x00ключ"}' * LONG_TEXT, "$literal" * LONG_TEXT
    contexts: list[JsonObject] = [
        {"first": 1, "graph": graph, "last": None},
        {"step": 1},
        {"graph": graph, "other": other},
        {"graph": other},
        {"last": [], "graph": graph},
    ]
    job = await add_claimed(jobs, queue, job=replace(make_job(), callback_url=callback_url))
    for context in contexts:
        before, job = job, job.progressed(at=job.last_event.at + SECOND, context=context)
        assert await jobs.replace(before, job)
        assert await jobs.get(job.id) == job
    told = [event.context for event in (await jobs.events(job.id))[1:]]
    assert [list(context.items()) for context in told] == [list(context.items()) for context in contexts]


async def test_a_job_that_is_deleted_leaves_nothing_behind_and_its_id_is_free(jobs: JobStore, queue: JobQueue) -> None:
    other = make_job(2)
    await jobs.add([make_job(), other])
    (claimed, _) = await queue.claim(make_claim(), limit=2)
    assert await jobs.replace(claimed, prepared(claimed))
    assert await jobs.delete(claimed.id)
    assert not await jobs.delete(claimed.id)
    assert await jobs.get(claimed.id) is None
    assert await jobs.get_summary(claimed.id) is None
    assert list(await jobs.events(claimed.id)) == []
    assert await queue.renew("local-1", [claimed.id, other.id], START + LEASE) == {other.id}
    assert not await jobs.replace(prepared(claimed), succeeded(claimed))
    assert await jobs.spent(other.issued_by) == pytest.approx(other.cost)
    await jobs.add([make_job()])
    assert await jobs.get(claimed.id) == make_job()


async def test_a_job_that_has_ended_can_be_deleted_and_is_settled_no_more(jobs: JobStore, queue: JobQueue) -> None:
    ended = succeeded(claimed := await add_claimed(jobs, queue))
    assert await jobs.replace(claimed, ended)
    assert await jobs.settled_at(ended.id) is not None
    assert await jobs.delete(ended.id)
    assert await jobs.settled_at(ended.id) is None


async def test_the_latest_event_is_the_last_of_all_jobs_ended_or_not(jobs: JobStore, queue: JobQueue) -> None:
    assert await jobs.latest_event_at() is None
    await jobs.add([make_job(number, created_at=START + number * SECOND) for number in (1, 3, 2)])
    assert await jobs.latest_event_at() == START + 3 * SECOND
    (first, *_) = await jobs.get_many([job_id(1)])
    assert await jobs.replace(first, first.ended(Outcome.DELETED, at=START + 9 * SECOND, context={}))
    assert await jobs.latest_event_at() == START + 9 * SECOND
    (second, *_) = await jobs.get_many([job_id(2)])
    assert await jobs.replace(second, second.ended(Outcome.DELETED, at=START + 5 * SECOND, context={}))
    assert await jobs.latest_event_at() == START + 9 * SECOND
