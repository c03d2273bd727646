"""Changes of workflows by their owners: what describes them, who pays, their steps, and that they end."""

import asyncio

import pytest

from civitai_mock.api.v2.render import WorkflowRenderer, plain_document
from civitai_mock.domain.errors import ConflictError, InvalidRequestError, NotFoundError
from civitai_mock.domain.json_patch import parse_patch
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.domain.workflow import WorkflowSnapshot
from civitai_mock.domain.workflow_search import WorkflowCriteria
from civitai_mock.services.workflows.change import WorkflowUpdate
from tests.scheduler.conftest import Bench, running
from tests.scheduler.workflow_bench import (
    BASE_URL,
    CANCEL,
    IMAGE,
    OWNER,
    cases,
    debits,
    echo_step,
    image_step,
    look,
    reference,
    status,
    submit,
    until_over,
    with_settings,
)
from tests.support.event_loop import until_found

CHAIN = [image_step(name="image"), echo_step(reference("image", "output.images[0].id"), name="late")]
MATURE = image_step(input={**IMAGE, "prompt": "a nude"})


async def patch(bench: Bench, submitted: WorkflowSnapshot, *operations: JsonObject) -> None:
    renderer = WorkflowRenderer(step_types=cases(bench).step_types, base_url=BASE_URL)
    given: list[Json] = list(operations)
    await cases(bench).change.patch(
        submitted.workflow.id,
        parse_patch(given),
        lambda snapshot: plain_document(renderer.workflow(snapshot)),
        owner=OWNER,
    )


async def patch_step(bench: Bench, submitted: WorkflowSnapshot, name: str, *operations: JsonObject) -> None:
    renderer = WorkflowRenderer(step_types=cases(bench).step_types, base_url=BASE_URL)
    given: list[Json] = list(operations)
    await cases(bench).change.patch_step(
        submitted.workflow.id,
        name,
        parse_patch(given),
        lambda snapshot, place: plain_document(renderer.step(snapshot, place)),
        owner=OWNER,
    )


async def update(bench: Bench, submitted: WorkflowSnapshot, change: WorkflowUpdate) -> None:
    await cases(bench).change.update(submitted.workflow.id, change, owner=OWNER)


async def test_an_update_replaces_whole_members_and_leaves_the_others(bench: Bench) -> None:
    submitted = await submit(bench, CHAIN, metadata={"a": 1, "b": 2}, tags=["one"])
    await update(bench, submitted, WorkflowUpdate(metadata={"c": 3}))
    changed = (await look(bench, submitted)).workflow
    assert (dict(changed.metadata), changed.tags) == ({"c": 3}, ("one",))
    await update(bench, submitted, WorkflowUpdate(tags=["two", "three", "two"]))
    changed = (await look(bench, submitted)).workflow
    assert (dict(changed.metadata), changed.tags) == ({"c": 3}, ("two", "three"))


async def test_a_patch_changes_what_it_names(bench: Bench) -> None:
    submitted = await submit(bench, CHAIN, metadata={"images": {"1": {"hidden": False}}}, tags=["one"])
    await patch(
        bench,
        submitted,
        {"op": "test", "path": "/steps/0/name", "value": "image"},
        {"op": "replace", "path": "/metadata/images/1/hidden", "value": True},
        {"op": "add", "path": "/tags/-", "value": "two"},
        {"op": "copy", "from": "/metadata/images", "path": "/metadata/again"},
    )
    changed = (await look(bench, submitted)).workflow
    hidden = {"1": {"hidden": True}}
    assert dict(changed.metadata) == {"images": hidden, "again": hidden}
    assert changed.tags == ("one", "two")


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/metadata/a", "value": 2},
        {"op": "remove", "path": "/metadata/b"},
        {"op": "replace", "path": "/steps/0/name", "value": "x"},
        {"op": "replace", "path": "/status", "value": "succeeded"},
        {"op": "replace", "path": "/tags", "value": "text"},
        {"op": "replace", "path": "/tags", "value": [""]},
        {"op": "replace", "path": "/metadata", "value": []},
        {"op": "add", "path": "/allowMatureContent", "value": "yes"},
    ],
)
async def test_a_patch_that_cannot_be_applied_changes_nothing(bench: Bench, operation: JsonObject) -> None:
    submitted = await submit(bench, CHAIN, metadata={"a": 1}, tags=["one"])
    with pytest.raises(InvalidRequestError):
        await patch(bench, submitted, {"op": "add", "path": "/metadata/c", "value": 3}, operation)
    assert await look(bench, submitted) == submitted


async def test_patches_at_once_are_all_applied(bench: Bench) -> None:
    submitted = await submit(bench, CHAIN)
    operations: list[JsonObject] = [{"op": "add", "path": f"/metadata/{name}", "value": 1} for name in "abcdefgh"]
    async with running(bench.scheduler()):
        await asyncio.gather(*[patch(bench, submitted, operation) for operation in operations])
        done = await until_over(bench, submitted)
    assert set(done.workflow.metadata) == set("abcdefgh")
    assert status(done) == "succeeded"


async def test_a_patch_can_cancel(bench: Bench) -> None:
    submitted = await submit(bench, CHAIN)
    await patch(bench, submitted, {"op": "replace", "path": "/status", "value": "canceled"})
    done = await look(bench, submitted)
    assert status(done) == "canceled"
    assert debits(done) == [("debit", 8, "blue"), ("credit", 8, "blue")]


async def test_tags_are_added_and_removed(bench: Bench) -> None:
    submitted = await submit(bench, CHAIN)
    change, workflow_id = cases(bench).change, submitted.workflow.id
    await change.add_tag(workflow_id, "one", owner=OWNER)
    await change.add_tag(workflow_id, "two", owner=OWNER)
    await change.add_tag(workflow_id, "one", owner=OWNER)
    assert (await look(bench, submitted)).workflow.tags == ("one", "two")
    await change.remove_tag(workflow_id, "one", owner=OWNER)
    await change.remove_tag(workflow_id, "one", owner=OWNER)
    assert (await look(bench, submitted)).workflow.tags == ("two",)
    await change.remove_all_tags(workflow_id, owner=OWNER)
    assert (await look(bench, submitted)).workflow.tags == ()


async def test_an_eleventh_tag_is_refused(bench: Bench) -> None:
    submitted = await submit(bench, CHAIN, tags=[str(number) for number in range(10)])
    with pytest.raises(InvalidRequestError):
        await cases(bench).change.add_tag(submitted.workflow.id, "10", owner=OWNER)


async def test_metadata_of_a_step_are_replaced(bench: Bench) -> None:
    submitted = await submit(bench, CHAIN)
    await cases(bench).change.update_step(submitted.workflow.id, "image", {"a": 1}, owner=OWNER)
    await cases(bench).change.update_step(submitted.workflow.id, "$1", {"b": 1}, owner=OWNER)
    changed = (await look(bench, submitted)).workflow
    assert [dict(step.metadata) for step in changed.steps] == [{"a": 1}, {"b": 1}]


async def test_the_input_of_a_step_that_waits_can_be_patched(bench: Bench) -> None:
    submitted = await submit(bench, CHAIN)
    operations: list[JsonObject] = [
        {"op": "add", "path": "/metadata/a", "value": 1},
        {"op": "replace", "path": "/input/message", "value": "no more waiting"},
    ]
    await patch_step(bench, submitted, "late", *operations)
    async with running(bench.scheduler()):
        done = await until_over(bench, submitted)
    late = done.workflow.steps[1]
    assert (late.input, dict(late.metadata), late.sources) == ({"message": "no more waiting"}, {"a": 1}, ())


@pytest.mark.parametrize(
    ("value", "path"),
    [(7, "$.input.message"), (reference("nobody", "x"), "steps[1].input.message")],
)
async def test_an_input_that_would_not_have_been_taken_is_not_taken_later(bench: Bench, value: Json, path: str) -> None:
    submitted = await submit(bench, CHAIN)
    with pytest.raises(InvalidRequestError) as caught:
        await patch_step(bench, submitted, "late", {"op": "replace", "path": "/input/message", "value": value})
    assert list(caught.value.errors) == [path]
    assert await look(bench, submitted) == submitted


async def test_the_input_of_a_step_that_has_jobs_stays(bench: Bench) -> None:
    submitted = await submit(bench, CHAIN)
    with pytest.raises(ConflictError):
        await patch_step(bench, submitted, "image", {"op": "replace", "path": "/input/prompt", "value": "a cat"})


@pytest.mark.parametrize("name", ["nobody", "$2", "$-1", ""])
async def test_a_step_that_is_not_there_is_not_found(bench: Bench, name: str) -> None:
    submitted = await submit(bench, CHAIN)
    with pytest.raises(NotFoundError):
        await cases(bench).change.update_step(submitted.workflow.id, name, {}, owner=OWNER)


async def test_a_deleted_workflow_is_gone_its_jobs_end_and_its_external_id_is_free(bench: Bench) -> None:
    bench.provider.hold()
    async with running(bench.scheduler()):
        submitted = await submit(bench, CHAIN, externalId="key")
        await until_found(lambda: bench.is_sent(submitted.jobs[0].id))
        await cases(bench).change.delete(submitted.workflow.id, owner=OWNER)
        await until_found(lambda: bench.has_ended(submitted.jobs[0].id))
    with pytest.raises(NotFoundError):
        await look(bench, submitted)
    listed = await cases(bench).list(WorkflowCriteria(owner=OWNER), take=10)
    assert listed.snapshots == []
    with pytest.raises(NotFoundError):
        await cases(bench).change.delete(submitted.workflow.id, owner=OWNER)
    again = await submit(bench, CHAIN, externalId="key")
    assert again.workflow.id != submitted.workflow.id
    assert sum((await bench.stores.workflows.spent(OWNER)).by_account.values()) == 8


async def test_nobody_changes_the_workflow_of_another(bench: Bench) -> None:
    submitted = await submit(bench, CHAIN)
    change, workflow_id = cases(bench).change, submitted.workflow.id
    for call in (
        change.update(workflow_id, CANCEL, owner="civitai-2"),
        change.delete(workflow_id, owner="civitai-2"),
        change.add_tag(workflow_id, "x", owner="civitai-2"),
        change.update_step(workflow_id, "image", {}, owner="civitai-2"),
    ):
        with pytest.raises(NotFoundError):
            await call
    assert await look(bench, submitted) == submitted


@pytest.mark.parametrize("is_over", [False, True])
@pytest.mark.parametrize("currencies", [[], ["blue"], ["green", "blue"], ["blue", "yellow"]], ids=str)
async def test_yellow_pays_once_mature_content_is_allowed(bench: Bench, is_over: bool, currencies: list[Json]) -> None:
    """That is so though the consumer chose others, as the website sends the one account that is to pay at first."""
    rich = with_settings(bench, buzz_balance="blue=10,yellow=10")
    submitted = await submit(rich, [MATURE], upgradeMode="manual", currencies=currencies)
    assert (submitted.workflow.allow_mature_content, debits(submitted)) == (False, [("debit", 8, "blue")])
    async with running(rich.scheduler()):
        if is_over:
            await until_over(rich, submitted)
        await update(rich, submitted, WorkflowUpdate(allow_mature_content=True))
        done = await until_over(rich, submitted)
    assert done.workflow.allow_mature_content is True
    assert debits(done) == [("debit", 8, "blue"), ("credit", 8, "blue"), ("debit", 8, "yellow")]
    spent = await bench.stores.workflows.spent(OWNER)
    assert {account: amount for account, amount in spent.by_account.items() if amount} == {"yellow": 8}


async def test_mature_content_stays_withheld_if_yellow_is_short(bench: Bench) -> None:
    poor = with_settings(bench, buzz_balance="blue=10,yellow=7")
    submitted = await submit(poor, [MATURE], upgradeMode="manual")
    with pytest.raises(InvalidRequestError) as caught:
        await update(poor, submitted, WorkflowUpdate(allow_mature_content=True, tags=["x"]))
    assert caught.value.errors["messages"][0].startswith("insufficientBuzz")
    assert await look(poor, submitted) == submitted


async def test_pages_go_through_all_workflows_without_those_that_failed(bench: Bench) -> None:
    submitted = [await submit(bench, [echo_step(str(number))]) for number in range(7)]
    failing = await submit(bench, [echo_step("x"), echo_step(reference("$0", "output.nothing"))])
    async with running(bench.scheduler()):
        for snapshot in [*submitted, failing]:
            await until_over(bench, snapshot)
    found: list[str] = []
    cursor: str | None = None
    pages = 0
    while pages == 0 or cursor is not None:
        page = await cases(bench).list(WorkflowCriteria(owner=OWNER, failed=False), take=3, cursor=cursor)
        found += [snapshot.workflow.id for snapshot in page.snapshots]
        cursor, pages = page.cursor, pages + 1
    assert found == [snapshot.workflow.id for snapshot in reversed(submitted)]
    assert pages == 3


async def test_those_that_have_failed_and_are_not_noted_yet_are_left_out_too(bench: Bench) -> None:
    submitted = [await submit(bench, [echo_step(str(number))]) for number in range(4)]
    for snapshot in submitted[1:3]:
        await bench.cancel(snapshot.jobs[0].id)
    page = await cases(bench).list(WorkflowCriteria(owner=OWNER, failed=False), take=2)
    assert [found.workflow.id for found in page.snapshots] == [submitted[3].workflow.id, submitted[0].workflow.id]
