"""Callbacks of workflows: each event that they want arrives, in order, and agrees with what the workflow says."""

import json
from collections.abc import Sequence

import httpx
import pytest

from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.domain.workflow_progress import workflow_progress
from tests.scheduler.conftest import MAX_ATTEMPTS, Bench, running
from tests.scheduler.workflow_bench import (
    CANCEL,
    cases,
    echo_step,
    image_step,
    look,
    reference,
    status,
    submit,
    until_over,
)
from tests.support.event_loop import settle, until, until_found
from tests.support.receiver import URL


def callback(*types: str, **members: Json) -> JsonObject:
    wanted: list[Json] = list(types)
    return {"url": URL, "type": wanted, **members}


def bodies(bench: Bench) -> Sequence[JsonObject]:
    return [json.loads(request.content) for request in bench.receiver.requests]


def events(bench: Bench) -> list[str]:
    """Return what each request was about and its status, in order."""
    names = {"workflow": "", "step": "name", "job": "stepName"}
    return [
        " ".join([str(body["$type"]), str(body.get(names[str(body["$type"])], "")), str(body["status"])]).replace(
            "  ", " "
        )
        for body in bodies(bench)
    ]


CHAIN = [echo_step("hello", name="a"), echo_step(reference("a", "output.message"), name="b")]
OF_CHAIN = [
    "workflow unassigned",
    "step a unassigned",
    "step b unassigned",
    "job a unassigned",
    "workflow processing",
    "step a processing",
    "job a processing",
    "job a succeeded",
    "step a succeeded",
    "job b unassigned",
    "step b processing",
    "job b processing",
    "job b succeeded",
    "step b succeeded",
    "workflow succeeded",
]


async def test_everything_is_announced_in_order(bench: Bench) -> None:
    async with running(bench.scheduler()):
        await submit(bench, CHAIN, callbacks=[callback("workflow:*", "step:*", "job:*")])
        await until(lambda: len(bench.receiver.requests) == len(OF_CHAIN))
        await settle()
    assert events(bench) == OF_CHAIN


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        (["workflow:succeeded"], ["workflow succeeded"]),
        (["workflow:*"], ["workflow unassigned", "workflow processing", "workflow succeeded"]),
        (["step:succeeded"], ["step a succeeded", "step b succeeded"]),
        (["step:succeeded", "workflow:failed", "job:failed"], ["step a succeeded", "step b succeeded"]),
    ],
)
async def test_only_what_is_wanted_is_announced(bench: Bench, types: list[str], expected: list[str]) -> None:
    async with running(bench.scheduler()):
        done = await until_over(bench, await submit(bench, CHAIN, callbacks=[callback(*types)]))
        await until(lambda: len(bench.receiver.requests) >= len(expected))
        await settle()
    assert status(done) == "succeeded"
    assert events(bench) == expected


async def test_a_failure_says_why(bench: Bench) -> None:
    steps = [echo_step("x", name="a"), echo_step(reference("a", "output.y"), name="b"), echo_step(reference("b", "z"))]
    async with running(bench.scheduler()):
        await submit(bench, steps, callbacks=[callback("workflow:failed", "step:failed", "step:canceled")])
        await until(lambda: len(bench.receiver.requests) == 3)
    assert events(bench) == ["step b failed", "step $2 canceled", "workflow failed"]


async def test_a_canceled_job_has_its_reason(bench: Bench) -> None:
    bench.provider.hold()
    async with running(bench.scheduler()):
        submitted = await submit(bench, [image_step()], callbacks=[callback("job:canceled", "job:failed")])
        await until_found(lambda: bench.is_sent(submitted.jobs[0].id))
        await cases(bench).change.update(submitted.workflow.id, CANCEL, owner=None)
        await until(lambda: len(bench.receiver.requests) == 1)
    job = submitted.jobs[0].id
    assert bodies(bench) == [
        {
            "$type": "job",
            "workflowId": submitted.workflow.id,
            "stepName": "$0",
            "jobId": job,
            "status": "canceled",
            "reason": "canceled",
        }
    ]


async def test_details_are_those_of_the_capture(bench: Bench) -> None:
    step = echo_step(reference("$arguments", "text"), name="say", metadata={"imageId": 1})
    async with running(bench.scheduler()):
        submitted = await submit(
            bench,
            [step],
            arguments={"text": "hello"},
            metadata={"a": 1},
            callbacks=[callback("workflow:succeeded", "step:succeeded", detailed=True)],
        )
        await until(lambda: len(bench.receiver.requests) == 2)
    of_step, of_workflow = bodies(bench)
    at = "2025-09-06T18:18:16.167943Z"
    content: JsonObject = {"metadata": {"imageId": 1}, "input": {"message": "hello"}, "output": {"message": "hello"}}
    times: JsonObject = {"completedAt": at, "startedAt": at}
    assert of_step == {
        "$type": "step",
        "workflowId": submitted.workflow.id,
        "name": "say",
        "status": "succeeded",
        "details": {**times, **content},
    }
    assert of_workflow == {
        "$type": "workflow",
        "workflowId": submitted.workflow.id,
        "status": "succeeded",
        "timestamp": at,
        "details": {
            "metadata": {"a": 1},
            "arguments": {"text": "hello"},
            "createdAt": at,
            **times,
            "steps": [{"name": "say", "status": "succeeded", **times, **content}],
        },
    }


async def test_the_next_event_waits_for_the_answer_to_the_last(bench: Bench) -> None:
    bench.receiver.hold()
    async with running(bench.scheduler()):
        done = await until_over(bench, await submit(bench, CHAIN, callbacks=[callback("workflow:*")]))
        await settle()
        assert status(done) == "succeeded"
        assert len(bench.receiver.requests) == 1
        bench.receiver.go_on()
        await until(lambda: len(bench.receiver.requests) == 3)


async def test_what_a_receiver_does_not_take_comes_again_before_what_follows(bench: Bench) -> None:
    answers = [httpx.Response(500), httpx.Response(204), httpx.Response(204), httpx.Response(204)]
    bench.receiver.answer = lambda _: answers.pop(0)
    async with running(bench.scheduler()):
        await until_over(bench, await submit(bench, CHAIN, callbacks=[callback("workflow:*")]))
        await bench.pass_time(2)
        await until(lambda: len(bench.receiver.requests) == 4)
    assert events(bench) == [
        "workflow unassigned",
        "workflow unassigned",
        "workflow processing",
        "workflow succeeded",
    ]
    keys = [request.headers["Idempotency-Key"] for request in bench.receiver.requests]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


async def test_what_never_arrives_is_given_up_and_the_next_event_is_tried(bench: Bench) -> None:
    bench.receiver.answer = lambda _: httpx.Response(500)
    async with running(bench.scheduler()):
        await until_over(bench, await submit(bench, CHAIN, callbacks=[callback("workflow:*")]))
        for _ in range(3 * MAX_ATTEMPTS):
            await bench.pass_time(30)
    assert events(bench) == [
        *["workflow unassigned"] * MAX_ATTEMPTS,
        *["workflow processing"] * MAX_ATTEMPTS,
        *["workflow succeeded"] * MAX_ATTEMPTS,
    ]


async def test_events_of_a_deleted_workflow_are_given_up(bench: Bench) -> None:
    submitted = await submit(bench, CHAIN, callbacks=[callback("workflow:*")])
    await cases(bench).change.delete(submitted.workflow.id, owner=None)
    async with running(bench.scheduler()):
        await settle(1000)
    assert bench.receiver.requests == []
    assert not await bench.stores.jobs.has_open_workflows()


async def test_each_callback_gets_what_it_wants(bench: Bench) -> None:
    other: JsonObject = {"url": "http://other.test/hook?token=%20x", "type": ["step:succeeded"]}
    async with running(bench.scheduler()):
        await submit(bench, CHAIN, callbacks=[callback("workflow:succeeded"), other])
        await until(lambda: len(bench.receiver.requests) == 3)
    targets = [(request.headers["Host"], request.url.raw_path.decode()) for request in bench.receiver.requests]
    of_other = ("other.test", "/hook?token=%20x")
    assert targets == [of_other, of_other, ("receiver.test", "/hook?key=secret")]


async def test_the_workflow_is_as_far_as_each_event_says_when_it_arrives(bench: Bench) -> None:
    """Look at the workflow before each answer, as receivers do within their handler."""
    order = {word: place for place, word in enumerate(["unassigned", "preparing", "scheduled", "processing"])}
    behind: list[JsonObject] = []

    async def look_again(request: httpx.Request) -> None:
        body = json.loads(request.content)
        progress = workflow_progress(await look(bench, by_id[body["workflowId"]]))
        steps = dict(zip(["a", "b", "$2"], progress.steps, strict=True))
        found = progress if body["$type"] == "workflow" else steps[body["name"]]
        if order.get(found.status, 9) < order.get(body["status"], 9):
            behind.append(body)

    steps = [*CHAIN, image_step()]
    bench.receiver.hold()
    bench.receiver.on_arrival = look_again
    async with running(bench.scheduler()), running(bench.elsewhere().scheduler(worker_id="other")):
        submitted = [await submit(bench, steps, callbacks=[callback("workflow:*", "step:*")]) for _ in range(10)]
        by_id = {found.workflow.id: found for found in submitted}
        bench.receiver.go_on()
        await until(lambda: len(bench.receiver.requests) == 10 * 12)
    assert behind == []
