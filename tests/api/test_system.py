"""Health, the index and the docs."""

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from civitai_mock.domain.errors import TransientError
from civitai_mock.services.health import CHECK_SECONDS, REASON
from tests.support.served_app import PATIENCE_SECONDS, Served


class _SickStore:
    description = "sick"

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


async def test_the_index_leads_to_docs_openapi_and_health(client: httpx.AsyncClient) -> None:
    body = (await client.get("/")).json()
    assert (body["name"], list(body)) == ("civitai-mock", ["name", "version", "docs", "openapi", "health"])
    for link in ("docs", "openapi", "health"):
        assert (await client.get(body[link])).status_code == 200


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
async def test_the_docs_are_pages(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).headers["content-type"].startswith("text/html")


def test_all_that_requests_share_is_one_typed_object(served: Served) -> None:
    assert list(served.app.state._state) == ["context"]
