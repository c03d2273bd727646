"""Submit workflows over HTTP: what is answered, when, and with which status."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.event_loop import settle
from tests.support.served_app import Opened, Served, serve, serve_all
from tests.support.v2_workflows import WORKFLOWS, WorkflowClient, echo, image, reference, template

ORDER = [
    "id",
    "createdAt",
    "transactions",
    "metadata",
    "status",
    "startedAt",
    "completedAt",
    "tags",
    "arguments",
    "steps",
    "callbacks",
    "tips",
    "cost",
    "nsfwLevel",
    "experimental",
    "allowMatureContent",
    "upgradeMode",
    "currencies",
    "forceRefunded",
    "ephemeral",
    "externalId",
]
STEP_ORDER = [
    "$type",
    "input",
    "output",
    "name",
    "priority",
    "timeout",
    "retries",
    "jobs",
    "status",
    "startedAt",
    "completedAt",
    "metadata",
    "estimatedProgressRate",
    "queuePosition",
]


@pytest.fixture
async def opened() -> AsyncIterator[Opened]:
    async with serve_all() as running:
        yield running


@pytest.fixture
def workflows(opened: Opened) -> WorkflowClient:
    return WorkflowClient(opened.client)


@pytest.fixture
def queued(served: Served) -> WorkflowClient:
    """Return a client of a server that runs nothing by itself."""
    return WorkflowClient(served.client)


async def test_a_finished_workflow_has_its_members_in_the_order_of_captures(workflows: WorkflowClient) -> None:
    made = await workflows.submit(
        image(timeout="00:10:00", retries=2, priority="high"),
        query="wait=60",
        tags=["demo"],
        metadata={"imageId": 1},
        externalId="order-17",
        experimental=True,
        tips={"civitai": 0, "creators": 0.25},
        callbacks=[{"url": "http://127.0.0.1:9/?token=a%20b", "type": ["workflow:failed"], "detailed": True}],
        currencies=["yellow"],
        allowMatureContent=True,
    )
    assert list(made) == [name for name in ORDER if name in made]
    assert set(ORDER) - set(made) == {"ephemeral"}
    (step,) = made["steps"]
    assert list(step) == [name for name in STEP_ORDER if name in step]
    assert (step["priority"], step["timeout"], step["retries"]) == ("high", "00:10:00", 2)
    assert made["externalId"].endswith("-order-17")
    assert made["id"].rpartition("-")[0] == made["externalId"].removesuffix("-order-17")
    assert made["callbacks"][0]["url"] == "http://127.0.0.1:9/?token=a%20b"
    assert made["cost"]["total"] == made["cost"]["base"] + made["cost"]["tips"]["creators"]
    assert made["transactions"]["list"] == [
        {
            "type": "debit",
            "amount": made["cost"]["total"],
            "id": made["transactions"]["list"][0]["id"],
            "accountType": "yellow",
        }
    ]


async def test_a_workflow_that_waits_for_nobody_is_202_and_has_its_slots(queued: WorkflowClient) -> None:
    made = await queued.submit(image(quantity=2), expected=[202])
    (step,) = made["steps"]
    assert made["status"] == step["status"] == "unassigned"
    assert [blob["available"] for blob in step["output"]["images"]] == [False, False]
    assert [job["status"] for job in step["jobs"]] == ["unassigned"] * 2
    assert [job["queuePosition"]["precedingJobs"] for job in step["jobs"]] == [0, 1]
    assert step["queuePosition"]["support"] == "available"
    assert "startedAt" not in made


@pytest.mark.parametrize("wait", ["0", "false", "FALSE", ""])
async def test_no_wait_is_no_wait(served: Served, wait: str) -> None:
    answer = await served.client.post(f"{WORKFLOWS}?wait={wait}" if wait else WORKFLOWS, json=template())
    assert answer.status_code == 202


@pytest.mark.parametrize("wait", ["20", "020", "100000", "99999999999999999999", "true", "True"])
async def test_a_waiting_answer_comes_when_all_is_over(opened: Opened, wait: str) -> None:
    body = template(echo("a"), echo(reference("$0", "output.message")))
    answer = await opened.client.post(f"{WORKFLOWS}?wait={wait}", json=body)
    assert answer.status_code == 200
    assert [step["output"] for step in answer.json()["steps"]] == [{"message": "a"}] * 2
    again = await opened.client.get(f"{WORKFLOWS}/{answer.json()['id']}?wait={wait}")
    assert (again.status_code, again.json()["status"]) == (200, "succeeded")


@pytest.mark.parametrize("wait", ["1.5", "-1", "ten", "1s", "yes", "%D9%A3", "1e3", "0x10", "+5"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_wait_that_is_no_number_is_refused(served: Served, method: str, wait: str) -> None:
    path = WORKFLOWS if method == "POST" else f"{WORKFLOWS}/1-20260101000000000"
    answer = await served.client.request(method, f"{path}?wait={wait}", json=template())
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["wait"])


@pytest.mark.parametrize(("asked", "held"), [("5", 5), ("120", 95), ("true", 95)])
async def test_an_answer_is_held_for_so_many_seconds_and_no_longer_than_the_limit(
    served: Served, queued: WorkflowClient, asked: str, held: int
) -> None:
    made = await queued.submit(expected=[202])
    waiting = asyncio.create_task(served.client.get(f"{WORKFLOWS}/{made['id']}?wait={asked}"))
    await settle()
    served.clock.advance(held - 1)
    await settle()
    assert not waiting.done()
    served.clock.advance(1)
    assert (await waiting).status_code == 202


async def test_an_answer_is_held_until_the_workflow_is_canceled(served: Served, queued: WorkflowClient) -> None:
    made = await queued.submit(expected=[202])
    waiting = asyncio.create_task(served.client.get(f"{WORKFLOWS}/{made['id']}?wait=60"))
    await settle()
    assert not waiting.done()
    await queued.change("PUT", made["id"], json={"status": "canceled"})
    answer = await waiting
    assert (answer.status_code, answer.json()["status"]) == (200, "canceled")


async def test_a_what_if_stores_nothing(queued: WorkflowClient) -> None:
    made = await queued.submit(image(quantity=2), query="whatif=true", expected=[200], externalId="once")
    assert made["status"] == "unassigned"
    assert made["transactions"]["insufficientBuzz"] is False
    assert [list(debit) for debit in made["transactions"]["list"]] == [["type", "amount", "accountType"]]
    assert sum(debit["amount"] for debit in made["transactions"]["list"]) == made["cost"]["total"] > 0
    (step,) = made["steps"]
    assert [job["queuePosition"]["support"] for job in step["jobs"]] == ["available"] * 2
    assert [blob["available"] for blob in step["output"]["images"]] == [False, False]
    assert (await queued.http.get(f"{WORKFLOWS}/{made['id']}")).status_code == 404
    assert await queued.ids() == []
    stored = await queued.submit(image(), externalId="once")
    assert stored["id"] != made["id"]


async def test_too_little_buzz_is_said_in_both_shapes() -> None:
    async with serve(buzz_balance="yellow=1") as poor:
        client = WorkflowClient(poor.client)
        planned = await client.submit(image(), query="whatif=true", expected=[200])
        assert planned["transactions"]["insufficientBuzz"] is True
        answer = await poor.client.post(WORKFLOWS, json=template(image()))
        assert answer.status_code == 400
        assert "insufficientBuzz" in answer.json()["errors"]["messages"][0]
        assert await client.ids() == []


@pytest.mark.parametrize(
    "members",
    [
        {"allowMatureContent": True, "currencies": ["blue"]},
        {"allowMatureContent": True, "currencies": ["blue", "green"]},
    ],
    ids=["one", "two"],
)
async def test_a_what_if_that_no_account_may_pay_for_says_so(members: Any) -> None:
    async with serve() as served:
        client = WorkflowClient(served.client)
        planned = await client.submit(image(), query="whatif=true", expected=[200], **members)
        assert planned["transactions"] == {"list": [], "insufficientBuzz": True}
        refused = await served.client.post(WORKFLOWS, json=template(image(), **members))
        assert (refused.status_code, "insufficientBuzz" in refused.text) == (400, True)


async def test_fifty_equal_submissions_at_once_make_one_workflow_and_one_charge(queued: WorkflowClient) -> None:
    made = await asyncio.gather(*(queued.submit(image(), externalId="order-17") for _ in range(50)))
    assert len({workflow["id"] for workflow in made}) == 1
    assert len({workflow["transactions"]["list"][0]["id"] for workflow in made}) == 1
    assert len(await queued.ids()) == 1


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({"steps": []}, ["steps"]),
        ({}, ["steps"]),
        ({"steps": [{"$type": "nothing", "input": {}}]}, ["steps[0].$type"]),
        (template(image(steps=100000)), ["steps[0].input.steps"]),
        (template(image(), echo(5)), ["workflowTemplate", "$.steps[1].input.message"]),
        (template(echo(reference("nobody", "output"))), ["steps[0].input.message"]),
        (template(echo(reference("$0", "output"))), ["steps[0].input.message"]),
        (template(echo(name="a"), echo(name="a")), ["steps[1].name"]),
        (template(tags=["a"] * 11), ["tags"]),
        (template(tags=[f"{n}" for n in range(11)]), ["tags"]),
        (template(externalId="not one!"), ["externalId"]),
        (template(callbacks=[{"url": "http://169.254.169.254/", "type": ["workflow:*"]}]), ["callbacks[0].url"]),
        (template(ephemeral=True), ["messages"]),
        ([], ["workflowTemplate", "$"]),
        ("text", ["workflowTemplate", "$"]),
    ],
)
async def test_a_bad_template_is_refused_by_its_paths(served: Served, body: Any, paths: list[str]) -> None:
    answer = await served.client.post(WORKFLOWS, json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json; charset=utf-8")
    assert sorted(answer.json()["errors"]) == sorted(paths)


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b'{"steps":[{"$type":"echo","input":{"message":"a","message":"b"}}]}', "application/json", 400),
        (b'{"steps":' + b"[" * 100_000, "application/json", 400),
        (
            b'{"steps":[{"$type":"echo","input":{"message":' + b'{"a":' * 100 + b"1" + b"}" * 100 + b"}}]}",
            "text/json",
            400,
        ),
        (b'{"steps":[{"$type":"echo","input":{"message":"a"}}]}', "text/plain", 415),
        (b'{"steps":[{"$type":"echo","input":{"message":"a"}}]}', "application/json", 202),
        (b'{"steps":[{"$type":"echo","input":{"message":"a"}}]}', "text/json; charset=utf-8", 202),
        (b'{"steps":[{"$type":"echo","input":{"message":"a"}}]}', "application/vnd.civitai+json", 202),
        (b'\xef\xbb\xbf{"STEPS":[{"$type":"echo","INPUT":{"message":"a"}}],"workflowTemplate":null}', "", 202),
    ],
)
async def test_bodies_are_read_as_those_of_v1(served: Served, content: bytes, content_type: str, status: int) -> None:
    headers = {"content-type": content_type} if content_type else {}
    answer = await served.client.post(WORKFLOWS, content=content, headers=headers)
    assert answer.status_code == status, answer.text
    if status == 400:
        assert "workflowTemplate" in answer.json()["errors"]


async def test_an_ephemeral_workflow_can_be_polled_until_it_is_over(opened: Opened, workflows: WorkflowClient) -> None:
    made = await workflows.submit(echo(), query="wait=60", ephemeral=True, expected=[200])
    assert (made["ephemeral"], made["status"]) == (True, "succeeded")
    assert (await opened.client.get(f"{WORKFLOWS}/{made['id']}")).status_code == 404
    assert (await opened.client.get(f"{WORKFLOWS}/{made['id']}?wait=5")).status_code == 404
    assert await workflows.ids() == []


async def test_an_ephemeral_workflow_that_runs_is_found(queued: WorkflowClient) -> None:
    callback = {"url": "http://127.0.0.1:9/", "type": ["workflow:*"]}
    made = await queued.submit(echo(), ephemeral=True, callbacks=[callback], expected=[202])
    assert (await queued.get(made["id"]))["status"] == "unassigned"


async def test_v1_sees_the_job_of_a_step(opened: Opened, workflows: WorkflowClient) -> None:
    made = await workflows.submit(image(), query="wait=60", expected=[200])
    job_id = made["steps"][0]["jobs"][0]["id"]
    seen = (await opened.client.get(f"/v1/consumer/jobs/{job_id}?detailed=true")).json()
    assert (seen["jobId"], seen["lastEvent"]["type"], seen["job"]["version"]) == (job_id, "Succeeded", 1)


UNKNOWN = "urn:air:sdxl:checkpoint:civitai:999001@999002"


async def test_a_workflow_may_name_a_model_that_is_not_known_here(workflows: WorkflowClient) -> None:
    made = await workflows.submit(image(model=UNKNOWN), query="wait=60")
    assert (made["status"], made["steps"][0]["input"]["model"]) == ("succeeded", UNKNOWN)


async def test_a_strict_server_refuses_a_model_that_it_does_not_know() -> None:
    async with serve(workflow_missing_resources="strict") as served:
        refused = await served.client.post(WORKFLOWS, json=template(image(model=UNKNOWN)))
    assert refused.status_code == 400
    assert refused.json()["errors"] == {"messages": [f"The resource '{UNKNOWN}' is not enabled for generation."]}
