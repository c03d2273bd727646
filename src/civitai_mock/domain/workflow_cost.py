"""What a workflow costs, who pays for it, and what is given back once it is over."""

from collections.abc import Sequence

from civitai_mock.domain.changed import changed
from civitai_mock.domain.cost import Cost, cost_of, rounded_up
from civitai_mock.domain.job import Job
from civitai_mock.domain.money import (
    FOR_MATURE_CONTENT,
    Account,
    Balances,
    Spent,
    Transaction,
    accounts_that_may_pay,
    credits_of,
    debits,
    split,
)
from civitai_mock.domain.workflow import Workflow, WorkflowMemo, WorkflowStatus
from civitai_mock.domain.workflow_progress import WorkflowProgress


def full_cost(workflow: Workflow) -> Cost:
    return cost_of([step.cost for step in workflow.steps], workflow.tips)


def charge(workflow: Workflow, balances: Balances, spent: Spent) -> Workflow:
    """Return a workflow with debits for what it costs and has not paid yet.

    Raise `InsufficientBuzzError` if its owner, who spent so much, has less. Blue and green pay only for workflows
    without mature content: one that did not say so does not allow it then (capture).
    """
    may_pay = accounts_that_may_pay(workflow.currencies, allows_mature_content=workflow.allow_mature_content is True)
    missing = full_cost(workflow).total
    if workflow.transactions:
        missing -= sum([transaction.spent for transaction in workflow.transactions])
    shares = split(missing, may_pay, balances, spent) if missing > 0 else {}
    if not shares:
        return workflow
    paid = debits(workflow.id, shares, first=len(workflow.transactions))
    is_settled = workflow.allow_mature_content is not None or FOR_MATURE_CONTENT.issuperset(shares)
    return workflow.charged(paid, forbids_mature_content=not is_settled)


def upgraded(workflow: Workflow, balances: Balances, spent: Spent) -> Workflow:
    """Return a workflow that allows mature content now, and for which accounts have paid that may pay for it.

    That is yellow, whatever accounts its consumer chose, if none of these may pay (v2 contract, section 4). Raise
    `InsufficientBuzzError` if they have too little, though what others have paid is given back.
    """
    paid = sum(workflow.spent.values())
    if all(account in FOR_MATURE_CONTENT or not share for account, share in workflow.spent.items()):
        return workflow
    given_back = credits_of(workflow.id, workflow.all_transactions, paid)
    first = len(workflow.all_transactions) + len(given_back)
    left = Spent(
        by_account={account: there - workflow.spent.get(account, 0) for account, there in spent.by_account.items()},
        jobs=spent.jobs,
    )
    chosen = accounts_that_may_pay(workflow.currencies, allows_mature_content=True)
    shares = split(paid, chosen or (Account.YELLOW,), balances, left)
    return workflow.charged((*given_back, *debits(workflow.id, shares, first=first)))


def remaining_cost(workflow: Workflow, progress: WorkflowProgress, jobs: Sequence[Job] = ()) -> Cost:
    """Return what a workflow costs: once it is over, only what succeeded, and nothing if its consumer canceled it.

    Of a step some of whose `jobs` were free it costs the share of the others.
    """
    paid: list[float] | None = None
    if progress.status.is_over:
        is_canceled = workflow.canceled_at is not None and progress.status is WorkflowStatus.CANCELED
        all_back = is_canceled and not progress.keeps_finished
        paid = [float(step.status is WorkflowStatus.SUCCEEDED and not all_back) for step in progress.steps]
        if any(job.was_free for job in jobs):
            paid = [share * _charged_share(jobs, index) for index, share in enumerate(paid)]
    return cost_of([step.cost for step in workflow.steps], workflow.tips, paid=paid)


def _charged_share(jobs: Sequence[Job], step: int) -> float:
    """Return which share of the jobs of a step that succeeded was not free."""
    charged = [not job.was_free for job in jobs if job.workflow and job.workflow.step == step and job.has_succeeded]
    return sum(charged) / len(charged) if charged else 1.0


def credits_for(workflow: Workflow, progress: WorkflowProgress, jobs: Sequence[Job] = ()) -> tuple[Transaction, ...]:
    """Return what is given back of the charge of a workflow that is over: nothing, mostly, as all of it succeeded.

    `jobs` are those of which files may be lost, or which may have been free.
    """
    amount = lost_blobs_refund(workflow, progress, jobs)
    is_paid = all(step.status is WorkflowStatus.SUCCEEDED for step in progress.steps)
    if not is_paid or any(job.was_free for job in jobs):
        amount += full_cost(workflow).total - remaining_cost(workflow, progress, jobs).total
    return credits_of(workflow.id, workflow.transactions, amount)


def lost_blobs_refund(workflow: Workflow, progress: WorkflowProgress, jobs: Sequence[Job]) -> int:
    """Return how much is given back for files that are lost: their share in the price of their step, rounded up."""
    if not any(slot.is_lost for job in jobs for slot in job.slots):
        return 0
    shares = 0
    for index, step in enumerate(workflow.steps):
        slots = [slot for job in jobs if job.workflow and job.workflow.step == index for slot in job.slots]
        lost, made = sum(slot.is_lost for slot in slots), sum(slot.is_lost or slot.available for slot in slots)
        if lost and progress.steps[index].status is WorkflowStatus.SUCCEEDED:
            shares += rounded_up((step.cost.base + sum(step.cost.fixed.values())) * lost / made)
    return min(shares, remaining_cost(workflow, progress, jobs).total)


def with_lost_blobs(workflow: Workflow, progress: WorkflowProgress, jobs: Sequence[Job]) -> Workflow:
    """Return a workflow that is over with a credit for files that were lost since; the same one if there is nothing."""
    memo = workflow.memo
    if memo is None:
        return workflow
    wanted = sum([credit.amount for credit in credits_for(workflow, progress, jobs)])
    missing = wanted - sum([credit.amount for credit in memo.credits])
    if missing <= 0:
        return workflow
    added = credits_of(workflow.id, workflow.all_transactions, missing)
    return workflow.over(changed(memo, credits=(*memo.credits, *added)), keep_until=workflow.keep_until)


def memo_of(
    workflow: Workflow, progress: WorkflowProgress, *, nsfw_level: str | None = None, jobs: Sequence[Job] = ()
) -> WorkflowMemo | None:
    """Return what is to be kept of a workflow that is over; None before that."""
    if progress.completed_at is None:
        return None
    return WorkflowMemo(
        status=progress.status,
        started_at=progress.started_at,
        completed_at=progress.completed_at,
        credits=credits_for(workflow, progress, jobs),
        nsfw_level=nsfw_level,
    )
