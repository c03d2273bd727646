"""Workflows as JSON, in the form in which stores keep them, and back.

Members that are as a new value has them are left out. Durations are microseconds. Times stay times when a workflow is
written, as orjson prints them in a sixth of the time that `isoformat` takes; they are read as texts.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from civitai_mock.domain.cost import StepCost, Tips
from civitai_mock.domain.micros import MICROSECOND
from civitai_mock.domain.money import ACCOUNTS, Transaction, TransactionType
from civitai_mock.domain.workflow import (
    UPGRADE_MODES,
    Callback,
    StepFailure,
    Workflow,
    WorkflowMemo,
    WorkflowStatus,
    WorkflowStep,
)

Document: TypeAlias = dict[str, Any]  # as it is read again, member by member
Parts: TypeAlias = list[Any]
Member: TypeAlias = tuple[str, Callable[[Any], object] | None]

PLAIN = (bool, int, float, str)
OR_PLAIN = " or (found is not None and isinstance(found, PLAIN))"


class Others:
    """Says what is written of a value besides what is always there: members by name, and how each is spelled in JSON.

    Members that are as a new value has them are left out: None and what is empty, but not False, 0 and a text.
    `add_to` is compiled, one statement for each member: a loop took five times as long, 2 % of a submission.
    """

    def __init__(self, *members: Member) -> None:
        spelled = {name: "found" if write is None else f"write_{name}(found)" for name, write in members}
        source = ["def add_to(document, value):"]
        for name, text in spelled.items():
            source += [f" found = value.{name}", f" if found{OR_PLAIN}: document['{name}'] = {text}"]
        namespace: dict[str, Any] = {"PLAIN": PLAIN, **{f"write_{name}": write for name, write in members}}
        exec("\n".join(source), namespace)  # noqa: S102 - as `dataclass` makes methods
        self.add_to: Callable[[Document, object], None] = namespace["add_to"]


# The members of enums by their values: to call the class takes three times as long.
STATUSES: Mapping[str, WorkflowStatus] = {str(status): status for status in WorkflowStatus}
TRANSACTION_TYPES: Mapping[str, TransactionType] = {str(kind): kind for kind in TransactionType}


def workflow_to_json(workflow: Workflow) -> Document:
    """Return all of a workflow but its `version`, which stores keep apart."""
    document: Document = {
        "id": workflow.id,
        "owner": workflow.owner,
        "trace_id": workflow.trace_id,
        "base_url": workflow.base_url,
        "created_at": workflow.created_at,
        "keep_until": workflow.keep_until,
        "upgrade_mode": workflow.upgrade_mode,
        "tips": [workflow.tips.civitai, workflow.tips.creators],
        "steps": [_step_to_json(step) for step in workflow.steps],
    }
    if workflow.is_ephemeral:
        document["ephemeral"] = True
    OTHERS_OF_WORKFLOW.add_to(document, workflow)
    return document


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
            [
                Callback(url=url, types=tuple(types), detailed=detailed)
                for url, types, detailed in document.get("callbacks", ())
            ]
        ),
        currencies=tuple([ACCOUNTS[account] for account in document.get("currencies", ())]),
        upgrade_mode=UPGRADE_MODES[document["upgrade_mode"]],
        tips=Tips(civitai=civitai, creators=creators),
        experimental=document.get("experimental"),
        nsfw_level=document.get("nsfw_level"),
        is_ephemeral=document.get("ephemeral", False),
        external_id=document.get("external_id"),
        progress=document.get("progress"),
        asked_fault=document.get("asked_fault"),
        version=version,
        keep_until=datetime.fromisoformat(document["keep_until"]),
        tags=tuple(document.get("tags", ())),
        metadata=document.get("metadata", {}),
        allow_mature_content=document.get("allow_mature_content"),
        steps=tuple([_step_from_json(step) for step in document["steps"]]),
        transactions=_transactions_from_json(document.get("transactions", ())),
        canceled_at=_time(document.get("canceled_at")),
        memo=None if memo is None else _memo_from_json(memo),
    )


def _step_to_json(step: WorkflowStep) -> Document:
    document: Document = {"name": step.name, "type": step.type, "input": step.input, "priority": step.priority}
    OTHERS_OF_COST.add_to(document, step.cost)
    OTHERS_OF_STEP.add_to(document, step)
    return document


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


def _memo_to_json(memo: WorkflowMemo) -> Parts:
    given_back = _transactions_to_json(memo.credits)
    return [memo.status, memo.started_at, memo.completed_at, memo.nsfw_level, given_back]


def _memo_from_json(parts: Parts) -> WorkflowMemo:
    status, started_at, completed_at, nsfw_level, given_back = parts
    return WorkflowMemo(
        status=STATUSES[status],
        started_at=_time(started_at),
        completed_at=datetime.fromisoformat(completed_at),
        credits=_transactions_from_json(given_back),
        nsfw_level=nsfw_level,
    )


def _transactions_to_json(transactions: Iterable[Transaction]) -> list[Parts]:
    return [[paid.type, paid.amount, paid.account, paid.id] for paid in transactions]


def _transactions_from_json(documents: Iterable[Parts]) -> tuple[Transaction, ...]:
    return tuple(
        [
            Transaction(type=TRANSACTION_TYPES[kind], amount=amount, account=ACCOUNTS[account], id=paid_id)
            for kind, amount, account, paid_id in documents
        ]
    )


def _callbacks_to_json(callbacks: Iterable[Callback]) -> list[Parts]:
    return [[callback.url, list(callback.types), callback.detailed] for callback in callbacks]


def _failure_to_json(failure: StepFailure) -> Parts:
    return [failure.reason, failure.at]


def _micros(duration: timedelta) -> int:
    return duration // MICROSECOND


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


OTHERS_OF_WORKFLOW = Others(
    ("arguments", dict),
    ("callbacks", _callbacks_to_json),
    ("currencies", None),
    ("experimental", None),
    ("nsfw_level", None),
    ("external_id", None),
    ("progress", dict),
    ("asked_fault", dict),
    ("tags", None),
    ("metadata", dict),
    ("allow_mature_content", None),
    ("transactions", _transactions_to_json),
    ("canceled_at", None),
    ("memo", _memo_to_json),
)
OTHERS_OF_STEP = Others(
    ("timeout", _micros),
    ("retries", None),
    ("metadata", dict),
    ("sources", None),
    ("seed", None),
    ("spawned_by", None),
    ("jobs", None),
    ("ready_at", None),
    ("failure", _failure_to_json),
)
OTHERS_OF_COST = Others(("factors", dict), ("fixed", dict))
