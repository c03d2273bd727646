"""Submissions of workflows: what is refused, what is stored once, what it costs, and what one would cost."""

import asyncio
import base64
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from civitai_mock.api.v2.description.template import read_template
from civitai_mock.domain.errors import InvalidRequestError, NotFoundError, QueueFullError
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.domain.workflow_search import WorkflowCriteria
from civitai_mock.services.submit_checks import MissingResources
from tests.scheduler.conftest import Bench
from tests.scheduler.workflow_bench import (
    BASE_URL,
    CALLER,
    IMAGE,
    OWNER,
    cases,
    debits,
    echo_step,
    image_step,
    look,
    reference,
    repeat_step,
    submit,
    with_settings,
)
from tests.support.media_files import image_file

UNKNOWN = "urn:air:sdxl:checkpoint:civitai:1@2"
CALLBACK: JsonObject = {"url": "http://10.0.0.7/hook", "type": ["workflow:*"]}
REPEAT = repeat_step("$arguments", "list", echo_step("a"))
REFUSED: Mapping[str, tuple[JsonObject, str]] = {
    "a name that two steps have": ({"steps": [echo_step("a", name="x"), echo_step("b", name="x")]}, "steps[1].name"),
    "an unknown source": ({"steps": [echo_step(reference("nobody", "output"))]}, "steps[0].input.message"),
    "a circle": (
        {"steps": [echo_step(reference("$1", "output.message")), echo_step(reference("$0", "output.message"))]},
        "steps[1].input.message",
    ),
    "a step that waits for itself": (
        {"steps": [echo_step(reference("$0", "output.message"))]},
        "steps[0].input.message",
    ),
    "an argument that is not there": (
        {"steps": [echo_step(reference("$arguments", "text"))]},
        "steps[0].input.message",
    ),
    "an argument of another type": (
        {"steps": [image_step(input={**IMAGE, "width": reference("$arguments", "text")})], "arguments": {"text": "x"}},
        "$.steps[0].input.width",
    ),
    "a receiver that is not allowed": (
        {"steps": [echo_step("a")], "callbacks": [{**CALLBACK, "url": "http://93.184.216.34/"}]},
        "callbacks[0].url",
    ),
    "an image from a host that is not allowed": (
        {"steps": [image_step(input={**IMAGE, "sourceImage": "http://93.184.216.34/x.png"})]},
        "steps[0].input.sourceImage",
    ),
    "an AIR that cannot be read": (
        {"steps": [image_step(input={**IMAGE, "model": "urn:air:sdxl:checkpoint:civitai:x@y@z"})]},
        "steps[0].input.model",
    ),
    "an ephemeral one that nobody would see": ({"steps": [echo_step("a")], "ephemeral": True}, "messages"),
    "a mature prompt that is not allowed": (
        {"steps": [image_step(input={**IMAGE, "prompt": "a nude"})], "allowMatureContent": False},
        "messages",
    ),
    "a repeat of a repeat": (
        {"arguments": {"list": [1]}, "steps": [repeat_step("$arguments", "list", REPEAT)]},
        "steps[0].input.template.$type",
    ),
    "a repeat over an argument that is no array": (
        {"arguments": {"list": "text"}, "steps": [REPEAT]},
        "steps[0].input",
    ),
    "a data URL that is broken": (
        {"steps": [image_step(input={**IMAGE, "sourceImage": "data:image/png;base64,!!"})]},
        "steps[0].input.sourceImage",
    ),
    "a data URL of no image": (
        {"steps": [image_step(input={**IMAGE, "sourceImage": "data:image/png;base64,aGVsbG8="})]},
        "steps[0].input.sourceImage",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_workflow_is_refused_with_the_path_of_its_fault_and_leaves_nothing(bench: Bench, name: str) -> None:
    body, path = REFUSED[name]
    with pytest.raises(InvalidRequestError) as caught:
        await cases(bench).submit(read_template(body), CALLER, base_url=BASE_URL)
    assert list(caught.value.errors) == [path]
    listed = await cases(bench).list(WorkflowCriteria(owner=OWNER), take=10)
    assert listed.snapshots == []


async def test_an_unknown_resource_is_refused_where_all_have_to_be_known_but_not_by_a_what_if(bench: Bench) -> None:
    strict = with_settings(bench, workflow_missing_resources=MissingResources.STRICT)
    steps = [image_step(input={**IMAGE, "model": UNKNOWN})]
    before = await bench.stores.resources.search("", offset=0, limit=100)
    with pytest.raises(InvalidRequestError) as caught:
        await submit(strict, steps)
    assert caught.value.errors == {"messages": [f"The resource '{UNKNOWN}' is not enabled for generation."]}
    template = read_template({"steps": list(steps)})
    planned = await cases(strict).submit.what_if(template, CALLER, base_url=BASE_URL)
    assert debits(planned.snapshot) == [("debit", 8, "blue")]
    assert await bench.stores.resources.search("", offset=0, limit=100) == before


async def test_arguments_are_resolved_at_once(bench: Bench) -> None:
    argument: JsonObject = {"texts": [{"deep": "hello"}]}
    submitted = await submit(bench, [echo_step(reference("$arguments", "texts[0].deep"))], arguments=argument)
    assert submitted.workflow.steps[0].input == {"message": "hello"}
    assert len(submitted.jobs) == 1


async def test_a_data_url_becomes_a_blob_of_the_caller(bench: Bench) -> None:
    content = image_file("PNG", size=(64, 32))
    text = "data:image/png;base64," + base64.b64encode(content).decode()
    submitted = await submit(bench, [image_step(input={**IMAGE, "sourceImage": text})])
    echo = submitted.workflow.steps[0].input
    assert isinstance(echo, dict)
    url = str(echo["sourceImage"])
    assert url.startswith(f"{BASE_URL}/v2/consumer/blobs/")
    link = bench.namespace.own_blob_links.find(url)
    assert link is not None
    blob = await bench.namespace.blob_access.get(link.key, owner=OWNER)
    assert await bench.read_blob(link.key) == content
    assert blob.owner == OWNER


async def files_left(bench: Bench) -> int:
    """Return how many blobs are stored; they are gone then."""
    return await bench.stores.blobs.sweep(bench.clock.now() + timedelta(days=1000))


BROKEN = image_step(input={**IMAGE, "sourceImage": "data:image/png;base64,!!"})


@pytest.mark.parametrize(
    ("settings", "others", "error"),
    [
        ({"buzz_balance": "0"}, [], InvalidRequestError),
        ({}, [BROKEN], InvalidRequestError),
        ({"max_queued_jobs": 1}, [image_step()], QueueFullError),
    ],
    ids=["too little Buzz", "another file is broken", "the queue is full"],
)
async def test_a_refused_submission_leaves_no_files(
    bench: Bench, settings: Mapping[str, object], others: Sequence[JsonObject], error: type[Exception]
) -> None:
    limited = with_settings(bench, **settings)
    with pytest.raises(error):
        await submit(limited, [with_file(), *others])
    assert await files_left(bench) == 0


async def test_a_submission_that_is_there_already_leaves_no_more_files(bench: Bench) -> None:
    submitted = [await submit(bench, [with_file()], externalId="order-17") for _ in range(2)]
    assert submitted[0].workflow == submitted[1].workflow
    assert await files_left(bench) == 1


def with_file() -> JsonObject:
    text = "data:image/png;base64," + base64.b64encode(image_file("PNG", size=(64, 32))).decode()
    return image_step(input={**IMAGE, "sourceImage": text})


@pytest.mark.parametrize("sends_key", [True, False])
async def test_fifty_equal_submissions_at_once_are_one_workflow_and_one_charge(bench: Bench, sends_key: bool) -> None:
    key: JsonObject = {"externalId": "order-17"} if sends_key else {}
    submitted = await asyncio.gather(*[submit(bench, [image_step()], **key) for _ in range(50)])
    count = 1 if sends_key else 50
    assert len({found.workflow.id for found in submitted}) == count
    spent = await bench.stores.workflows.spent(OWNER)
    assert sum(spent.by_account.values()) == count * 8
    assert {len(found.jobs) for found in submitted} == {1}
    assert (await bench.stores.queue.backlog()).jobs == count


async def test_an_external_id_belongs_to_its_owner(bench: Bench) -> None:
    mine = await submit(bench, [echo_step("a")], externalId="x")
    template = read_template({"steps": [echo_step("b")], "externalId": "x"})
    other = replace(CALLER, consumer="civitai-2")
    theirs = await cases(bench).submit(template, other, base_url=BASE_URL)
    assert mine.workflow.id != theirs.workflow.id


@pytest.mark.parametrize(
    ("balance", "members", "expected"),
    [
        (None, {}, [("debit", 8, "blue")]),
        ("100", {}, [("debit", 8, "blue")]),
        ("blue=5,green=2,yellow=9", {}, [("debit", 5, "blue"), ("debit", 2, "green"), ("debit", 1, "yellow")]),
        ("blue=50,yellow=9", {"currencies": ["yellow"]}, [("debit", 8, "yellow")]),
        ("blue=50,yellow=9", {"allowMatureContent": True}, [("debit", 8, "yellow")]),
        (None, {"tips": {"civitai": 0, "creators": 0.25}}, [("debit", 10, "blue")]),
    ],
)
async def test_a_workflow_is_paid_by_the_accounts_that_may(
    bench: Bench, balance: str | None, members: JsonObject, expected: list[tuple[str, int, str]]
) -> None:
    submitted = await submit(with_settings(bench, buzz_balance=balance), [image_step()], **members)
    assert debits(submitted) == expected


@pytest.mark.parametrize(
    ("prompt", "members", "allowed", "payer"),
    [
        ("a fox", {}, False, "blue"),
        ("a fox", {"currencies": ["yellow"]}, None, "yellow"),
        ("a fox", {"allowMatureContent": True}, True, "yellow"),
        ("a nude", {}, True, "yellow"),
        ("a nude", {"upgradeMode": "manual"}, False, "blue"),
    ],
)
async def test_who_pays_says_whether_mature_content_is_allowed(
    bench: Bench, prompt: str, members: JsonObject, allowed: bool | None, payer: str
) -> None:
    submitted = await submit(bench, [image_step(input={**IMAGE, "prompt": prompt})], **members)
    assert submitted.workflow.allow_mature_content is allowed
    assert debits(submitted) == [("debit", 8, payer)]


async def test_too_little_buzz_is_a_fault_that_clients_know_and_stores_nothing(bench: Bench) -> None:
    short = with_settings(bench, buzz_balance="7")
    with pytest.raises(InvalidRequestError) as caught:
        await submit(short, [image_step()])
    assert caught.value.errors["messages"][0].startswith("insufficientBuzz")
    assert (await bench.stores.queue.backlog()).jobs == 0


async def test_two_submissions_at_once_never_overdraw_the_balance(bench: Bench) -> None:
    short = with_settings(bench, buzz_balance="20")
    results = await asyncio.gather(*[submit(short, [image_step()]) for _ in range(10)], return_exceptions=True)
    assert sum(not isinstance(result, BaseException) for result in results) == 2


async def test_a_full_queue_takes_no_workflow(bench: Bench) -> None:
    full = with_settings(bench, max_queued_jobs=2)
    await submit(full, [image_step(), image_step()])
    with pytest.raises(QueueFullError):
        await submit(full, [image_step()])


async def test_a_workflow_has_no_more_jobs_at_once_than_a_request_may_submit(bench: Bench) -> None:
    limited = with_settings(bench, max_jobs_per_request=2)
    with pytest.raises(InvalidRequestError) as caught:
        await submit(limited, [image_step(), image_step(), image_step()])
    assert list(caught.value.errors) == ["steps"]


async def test_an_ephemeral_workflow_is_for_those_who_wait_or_have_a_callback(bench: Bench) -> None:
    template = read_template({"steps": [echo_step("a")], "ephemeral": True})
    await cases(bench).submit(template, CALLER, base_url=BASE_URL, waits=True)
    await submit(bench, [echo_step("a")], ephemeral=True, callbacks=[CALLBACK])
    listed = await cases(bench).list(WorkflowCriteria(owner=OWNER), take=10)
    assert listed.snapshots == []


@pytest.mark.parametrize(("balance", "is_short"), [(None, False), ("100", False), ("15", True)])
async def test_a_what_if_has_the_full_price_and_stores_nothing(
    bench: Bench, balance: str | None, is_short: bool
) -> None:
    body: JsonObject = {"steps": [image_step(), image_step(input={**IMAGE, "prompt": reference("$0", "output.x")})]}
    planned = await cases(with_settings(bench, buzz_balance=balance)).submit.what_if(
        read_template({**body, "externalId": "key"}), CALLER, base_url=BASE_URL
    )
    assert debits(planned.snapshot) == [("debit", 16, "blue")]
    assert planned.is_short is is_short
    assert len(planned.snapshot.jobs) == 1
    with pytest.raises(NotFoundError):
        await look(bench, planned.snapshot)
    assert (await bench.stores.queue.backlog()).jobs == 0
    assert (await submit(bench, [echo_step("a")], externalId="key")).workflow.external_id == "key"


async def test_a_what_if_of_a_repeat_over_an_argument_has_the_price_of_all_its_steps(bench: Bench) -> None:
    repeat = repeat_step("$arguments", "list", image_step())
    many: list[Json] = [1, 2, 3]
    planned = await cases(bench).submit.what_if(
        read_template({"steps": [repeat], "arguments": {"list": many}}), CALLER, base_url=BASE_URL
    )
    assert debits(planned.snapshot) == [("debit", 24, "blue")]


async def test_workflows_of_one_millisecond_have_different_ids(bench: Bench) -> None:
    submitted = [await submit(bench, [echo_step("a")]) for _ in range(3)]
    numbers = [int(found.workflow.id.removeprefix("1000001-")) for found in submitted]
    assert numbers == [numbers[0], numbers[0] + 1, numbers[0] + 2]
