"""Health, the index and the docs."""

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from civitai_mock.api.exchange import ApiContext
from civitai_mock.domain.errors import TransientError
from civitai_mock.ports import WorkerReport
from civitai_mock.services.health import CHECK_SECONDS, REASON, CheckReadiness
from tests.support.event_loop import until_found
from tests.support.scripted_provider import ScriptedProvider
from tests.support.served_app import PATIENCE_SECONDS, Served, serve_all


class _SickStore:
    description, schema_version = "sick", 1

    async def ping(self) -> None:
        raise TransientError("The store does not answer.")


async def test_a_healthy_server_says_what_it_runs_on(client: httpx.AsyncClient) -> None:
    answer = await client.get("/health")
    body = answer.json()
    assert answer.status_code == 200
    assert list(body) == ["status", "store", "provider", "workers"]
    assert (body["status"], body["provider"]) == ("ok", "local")
    assert [(worker["id"], worker["ready"]) for worker in body["workers"]] == [("local", True)]


async def test_health_can_be_asked_with_head(client: httpx.AsyncClient) -> None:
    assert (await client.head("/health")).status_code == 200


async def test_a_server_whose_store_is_away_is_a_503_problem(served: Served) -> None:
    served.answer_with(health=replace(served.use_cases.health, store=_SickStore()))
    with capture_logs() as logs:
        answer = await served.client.get("/health")
    assert answer.status_code == 503
    assert answer.json()["detail"] == "The store does not answer."
    assert [line["log_level"] for line in logs if line["event"] == "request"] == ["info"]  # good answers are no news


async def test_an_api_without_schedulers_says_that_jobs_stand_still(served: Served) -> None:
    """Once in the log, and in its health for as long as it lasts."""

    async def health_is(status: str) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                body: dict[str, Any] = (await served.client.get("/health")).json()
                if body["status"] == status:
                    return body
                served.clock.advance(CHECK_SECONDS)

    with capture_logs() as logs:
        await served.submit()
        body = await health_is("degraded")
        assert body["reason"] == REASON.format(seconds=10)
        assert (await served.client.head("/health")).status_code == 200
        await served.finish()
        assert "reason" not in await health_is("ok")
    said = [line["event"] for line in logs if line["event"].startswith("jobs ")]
    assert said == ["jobs stand still", "jobs are taken again"]


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
async def test_a_server_that_works_is_live_and_ready(client: httpx.AsyncClient, path: str) -> None:
    with capture_logs() as logs:
        answer = await client.get(path)
        assert (await client.head(path)).status_code == 200
    assert (answer.status_code, answer.json()) == (200, {"status": path.rpartition("/")[2]})
    assert {line["log_level"] for line in logs if line["event"] == "request"} == {"debug"}


async def test_a_server_whose_store_is_away_is_live_but_not_ready(served: Served) -> None:
    health = replace(served.use_cases.health, store=_SickStore())
    served.answer_with(health=health, readiness=CheckReadiness(health=health))
    assert (await served.client.get("/health/live")).status_code == 200
    answer = await served.client.get("/health/ready")
    assert (answer.status_code, answer.json()["detail"]) == (503, "The store does not answer.")
    assert (await served.client.head("/health/ready")).status_code == 503


async def test_a_server_without_a_worker_that_is_ready_is_not_ready(served: Served) -> None:
    provider = ScriptedProvider()
    provider.workers = (WorkerReport(id="http://comfy.test:8188", ready=False, reason="connection refused"),)
    health = replace(served.use_cases.health, provider=provider)
    served.answer_with(readiness=CheckReadiness(health=health))
    answer = await served.client.get("/health/ready")
    reason = "Not ready: no worker is ready; http://comfy.test:8188: connection refused."
    assert (answer.status_code, answer.json()["detail"]) == (503, reason)


async def test_an_api_is_not_ready_while_no_scheduler_takes_jobs(served: Served) -> None:
    await served.submit()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (answer := await served.client.get("/health/ready")).status_code == 200:
            served.clock.advance(CHECK_SECONDS)
    assert answer.json()["detail"] == f"Not ready: {REASON.format(seconds=10)}."


async def test_a_server_whose_scheduler_takes_no_jobs_is_not_ready() -> None:
    async with serve_all() as opened:
        assert (await opened.client.get("/health/ready")).status_code == 200
        opened.application.begin_stop()

        async def is_away() -> bool:
            return (await opened.client.get("/health/ready")).status_code == 503

        await until_found(is_away)
        answer = await opened.client.get("/health/ready")
    assert answer.json()["detail"] == "Not ready: the scheduler does not run."


async def test_the_index_leads_to_docs_openapi_and_health(client: httpx.AsyncClient) -> None:
    body = (await client.get("/")).json()
    assert (body["name"], list(body)) == ("civitai-mock", ["name", "version", "docs", "openapi", "health"])
    for link in ("docs", "openapi", "health"):
        assert (await client.get(body[link])).status_code == 200


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
async def test_the_docs_are_pages(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).headers["content-type"].startswith("text/html")


def test_all_that_requests_share_is_one_typed_object(served: Served) -> None:
    assert isinstance(served.app.context, ApiContext)
    assert served.app.state._state == {}
