"""`WorkflowStore.find`: lists of workflows."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest

from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.search import MOST_BYTES_FOUND
from civitai_mock.domain.workflow import Workflow, WorkflowMemo, WorkflowStatus
from civitai_mock.domain.workflow_search import WorkflowCriteria, WorkflowPosition, workflow_position
from civitai_mock.ports import WorkflowStore
from civitai_mock.storage.mongo import workflow_queries as mongo_queries
from civitai_mock.storage.sqlite import workflow_queries as sqlite_queries
from tests.support.dates import START
from tests.support.jobs import SECOND
from tests.support.workflows import MONTH, OWNER, make_step, make_workflow, workflow_id

LOOKING = [sqlite_queries, mongo_queries]
MINE = WorkflowCriteria(owner=OWNER)
METADATA: list[JsonObject] = [
    {"title": "A harbour at dusk"},
    {"deep": [{"Title": "harbour"}, 12.5]},
    {"Straße": "юж", "flag": True},
    {},
]
MEMO = WorkflowMemo(status=WorkflowStatus.SUCCEEDED, started_at=START, completed_at=START)


async def add(
    workflows: WorkflowStore, number: int, *, owner: str = OWNER, tags: Sequence[str] = (), second: int | None = None
) -> Workflow:
    """Store a workflow that was created in its second, unless it is given another."""
    created_at = START + (number if second is None else second) * SECOND
    return await workflows.add(make_workflow(number, owner=owner, tags=tags, created_at=created_at), [])


async def end(workflows: WorkflowStore, workflow: Workflow, status: WorkflowStatus) -> Workflow:
    over = workflow.over(replace(MEMO, status=status), keep_until=START + MONTH)
    assert await workflows.replace(workflow, over)
    return over


async def pages(workflows: WorkflowStore, criteria: WorkflowCriteria, *, limit: int) -> AsyncIterator[list[str]]:
    """Yield the ids of each page, until there are no more."""
    for number in count():
        found = await workflows.find(criteria, limit=limit)
        yield [workflow.id for workflow in found.workflows]
        if found.reached is None:
            return
        assert number < 1000
        criteria = replace(criteria, after=found.reached)


async def all_of(workflows: WorkflowStore, criteria: WorkflowCriteria, *, limit: int = 100) -> list[str]:
    return [
        workflow_id for page in [page async for page in pages(workflows, criteria, limit=limit)] for workflow_id in page
    ]


def ids(*numbers: int) -> list[str]:
    return [workflow_id(number) for number in numbers]


async def check_both_ways(workflows: WorkflowStore, criteria: WorkflowCriteria, numbers: Sequence[int]) -> None:
    """Find these, in this order and the other one, at once and one by one."""
    for looked_for, expected in (
        (criteria, ids(*numbers)),
        (replace(criteria, ascending=True), ids(*reversed(numbers))),
    ):
        assert await all_of(workflows, looked_for) == expected, looked_for
        assert await all_of(workflows, looked_for, limit=1) == expected, looked_for


@pytest.mark.parametrize("ascending", [False, True])
async def test_a_list_is_whole_page_by_page(workflows: WorkflowStore, ascending: bool) -> None:
    """Three of the seven are of one instant."""
    added = [await add(workflows, number, second=min(number, 5)) for number in (5, 2, 7, 1, 6, 3, 4)]
    criteria = replace(MINE, ascending=ascending)
    in_order = ids(1, 2, 3, 4, 5, 6, 7) if ascending else ids(7, 6, 5, 4, 3, 2, 1)
    for limit in (1, 2, 3, 7, 8):
        found = [page async for page in pages(workflows, criteria, limit=limit)]
        assert [workflow_id for page in found for workflow_id in page] == in_order, limit
        assert [len(page) for page in found[:-1]] == [limit] * (len(found) - 1)
        assert found[-1]
    whole = await workflows.find(criteria, limit=7)
    assert whole.reached is None
    assert sorted(whole.workflows, key=workflow_position) == sorted(added, key=workflow_position)


async def test_nothing_is_found_where_nothing_is(workflows: WorkflowStore) -> None:
    found = await workflows.find(MINE, limit=9)
    assert (list(found.workflows), found.reached) == ([], None)
    await add(workflows, 1)
    for criteria in (
        replace(MINE, owner="civitai-2"),
        replace(MINE, owner="\ud800"),
        replace(MINE, tags=frozenset({"\ud800"})),
        replace(MINE, tags=frozenset({"\ud800", "a"})),
        replace(MINE, query="\ud800"),
        replace(MINE, after=WorkflowPosition(START, "")),
    ):
        assert await all_of(workflows, criteria) == []
    assert list((await workflows.find(MINE, limit=0)).workflows) == []


async def test_others_and_ephemeral_and_deleted_ones_are_not_listed(workflows: WorkflowStore) -> None:
    mine = await add(workflows, 1, tags=["a"])
    await add(workflows, 2, owner="civitai-2", tags=["a"])
    await workflows.add(make_workflow(3, is_ephemeral=True, tags=["a"]), [])
    deleted = await add(workflows, 4, tags=["a"])
    assert await workflows.delete(deleted)
    for criteria in (MINE, replace(MINE, tags=frozenset({"a"})), replace(MINE, query="imageId")):
        assert await all_of(workflows, criteria) == [mine.id]


TAGGED: Sequence[tuple[set[str], tuple[int, ...]]] = [
    ({"a"}, (6, 4, 3, 2)),
    ({"b"}, (6, 5, 3)),
    ({"a", "b"}, (6, 3)),
    ({"a", "b", "c"}, (6,)),
    ({"A"}, ()),
    ({"a", "d"}, ()),
    ({"ключ"}, (1,)),
    ({"$set.x"}, (1,)),
    (set(), (6, 5, 4, 3, 2, 1)),
]


async def test_all_tags_have_to_be_there(workflows: WorkflowStore) -> None:
    for number, own in enumerate([("ключ", "$set.x"), ("a",), ("a", "b"), ("a",), ("b",), ("a", "b", "c")], 1):
        await add(workflows, number, tags=own)
    await add(workflows, 7, owner="civitai-2", tags=["a", "b", "c", "ключ"])
    for tags, numbers in TAGGED:
        await check_both_ways(workflows, replace(MINE, tags=frozenset(tags)), numbers)


async def test_a_list_follows_the_change_of_tags(workflows: WorkflowStore) -> None:
    first = await add(workflows, 1, tags=["a", "b"])
    second = first.described(tags=["b", "c"])
    assert await workflows.replace(first, second)
    found = {tag: await all_of(workflows, replace(MINE, tags=frozenset({tag}))) for tag in "abc"}
    assert found == {"a": [], "b": [first.id], "c": [first.id]}


DATED: Sequence[tuple[int | None, int | None, tuple[int, ...]]] = [
    (None, None, (4, 3, 2, 1)),
    (2, None, (4, 3, 2)),
    (None, 2, (2, 1)),
    (2, 3, (3, 2)),
    (3, 2, ()),
    (5, None, ()),
]


@pytest.mark.parametrize("tag", [None, "a"])
async def test_dates_are_included(workflows: WorkflowStore, tag: str | None) -> None:
    for number in range(1, 5):
        await add(workflows, number, tags=["a"])
    tags = frozenset({tag} if tag else ())
    for since, until, numbers in DATED:
        dates = [None if second is None else START + second * SECOND for second in (since, until)]
        await check_both_ways(workflows, replace(MINE, since=dates[0], until=dates[1], tags=tags), numbers)


async def test_a_page_begins_after_its_place_even_if_the_dates_have_changed(workflows: WorkflowStore) -> None:
    for number in range(1, 5):
        await add(workflows, number)
    after = WorkflowPosition(START + 3 * SECOND, workflow_id(3))
    earlier = replace(MINE, after=after, until=START + SECOND)
    assert await all_of(workflows, earlier) == ids(1)
    later = replace(MINE, after=after, until=START + timedelta(days=1), since=START + 2 * SECOND)
    assert await all_of(workflows, later) == ids(2)


async def test_what_is_known_to_have_failed_is_left_out(workflows: WorkflowStore) -> None:
    statuses = [WorkflowStatus.SUCCEEDED, WorkflowStatus.FAILED, WorkflowStatus.EXPIRED, WorkflowStatus.CANCELED]
    for number, status in enumerate(statuses, 1):
        await end(workflows, await add(workflows, number, tags=["a"]), status)
    await add(workflows, 5, tags=["a"])
    for criteria in (MINE, replace(MINE, tags=frozenset({"a"})), replace(MINE, query="ключ")):
        assert await all_of(workflows, criteria) == ids(5, 4, 3, 2, 1)
        assert await all_of(workflows, replace(criteria, failed=False)) == ids(5, 1)
        assert await all_of(workflows, replace(criteria, failed=False), limit=1) == ids(5, 1)


QUERIES: Mapping[str, tuple[int, ...]] = {
    "harbour": (2, 1),
    "HARBOUR": (2, 1),
    "dusk": (1,),
    "title": (2, 1),
    "ЮЖ": (3,),
    "strasse": (3,),
    "12": (2,),
    "true": (3,),
    "%": (),
    "_": (),
    "a.*": (),
    ".*": (),
    "a b": (),
    "": (4, 3, 2, 1),
}


async def test_a_query_is_looked_for_in_metadata(workflows: WorkflowStore) -> None:
    for number, found in enumerate(METADATA, 1):
        workflow = replace(make_workflow(number, created_at=START + number * SECOND), metadata=found)
        await workflows.add(workflow, [])
    for query, numbers in QUERIES.items():
        await check_both_ways(workflows, replace(MINE, query=query), numbers)


async def test_a_query_follows_the_change_of_metadata(workflows: WorkflowStore) -> None:
    first = await add(workflows, 1)
    assert await workflows.replace(first, first.described(metadata={"new": "words"}))
    assert await all_of(workflows, replace(MINE, query="words")) == ids(1)
    assert await all_of(workflows, replace(MINE, query="imageId")) == []


async def test_a_page_of_a_query_looks_at_so_many_and_goes_on(
    workflows: WorkflowStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in LOOKING:
        monkeypatch.setattr(module, "MOST_LOOKED_AT", 5)
    for number in range(1, 13):
        workflow = make_workflow(number, created_at=START + number * SECOND)
        await workflows.add(replace(workflow, metadata={"found" if number in (1, 8, 9) else "other": 1}), [])
    criteria = replace(MINE, query="found")
    assert [page async for page in pages(workflows, criteria, limit=2)] == [ids(9, 8), [], ids(1)]
    assert [page async for page in pages(workflows, criteria, limit=9)] == [ids(9, 8), [], ids(1)]
    ascending = replace(criteria, ascending=True)
    assert [page async for page in pages(workflows, ascending, limit=9)] == [ids(1), ids(8, 9), []]


async def test_large_workflows_make_a_short_page(workflows: WorkflowStore) -> None:
    large = replace(make_step(), input={"text": "x" * (MOST_BYTES_FOUND // 2)})
    for number in range(1, 4):
        await workflows.add(make_workflow(number, steps=[large], created_at=START + number * SECOND), [])
    assert [page async for page in pages(workflows, MINE, limit=9)] == [ids(3, 2), ids(1)]
