"""The dashboard in a real browser, in a world of its own, and all that must not happen there."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import httpx
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect

from civitai_mock.pytest_plugin.server import CivitaiMockServer
from tests.support.process import PATIENCE_SECONDS
from tests.support.served_app import JOBS, template

PATIENCE_MS = PATIENCE_SECONDS * 1000
_numbers = count()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """Is a page of a namespace, with a client of the same."""

    page: Page
    http: httpx.Client
    url: str
    namespace: str
    complaints: list[str] = field(default_factory=list)  # of the console, and what was asked of other hosts
    requests: list[Request] = field(default_factory=list)

    def go(self, path: str = "queue", **query: str) -> Page:
        asked = "&".join(f"{name}={value}" for name, value in {"namespace": self.namespace, **query}.items())
        self.page.goto(f"{self.url}/_mock/ui/{path}?{asked}")
        return self.page

    def submit(self, *, progress: str | None = None, **changes: Any) -> str:
        headers = {} if progress is None else {"x-mock-progress": progress}
        answer = self.http.post(JOBS, json=template(**changes), headers=headers)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["jobId"])

    def change(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        answer = self.http.request(method, f"/_mock/{path}", json=body or {})
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def get(self, path: str) -> Any:
        answer = self.http.get(f"/_mock/{path}")
        assert answer.is_success, answer.text
        return answer.json()

    def row(self, job_id: str) -> Any:
        return self.page.locator(f"[data-key='{job_id}']")


@contextmanager
def open_dashboard(browser: Browser, server: CivitaiMockServer, **context: Any) -> Iterator[Dashboard]:
    """Open a browser's context on a namespace that nobody else has."""
    namespace, headers = f"page-{next(_numbers)}", {"x-mock-namespace": ""}
    headers["x-mock-namespace"] = namespace
    if server.token is not None:
        headers["x-mock-token"] = server.token
    with (
        browser.new_context(**context) as opened,
        httpx.Client(base_url=server.url, headers=headers, trust_env=False, timeout=PATIENCE_SECONDS) as client,
    ):
        client.put(f"/_mock/namespaces/{namespace}", json={}).raise_for_status()
        opened.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        dashboard = Dashboard(page=opened.new_page(), http=client, url=server.url, namespace=namespace)
        watch(dashboard)
        try:
            yield dashboard
        finally:
            # A request that a test still answers itself, once the context is closed, fails the test that comes next.
            for page in opened.pages:
                page.unroute_all(behavior="ignoreErrors")


def watch(dashboard: Dashboard) -> None:
    """Note what the console says, what breaks, and which requests there are."""

    def on_console(message: ConsoleMessage) -> None:
        dashboard.complaints.append(f"{message.type}: {message.text} ({message.location.get('url')})")

    def on_request(request: Request) -> None:
        dashboard.requests.append(request)
        parts = urlsplit(request.url)
        if parts.scheme != "blob" and f"{parts.scheme}://{parts.netloc}" != dashboard.url:
            dashboard.complaints.append(f"asked another host: {request.url}")

    dashboard.page.on("console", on_console)
    dashboard.page.on("pageerror", lambda error: dashboard.complaints.append(f"broke: {error}"))
    dashboard.page.on("request", on_request)


def size_of(dashboard: Dashboard, urls: Iterable[str]) -> int:
    """Return how many bytes these files have, uncompressed."""
    return sum(len(dashboard.http.get(url).content) for url in urls)
