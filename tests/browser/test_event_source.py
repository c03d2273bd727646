"""A browser's EventSource reads a job's stream to its end, and comes back by itself when the server was away."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page

from tests.support.docs import Page as DocsPage
from tests.support.paths import ROOT
from tests.support.process import Server, poll_until, running
from tests.support.served_app import JOBS, template

pytestmark = pytest.mark.browser
LISTEN = """(path) => {
    window.told = [];
    window.stream = new EventSource(path);
    const types = ["job", "queue_position", "generation_progress", "generation_complete", "generation_failed"];
    for (const type of types)
        stream.addEventListener(type, (message) => told.push({...JSON.parse(message.data), id: message.lastEventId}));
}"""
HAS_BEGUN = "() => told.length > 0"
HAS_ENDED = """() => told.some((message) => message.type === "generation_complete")"""
CLOSED = "() => stream.readyState === EventSource.CLOSED"


def submit_and_listen(page: Page, server: Server) -> str:
    """Submit a job, and listen to it from a page of the server; return its id."""
    page.goto(f"{server.url}/health")
    job_id = str(httpx.post(server.url + JOBS, json=template()).json()["jobId"])
    page.evaluate(LISTEN, f"{JOBS}/{job_id}/events")
    return job_id


def told(page: Page, kind: str) -> Sequence[dict[str, Any]]:
    return [message for message in page.evaluate("told") if message["type"] == kind]


def check_events(page: Page, server: Server, job_id: str) -> None:
    """Check that each event of a job was told, in order, and none was told twice in different words."""
    stored = httpx.get(f"{server.url}/v1/producer/jobs/{job_id}/events").json()
    by_seq = {message["seq"]: message["event"] for message in told(page, "job")}
    assert list(by_seq) == list(range(len(stored)))
    assert list(by_seq.values()) == stored


def test_an_event_source_reads_a_job_from_its_submission_to_its_end(page: Page, server: Server) -> None:
    job_id = submit_and_listen(page, server)
    page.wait_for_function(HAS_ENDED)
    check_events(page, server, job_id)
    (complete,) = told(page, "generation_complete")
    shown = page.goto(complete["imageUrl"])
    assert shown is not None
    assert shown.headers["content-type"] == "image/png"


def test_the_progress_bar_of_the_documentation_makes_way_for_the_image(page: Page, server: Server) -> None:
    (script,) = (fence.text for fence in DocsPage(ROOT / "docs/events.md").fences if fence.kind == "browser")
    page.goto(f"{server.url}/health")
    job_id = httpx.post(server.url + JOBS, json=template()).json()["jobId"]
    page.evaluate(f"(jobId) => {{ {script} }}", job_id)
    page.wait_for_function("() => document.querySelector('img')?.naturalWidth > 0")
    assert page.locator("progress").count() == 0


@pytest.mark.long
def test_an_event_source_goes_on_after_the_server_was_killed_and_stops_when_all_is_told(
    page: Page, tmp_path: Path
) -> None:
    settings = {"ADMIN": "open", "SIMULATION_PROFILE": "realistic", "SCHEDULER_LEASE_MS": "1000"}
    with running(tmp_path, settings) as server:
        change(server, "PUT", "clock", {"mode": "frozen"})
        job_id = submit_and_listen(page, server)
        page.wait_for_function(HAS_BEGUN)
        poll_until(lambda: httpx.get(f"{server.url}/_mock/jobs/{job_id}").json()["stage"] == "SENT_TO_COMFY")
        change(server, "POST", "clock/advance", {"by": "5s"})
        page.wait_for_function("""() => told.some((message) => message.type === "generation_progress")""")
        server.kill()
    with running(tmp_path, settings, port=server.port) as again:
        change(again, "PUT", "clock", {"mode": "scaled", "rate": 20})
        page.wait_for_function(HAS_ENDED)
        page.wait_for_function(CLOSED)
        check_events(page, again, job_id)
    assert len(told(page, "generation_complete")) == 1
    assert told(page, "generation_progress")[0]["step"] == 1


def change(server: Server, method: str, path: str, body: dict[str, Any]) -> None:
    httpx.request(method, f"{server.url}/_mock/{path}", json=body, timeout=60).raise_for_status()
