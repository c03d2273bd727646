"""Requests of real clients of version 2 go through a server to their end, and its answers are as real ones."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx
import pytest

from tests.parity.replay import read_capture
from tests.support.collector import Collector, running_collector
from tests.support.media import opened, played
from tests.support.media_files import FILES
from tests.support.process import Server, running
from tests.support.v2_description import check_answer

pytestmark = pytest.mark.slow

WORKFLOWS, BLOBS = "/v2/consumer/workflows", "/v2/consumer/blobs"
CALLBACK_PATH = "/callback?token=s3cret&x=%2F"  # receivers know their requests by it
REQUESTS: Sequence[Mapping[str, Any]] = [
    *read_capture("v2-requests"),
    {"about": "imageGen by sdcpp", "query": "", "body": read_capture("v2-request-imagegen-sdcpp")},
]
INSTANT = {"MONGODB_URI": "memory://", "SIMULATION_PROFILE": "instant"}

# The order of members in real answers.
WORKFLOW = [
    *(
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
    ),
    *("callbacks", "tips", "cost", "experimental", "allowMatureContent", "upgradeMode", "currencies", "forceRefunded"),
]
STEP = [
    *("$type", "input", "output", "name", "priority", "timeout", "retries", "jobs", "status", "startedAt"),
    *("completedAt", "metadata", "estimatedProgressRate"),
]
IDS = {"imageGen": r"[0-9a-f-]{36}-0\.jpg", "textToImage": r"[0-9A-HJKMNP-TV-Z]{26}\.jpeg"}
IMAGE = ["width", "height", "previewUrl", "previewUrlExpiresAt", "id", "available", "url", "urlExpiresAt", "jobId"]
# What a client that refuses to pay for anything else compares.
COMPARED = (
    *("engine", "prompt", "width", "height", "quantity", "cfgScale", "steps", "sampleMethod", "schedule", "seed"),
    *("negativePrompt", "loras"),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("server"), INSTANT) as started:
        yield started


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    headers = {"Authorization": "Bearer any"}
    with httpx.Client(base_url=server.url, headers=headers, follow_redirects=True, timeout=60) as client:
        yield client


@pytest.fixture
def receiver() -> Iterator[Collector]:
    with running_collector() as collector:
        yield collector


def filled(client: httpx.Client, body: Any, receiver: Collector) -> Any:
    """Return a body with URLs in the place of what stands for them."""
    text = json.dumps(body).replace("{{callback}}", receiver.url + CALLBACK_PATH)
    return json.loads(text.replace("{{image}}", _uploaded(client)))


def submitted(client: httpx.Client, body: Any, query: str = "") -> Any:
    answer = client.post(WORKFLOWS + query, json=body)
    assert answer.status_code in {200, 202}, answer.text
    return answer.json()


def _uploaded(client: httpx.Client) -> str:
    answer = client.post(BLOBS, content=FILES["image/jpeg"](), headers={"Content-Type": "image/jpeg"})
    url: str = answer.raise_for_status().json()["url"]
    return url


def ended(client: httpx.Client, workflow: Any) -> Any:
    return client.get(f"{WORKFLOWS}/{workflow['id']}", params={"wait": 60}).raise_for_status().json()


def body_of(word: str) -> Any:
    """Return the request that is about this, without an external id: the server may know that already."""
    (body,) = (each["body"] for each in REQUESTS if word in each["about"])
    return {name: value for name, value in body.items() if name != "externalId"}


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: request["about"][:40])
def test_a_request_of_a_real_client_succeeds(
    client: httpx.Client, receiver: Collector, request_: Mapping[str, Any]
) -> None:
    sent = filled(client, request_["body"], receiver)
    first = submitted(client, sent, request_["query"])
    check_answer("Workflow", first)
    last = ended(client, first)
    check_answer("Workflow", last)
    assert last["status"] == "succeeded", last
    assert [step["status"] for step in last["steps"]] == ["succeeded"] * len(request_["body"]["steps"])
    for blob in _blobs_in(last["steps"]):
        assert blob["available"], blob
        _open(client.get(blob["url"]).raise_for_status())
    _assert_ordered(last)
    for step in last["steps"]:
        for image in step["output"].get("images", []):
            assert re.fullmatch(IDS[step["$type"]], image["id"])
    _assert_echoed(sent, last)


def _blobs_in(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, dict) and "available" in value:
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _blobs_in(item)


def _open(answer: httpx.Response) -> None:
    """Look at every pixel of a file, and at every frame."""
    if answer.headers["Content-Type"].startswith("video/"):
        assert played(answer.content)
    else:
        assert opened(answer.content).size


def _assert_ordered(workflow: Any) -> None:
    images = [image for step in workflow["steps"] for image in step["output"].get("images", [])]
    for order, values in ((WORKFLOW, [workflow]), (STEP, workflow["steps"]), (IMAGE, images)):
        for value in values:
            assert [name for name in value if name in order] == [name for name in order if name in value]


def _assert_echoed(sent: Any, workflow: Any) -> None:
    """What was sent comes back as it was, but for references, which are resolved."""
    for name in ("tags", "metadata", "arguments", "upgradeMode", "currencies"):
        if name in sent:
            assert workflow[name] == sent[name]
    for before, after in zip(sent["steps"], workflow["steps"], strict=True):
        given, echo = before["input"], after["input"]
        assert {name: echo[name] for name in COMPARED if name in given} == {
            name: given[name] for name in COMPARED if name in given
        }
        assert ("seed" in echo) == ("seed" in given)
        assert "$ref" not in json.dumps(echo)


def test_the_callback_of_the_website_is_sent_to_the_url_as_it_was_given(
    client: httpx.Client, receiver: Collector
) -> None:
    """Once, as of seven types that it asks for one comes true; it did not ask for details."""
    workflow = ended(client, submitted(client, filled(client, body_of("website"), receiver)))
    receiver.wait_for(lambda: bool(receiver.bodies_at(CALLBACK_PATH)))
    (body,) = receiver.bodies_at(CALLBACK_PATH)
    callback = json.loads(body)
    recorded = [name for name in read_capture("v2-callback-workflow-succeeded") if name != "details"]
    assert list(callback) == recorded
    assert (callback["workflowId"], callback["status"]) == (workflow["id"], "succeeded")


def test_a_detailed_callback_has_the_members_of_a_recorded_one(client: httpx.Client, receiver: Collector) -> None:
    body = filled(client, body_of("website"), receiver)
    body["callbacks"] = [{"url": receiver.url + "/detailed", "type": ["workflow:*"], "detailed": True}]
    submitted(client, body)

    def last() -> Any:
        return json.loads((receiver.bodies_at("/detailed") or [b"{}"])[-1])

    receiver.wait_for(lambda: last().get("status") == "succeeded")
    recorded = read_capture("v2-callback-workflow-succeeded")
    assert list(last()) == list(recorded)
    assert list(last()["details"]) == list(recorded["details"])
    for step, real in zip(last()["details"]["steps"], recorded["details"]["steps"], strict=True):
        assert [name for name in step if name in real] == list(real)
        assert set(step) - set(real) <= {"cost"}
        assert set(step["output"]) >= set(real["output"])
        assert isinstance(step["input"]["mediaUrl"], str)  # arguments are resolved


def test_a_careful_client_pays_what_it_was_told(client: httpx.Client) -> None:
    body = body_of("careful")
    estimate = submitted(client, body, "?whatif=true")
    recorded = read_capture("v2-whatif-excerpt")
    assert (estimate["status"], estimate["transactions"]["insufficientBuzz"]) == ("unassigned", False)
    (told,), (real,) = estimate["transactions"]["list"], recorded["transactions"]["list"]
    assert list(told) == list(real)
    (debit,) = submitted(client, body)["transactions"]["list"]
    assert {name: debit[name] for name in told} == told
    assert told["accountType"] == "yellow"  # the only currency it names
