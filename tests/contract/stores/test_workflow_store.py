"""`WorkflowStore`: workflows, their jobs and their changes."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from civitai_mock.domain.errors import ConflictError
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.money import Account, Transaction, TransactionType
from civitai_mock.domain.stages import Outcome
from civitai_mock.domain.workflow import Workflow, WorkflowMemo, WorkflowStatus
from civitai_mock.domain.workflow_search import WorkflowCriteria
from civitai_mock.ports import JobQueue, JobSearch, JobStore, Stores, WorkflowStore
from tests.support.dates import START
from tests.support.jobs import SECOND, job_id, make_claim, make_job, succeeded
from tests.support.workflows import (
    MONTH,
    OWNER,
    first_jobs,
    make_step,
    make_workflow,
    make_workflow_job,
    workflow_id,
)

BIG = 18446744073709551615
ODD: JsonObject = {"$a.b": {"": [None, True, 1.5e-7, BIG, -(2**63), "\x00'\"\\"]}, "нет": []}
MEMO = WorkflowMemo(
    status=WorkflowStatus.FAILED,
    started_at=None,
    completed_at=START + SECOND,
    credits=(Transaction(type=TransactionType.CREDIT, amount=8, account=Account.YELLOW, id="t2"),),
    nsfw_level="x",
)


async def add(workflows: WorkflowStore, workflow: Workflow) -> Workflow:
    return await workflows.add(workflow, first_jobs(workflow))


async def stored(workflows: WorkflowStore, number: int = 1) -> Workflow:
    found = await workflows.get(workflow_id(number))
    assert found is not None
    return found.workflow


async def test_a_claimed_job_of_a_workflow_is_as_it_is_stored(
    workflows: WorkflowStore, jobs: JobStore, queue: JobQueue
) -> None:
    """A store may hand out what it was given, without reading it again."""
    await add(workflows, make_workflow(steps=[make_step("a"), make_step("b")]))
    before = await stored(workflows)
    more = make_workflow_job(before, 0, 1)
    after = before.with_step(0, jobs=(*before.steps[0].jobs, more.id))
    assert await workflows.replace(before, after, jobs=[more])
    claimed = await queue.claim(make_claim(), limit=10)
    assert len(claimed) == 3
    assert list(claimed) == list(await jobs.get_many([job.id for job in claimed]))


async def test_a_workflow_and_its_jobs_come_back_as_they_were(workflows: WorkflowStore, jobs: JobStore) -> None:
    workflow = make_workflow(
        steps=[make_step("a"), make_step("b", sources=[0], retries=2)],
        tags=["x", "ключ", "$tag.s"],
        currencies=[Account.YELLOW],
        allow_mature_content=True,
        external_id="order-17",
    )
    workflow = replace(workflow, progress={"mode": "time", "stages": {"QUEUED": "2s"}})
    added = await add(workflows, workflow)
    assert added.transactions
    assert replace(added, transactions=(), version=0) == workflow
    found = await workflows.get(workflow.id)
    assert found is not None
    assert found.workflow == added
    assert list(found.jobs) == first_jobs(workflow)
    assert await jobs.get(found.jobs[0].id) == found.jobs[0]


async def test_a_workflow_may_have_nothing_in_its_members(workflows: WorkflowStore) -> None:
    step = replace(make_step(cost=0), input="text", timeout=None, retries=None, metadata={}, seed=None)
    plain = replace(
        make_workflow(),
        arguments={},
        callbacks=(),
        metadata={},
        experimental=None,
        nsfw_level=None,
        steps=(step,),
    )
    assert await workflows.add(plain, []) == plain
    assert await stored(workflows) == plain


async def test_free_json_comes_back_as_it_was(workflows: WorkflowStore) -> None:
    workflow = make_workflow(steps=[replace(make_step(), input=ODD, metadata=ODD)])
    added = await add(workflows, replace(workflow, metadata=ODD, arguments=ODD))
    assert await stored(workflows) == added


async def test_only_a_workflow_with_a_memo_has_a_settled_version(workflows: WorkflowStore) -> None:
    running = await add(workflows, make_workflow())
    assert await workflows.settled_version(running.id) is None
    over = running.over(MEMO, keep_until=START + MONTH)
    assert await workflows.replace(running, over)
    assert await workflows.settled_version(over.id) == over.version
    assert await workflows.settled_version(workflow_id(2)) is None


async def test_the_settled_version_changes_with_the_workflow(workflows: WorkflowStore) -> None:
    running = await add(workflows, make_workflow())
    over = running.over(MEMO, keep_until=START + MONTH)
    assert await workflows.replace(running, over)
    assert await workflows.settled_version(over.id) == over.version
    tagged = over.described(tags=["best"])
    assert await workflows.replace(over, tagged)
    assert await workflows.settled_version(over.id) == tagged.version == over.version + 1
    assert not await workflows.replace(over, over.described(tags=["late"]))
    assert await workflows.settled_version(over.id) == tagged.version
    assert await workflows.delete(tagged)
    assert await workflows.settled_version(over.id) is None


async def test_a_swept_workflow_has_no_settled_version(workflows: WorkflowStore, jobs: JobStore) -> None:
    running = await add(workflows, make_workflow())
    assert await workflows.replace(running, running.over(MEMO, keep_until=START + MONTH))
    assert await workflows.settled_version(running.id) is not None
    await jobs.sweep(START + 2 * MONTH)
    assert await workflows.settled_version(running.id) is None


async def test_an_unknown_workflow_is_none(workflows: WorkflowStore) -> None:
    assert await workflows.get(workflow_id(1)) is None
    assert await workflows.get("\ud800") is None
    assert await workflows.jobs_of([workflow_id(1)]) == {}


async def test_an_id_is_taken_once(workflows: WorkflowStore, search: JobSearch) -> None:
    await add(workflows, make_workflow())
    other = make_workflow(owner="civitai-2", steps=[make_step(), make_step("b")])
    with pytest.raises(ConflictError):
        await workflows.add(other, first_jobs(other)[1:])
    assert (await stored(workflows)).owner == OWNER
    assert await search.outcomes([job.id for job in first_jobs(other)]) == {first_jobs(other)[0].id: None}


async def test_of_equal_submissions_at_once_one_is_stored_and_charged(
    workflows: WorkflowStore, queue: JobQueue
) -> None:
    made = [make_workflow(number, external_id="order") for number in range(1, 51)]
    answers = await asyncio.gather(*(add(workflows, workflow) for workflow in made))
    assert len({answer.id for answer in answers}) == 1
    assert {answer.transactions for answer in answers} == {answers[0].transactions}
    assert (await workflows.spent(OWNER)).by_account[Account.BLUE] == 8
    assert [job.workflow and job.workflow.workflow_id for job in await queue.claim(make_claim(), limit=99)] == [
        answers[0].id
    ]
    found = [await workflows.get(workflow.id) for workflow in made]
    assert len([snapshot for snapshot in found if snapshot is not None]) == 1


async def test_an_external_id_is_its_owners_alone(workflows: WorkflowStore) -> None:
    first = await add(workflows, make_workflow(1, external_id="order"))
    other = await add(workflows, make_workflow(2, external_id="order", owner="civitai-2"))
    third = await add(workflows, make_workflow(3, external_id="Order"))
    assert [first.id, other.id, third.id] == [workflow_id(1), workflow_id(2), workflow_id(3)]
    again = await add(workflows, make_workflow(4, external_id="order"))
    assert again == first


async def test_jobs_of_a_workflow_are_in_order_of_their_place(workflows: WorkflowStore) -> None:
    workflow = make_workflow(steps=[make_step("a"), make_step("b")])
    other = make_workflow(2)
    places = [(1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, 0), (0, 10, 0)]
    await workflows.add(workflow, [make_workflow_job(workflow, *place) for place in places])
    await add(workflows, other)
    found = await workflows.get(workflow.id)
    assert found is not None
    assert list(found.jobs) == [make_workflow_job(workflow, *place) for place in sorted(places)]
    of_many = await workflows.jobs_of([other.id, workflow.id, workflow_id(3)])
    assert of_many == {workflow.id: list(found.jobs), other.id: first_jobs(other)}
    assert await workflows.jobs_of([]) == {}


async def test_jobs_of_others_do_not_belong_to_a_workflow(workflows: WorkflowStore, jobs: JobStore) -> None:
    await jobs.add([make_job(1)])
    await add(workflows, make_workflow())
    assert (await jobs.get_many([job_id(1)]))[0].workflow is None
    assert list((await workflows.jobs_of([workflow_id(1)]))[workflow_id(1)]) == first_jobs(make_workflow())


async def test_a_job_of_a_workflow_is_a_job_like_any_other(stores: Stores) -> None:
    workflow = make_workflow()
    await add(stores.workflows, workflow)
    (claimed,) = await stores.queue.claim(make_claim(), limit=9)
    assert claimed.workflow == first_jobs(workflow)[0].workflow
    assert await stores.jobs.replace(claimed, succeeded(claimed))
    found = await stores.workflows.get(workflow.id)
    assert found is not None
    assert [job.outcome for job in found.jobs] == [Outcome.SUCCEEDED]
    assert found.jobs[0].workflow == claimed.workflow


CHANGES: dict[str, Callable[[Workflow], Workflow]] = {
    "described": lambda workflow: workflow.described(tags=["b", "c"], metadata={"n": [1]}, allow_mature_content=True),
    "canceled": lambda workflow: workflow.canceled(at=START + SECOND),
    "ready": lambda workflow: workflow.step_made_ready(1, {"image": "u"}, jobs=2, at=START + SECOND),
    "failed": lambda workflow: workflow.step_failed(1, reason="no value", at=START + SECOND),
    "retried": lambda workflow: workflow.with_step(1, retries=3),
    "spawned": lambda workflow: workflow.with_more_steps([replace(make_step("c"), spawned_by=0)]),
    "over": lambda workflow: workflow.over(MEMO, keep_until=START + 2 * MONTH),
    "several": lambda workflow: workflow.described(tags=[]).canceled(at=START).over(MEMO, keep_until=START + MONTH),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
async def test_a_change_is_stored(workflows: WorkflowStore, change: Callable[[Workflow], Workflow]) -> None:
    before = await add(workflows, make_workflow(steps=[make_step("a"), make_step("b", sources=[0])], tags=["a", "b"]))
    after = change(before)
    assert await workflows.replace(before, after)
    assert await stored(workflows) == after
    assert await workflows.replace(after, change(after))


async def test_of_changes_at_once_one_is_stored(workflows: WorkflowStore) -> None:
    before = await add(workflows, make_workflow())
    changes = [before.described(tags=[str(number)]) for number in range(20)]
    answers = await asyncio.gather(*(workflows.replace(before, after) for after in changes))
    assert answers.count(True) == 1
    assert await stored(workflows) == changes[answers.index(True)]


async def test_an_outdated_change_writes_nothing(workflows: WorkflowStore, search: JobSearch) -> None:
    before = await add(workflows, make_workflow())
    after = before.described(tags=["new"])
    assert await workflows.replace(before, after)
    late = make_workflow_job(before, 0, 1)
    assert not await workflows.replace(before, before.described(tags=["late"]), jobs=[late])
    assert not await workflows.replace(make_workflow(2), make_workflow(2).described(tags=["x"]))
    assert await stored(workflows) == after
    assert await search.outcomes([late.id]) == {}


async def test_jobs_are_stored_with_the_change_that_names_them(workflows: WorkflowStore, queue: JobQueue) -> None:
    before = await add(workflows, make_workflow(steps=[make_step("a"), make_step("b", sources=[0])]))
    after = before.step_made_ready(1, {}, jobs=2, at=START)
    new = [make_workflow_job(before, 1, index) for index in (0, 1)]
    assert await workflows.replace(before, after, jobs=new)
    found = await workflows.get(before.id)
    assert found is not None
    assert [job.id for job in found.jobs] == [*after.steps[0].jobs, *after.steps[1].jobs]
    assert len(await queue.claim(make_claim(), limit=9)) == 3


async def test_missing_jobs_are_added_once(workflows: WorkflowStore, jobs: JobStore) -> None:
    workflow = make_workflow().step_made_ready(0, {}, jobs=3, at=START)
    made = first_jobs(workflow)
    await workflows.add(workflow, made[:1])
    (first,) = await jobs.get_many([made[0].id])
    ended = first.ended(Outcome.DELETED, at=START, context={})
    assert await jobs.replace(first, ended)
    answers = await asyncio.gather(*(workflows.add_missing_jobs(made) for _ in range(5)))
    assert sum(answers) == 2
    found = await workflows.get(workflow.id)
    assert found is not None
    assert list(found.jobs) == [ended, *made[1:]]
    assert await workflows.add_missing_jobs([]) == 0


async def test_a_deleted_workflow_is_gone(workflows: WorkflowStore) -> None:
    workflow = await add(workflows, make_workflow(external_id="order"))
    changed = workflow.described(tags=["x"])
    assert await workflows.replace(workflow, changed)
    assert not await workflows.delete(workflow)
    assert await workflows.delete(changed)
    assert not await workflows.delete(changed)
    assert await workflows.get(workflow.id) is None
    assert not await workflows.replace(changed, changed.described(tags=["y"]))
    assert list(await workflows.unfinished(after="", limit=9)) == []
    again = await add(workflows, make_workflow(2, external_id="order"))
    assert again.id == workflow_id(2)


async def test_what_was_deleted_counts_until_it_is_swept(workflows: WorkflowStore, jobs: JobStore) -> None:
    workflow = await add(workflows, make_workflow())
    assert await workflows.delete(workflow)
    assert (await workflows.spent(OWNER)).by_account[Account.BLUE] == 8
    with pytest.raises(ConflictError):
        await add(workflows, make_workflow())
    assert await jobs.get(first_jobs(workflow)[0].id) is not None
    assert await jobs.sweep(START + MONTH) == 1
    assert sum((await workflows.spent(OWNER)).by_account.values()) == 0
    assert await jobs.spent(OWNER) == 0


async def test_unfinished_workflows_are_found_page_by_page(workflows: WorkflowStore, jobs: JobStore) -> None:
    assert not await jobs.has_open_workflows()
    added = [await add(workflows, make_workflow(number, is_ephemeral=number == 3)) for number in (3, 1, 4, 2)]
    over = await add(workflows, make_workflow(5))
    assert await workflows.replace(over, over.over(MEMO, keep_until=START + MONTH))
    in_order = sorted(added, key=lambda workflow: workflow.id)
    assert list(await workflows.unfinished(after="", limit=3)) == in_order[:3]
    assert list(await workflows.unfinished(after=in_order[2].id, limit=3)) == in_order[3:]
    assert list(await workflows.unfinished(after="", limit=0)) == []
    assert await jobs.has_open_workflows()
    for workflow in added:
        assert await workflows.replace(workflow, workflow.over(MEMO, keep_until=START + MONTH))
    assert not await jobs.has_open_workflows()


async def test_what_was_kept_long_enough_is_swept_with_its_jobs(stores: Stores) -> None:
    workflows, jobs = stores.workflows, stores.jobs
    old = await add(workflows, make_workflow(1, tags=["a"], external_id="order"))
    young = await add(workflows, make_workflow(2, tags=["a"], keep_until=START + MONTH + SECOND))
    ephemeral = await add(workflows, make_workflow(3, tags=["a"], is_ephemeral=True))
    assert await jobs.sweep(START + MONTH - SECOND) == 0
    assert await workflows.get(old.id) is not None
    assert await jobs.sweep(START + MONTH) == 2
    assert [await workflows.get(gone.id) for gone in (old, ephemeral)] == [None, None]
    assert list(await workflows.jobs_of([old.id, young.id])) == [young.id]
    assert (await add(workflows, make_workflow(4, external_id="order"))).id == workflow_id(4)
    await jobs.sweep(START + MONTH)
    assert await workflows.get(workflow_id(4)) is None
    assert await stored(workflows, 2) == young
    found = await workflows.find(WorkflowCriteria(owner=OWNER, tags=frozenset({"a"})), limit=9)
    assert list(found.workflows) == [young]


async def test_many_are_swept_batch_by_batch(workflows: WorkflowStore, jobs: JobStore) -> None:
    for number in range(1, 121):
        await add(workflows, make_workflow(number))
    assert await jobs.sweep(START + MONTH) == 120
    assert list(await workflows.unfinished(after="", limit=1)) == []


async def test_a_large_workflow_is_read_like_any_other(workflows: WorkflowStore) -> None:
    workflow = make_workflow(steps=[replace(make_step(), input={"text": "x" * 1_000_000})])
    added = await add(workflows, workflow)
    assert await stored(workflows) == added


async def test_jobs_keep_their_place_through_every_change(workflows: WorkflowStore, jobs: JobStore) -> None:
    workflow = make_workflow(steps=[make_step("a", retries=1)])
    job = make_workflow_job(workflow, 0, 3, 1)
    await workflows.add(workflow, [job])
    ended = job.ended(Outcome.EXPIRED, at=START + timedelta(hours=1), context={})
    assert await jobs.replace(job, ended)
    assert await jobs.get(job.id) == ended
    assert ended.workflow is not None
    assert ended.workflow.job_id == job.id
