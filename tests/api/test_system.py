"""Health, the index and the docs."""

from dataclasses import replace

import httpx
import pytest
from structlog.testing import capture_logs

from civitai_mock.domain.errors import TransientError
from tests.support.served import Served


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
    served.app.state.use_cases = replace(served.cases, health=replace(served.cases.health, store=_SickStore()))
    with capture_logs() as logs:
        answer = await served.client.get("/health")
    assert answer.status_code == 503
    assert answer.json()["detail"] == "The store does not answer."
    assert [line["log_level"] for line in logs if line["event"] == "request"] == ["info"]  # good answers are no news


async def test_the_index_leads_to_docs_openapi_and_health(client: httpx.AsyncClient) -> None:
    body = (await client.get("/")).json()
    assert (body["name"], list(body)) == ("civitai-mock", ["name", "version", "docs", "openapi", "health"])
    for link in ("docs", "openapi", "health"):
        assert (await client.get(body[link])).status_code == 200


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
async def test_the_docs_are_pages(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).headers["content-type"].startswith("text/html")
