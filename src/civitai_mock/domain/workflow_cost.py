"""What a workflow costs, who pays for it, and what is given back once it is over."""

from civitai_mock.domain.cost import Cost, cost_of
from civitai_mock.domain.money import (
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
    """Return a new workflow with its debits; raise `InsufficientBuzzError` if its owner, who spent so much, has less.

    Blue and green pay only for workflows without mature content.
    """
    may_pay = accounts_that_may_pay(workflow.currencies, allows_mature_content=workflow.allow_mature_content is True)
    shares = split(full_cost(workflow).total, may_pay, balances, spent)
    return workflow.charged(debits(workflow.id, shares)) if shares else workflow


def remaining_cost(workflow: Workflow, progress: WorkflowProgress) -> Cost:
    """Return what a workflow costs: once it is over, only what succeeded, and nothing if its consumer canceled it."""
    paid = None
    if progress.status.is_over:
        all_back = workflow.canceled_at is not None and progress.status is WorkflowStatus.CANCELED
        paid = [step.status is WorkflowStatus.SUCCEEDED and not all_back for step in progress.steps]
    return cost_of([step.cost for step in workflow.steps], workflow.tips, paid=paid)


def credits_for(workflow: Workflow, progress: WorkflowProgress) -> tuple[Transaction, ...]:
    """Return what is given back of the charge of a workflow that is over."""
    amount = full_cost(workflow).total - remaining_cost(workflow, progress).total
    return credits_of(workflow.id, workflow.transactions, amount)


def memo_of(workflow: Workflow, progress: WorkflowProgress, *, nsfw_level: str | None = None) -> WorkflowMemo | None:
    """Return what is to be kept of a workflow that is over; None before that."""
    if progress.completed_at is None:
        return None
    return WorkflowMemo(
        status=progress.status,
        started_at=progress.started_at,
        completed_at=progress.completed_at,
        credits=credits_for(workflow, progress),
        nsfw_level=nsfw_level,
    )
