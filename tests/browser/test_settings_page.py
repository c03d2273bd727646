"""The page Settings in a real browser: what is in effect, and a namespace as a whole."""

from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.support.process import Server
from tests.support.served_app import JOBS, template

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def jobs(server: Server) -> int:
    return len(httpx.get(f"{server.url}/_mock/jobs").json()["items"])


def test_settings_say_their_values_and_where_they_come_from(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/_mock/ui/settings")
    shown = page.get_by_role("region", name="Settings")
    expect(shown.get_by_role("row", name="SIMULATION_PROFILE")).to_contain_text("instant")
    expect(shown.get_by_role("row", name="SIMULATION_PROFILE")).to_contain_text("environment")
    shown.get_by_label("Search settings").fill("journal_max")
    expect(shown.get_by_role("row")).to_have_count(3)
    shown.get_by_label("only what was changed").check()
    expect(shown.get_by_role("row")).to_have_count(1)
    expect(page.get_by_role("region", name="Server")).to_contain_text("SQLite")
    version = httpx.get(f"{server.url}/_mock/settings", params={"take": 1}).json()["schemaVersion"]
    expect(page.get_by_role("region", name="Server")).to_contain_text(f"version {version}")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_a_namespace_is_saved_reset_and_restored(page: Page, server: Server, tmp_path: Path) -> None:
    httpx.post(f"{server.url}{JOBS}?wait=true", json=template(), timeout=60)
    page.goto(f"{server.url}/_mock/ui/settings")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Save a snapshot").click()
    saved = tmp_path / "saved.zip"
    waiting.value.save_as(saved)
    assert waiting.value.suggested_filename == "default.zip"
    page.get_by_role("button", name="Reset …").click()
    page.get_by_role("dialog").get_by_role("button", name="Leave it").click()
    assert jobs(server) == 1
    page.get_by_role("button", name="Reset …").click()
    page.get_by_role("button", name="Reset it").click()
    expect(page.get_by_role("status").filter(has_text="begins anew")).to_be_visible()
    assert jobs(server) == 0
    page.get_by_label("A snapshot to restore").set_input_files(saved)
    page.get_by_role("button", name="Restore it").click()
    expect(page.get_by_role("status").filter(has_text="is restored")).to_be_visible()
    assert jobs(server) == 1


def test_a_file_that_is_no_snapshot_is_refused(page: Page, server: Server, tmp_path: Path) -> None:
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"no zip")
    page.goto(f"{server.url}/_mock/ui/settings")
    page.get_by_label("A snapshot to restore").set_input_files(broken)
    page.get_by_role("button", name="Restore it").click()
    expect(page.get_by_role("alert")).to_contain_text("400")
