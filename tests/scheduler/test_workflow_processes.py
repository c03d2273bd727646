"""Workflows in processes as a user runs them: kill -9 and another start, an API apart from its schedulers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.scheduler.workflow_bench import echo_step, image_step, reference
from tests.support.process import PATIENCE_SECONDS, Server, poll_until, running, start

INSTANT = {"SIMULATION_PROFILE": "instant", "BUZZ_BALANCE": "blue=10000", "SEED_RESOURCES": "true"}
WORKFLOWS = "/v2/consumer/workflows"
STEPS = [
    image_step(name="image"),
    echo_step(reference("image", "output.images[0].url"), name="middle"),
    echo_step(reference("middle", "output.message"), name="end"),
]

pytestmark = [pytest.mark.slow, pytest.mark.long]


def client_of(server: Server) -> httpx.Client:
    return httpx.Client(base_url=server.url, timeout=PATIENCE_SECONDS)


def submit(http: httpx.Client, key: int) -> dict[str, Any]:
    answer = http.post(WORKFLOWS, json={"steps": STEPS, "externalId": f"key-{key}"})
    assert answer.status_code in {200, 202}, answer.text
    document: dict[str, Any] = answer.json()
    return document


def ended(http: httpx.Client, ids: Sequence[str]) -> Sequence[dict[str, Any]]:
    """Return the workflows once all of them have ended."""
    found: dict[str, dict[str, Any]] = {}

    def are_all_over() -> bool:
        found.update({workflow_id: http.get(f"{WORKFLOWS}/{workflow_id}").json() for workflow_id in ids})
        return all(document["status"] in {"succeeded", "failed", "expired", "canceled"} for document in found.values())

    poll_until(are_all_over)
    return list(found.values())


def test_after_kill_9_every_workflow_ends_well_and_is_charged_once(tmp_path: Path) -> None:
    with running(tmp_path, INSTANT) as server, client_of(server) as http:
        ids = [submit(http, key)["id"] for key in range(20)]
        server.kill()
    with running(tmp_path, INSTANT) as server, client_of(server) as http:
        again = [submit(http, key)["id"] for key in range(20)]
        documents = ended(http, ids)
    assert again == ids
    assert {document["status"] for document in documents} == {"succeeded"}
    for document in documents:
        assert [(found["type"], found["amount"]) for found in document["transactions"]["list"]] == [("debit", 8)]
        assert [len(step["jobs"]) for step in document["steps"]] == [1, 1, 1]
        message = document["steps"][2]["output"]["message"]
        assert message == document["steps"][1]["output"]["message"]
        assert document["steps"][0]["output"]["images"][0]["id"] in message


def test_an_api_hears_of_the_end_of_a_workflow_from_the_schedulers_beside_it(tmp_path: Path) -> None:
    schedulers = [
        start(tmp_path, {**INSTANT, "SCHEDULER_POLL_MS": "20"}, command=("-m", "civitai_mock", "scheduler"))
        for _ in range(2)
    ]
    try:
        with running(tmp_path, INSTANT, command=("-m", "civitai_mock", "api")) as server, client_of(server) as http:
            ended(http, [submit(http, 1)["id"]])  # then the schedulers have started
            answer = http.post(WORKFLOWS, params={"wait": "60"}, json={"steps": STEPS})
    finally:
        for scheduler in schedulers:
            scheduler.terminate()
        for scheduler in schedulers:
            scheduler.wait(PATIENCE_SECONDS)
    assert (answer.status_code, answer.json()["status"]) == (200, "succeeded")
