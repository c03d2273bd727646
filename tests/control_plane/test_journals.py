"""The journals of all processes are read as one, and what one of them took with it is missed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from civitai_mock.bootstrap.application import Application
from civitai_mock.services.journal.presence import JournalPresence
from tests.support.deployment import PROCESSES_ON_MONGO, PROCESSES_ON_SQLITE, Deployment
from tests.support.served_app import BASE_URL, JOBS, template

JOURNAL, VERIFY = "/_mock/journal", "/_mock/verify"
IN_A = {"X-Mock-Namespace": "a"}
JSON = {"content-type": "application/json"}
# A store in memory is seen by one process alone, which takes it along.
SEVERAL = [pytest.param(layout, marks=pytest.mark.long) for layout in (PROCESSES_ON_SQLITE, PROCESSES_ON_MONGO)]


async def _verify(client: httpx.AsyncClient, headers: dict[str, str], /, **expected: Any) -> Any:
    answer = await client.post(VERIFY, json=expected, headers=headers)
    assert answer.status_code in {200, 409}, answer.text
    return {**answer.json(), "status": answer.status_code}


async def _ask(client: httpx.AsyncClient, *, times: int = 1, first: int = 0) -> None:
    for number in range(first, first + times):
        await client.get(f"/v1/nowhere?n={number}", headers=IN_A)


@asynccontextmanager
async def _one_more(deployment: Deployment) -> AsyncIterator[httpx.AsyncClient]:
    """Serve as one more process of the API, until the end of the block."""
    application = Application(deployment.apis[0]._settings, with_scheduler=False)
    async with (
        application.app.router.lifespan_context(application.app),
        httpx.AsyncClient(transport=httpx.ASGITransport(application.app), base_url=BASE_URL) as client,
    ):
        yield client


async def test_requests_to_any_process_are_in_one_journal(deployment: Deployment) -> None:
    client = deployment.client
    await _ask(client, times=5)
    for _ in range(len(deployment.apis)):
        seen: list[str] = []
        page: dict[str, Any] = {"next": ""}
        while "next" in page:
            cursor = {"cursor": page["next"]} if page["next"] else {}
            page = (await client.get(JOURNAL, params={"take": 2, **cursor}, headers=IN_A)).json()
            seen += [item["path"][-1] for item in page["items"]]
        assert seen == ["4", "3", "2", "1", "0"]
        assert "incomplete" not in page
    assert (await client.get(JOURNAL)).json() == {"items": []}


async def test_requests_to_any_process_are_verified_together(deployment: Deployment) -> None:
    client = deployment.client
    await client.post(JOBS, json=template(), headers=IN_A)
    await _ask(client, times=4)
    post, get = {"method": "POST"}, {"method": "GET"}
    assert (await _verify(client, IN_A, match=get, count=4))["status"] == 200
    assert (await _verify(client, IN_A, order=[post, get, get, get, get]))["status"] == 200
    told = await _verify(client, IN_A, match={"method": "GET", "header": {"x": "1"}})
    assert (told["status"], told["actual"], len(told["nearest"])) == (409, 0, 3)
    assert "incomplete" not in told
    assert (await _verify(client, IN_A, order=[get, post]))["actual"] == 1


async def test_all_journals_are_cleared(deployment: Deployment) -> None:
    client = deployment.client
    await _ask(client, times=4)
    assert (await client.request("DELETE", JOURNAL, headers={**IN_A, **JSON})).status_code == 204
    for _ in deployment.apis:
        assert (await _verify(client, IN_A, count=0))["status"] == 200
    await _ask(client, times=2)
    assert (await client.post("/_mock/reset", headers={**IN_A, **JSON})).status_code == 204
    for _ in deployment.apis:
        assert (await _verify(client, IN_A, count=0))["status"] == 200


async def test_whoever_waits_hears_of_requests_to_other_processes(deployment: Deployment) -> None:
    client = deployment.client
    await _ask(client, times=len(deployment.apis))  # so that each has a journal
    waiting = asyncio.create_task(_verify(client, IN_A, count=len(deployment.apis) + 3, within="60s"))
    await _ask(client, times=3)
    assert (await waiting)["status"] == 200


@pytest.mark.parametrize("deployment", SEVERAL, indirect=True)
async def test_a_process_that_died_is_missed_until_the_journal_is_cleared(deployment: Deployment) -> None:
    client, runtime = deployment.client, deployment.apis[0].namespace.runtime
    await _ask(client, times=len(deployment.apis))
    record = await runtime.stores.namespaces.get("a")
    assert record is not None
    dead = JournalPresence(store=runtime.stores.namespaces, journal=runtime.journal, has_api=True)
    await dead.note("a", record.epoch)
    told = await _verify(client, IN_A, count=len(deployment.apis))
    assert (told["status"], told["incomplete"]) == (409, True)
    assert (await _verify(client, IN_A, count={"min": 1}))["status"] == 200
    assert (await client.get(JOURNAL, headers=IN_A)).json()["incomplete"] is True
    assert (await client.request("DELETE", JOURNAL, headers={**IN_A, **JSON})).status_code == 204
    assert (await _verify(client, IN_A, count=0))["status"] == 200


@pytest.mark.parametrize("deployment", SEVERAL, indirect=True)
@pytest.mark.parametrize("times", [0, 1])
async def test_a_process_that_left_is_missed_if_it_had_recorded_something(deployment: Deployment, times: int) -> None:
    await _ask(deployment.client, times=len(deployment.apis))
    async with _one_more(deployment) as leaving:
        await leaving.get("/_mock/journal", headers=IN_A)
        await _ask(leaving, times=times)
        assert (await _verify(deployment.client, IN_A, count=len(deployment.apis) + times))["status"] == 200
    told = await _verify(deployment.client, IN_A, count=len(deployment.apis))
    assert told["status"] == (409 if times else 200)
    assert told.get("incomplete", False) is bool(times)


@pytest.mark.parametrize("deployment", SEVERAL, indirect=True)
async def test_a_snapshot_has_no_journal_that_could_be_missed(deployment: Deployment) -> None:
    client = deployment.client
    await _ask(client, times=2)
    saved = await client.get("/_mock/namespaces/a/snapshot")
    restored = await client.put(
        "/_mock/namespaces/b/snapshot", content=saved.content, headers={"content-type": "application/zip"}
    )
    assert restored.status_code in {200, 204}, restored.text
    assert (await _verify(client, {"X-Mock-Namespace": "b"}, count=0))["status"] == 200
