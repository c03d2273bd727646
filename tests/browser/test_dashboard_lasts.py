"""The dashboard bears much at once, and a server that is killed and comes back."""

import asyncio
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, CDPSession, expect

from civitai_mock.pytest_plugin.server import CivitaiMockServer
from tests.support.dashboard import Dashboard, open_dashboard
from tests.support.process import running
from tests.support.served_app import JOBS, template

pytestmark = [pytest.mark.browser, pytest.mark.long]
SECONDS, PER_SECOND, AT_ONCE = 30, 10, 20
EVENTS_OF_JOB = 5
MOST_BYTES = 150 * 1024 * 1024
LONGEST_MS = 200
MOST_ROWS = 200
LONG_TASKS = """() => {
    window.longest = 0;
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) window.longest = Math.max(window.longest, entry.duration);
    }).observe({ type: "longtask" });
}"""

WATCH_STALLS = """() => {
    window.longest = 0;
    let before = performance.now();
    setInterval(() => {
        const now = performance.now();
        window.longest = Math.max(window.longest, now - before);
        before = now;
    }, 5);
}"""


def _flood(url: str, namespace: str, late: list[float]) -> None:
    """Submit jobs that have a thousand events a second together, and note how late each request was."""

    async def run() -> None:
        headers = {"x-mock-namespace": namespace}
        body = {"jobs": [template() for _ in range(AT_ONCE)]}
        async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, timeout=60) as client:
            loop = asyncio.get_running_loop()
            begin = loop.time()
            for number in range(SECONDS * PER_SECOND):
                due = begin + number / PER_SECOND
                await asyncio.sleep(max(0.0, due - loop.time()))
                (await client.post(JOBS, json=body)).raise_for_status()
                late.append(loop.time() - due)

    asyncio.run(run())


def _heap(session: CDPSession) -> int:
    metrics: dict[str, Any] = session.send("Performance.getMetrics")
    return int(next(each["value"] for each in metrics["metrics"] if each["name"] == "JSHeapUsedSize"))


@pytest.mark.parametrize("name", ["queue", "jobs"])
def test_a_thousand_events_a_second_leave_the_page_usable_and_right(
    browser: Browser, tmp_path: Path, name: str
) -> None:
    with (
        running(tmp_path, {"ADMIN": "open", "SIMULATION_PROFILE": "instant", "MONGODB_URI": "memory://"}) as server,
        open_dashboard(browser, CivitaiMockServer(server.url)) as dashboard,
    ):
        page, late = dashboard.go(name), list[float]()
        expect(page.get_by_role("button", name="Live")).to_be_visible()
        idle = page.context.new_page()  # which knows how long this machine keeps a page waiting
        idle.evaluate(WATCH_STALLS)
        page.bring_to_front()
        page.evaluate(LONG_TASKS)
        flood = Thread(target=_flood, args=(server.url, dashboard.namespace, late))
        flood.start()
        while flood.is_alive():
            page.wait_for_timeout(500)
            assert page.locator("tr, [data-row]").count() <= MOST_ROWS
        flood.join()
        last = dashboard.submit()
        expect(dashboard.row(last)).to_contain_text("Succeeded")
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        assert page.evaluate("longest") <= LONGEST_MS + idle.evaluate("longest")
        assert _heap(session) < MOST_BYTES
        assert page.locator("*").count() < 2500
        _check_rows(dashboard, name)
        assert dashboard.complaints == []


def _check_rows(dashboard: Dashboard, name: str) -> None:
    """Check that the page shows what the server would tell now."""
    if name == "jobs":
        shown = dashboard.page.locator("tbody tr").evaluate_all("(rows) => rows.map((row) => row.dataset.key)")
        assert shown == [job["jobId"] for job in dashboard.get("jobs?take=50")["items"]]
        return
    rows = dashboard.page.get_by_label("Ended in the last minute").locator("tbody tr")
    shown = rows.evaluate_all("(rows) => rows.map((row) => row.dataset.key)")
    assert shown == [job["jobId"] for job in dashboard.get("overview")["ended"]][:20]


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
