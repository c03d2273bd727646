"""The dashboard bears much at once, and a server that is killed and comes back."""

import asyncio
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, CDPSession, expect

from civitai_mock.pytest_plugin.server import CivitaiMockServer
from tests.support.dashboard import open_dashboard
from tests.support.process import running
from tests.support.served_app import JOBS, template

pytestmark = [pytest.mark.browser, pytest.mark.long]
SECONDS, AT_ONCE = 20.0, 20
MOST_BYTES = 150 * 1024 * 1024
LONG_TASKS = """() => {
    window.longest = 0;
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) window.longest = Math.max(window.longest, entry.duration);
    }).observe({ type: "longtask" });
}"""


def _flood(url: str, namespace: str, counted: list[int]) -> None:
    """Submit as many jobs as the server takes in this time: each has five events."""

    async def run() -> None:
        headers = {"x-mock-namespace": namespace}
        body = {"jobs": [template() for _ in range(AT_ONCE)]}
        async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, timeout=60) as client:
            end = asyncio.get_running_loop().time() + SECONDS
            while asyncio.get_running_loop().time() < end:
                (await client.post(JOBS, json=body)).raise_for_status()
                counted.append(AT_ONCE)

    asyncio.run(run())


def _heap(session: CDPSession) -> int:
    metrics: dict[str, Any] = session.send("Performance.getMetrics")
    return int(next(each["value"] for each in metrics["metrics"] if each["name"] == "JSHeapUsedSize"))


def test_a_flood_of_events_leaves_the_page_usable_and_right(browser: Browser, tmp_path: Path) -> None:
    with (
        running(tmp_path, {"ADMIN": "open", "SIMULATION_PROFILE": "instant", "MONGODB_URI": "memory://"}) as server,
        open_dashboard(browser, CivitaiMockServer(server.url)) as dashboard,
    ):
        page, counted = dashboard.go("jobs"), list[int]()
        expect(page.get_by_role("button", name="Live")).to_be_visible()
        page.evaluate(LONG_TASKS)
        flood = Thread(target=_flood, args=(server.url, dashboard.namespace, counted))
        flood.start()
        while flood.is_alive():
            page.wait_for_timeout(500)
        flood.join()
        last = dashboard.submit()
        expect(dashboard.row(last)).to_contain_text("Succeeded")
        expect(page.locator("tbody tr")).to_have_count(50)
        shown = page.locator("tbody tr").evaluate_all("(rows) => rows.map((row) => row.dataset.key)")
        assert shown == [job["jobId"] for job in dashboard.get("jobs?take=50")["items"]]
        longest, events = page.evaluate("longest"), sum(counted) * 5
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        assert events > 1000
        assert longest < 500, f"a task of {longest} ms"
        assert _heap(session) < MOST_BYTES
        assert page.locator("*").count() < 2500
        assert dashboard.complaints == []


def test_a_page_recovers_by_itself_once_a_killed_server_is_back(browser: Browser, tmp_path: Path) -> None:
    environment = {"ADMIN": "open", "SIMULATION_PROFILE": "instant"}
    with (
        running(tmp_path, environment) as server,
        open_dashboard(browser, CivitaiMockServer(server.url)) as dashboard,
    ):
        page = dashboard.go("jobs")
        job_id = dashboard.submit()
        expect(dashboard.row(job_id)).to_contain_text("Succeeded")
        server.kill()
        expect(page.get_by_role("button", name="No answer")).to_be_visible()
        expect(dashboard.row(job_id)).to_be_visible()
        assert page.get_by_role("alert").count() == 0
        with running(tmp_path, environment, port=server.port):
            expect(page.get_by_role("button", name="Live")).to_be_visible()
            later = dashboard.submit()
            expect(dashboard.row(later)).to_contain_text("Succeeded")
            expect(dashboard.row(job_id)).to_be_visible()
            assert page.get_by_role("alert").count() == 0
