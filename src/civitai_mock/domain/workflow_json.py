"""Workflows as JSON, in the form in which stores keep them, and back.

Members that are as a new value has them are left out. Times are texts, durations are microseconds.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from civitai_mock.domain.cost import StepCost, Tips
from civitai_mock.domain.json_types import Json
from civitai_mock.domain.money import ACCOUNTS, Transaction, TransactionType
from civitai_mock.domain.workflow import (
    Callback,
    StepFailure,
    UpgradeMode,
    Workflow,
    WorkflowMemo,
    WorkflowStatus,
    WorkflowStep,
)

Document: TypeAlias = dict[str, Any]  # as it is read again, member by member

MICROSECOND = timedelta(microseconds=1)
# The members of enums by their values: to call the class takes three times as long.
STATUSES: Mapping[str, WorkflowStatus] = {str(status): status for status in WorkflowStatus}


def workflow_to_json(workflow: Workflow) -> Document:
    """Return all of a workflow but its `version`, which stores keep apart."""
    document: Document = {
        "id": workflow.id,
        "owner": workflow.owner,
        "trace_id": workflow.trace_id,
        "base_url": workflow.base_url,
        "created_at": workflow.created_at.isoformat(),
        "keep_until": workflow.keep_until.isoformat(),
        "upgrade_mode": workflow.upgrade_mode,
        "tips": [workflow.tips.civitai, workflow.tips.creators],
        "steps": [_step_to_json(step) for step in workflow.steps],
    }
    others: Document = {
        "arguments": dict(workflow.arguments),
        "callbacks": [[callback.url, list(callback.types), callback.detailed] for callback in workflow.callbacks],
        "currencies": list(workflow.currencies),
        "experimental": workflow.experimental,
        "nsfw_level": workflow.nsfw_level,
        "ephemeral": workflow.is_ephemeral or None,
        "external_id": workflow.external_id,
        "tags": list(workflow.tags),
        "metadata": dict(workflow.metadata),
        "allow_mature_content": workflow.allow_mature_content,
        "transactions": _transactions_to_json(workflow.transactions),
        "canceled_at": _time_text(workflow.canceled_at),
        "memo": None if workflow.memo is None else _memo_to_json(workflow.memo),
    }
    return _with_some(document, others)


def workflow_from_json(document: Document, *, version: int) -> Workflow:
    civitai, creators = document["tips"]
    memo = document.get("memo")
    return Workflow(
        id=document["id"],
        owner=document["owner"],
        trace_id=document["trace_id"],
        base_url=document["base_url"],
        created_at=datetime.fromisoformat(document["created_at"]),
        arguments=document.get("arguments", {}),
        callbacks=tuple(
            Callback(url=url, types=tuple(types), detailed=detailed)
            for url, types, detailed in document.get("callbacks", ())
        ),
        currencies=tuple(ACCOUNTS[account] for account in document.get("currencies", ())),
        upgrade_mode=UpgradeMode(document["upgrade_mode"]),
        tips=Tips(civitai=civitai, creators=creators),
        experimental=document.get("experimental"),
        nsfw_level=document.get("nsfw_level"),
        is_ephemeral=document.get("ephemeral", False),
        external_id=document.get("external_id"),
        version=version,
        keep_until=datetime.fromisoformat(document["keep_until"]),
        tags=tuple(document.get("tags", ())),
        metadata=document.get("metadata", {}),
        allow_mature_content=document.get("allow_mature_content"),
        steps=tuple(_step_from_json(step) for step in document["steps"]),
        transactions=_transactions_from_json(document.get("transactions", ())),
        canceled_at=_time(document.get("canceled_at")),
        memo=None if memo is None else _memo_from_json(memo),
    )


def _step_to_json(step: WorkflowStep) -> Document:
    document: Document = {"name": step.name, "type": step.type, "input": step.input, "priority": step.priority}
    failure = step.failure
    others: Document = {
        "timeout": None if step.timeout is None else step.timeout // MICROSECOND,
        "retries": step.retries,
        "metadata": dict(step.metadata),
        "factors": dict(step.cost.factors),
        "fixed": dict(step.cost.fixed),
        "sources": list(step.sources),
        "seed": step.seed,
        "spawned_by": step.spawned_by,
        "jobs": list(step.jobs),
        "ready_at": _time_text(step.ready_at),
        "failure": None if failure is None else [failure.reason, failure.at.isoformat()],
    }
    return _with_some(document, others)


def _step_from_json(document: Document) -> WorkflowStep:
    timeout, failure = document.get("timeout"), document.get("failure")
    return WorkflowStep(
        name=document["name"],
        type=document["type"],
        input=document["input"],
        priority=document["priority"],
        timeout=None if timeout is None else timeout * MICROSECOND,
        retries=document.get("retries"),
        metadata=document.get("metadata", {}),
        cost=StepCost(factors=document.get("factors", {}), fixed=document.get("fixed", {})),
        sources=tuple(document.get("sources", ())),
        seed=document.get("seed"),
        spawned_by=document.get("spawned_by"),
        jobs=tuple(document.get("jobs", ())),
        ready_at=_time(document.get("ready_at")),
        failure=None if failure is None else StepFailure(reason=failure[0], at=datetime.fromisoformat(failure[1])),
    )


def _memo_to_json(memo: WorkflowMemo) -> list[Json]:
    times: list[Json] = [_time_text(memo.started_at), memo.completed_at.isoformat()]
    return [memo.status, *times, memo.nsfw_level, _transactions_to_json(memo.credits)]


def _memo_from_json(parts: list[Any]) -> WorkflowMemo:
    status, started_at, completed_at, nsfw_level, given_back = parts
    return WorkflowMemo(
        status=STATUSES[status],
        started_at=_time(started_at),
        completed_at=datetime.fromisoformat(completed_at),
        credits=_transactions_from_json(given_back),
        nsfw_level=nsfw_level,
    )


def _transactions_to_json(transactions: Iterable[Transaction]) -> list[Json]:
    return [[paid.type, paid.amount, paid.account, paid.id] for paid in transactions]


def _transactions_from_json(documents: Iterable[list[Any]]) -> tuple[Transaction, ...]:
    return tuple(
        Transaction(type=TransactionType(kind), amount=amount, account=ACCOUNTS[account], id=paid_id)
        for kind, amount, account, paid_id in documents
    )


def _with_some(document: Document, others: Document) -> Document:
    """Add the members that are not as they are by default."""
    return document | {name: value for name, value in others.items() if value not in (None, [], {})}


def _time_text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
