"""With 100,000 jobs in the store each page is there as fast as with none."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import httpx
import pytest
from playwright.sync_api import Browser, expect

from civitai_mock.pytest_plugin.server import CivitaiMockServer
from tests.support.dashboard import open_dashboard
from tests.support.dashboard_pages import PAGES
from tests.support.process import Server, poll_until, running
from tests.support.served_app import JOBS, template

pytestmark = [pytest.mark.browser, pytest.mark.long]
COUNT, AT_ONCE, SENDERS = 100_000, 20, 4
LONGEST_MS = 100
TRIES = 5


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {"ADMIN": "open", "SIMULATION_PROFILE": "instant"}
    with running(tmp_path_factory.mktemp("crowded"), settings) as started:
        _submit_all(started.url)
        poll_until(lambda: _unfinished(started.url) == 0, pause=0.5)
        yield started


def _submit_all(url: str) -> None:
    body = {"jobs": [template() for _ in range(AT_ONCE)]}
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client, ThreadPoolExecutor(SENDERS) as senders:
        for answer in senders.map(lambda _: client.post(JOBS, json=body), range(COUNT // AT_ONCE)):
            answer.raise_for_status()


def _unfinished(url: str) -> int:
    counts = httpx.get(f"{url}/_mock/overview", timeout=60).json()["counts"]
    return int(counts["waiting"] + counts["running"])


def test_what_each_page_asks_is_answered_in_time(browser: Browser, crowded: Server) -> None:
    with open_dashboard(browser, CivitaiMockServer(crowded.url)) as dashboard:
        page, late = dashboard.page, dict[str, float]()
        for entry in PAGES:
            dashboard.requests.clear()
            page.goto(f"{crowded.url}/_mock/ui/{entry.name}")
            expect(page.get_by_role("button", name="Live")).to_be_visible()
            expect(page.locator("main .page > *").first).to_be_visible()
            expect(page.locator("main .loading")).to_have_count(0)
            urls = {request.url for request in dashboard.requests if request.method == "GET"}
            for url in urls:
                if "/_mock/" in url and not any(f"/_mock/{other}" in url for other in ("ui", "events", "blobs")):
                    late[url] = median(_took_ms(dashboard.http, url) for _ in range(TRIES))
        assert {url: ms for url, ms in late.items() if ms > LONGEST_MS} == {}
        assert dashboard.complaints == []


def _took_ms(client: httpx.Client, url: str) -> float:
    begin = time.perf_counter()
    client.get(url, headers={"x-mock-namespace": "default"}).raise_for_status()
    return (time.perf_counter() - begin) * 1000
