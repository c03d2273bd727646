"""Workflows as rows of SQLite, and back."""

from collections.abc import Sequence

import orjson

from civitai_mock.domain.micros import to_micros
from civitai_mock.domain.money import Account, Spent
from civitai_mock.domain.workflow import Workflow
from civitai_mock.domain.workflow_json import workflow_from_json, workflow_to_json
from civitai_mock.domain.workflow_search import metadata_text
from civitai_mock.storage.sqlite.encoding import Row, Value, to_json
from civitai_mock.storage.sqlite.spending import ACCOUNTS, sums_of

ACCOUNT_COLUMNS = [Account(account) for account in ACCOUNTS.values()]


def workflow_row(workflow: Workflow, *, epoch: int) -> tuple[Value, ...]:
    """Return the columns of a new workflow, in the order of `workflows.INSERT`."""
    never_changes = (epoch, workflow.id, workflow.owner, workflow.external_id, to_micros(workflow.created_at))
    return (*never_changes, not workflow.is_ephemeral, *workflow_changes(workflow))


def workflow_changes(workflow: Workflow) -> tuple[Value, ...]:
    """Return the columns that a `replace` writes, in the order of `workflows.REPLACE`."""
    memo, spent = workflow.memo, workflow.spent
    return (
        workflow.version,
        to_micros(workflow.keep_until),
        memo is not None,
        memo is not None and memo.status.is_failed,
        *[spent.get(account, 0) for account in ACCOUNT_COLUMNS],
        metadata_text(workflow.metadata) or None,
        to_json(workflow_to_json(workflow)),
    )


def workflow_from(row: Row) -> Workflow:
    """Make a workflow from its version and body."""
    version, body = row
    return workflow_from_json(orjson.loads(body), version=version)


def tag_rows(workflow: Workflow, *, epoch: int) -> Sequence[tuple[Value, ...]]:
    """Return a row for each tag of a workflow, in the order of `workflows.INSERT_TAG`."""
    if workflow.is_ephemeral:
        return ()
    return [(epoch, workflow.owner, tag, to_micros(workflow.created_at), workflow.id) for tag in workflow.tags]


def spent_of(rows: Sequence[Row]) -> Spent:
    """Return what a consumer has spent, by the row of `SPENT`."""
    jobs, by_account = sums_of(rows)
    return Spent(by_account={Account(account): amount for account, amount in by_account.items()}, jobs=jobs)
