"""What only MongoDB can get wrong about workflows: a crash, or another process, between two of its writes."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from civitai_mock.domain.errors import ConflictError, InsufficientBuzzError, TransientError
from civitai_mock.domain.money import Account, Balances, credits_of, debits
from civitai_mock.domain.search import Budget
from civitai_mock.domain.workflow import Workflow
from civitai_mock.storage.mongo import budgets
from civitai_mock.storage.mongo.collections import Collections
from tests.support.dates import START
from tests.support.jobs import make_job
from tests.support.mongo import Interrupted, JobRoles, Meanwhile, SentAgain, process_on
from tests.support.workflows import (
    MONTH,
    OWNER,
    first_jobs,
    make_step,
    make_workflow,
    make_workflow_job,
    workflow_id,
)

pytestmark = pytest.mark.mongo

TEN = Balances(together=10)


def costing(
    number: int, cost: float, *, external_id: str | None = None, allow_mature_content: bool | None = None
) -> Workflow:
    step = make_step(cost=cost)
    return make_workflow(number, steps=[step], external_id=external_id, allow_mature_content=allow_mature_content)


async def buy(process: JobRoles, workflow: Workflow) -> Workflow:
    return await process.workflows.add(workflow, first_jobs(workflow), balances=TEN)


async def stored(inside: Collections) -> list[str]:
    return [document["_id"] async for document in inside.workflows.find().sort("_id")]


async def reserved(inside: Collections) -> int:
    return await inside.reservations.count_documents({})


async def test_jobs_that_a_crash_left_out_are_added_by_whoever_looks(inside: Collections) -> None:
    workflow = make_workflow().step_made_ready(0, {}, jobs=2, at=START)
    dying = process_on(inside, jobs=Interrupted(inside.jobs, "insert_many"))
    added = await dying.workflows.add(workflow, first_jobs(workflow))
    process = process_on(inside)
    found = await process.workflows.get(workflow.id)
    assert found is not None
    assert (found.workflow, list(found.jobs)) == (added, [])
    assert list(await process.workflows.unfinished(after="", limit=9)) == [added]
    assert await process.workflows.add_missing_jobs(first_jobs(workflow)) == 2
    mended = await process.workflows.get(workflow.id)
    assert mended is not None
    assert list(mended.jobs) == first_jobs(workflow)


async def test_jobs_of_a_change_that_a_crash_left_out_are_added(inside: Collections) -> None:
    process = process_on(inside)
    before = await process.workflows.add(make_workflow(steps=[make_step("a"), make_step("b", sources=[0])]), [])
    after = before.step_made_ready(1, {}, jobs=1, at=START)
    new = [make_workflow_job(before, 1)]
    dying = process_on(inside, jobs=Interrupted(inside.jobs, "insert_many", carried_out=True))
    assert await dying.workflows.replace(before, after, jobs=new)
    assert await process.workflows.add_missing_jobs(new) == 0
    found = await process.workflows.get(before.id)
    assert found is not None
    assert (found.workflow, list(found.jobs)) == (after, new)


@pytest.mark.parametrize("carried_out", [False, True])
async def test_a_workflow_whose_submission_broke_off_is_not_there(inside: Collections, carried_out: bool) -> None:
    breaking = process_on(inside, workflows=Interrupted(inside.workflows, "insert_one", carried_out=carried_out))
    with pytest.raises(TransientError):
        await buy(breaking, make_workflow(external_id="order"))
    assert (await stored(inside), await reserved(inside)) == ([], 0)
    await buy(process_on(inside), make_workflow(external_id="order"))
    assert await stored(inside) == [workflow_id(1)]


@pytest.mark.parametrize("external_id", [None, "order"])
async def test_a_workflow_that_the_driver_sends_again_is_stored_once(
    inside: Collections, external_id: str | None
) -> None:
    workflow = make_workflow(external_id=external_id)
    bought = await buy(process_on(inside, workflows=SentAgain(inside.workflows, "insert_one")), workflow)
    assert (await stored(inside), await reserved(inside)) == ([bought.id], 0)
    assert await inside.jobs.count_documents({}) == len(first_jobs(workflow))
    with pytest.raises(ConflictError):
        await process_on(inside).workflows.add(make_workflow(), [])


async def test_a_submission_that_breaks_off_does_not_touch_what_another_stored_under_its_id(
    inside: Collections,
) -> None:
    other = await process_on(inside).workflows.add(make_workflow(owner="civitai-2"), [])
    breaking = process_on(inside, workflows=Interrupted(inside.workflows, "insert_one"))
    with pytest.raises(TransientError):
        await breaking.workflows.add(make_workflow(), [])
    found = await process_on(inside).workflows.get(workflow_id(1))
    assert found is not None
    assert found.workflow == other


@pytest.mark.parametrize("balances", [Balances(), TEN], ids=["no limit", "limit"])
async def test_equal_submissions_of_two_processes_are_one(inside: Collections, balances: Balances) -> None:
    """The second one comes between the look and the write of the first; there is not enough for both."""
    second = costing(2, 8, external_id="order")

    async def overtake() -> None:
        answer = await process_on(inside).workflows.add(second, first_jobs(second), balances=balances)
        assert answer.id == second.id

    slow = process_on(inside, workflows=Meanwhile(inside.workflows, "insert_one", overtake))
    first = costing(1, 8, external_id="order")
    answer = await slow.workflows.add(first, first_jobs(first), balances=balances)
    assert answer.id == second.id
    assert (await stored(inside), await reserved(inside)) == ([second.id], 0)
    assert await inside.jobs.count_documents({}) == 1


def is_refused(inside: Collections, cost: float) -> Callable[[], Awaitable[None]]:
    async def try_to_buy() -> None:
        with pytest.raises(InsufficientBuzzError):
            await buy(process_on(inside), costing(2, cost))

    return try_to_buy


@pytest.mark.parametrize("after", [False, True])
async def test_what_another_process_is_buying_counts_at_any_moment(inside: Collections, after: bool) -> None:
    watched = Meanwhile(inside.workflows, "insert_one", is_refused(inside, 7), after=after)
    await buy(process_on(inside, workflows=watched), costing(1, 4))
    assert not watched.broken
    assert (await stored(inside), await reserved(inside)) == ([workflow_id(1)], 0)


async def test_what_is_stored_while_its_reservation_is_there_counts_once(inside: Collections) -> None:
    async def buy_the_rest() -> None:
        await buy(process_on(inside), costing(2, 6))

    watched = Meanwhile(inside.reservations, "delete_one", buy_the_rest)
    await buy(process_on(inside, reservations=watched), costing(1, 4))
    assert (await stored(inside), await reserved(inside)) == ([workflow_id(1), workflow_id(2)], 0)


async def test_a_charge_is_split_again_when_another_process_was_faster(inside: Collections) -> None:
    balances = Balances(by_account={Account.BLUE: 5, Account.GREEN: 5})

    async def overtake() -> None:
        other = costing(2, 4)
        bought = await process_on(inside).workflows.add(other, [], balances=balances)
        assert bought.spent == {Account.BLUE: 4}

    late = process_on(inside, reservations=Meanwhile(inside.reservations, "insert_one", overtake))
    bought = await late.workflows.add(costing(1, 4), [], balances=balances)
    assert bought.spent == {Account.BLUE: 1, Account.GREEN: 3}
    assert await reserved(inside) == 0


async def test_jobs_and_workflows_of_two_processes_never_spend_more_together(inside: Collections) -> None:
    async def try_to_submit() -> None:
        job = replace(make_job(1), cost=7, issued_by=OWNER)
        with pytest.raises(InsufficientBuzzError):
            await process_on(inside).jobs.add([job], budget=Budget(issued_by=OWNER, limit=10))

    for after in (False, True):
        await inside.workflows.delete_many({})
        watched = Meanwhile(inside.workflows, "insert_one", try_to_submit, after=after)
        await buy(process_on(inside, workflows=watched), costing(1, 4))
        assert not watched.broken
    assert await inside.jobs.count_documents({"issuedBy": OWNER, "charged": True}) == 0


async def test_a_reservation_of_a_dead_process_counts_until_it_is_swept(
    inside: Collections, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying = process_on(inside, reservations=Interrupted(inside.reservations, "delete_one"))
    bought = await buy(dying, costing(1, 10))
    process = process_on(inside)
    assert bought.spent == {Account.BLUE: 10}
    await inside.workflows.delete_many({})
    await is_refused(inside, 1)()
    monkeypatch.setattr(budgets, "LONGEST_SUBMISSION", timedelta())
    await process.jobs.sweep(START)
    await buy(process, costing(2, 10))
    assert await reserved(inside) == 0


async def test_an_upgrade_counts_for_others_before_it_is_stored(inside: Collections) -> None:
    balances = Balances(by_account={Account.BLUE: 8, Account.YELLOW: 10})
    process = process_on(inside)
    before = await process.workflows.add(costing(1, 8), [], balances=balances)
    back = credits_of(before.id, before.transactions, 8)
    after = before.charged([*back, *debits(before.id, {Account.YELLOW: 8}, first=2)])

    async def try_to_buy() -> None:
        for mature in (False, True):
            with pytest.raises(InsufficientBuzzError):
                await process_on(inside).workflows.add(
                    costing(2, 3, allow_mature_content=mature), [], balances=balances
                )

    watched = Meanwhile(inside.workflows, "update_one", try_to_buy)
    assert await process_on(inside, workflows=watched).workflows.replace(before, after, balances=balances)
    assert not watched.broken
    bought = await process.workflows.add(costing(3, 8), [], balances=balances)
    assert bought.spent == {Account.BLUE: 8}


async def test_a_sweep_that_breaks_off_is_made_good(inside: Collections) -> None:
    process = process_on(inside)
    workflow = await process.workflows.add(make_workflow(), first_jobs(make_workflow()))
    dying = process_on(inside, workflows=Interrupted(inside.workflows, "delete_many"))
    with pytest.raises(TransientError):
        await dying.jobs.sweep(START + MONTH)
    assert await process.workflows.get(workflow.id) is not None
    assert await process.jobs.sweep(START + MONTH) == 1
    assert await process.workflows.get(workflow.id) is None


async def test_submissions_of_many_processes_share_one_balance(inside: Collections) -> None:
    processes = [process_on(inside) for _ in range(4)]
    bought = [
        process.workflows.add(costing(number * 4 + place, 3), [], balances=TEN)
        for number in range(4)
        for place, process in enumerate(processes)
    ]
    answers = await asyncio.gather(*bought, return_exceptions=True)
    assert {type(answer) for answer in answers} <= {Workflow, InsufficientBuzzError}
    assert sum(isinstance(answer, Workflow) for answer in answers) <= 3
    assert await reserved(inside) == 0
    assert len(await stored(inside)) == sum(isinstance(answer, Workflow) for answer in answers)
