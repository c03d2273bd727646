"""What Prometheus reads from a server that works."""

import asyncio
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.search import Backlog
from civitai_mock.ports.metrics import Histogram
from civitai_mock.telemetry import metrics
from tests.support.event_loop import settle
from tests.support.metrics import Scrape, scrape
from tests.support.served_app import JOBS, Opened, Served, serve, serve_all, template

REQUESTS = "http_request_duration_seconds_count"


@pytest.fixture
async def monolith() -> AsyncIterator[Opened]:
    async with serve_all(simulation_pictures="blank") as opened:
        yield opened


async def test_metrics_are_in_the_text_format_of_prometheus(client: httpx.AsyncClient) -> None:
    answer = await client.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert Scrape(answer.text).types["store_statements"] == "counter"
    assert (await client.head("/metrics")).status_code == 200


async def test_requests_are_counted_by_the_template_of_their_route_whatever_names_it(served: Served) -> None:
    job_id = await served.submit_one()
    for path in (
        f"{JOBS}/{job_id}",
        f"{JOBS}//{job_id}/",
        f"/compat/official{JOBS}/{job_id}",
        "/health",
        "/openapi.json",
    ):
        assert (await served.client.get(path)).status_code == 200
    counted = (await scrape(served.client)).by_labels(REQUESTS)
    assert counted == {
        ("POST", JOBS, "202"): 1,
        ("GET", JOBS + "/{jobId}", "200"): 3,
        ("GET", "/health", "200"): 1,
        ("GET", "/openapi.json", "200"): 1,
    }


async def test_no_caller_can_invent_labels(served: Served) -> None:
    for number in range(5):
        await served.client.get(f"/nowhere/{number}")
        await served.client.request(f"INVENTED{number}", f"/v2/resources/{number}")
    counted = (await scrape(served.client)).by_labels(REQUESTS)
    assert counted == {("GET", "none", "404"): 5, ("other", "/v2/resources/{air}", "405"): 5}


async def test_a_status_costs_one_observation_and_one_for_each_question_to_the_store(served: Served) -> None:
    """An observation takes 0.2 µs: one more on this path has to be worth it.

    The store is asked for a summary, which an unfinished job does not have, and then for the job.
    """
    path = f"{JOBS}/{await served.submit_one()}"
    await served.client.get(path)
    before = _observations(served)
    with _counting_calls(Histogram.observe) as calls:
        await served.client.get(path)
    after = _observations(served)
    assert {name: count - before[name] for name, count in after.items() if count != before[name]} == {
        "requests": 1,
        "store_operations": 2,
    }
    assert calls.total() == 3


async def test_jobs_are_counted_on_their_way(monolith: Opened) -> None:
    done = await monolith.run(template())
    assert done["result"]
    found = await scrape(monolith.client)
    assert found.value("jobs_submitted_total") == 1
    assert found.by_labels("jobs_ended_total") == {("SUCCEEDED", "COMFY_RESULT"): 1}
    stages = {("CLAIMED",), ("PROMPT_PREPARED",), ("SENT_TO_COMFY",), ("COMFY_RESULT",)}
    assert found.by_labels("stage_duration_seconds_count") == dict.fromkeys(stages, 1)
    assert found.value("claim_latency_seconds_count") == 1
    assert found.by_labels("worker_up") == {("local",): 1}
    assert found.value("process_resident_memory_bytes") > 0
    assert found.value("process_open_fds") > 0


async def test_an_image_is_counted_when_it_is_drawn(monolith: Opened) -> None:
    done = await monolith.run(template())
    drawn = [(await scrape(monolith.client)).by_labels("image_drawing_duration_seconds_count")]
    for _ in range(2):
        assert (await monolith.client.get(done["result"][0]["blobUrl"])).status_code == 200
        drawn.append((await scrape(monolith.client)).by_labels("image_drawing_duration_seconds_count"))
    assert drawn == [{}, {(): 1}, {(): 1}]


async def test_a_job_that_is_cancelled_is_counted_where_it_had_come_to(served: Served) -> None:
    job_id = await served.submit_one()
    await served.client.delete(f"{JOBS}/{job_id}")
    assert (await scrape(served.client)).by_labels("jobs_ended_total") == {("DELETED", "QUEUED"): 1}


async def test_the_queue_has_a_depth_and_an_age(served: Served) -> None:
    await served.submit()
    served.clock.advance(60)
    await served.submit()
    found = await scrape(served.client)
    assert (found.value("queue_depth"), found.value("queue_oldest_age_seconds")) == (2, 60)
    assert "worker_prompts_in_flight" not in found.types  # as this process has none


@pytest.mark.parametrize("hangs", [False, True])
async def test_a_store_that_is_away_leaves_out_the_queue_and_nothing_else(
    served: Served, monkeypatch: pytest.MonkeyPatch, hangs: bool
) -> None:
    async def backlog() -> None:
        if hangs:
            await asyncio.Event().wait()
        raise TransientError("The store is away.")

    before = await scrape(served.client)
    monkeypatch.setattr("civitai_mock.services.backlog.READ_SECONDS", 0.01)
    monkeypatch.setattr(type(served.stores.queue), "backlog", lambda _: backlog())
    after = await scrape(served.client)
    assert before.types.keys() - after.types.keys() == {"queue_depth", "queue_oldest_age_seconds"}


async def test_a_slow_store_is_asked_once_however_often_metrics_are(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    answer = asyncio.Event()

    async def backlog(_: object) -> Backlog:
        nonlocal asked
        asked += 1
        await answer.wait()
        return Backlog(jobs=7, oldest=None)

    monkeypatch.setattr(type(served.stores.queue), "backlog", backlog)
    scrapes = [asyncio.create_task(scrape(served.client)) for _ in range(3)]
    await settle()
    answer.set()
    assert [found.value("queue_depth") for found in await asyncio.gather(*scrapes)] == [7, 7, 7]
    assert asked == 1


async def test_a_good_scrape_is_logged_at_debug_level_only(client: httpx.AsyncClient) -> None:
    with capture_logs() as logs:
        await client.get("/metrics")
    assert [line["log_level"] for line in logs if line["event"] == "request"] == ["debug"]


async def test_metrics_are_written_beside_the_event_loop(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand lines take 7 ms, in which no other request would be answered."""
    threads: list[int] = []
    expose = metrics.expose

    def expose_noting_thread(*args: Any) -> bytes:
        threads.append(threading.get_ident())
        return expose(*args)

    monkeypatch.setattr(metrics, "expose", expose_noting_thread)
    await scrape(client)
    assert len(threads) == 1
    assert threads != [threading.get_ident()]


async def test_metrics_are_for_everybody() -> None:
    async with serve(auth="tokens", auth_tokens="secret") as served:
        await scrape(served.client)


async def test_each_app_counts_for_itself(served: Served) -> None:
    async with serve() as other:
        await other.submit()
        assert (await scrape(other.client)).value("jobs_submitted_total") == 1
    assert (await scrape(served.client)).value("jobs_submitted_total") == 0


def _observations(served: Served) -> dict[str, int]:
    """How often each histogram was written to."""
    histograms = {name: value for name, value in vars(served.metrics).items() if isinstance(value, Histogram)}
    return {
        name: sum(sum(series.counts) for series in histogram.series.values()) for name, histogram in histograms.items()
    }


@contextmanager
def _counting_calls(function: Callable[..., object]) -> Iterator[Counter[str]]:
    calls = Counter[str]()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code is function.__code__:
            calls[function.__name__] += 1

    sys.setprofile(note)
    try:
        yield calls
    finally:
        sys.setprofile(None)


async def test_faults_that_fired_are_counted_by_preset_and_advances_and_namespaces_too(monolith: Opened) -> None:
    client = monolith.client
    rules: list[dict[str, Any]] = [{"action": {"status": 500}, "times": 2}, {"preset": "html-error", "times": 1}]
    for rule in rules:
        assert (await client.post("/_mock/faults", json=rule)).status_code == 201
    for _ in range(4):
        await client.get(f"{JOBS}/00000000-0000-0000-0000-000000000000")
    await client.get(f"/ns/a{JOBS}/00000000-0000-0000-0000-000000000000")
    assert (await client.post("/_mock/clock/advance", json={"by": "1m"})).status_code == 200
    assert (await client.post("/_mock/clock/advance", json={"by": "1x"})).status_code == 400
    found = await scrape(client)
    assert found.by_labels("faults_fired_total") == {("none",): 2, ("html-error",): 1}
    assert (found.value("clock_advances_total"), found.value("namespaces")) == (1, 2)
