"""Fixtures of tests in a real browser: Debian's Chromium, driven by Playwright.

Playwright's loop runs in the thread of the tests for as long as the browser of a module is open, so such a module has
no async tests.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from civitai_mock.pytest_plugin.server import CivitaiMockServer, running_server
from tests.support.dashboard import Dashboard, open_dashboard
from tests.support.process import MOCK, PATIENCE_SECONDS, Server, free_port, running

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
NO_PROGRAM = f"needs a program: {' or '.join(PROGRAMS)}"
ALONE = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"  # no page may need another host


@pytest.fixture(scope="module")
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    """Skip where there is no Chromium, unless `--require-browser` is said."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        (pytest.fail if request.config.getoption("--require-browser") else pytest.skip)(NO_PROGRAM)
    with sync_playwright() as playwright:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # which root cannot have
        opened = playwright.chromium.launch(executable_path=program, args=[*sandbox, ALONE])
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Open a page that knows nothing of other tests."""
    with browser.new_context() as context:
        context.set_default_timeout(PATIENCE_SECONDS * 1000)
        yield context.new_page()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Start a server with an empty store and an open control plane, as a process of its own."""
    with running(tmp_path, {"ADMIN": "open", "SIMULATION_PROFILE": "instant"}) as started:
        yield started


@contextmanager
def running_comfyui(folder: Path, *, port: int | None = None) -> Iterator[Server]:
    """Start a stand-in for ComfyUI as a process of its own."""
    port = port or free_port()
    command = (*MOCK, "comfyui", "--port", str(port))
    instant = {"SIMULATION_PROFILE": "instant"}
    with running(folder, instant, command=command, path="/system_stats", port=port) as started:
        yield started


@pytest.fixture
def comfyui(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "comfyui").mkdir()
    with running_comfyui(tmp_path / "comfyui") as started:
        yield started


@pytest.fixture
def server_with_comfyui(tmp_path: Path, comfyui: Server) -> Iterator[Server]:
    """Start a server whose jobs run on the stand-in, at an address with a password."""
    url = f"http://user:s3cret@127.0.0.1:{comfyui.port}"
    with running(tmp_path, {"ADMIN": "open", "COMFY_HTTP_URL": url}) as started:
        yield started


@pytest.fixture(scope="package")
def mock() -> Iterator[CivitaiMockServer]:
    """Run one server in a thread for all tests of pages, each of which has a namespace of its own."""
    with running_server({"missing_resources": "lenient"}) as started:
        yield started


@pytest.fixture
def dashboard(browser: Browser, mock: CivitaiMockServer) -> Iterator[Dashboard]:
    """Open a page that must not complain about anything, nor ask another host."""
    with open_dashboard(browser, mock) as opened:
        yield opened
        assert opened.complaints == []
