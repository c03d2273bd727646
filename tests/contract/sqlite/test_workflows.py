"""What only SQLite promises of workflows: that nothing takes longer the more of them there are."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from civitai_mock.domain.namespaces import Epoch
from civitai_mock.domain.workflow_search import WorkflowCriteria, WorkflowPosition
from civitai_mock.storage.sqlite import TableNames, workflow_queries
from civitai_mock.storage.sqlite.connections import CountingConnection, connect_memory
from civitai_mock.storage.sqlite.database import Database
from civitai_mock.storage.sqlite.workflows import SqliteWorkflowStore
from tests.support.dates import START
from tests.support.jobs import SECOND
from tests.support.workflows import OWNER, first_jobs, make_workflow, workflow_id

NAMES = TableNames()
FEW, MANY = 1000, 5000
PAGE = 20
MINE = WorkflowCriteria(owner=OWNER)
LISTS = {
    "youngest": MINE,
    "oldest": WorkflowCriteria(owner=OWNER, ascending=True),
    "in the middle": WorkflowCriteria(owner=OWNER, after=WorkflowPosition(START + FEW // 2 * SECOND, "")),
    "since": WorkflowCriteria(owner=OWNER, since=START + SECOND, ascending=True),
    "without failures": WorkflowCriteria(owner=OWNER, failed=False),
    "tag": WorkflowCriteria(owner=OWNER, tags=frozenset({"all"})),
    "tags": WorkflowCriteria(owner=OWNER, tags=frozenset({"all", "fifth"})),
    "query": WorkflowCriteria(owner=OWNER, query="imageid"),
    "unknown query": WorkflowCriteria(owner=OWNER, query="nowhere"),
}


def tags_of(number: int) -> Sequence[str]:
    return ["all", *(["fifth"] if number % 5 == 0 else [])]


@asynccontextmanager
async def store_of(count: int) -> AsyncIterator[tuple[SqliteWorkflowStore, CountingConnection]]:
    connections = connect_memory(NAMES)
    database = Database(connections, description="memory")
    try:
        store = SqliteWorkflowStore(database=database, names=NAMES, epoch=Epoch())
        for number in range(count):
            workflow = make_workflow(number, created_at=START + number * SECOND, tags=tags_of(number))
            await store.add(workflow, first_jobs(workflow))
        yield store, connections.writer
    finally:
        await database.close()


class Steps:
    """Counts the steps of SQLite's virtual machine."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> int:
        self.count += 1
        return 0


async def steps_of_lists(count: int) -> dict[str, int]:
    found = {}
    async with store_of(count) as (store, connection):
        for name, criteria in LISTS.items():
            steps = Steps()
            connection.set_progress_handler(steps, 1)
            await store.find(criteria, limit=PAGE)
            connection.set_progress_handler(None, 1)
            found[name] = steps.count
    return found


async def test_a_page_takes_as_long_of_many_as_of_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workflow_queries, "MOST_LOOKED_AT", FEW // 2)
    few, many = await steps_of_lists(FEW), await steps_of_lists(MANY)
    assert {name: many[name] for name in LISTS if many[name] > 1.2 * few[name]} == {}


async def test_a_workflow_is_read_with_its_jobs_by_two_statements() -> None:
    async with store_of(3) as (store, connection):
        before = connection.statements
        found = await store.get(workflow_id(1))
        assert found is not None
        assert len(found.jobs) == 1
        assert connection.statements - before == 2
