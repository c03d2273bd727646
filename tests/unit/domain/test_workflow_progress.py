"""How far workflows and steps are, as their jobs say, and what is given back."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitai_mock.domain.blob import Slot
from civitai_mock.domain.cost import StepCost, Tips
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.money import NO_LIMIT, Account, Balances, Spent
from civitai_mock.domain.stages import Outcome, Stage
from civitai_mock.domain.workflow import Workflow, WorkflowSnapshot, WorkflowStatus, WorkflowStep
from civitai_mock.domain.workflow_cost import (
    charge,
    credits_for,
    full_cost,
    lost_blobs_refund,
    memo_of,
    remaining_cost,
    with_lost_blobs,
)
from civitai_mock.domain.workflow_progress import (
    WorkflowProgress,
    job_progress,
    lacks_retry,
    reason_of,
    workflow_progress,
)
from tests.support.dates import START
from tests.support.jobs import LEASE, SECOND, make_claim, prepared, succeeded
from tests.support.table import table
from tests.support.workflows import make_step, make_workflow, make_workflow_job

UNASSIGNED, PREPARING, SCHEDULED, PROCESSING, SUCCEEDED, FAILED, EXPIRED, CANCELED = WorkflowStatus
HALF: JsonObject = {"step": 10, "steps": 20, "progress": 0.5, "node_id": "3"}


def claimed(job: Job, at: datetime) -> Job:
    held = replace(job, claim=make_claim(at=at - SECOND / 2))
    return held.entered(Stage.CLAIMED, at=at, until=at + LEASE, context={})


def scheduled(job: Job, at: datetime) -> Job:
    return prepared(replace(job, claim=make_claim(at=at - SECOND / 2)), at=at)


def processing(job: Job, at: datetime) -> Job:
    return scheduled(job, at).entered(Stage.SENT_TO_COMFY, at=at, until=at + LEASE, context={}, prompt_id="p")


def good(job: Job, at: datetime) -> Job:
    return succeeded(replace(job, claim=make_claim(at=at - SECOND / 2)), at=at)


def ending(outcome: Outcome, **context: str) -> Callable[[Job, datetime], Job]:
    return lambda job, at: processing(job, at).ended(outcome, at=at, context=dict(context))


bad, late, gone = ending(Outcome.FAILED), ending(Outcome.EXPIRED), ending(Outcome.DELETED)
IN: dict[WorkflowStatus, Callable[[Job, datetime], Job]] = {
    UNASSIGNED: lambda job, _: job,
    PREPARING: claimed,
    SCHEDULED: scheduled,
    PROCESSING: processing,
    SUCCEEDED: good,
    FAILED: bad,
    EXPIRED: late,
    CANCELED: gone,
}


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def progress(workflow: Workflow, *jobs: Job) -> WorkflowProgress:
    return workflow_progress(WorkflowSnapshot(workflow=workflow, jobs=jobs))


def workflow_of(*steps: WorkflowStep) -> Workflow:
    return make_workflow(steps=steps)


def with_jobs(*statuses: WorkflowStatus) -> tuple[Workflow, list[Job]]:
    """Return a workflow of one step with a job in each status; the first one changed one second after the start."""
    workflow = make_workflow()
    workflow = workflow.step_made_ready(0, workflow.steps[0].input, jobs=len(statuses), at=START)
    jobs = [IN[status](make_workflow_job(workflow, 0, index), at(index + 1)) for index, status in enumerate(statuses)]
    return workflow, jobs


@table("status", WorkflowStatus)
def test_a_job_is_in_one_of_eight_statuses(status: WorkflowStatus) -> None:
    found = job_progress(IN[status](make_workflow_job(make_workflow()), at(1)))
    assert found.status is status
    assert found.started_at == (None if status is UNASSIGNED else at(0.5))
    assert found.completed_at == (at(1) if status.is_over else None)


def test_a_job_that_never_started_has_no_start() -> None:
    found = job_progress(make_workflow_job(make_workflow()).ended(Outcome.DELETED, at=at(3), context={}))
    assert (found.status, found.started_at, found.completed_at) == (CANCELED, None, at(3))


def test_a_job_that_was_put_back_waits_again() -> None:
    job = processing(make_workflow_job(make_workflow()), at(1)).released(at=at(2), reason="stopping")
    assert (job_progress(job).status, job_progress(job).started_at) == (UNASSIGNED, None)


@table(
    ("parts", "whole"),
    [
        ([UNASSIGNED], UNASSIGNED),
        ([UNASSIGNED, PREPARING], PREPARING),
        ([PREPARING, SCHEDULED, UNASSIGNED], SCHEDULED),
        ([PROCESSING, UNASSIGNED], PROCESSING),
        ([SUCCEEDED, UNASSIGNED], PROCESSING),
        ([FAILED, PREPARING], PROCESSING),
        ([SUCCEEDED, SUCCEEDED], SUCCEEDED),
        ([SUCCEEDED, CANCELED], CANCELED),
        ([SUCCEEDED, EXPIRED, CANCELED], EXPIRED),
        ([FAILED, EXPIRED, CANCELED, SUCCEEDED], FAILED),
    ],
)
def test_a_step_is_rolled_up_from_its_jobs(parts: Sequence[WorkflowStatus], whole: WorkflowStatus) -> None:
    for order in permutations(parts):
        workflow, jobs = with_jobs(*order)
        found = progress(workflow, *jobs)
        assert found.status is whole
        assert found.steps[0].status is whole


def test_times_are_those_of_the_first_start_and_the_last_end() -> None:
    workflow, jobs = with_jobs(SUCCEEDED, UNASSIGNED, SUCCEEDED)
    running = progress(workflow, *jobs)
    assert (running.started_at, running.completed_at) == (at(0.5), None)
    workflow, jobs = with_jobs(SUCCEEDED, SUCCEEDED, FAILED)
    over = progress(workflow, *jobs)
    assert (over.started_at, over.completed_at) == (at(0.5), at(3))
    assert (over.steps[0].started_at, over.steps[0].completed_at) == (at(0.5), at(3))


def test_a_step_waits_for_its_sources_and_is_canceled_with_them() -> None:
    workflow = workflow_of(make_step("a"), make_step("b", sources=[0]), make_step("c", sources=[1, 0]))
    job = make_workflow_job(workflow)
    for status, dependents in (
        (PROCESSING, UNASSIGNED),
        (SUCCEEDED, UNASSIGNED),
        (FAILED, CANCELED),
        (EXPIRED, CANCELED),
    ):
        found = progress(workflow, IN[status](job, at(1)))
        assert [step.status for step in found.steps] == [status, dependents, dependents]
        assert found.status is {SUCCEEDED: PROCESSING}.get(status, status)
        assert found.completed_at == (at(1) if dependents is CANCELED else None)


def test_the_order_of_steps_does_not_matter() -> None:
    workflow = workflow_of(make_step("c", sources=[1]), make_step("b", sources=[2]), make_step("a"))
    found = progress(workflow, bad(make_workflow_job(workflow, 2), at(1)))
    assert [step.status for step in found.steps] == [CANCELED, CANCELED, FAILED]
    assert found.status is FAILED


def test_a_long_chain_is_no_trouble() -> None:
    count = 2000
    chain = [make_step(str(index), sources=[index + 1] if index + 1 < count else []) for index in range(count)]
    workflow = workflow_of(*chain)
    found = progress(workflow, bad(make_workflow_job(workflow, count - 1), at(1)))
    assert [step.status for step in found.steps] == [CANCELED] * (count - 1) + [FAILED]


def test_independent_steps_go_on_when_one_fails() -> None:
    workflow = workflow_of(make_step("a"), make_step("b"))
    failed, other = bad(make_workflow_job(workflow, 0), at(1)), make_workflow_job(workflow, 1)
    assert progress(workflow, failed, other).status is PROCESSING
    assert progress(workflow, failed, good(other, at(2))).status is FAILED


def test_a_step_without_jobs_is_over_when_it_is_ready() -> None:
    workflow = make_workflow().step_made_ready(0, {}, jobs=0, at=at(4))
    found = progress(workflow)
    assert (found.status, found.started_at, found.completed_at) == (SUCCEEDED, at(4), at(4))


def test_a_step_that_cannot_be_made_ready_has_failed() -> None:
    workflow = workflow_of(make_step("a"), make_step("b", sources=[0]), make_step("c", sources=[1]))
    workflow = workflow.step_failed(1, reason="There is no value.", at=at(5))
    found = progress(workflow, good(make_workflow_job(workflow), at(1)))
    assert [step.status for step in found.steps] == [SUCCEEDED, FAILED, CANCELED]
    assert (found.status, found.completed_at) == (FAILED, at(5))


def test_jobs_that_are_not_stored_yet_wait() -> None:
    workflow, jobs = with_jobs(SUCCEEDED, SUCCEEDED)
    assert progress(workflow, *jobs[1:]).status is PROCESSING
    assert progress(workflow).status is UNASSIGNED


def test_jobs_that_their_step_does_not_name_do_not_count() -> None:
    workflow = workflow_of(make_step("a"), make_step("b", sources=[0]))
    early = processing(make_workflow_job(workflow, 1), at(1))
    assert progress(workflow, make_workflow_job(workflow), early).steps[1].status is UNASSIGNED


def test_a_repeat_is_as_far_as_the_steps_that_it_spawned() -> None:
    workflow = workflow_of(make_step("loop", step_type="repeat"), make_step("after", sources=[0]))
    workflow = workflow.step_made_ready(0, {}, jobs=0, at=START)
    children = [replace(make_step(f"loop[{index}]"), spawned_by=0) for index in range(2)]
    workflow = workflow.with_more_steps(children)
    for index in (2, 3):
        workflow = workflow.step_made_ready(index, {}, jobs=1, at=START)
    one, two = (make_workflow_job(workflow, index) for index in (2, 3))
    assert progress(workflow, good(one, at(1)), two).steps[0].status is PROCESSING
    over = progress(workflow, good(one, at(1)), bad(two, at(2)))
    assert [step.status for step in over.steps] == [FAILED, CANCELED, SUCCEEDED, FAILED]
    assert over.steps[0].completed_at == at(2)


def test_a_failed_job_with_retries_left_waits_for_the_next() -> None:
    workflow = workflow_of(make_step("a", retries=1), make_step("b", sources=[0]))
    first = bad(make_workflow_job(workflow), at(1))
    assert lacks_retry(workflow.steps[0], first)
    assert [step.status for step in progress(workflow, first).steps] == [UNASSIGNED, UNASSIGNED]
    second = make_workflow_job(workflow, attempt=1)
    assert second.workflow
    retried = workflow.step_retried(second.workflow)
    assert progress(retried, first).steps[0].status is UNASSIGNED
    assert progress(retried, first, processing(second, at(2))).steps[0].status is PROCESSING
    assert progress(retried, first, good(second, at(2))).steps[0].status is SUCCEEDED
    failed = bad(second, at(2))
    assert not lacks_retry(workflow.steps[0], failed)
    assert [step.status for step in progress(retried, first, failed).steps] == [FAILED, CANCELED]


def test_only_what_failed_is_made_again() -> None:
    workflow = workflow_of(make_step("a", retries=9))
    for make in (late, gone, good, processing):
        assert not lacks_retry(workflow.steps[0], make(make_workflow_job(workflow), at(1)))
    assert progress(workflow, late(make_workflow_job(workflow), at(1))).status is EXPIRED


def test_a_workflow_is_canceled_when_its_jobs_have_ended() -> None:
    workflow = workflow_of(make_step("a"), make_step("b", sources=[0]), make_step("c")).canceled(at=at(2))
    first, third = make_workflow_job(workflow, 0), make_workflow_job(workflow, 2)
    running = progress(workflow, processing(first, at(1)), third)
    assert ([step.status for step in running.steps], running.status) == ([PROCESSING, CANCELED, UNASSIGNED], PROCESSING)
    over = progress(workflow, gone(first, at(3)), good(third, at(2.5)))
    assert ([step.status for step in over.steps], over.status) == ([CANCELED, CANCELED, SUCCEEDED], CANCELED)
    assert over.completed_at == at(3)
    failed = progress(workflow, gone(first, at(3)), bad(third, at(1)))
    assert failed.status is CANCELED


def test_a_workflow_whose_jobs_were_faster_than_the_cancel_succeeded() -> None:
    workflow = make_workflow().canceled(at=at(2))
    assert progress(workflow, good(make_workflow_job(workflow), at(3))).status is SUCCEEDED
    assert progress(workflow, bad(make_workflow_job(workflow), at(3))).status is FAILED


def test_a_canceled_workflow_makes_nothing_again() -> None:
    workflow = workflow_of(make_step("a", retries=3)).canceled(at=at(2))
    assert progress(workflow, bad(make_workflow_job(workflow), at(3))).status is FAILED


def test_the_rate_is_that_of_all_jobs_together() -> None:
    workflow, jobs = with_jobs(SUCCEEDED, PROCESSING, UNASSIGNED, UNASSIGNED)
    jobs[1] = jobs[1].progressed(at=at(9), context=HALF)
    assert progress(workflow, *jobs).steps[0].rate == pytest.approx(0.375)
    for statuses in ([UNASSIGNED], [PROCESSING], [SUCCEEDED], [FAILED, SUCCEEDED]):
        workflow, jobs = with_jobs(*statuses)
        assert progress(workflow, *jobs).steps[0].rate is None


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (good, None),
        (processing, None),
        (late, "expired"),
        (gone, "canceled"),
        (bad, None),
        (ending(Outcome.FAILED, reason="timeout: the claim took longer than 00:10:00"), "timeout"),
        (ending(Outcome.FAILED, reason="The image is broken."), "The image is broken."),
    ],
)
def test_a_job_says_why_it_did_not_succeed(make: Callable[[Job, datetime], Job], reason: str | None) -> None:
    assert reason_of(make(make_workflow_job(make_workflow()), at(1))) == reason


# What a workflow costs, of two steps of 8 and 4 Buzz, the first with a surcharge of 5, and a tip of a quarter.
def priced() -> Workflow:
    first = replace(make_step("a"), cost=StepCost(factors={"base": 8}, fixed={"licenseFees": 5}))
    workflow = make_workflow(steps=[first, make_step("b", cost=4)])
    return charge(replace(workflow, tips=Tips(creators=0.25)), NO_LIMIT, Spent())


@pytest.mark.parametrize(
    ("first", "second", "canceled", "base", "total", "back"),
    [
        (PROCESSING, UNASSIGNED, False, 12, 20, 0),
        (SUCCEEDED, SUCCEEDED, False, 12, 20, 0),
        (FAILED, FAILED, False, 0, 0, 20),
        (SUCCEEDED, FAILED, False, 8, 15, 5),
        (EXPIRED, SUCCEEDED, False, 4, 5, 15),
        (SUCCEEDED, CANCELED, False, 8, 15, 5),
        (SUCCEEDED, CANCELED, True, 0, 0, 20),
        (SUCCEEDED, SUCCEEDED, True, 12, 20, 0),
    ],
)
def test_what_did_not_succeed_is_given_back(
    first: WorkflowStatus, second: WorkflowStatus, canceled: bool, base: int, total: int, back: int
) -> None:
    workflow = priced().canceled(at=at(1)) if canceled else priced()
    jobs = [IN[status](make_workflow_job(workflow, step), at(1)) for step, status in enumerate((first, second))]
    found = progress(workflow, *jobs)
    cost = remaining_cost(workflow, found)
    assert (cost.base, cost.total, cost.factors) == (base, total, {"base": 12})
    assert sum(paid.amount for paid in credits_for(workflow, found)) == back
    memo = memo_of(workflow, found, nsfw_level="pg")
    if not found.status.is_over:
        assert memo is None
        return
    assert memo is not None
    assert (memo.status, memo.completed_at, memo.nsfw_level) == (found.status, at(1), "pg")
    over = workflow.over(memo, keep_until=at(99))
    assert sum(over.spent.values()) == total
    assert over.version == workflow.version + 1


def test_a_charge_is_paid_in_the_order_of_the_accounts() -> None:
    balances = Balances(by_account={Account.BLUE: 3, Account.YELLOW: 100})
    ordinary = charge(make_workflow(), balances, Spent())
    assert ordinary.spent == {Account.BLUE: 3, Account.YELLOW: 5}
    assert charge(make_workflow(allow_mature_content=True), balances, Spent()).spent == {Account.YELLOW: 8}
    assert charge(make_workflow(allow_mature_content=False), balances, Spent()).spent == ordinary.spent
    free = make_workflow(steps=[make_step(cost=0)])
    assert charge(free, balances, Spent()) is free
    assert full_cost(make_workflow()).total == 8


@given(st.lists(st.sampled_from(WorkflowStatus), min_size=1, max_size=4), st.data())
def test_what_is_over_stays_as_it_is(statuses: list[WorkflowStatus], data: st.DataObject) -> None:
    """Whatever the jobs do next, a status that is over does not change, nor does its time."""
    workflow, jobs = with_jobs(*statuses)
    before = progress(workflow, *jobs)
    later = [
        job if job.outcome is not None else IN[data.draw(st.sampled_from(WorkflowStatus))](_again(job), at(50))
        for job in jobs
    ]
    after = progress(workflow, *later)
    if before.status.is_over:
        assert after == before
    else:
        assert after.completed_at is None or after.completed_at == at(50)


def _again(job: Job) -> Job:
    assert job.workflow
    workflow = make_workflow()
    return make_workflow_job(workflow, job.workflow.step, job.workflow.index)


def with_lost(job: Job, lost: int, *, of: int = 4) -> Job:
    """Return a job with so many images, the first of which are lost."""
    slots = [Slot(blob_key=str(place), available=place >= lost, is_lost=place < lost) for place in range(of)]
    return replace(job, slots=tuple(slots))


@pytest.mark.parametrize(
    ("first", "second", "status", "refund"),
    [
        (0, 0, SUCCEEDED, 0),
        (1, 0, SUCCEEDED, 4),
        (3, 1, SUCCEEDED, 11),
        (4, 4, SUCCEEDED, 17),
        (4, 4, FAILED, 13),  # the second step is given back as a whole, with its tip
    ],
)
def test_what_lost_images_have_cost_is_given_back_once(
    first: int, second: int, status: WorkflowStatus, refund: int
) -> None:
    workflow = priced()
    jobs = [IN[ended](make_workflow_job(workflow, step), at(1)) for step, ended in enumerate((SUCCEEDED, status))]
    found = progress(workflow, *jobs)
    memo = memo_of(workflow, found, jobs=jobs)
    assert memo is not None
    over = workflow.over(memo, keep_until=at(99))
    spent, lost = sum(over.spent.values()), [with_lost(jobs[0], first), with_lost(jobs[1], second)]
    assert lost_blobs_refund(over, found, lost) == refund
    after = with_lost_blobs(over, found, lost)
    assert (sum(after.spent.values()), after is over) == (spent - refund, refund == 0)
    assert len({transaction.id for transaction in after.all_transactions}) == len(after.all_transactions)
    assert with_lost_blobs(after, found, lost) is after
    late_memo = memo_of(workflow, found, jobs=lost)
    assert late_memo is not None
    assert sum(workflow.over(late_memo, keep_until=at(99)).spent.values()) == spent - refund
    assert with_lost_blobs(workflow, found, lost) is workflow  # its end, which is not noted yet, will say it
