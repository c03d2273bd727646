"""`WorkflowStore`: what workflows cost their owners, beside what jobs of v1 do."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import pytest

from civitai_mock.domain.errors import InsufficientBuzzError
from civitai_mock.domain.job import Job
from civitai_mock.domain.money import NO_LIMIT, Account, Balances, credits_of, debits
from civitai_mock.domain.search import Budget, JobCriteria
from civitai_mock.domain.stages import Outcome
from civitai_mock.domain.workflow import Workflow, WorkflowMemo, WorkflowSnapshot, WorkflowStatus
from civitai_mock.domain.workflow_cost import memo_of
from civitai_mock.domain.workflow_progress import workflow_progress
from civitai_mock.ports import JobStore, Stores, WorkflowStore
from tests.support.dates import START
from tests.support.jobs import job_id, make_job
from tests.support.workflows import MONTH, OWNER, first_jobs, make_step, make_workflow, workflow_id

BLUE, GREEN, YELLOW, RED = Account
TEN = Balances(together=10)
SPLIT = Balances(by_account={BLUE: 5, GREEN: 3, YELLOW: 100})
JOBS_TEN = Budget(issued_by=OWNER, limit=10)


def costing(cost: float, number: int = 1, *, owner: str = OWNER, mature: bool | None = None) -> Workflow:
    return make_workflow(number, owner=owner, steps=[make_step(cost=cost)], allow_mature_content=mature)


async def buy(workflows: WorkflowStore, workflow: Workflow, balances: Balances = TEN) -> Workflow:
    return await workflows.add(workflow, first_jobs(workflow), balances=balances)


def job_for(number: int, cost: float) -> Job:
    return replace(make_job(number), cost=cost, issued_by=OWNER)


async def spent(workflows: WorkflowStore, owner: str = OWNER) -> Mapping[Account, float]:
    return {account: amount for account, amount in (await workflows.spent(owner)).by_account.items() if amount}


async def test_workflows_within_the_balance_are_added(workflows: WorkflowStore) -> None:
    await buy(workflows, costing(4, 1))
    bought = await buy(workflows, costing(6, 2))
    assert bought.spent == {BLUE: 6}
    found = await workflows.get(workflow_id(2))
    assert found is not None
    assert found.workflow == bought
    assert await spent(workflows) == {BLUE: 10}


async def test_a_workflow_beyond_the_balance_leaves_no_trace(stores: Stores) -> None:
    await buy(stores.workflows, costing(4, 1))
    with pytest.raises(InsufficientBuzzError):
        await buy(stores.workflows, replace(costing(7, 2), external_id="order", tags=("a",)))
    assert await stores.workflows.get(workflow_id(2)) is None
    assert [job.id for job in await stores.search.find(JobCriteria(), limit=9)] == [first_jobs(costing(4, 1))[0].id]
    assert await spent(stores.workflows) == {BLUE: 4}
    again = await buy(stores.workflows, replace(costing(6, 2), external_id="order"))
    assert again.id == workflow_id(2)


async def test_without_a_limit_everything_is_charged(workflows: WorkflowStore) -> None:
    await buy(workflows, costing(1000, 1), NO_LIMIT)
    await buy(workflows, costing(1000, 2, mature=True), NO_LIMIT)
    assert await spent(workflows) == {BLUE: 1000, YELLOW: 1000}
    with pytest.raises(InsufficientBuzzError):
        await buy(workflows, costing(1, 3))


async def test_what_costs_nothing_is_never_refused(workflows: WorkflowStore) -> None:
    free = await buy(workflows, costing(0, 1), Balances(together=0))
    assert free.transactions == ()
    assert await spent(workflows) == {}


async def test_a_charge_is_split_by_what_each_account_has_left(workflows: WorkflowStore) -> None:
    first = await buy(workflows, costing(6, 1), SPLIT)
    second = await buy(workflows, costing(6, 2), SPLIT)
    third = await buy(workflows, costing(90, 3, mature=True), SPLIT)
    assert [bought.spent for bought in (first, second, third)] == [
        {BLUE: 5, GREEN: 1},
        {GREEN: 2, YELLOW: 4},
        {YELLOW: 90},
    ]
    assert await spent(workflows) == {BLUE: 5, GREEN: 3, YELLOW: 94}
    with pytest.raises(InsufficientBuzzError):
        await buy(workflows, costing(7, 4), SPLIT)
    with pytest.raises(InsufficientBuzzError):
        await buy(workflows, replace(costing(1, 5), currencies=(RED,)), SPLIT)


async def test_the_workflows_of_others_do_not_count(workflows: WorkflowStore) -> None:
    await buy(workflows, costing(10, 1, owner="civitai-2"))
    await buy(workflows, costing(10, 2))
    assert await spent(workflows, "civitai-2") == {BLUE: 10}
    assert await spent(workflows, "civitai-3") == {}


async def test_jobs_and_workflows_draw_on_one_balance(stores: Stores) -> None:
    await stores.jobs.add([job_for(1, 4.5)], budget=JOBS_TEN)
    await buy(stores.workflows, costing(5, 1))
    assert (await stores.workflows.spent(OWNER)).jobs == 4.5
    assert await stores.jobs.spent(OWNER) == 9.5
    with pytest.raises(InsufficientBuzzError):
        await stores.jobs.add([job_for(2, 1)], budget=JOBS_TEN)
    with pytest.raises(InsufficientBuzzError):
        await buy(stores.workflows, costing(1, 2))
    await stores.jobs.add([job_for(3, 0.5)], budget=JOBS_TEN)


async def test_jobs_are_paid_by_any_ordinary_account(stores: Stores) -> None:
    await stores.jobs.add([job_for(1, 6)], budget=Budget(issued_by=OWNER, limit=SPLIT.total or 0))
    bought = await buy(stores.workflows, costing(5, 1), SPLIT)
    assert bought.spent == {GREEN: 2, YELLOW: 3}
    with pytest.raises(InsufficientBuzzError):
        await stores.jobs.add([job_for(2, 98)], budget=Budget(issued_by=OWNER, limit=SPLIT.total or 0))


async def test_jobs_of_workflows_are_charged_with_them_alone(stores: Stores) -> None:
    await buy(stores.workflows, costing(5, 1))
    found = await stores.workflows.spent(OWNER)
    assert (found.jobs, found.ordinary) == (0, 5)
    assert await stores.jobs.spent(OWNER) == 5


async def test_the_account_for_tests_pays_for_no_job(stores: Stores) -> None:
    balances = Balances(by_account={RED: 8})
    await buy(stores.workflows, replace(costing(8, 1), currencies=(RED,)), balances)
    assert await spent(stores.workflows) == {RED: 8}
    assert await stores.jobs.spent(OWNER) == 0


async def test_what_is_given_back_can_be_spent_again(stores: Stores) -> None:
    workflow = await buy(stores.workflows, costing(10, 1))
    (job,) = await stores.jobs.get_many([first_jobs(workflow)[0].id])
    failed = job.ended(Outcome.FAILED, at=START, context={})
    assert await stores.jobs.replace(job, failed)
    memo = memo_of(workflow, workflow_progress(WorkflowSnapshot(workflow=workflow, jobs=[failed])))
    assert memo is not None
    over = workflow.over(memo, keep_until=START + MONTH)
    assert await stores.workflows.replace(workflow, over)
    assert await spent(stores.workflows) == {}
    await buy(stores.workflows, costing(10, 2))


async def test_what_succeeded_stays_paid_until_it_is_swept(workflows: WorkflowStore, jobs: JobStore) -> None:
    workflow = await buy(workflows, costing(10, 1))
    memo = WorkflowMemo(status=WorkflowStatus.SUCCEEDED, started_at=START, completed_at=START)
    assert await workflows.replace(workflow, workflow.over(memo, keep_until=START + MONTH))
    assert await spent(workflows) == {BLUE: 10}
    await jobs.sweep(START + MONTH)
    assert await spent(workflows) == {}


async def test_submissions_at_once_never_spend_more_than_there_is(stores: Stores) -> None:
    workflows = [buy(stores.workflows, costing(3, number)) for number in range(1, 21)]
    jobs = [stores.jobs.add([job_for(number, 3)], budget=JOBS_TEN) for number in range(1, 21)]
    answers = await asyncio.gather(
        *(call for pair in zip(workflows, jobs, strict=True) for call in pair), return_exceptions=True
    )
    assert {type(answer) for answer in answers} <= {Workflow, type(None), InsufficientBuzzError}
    bought = [answer for answer in answers if not isinstance(answer, InsufficientBuzzError)]
    assert len(bought) == 3
    assert (await stores.workflows.spent(OWNER)).ordinary == 9


async def test_accounts_at_once_are_never_overdrawn(workflows: WorkflowStore) -> None:
    balances = Balances(by_account={BLUE: 4, YELLOW: 5})
    asked = [buy(workflows, costing(2, number, mature=number % 2 == 0), balances) for number in range(1, 21)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    bought = [answer for answer in answers if isinstance(answer, Workflow)]
    assert {type(answer) for answer in answers} == {Workflow, InsufficientBuzzError}
    assert await spent(workflows) == {BLUE: 4, YELLOW: 4}
    assert len(bought) == 4


async def test_an_upgrade_is_paid_in_yellow_or_not_made(workflows: WorkflowStore) -> None:
    balances = Balances(by_account={BLUE: 8, YELLOW: 10})
    for number in (1, 2):
        before = await buy(workflows, costing(4, number), balances)
        given_back = credits_of(before.id, before.transactions, 4)
        charge = debits(before.id, {YELLOW: 6}, first=2)
        after = before.charged([*given_back, *charge]).described(allow_mature_content=True)
        if number == 1:
            assert await workflows.replace(before, after, balances=balances)
        else:
            with pytest.raises(InsufficientBuzzError):
                await workflows.replace(before, after, balances=balances)
            found = await workflows.get(before.id)
            assert found is not None
            assert found.workflow == before
    assert await spent(workflows) == {BLUE: 4, YELLOW: 6}


async def test_a_change_without_a_charge_asks_for_no_balance(workflows: WorkflowStore) -> None:
    before = await buy(workflows, costing(10, 1), NO_LIMIT)
    assert await workflows.replace(before, before.described(tags=["a"]), balances=Balances(together=1))


async def test_the_same_key_is_answered_without_money(workflows: WorkflowStore, jobs: JobStore) -> None:
    bought = await buy(workflows, replace(costing(10, 1), external_id="order"))
    again = await buy(workflows, replace(costing(10, 2), external_id="order"))
    assert again == bought
    assert await spent(workflows) == {BLUE: 10}
    assert list(await jobs.get_many([job_id(1)])) == []
