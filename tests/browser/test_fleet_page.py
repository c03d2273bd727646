"""The page Fleet in a real browser."""

import re
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.support.process import Server, free_port, running

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_fleet_is_turned_on_a_pod_boots_is_preempted_and_costs_and_it_is_turned_off(
    page: Page, server: Server
) -> None:
    httpx.put(f"{server.url}/_mock/clock", json={"mode": "frozen"})
    page.goto(f"{server.url}/_mock/ui/fleet")
    expect(page.get_by_role("heading", name="This namespace has no fleet")).to_be_visible()
    page.get_by_role("button", name="Turn it on").click()
    pods = page.get_by_role("region", name="Pods")
    expect(pods).to_contain_text("No pod yet")
    page.get_by_role("button", name="Boot a pod").click()
    expect(pods.get_by_role("cell", name="spot-1", exact=True)).to_be_visible()
    httpx.post(f"{server.url}/_mock/clock/advance", json={"by": "6m"}, timeout=60)
    expect(pods.get_by_role("row").last).to_contain_text("READY")
    expect(pods.get_by_role("img", name="1 pods and their states")).to_be_visible()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    pods.get_by_role("button", name="Preempt spot-1").click()
    expect(pods.get_by_role("row").last).to_contain_text("FALLBACK")  # as it has no job
    httpx.post(f"{server.url}/_mock/clock/advance", json={"by": "1m"}, timeout=60)
    expect(pods.get_by_role("button", name="Preempt spot-1")).to_have_count(0)
    billed = httpx.get(f"{server.url}/_mock/costs").json()["billed"]
    assert billed > 0
    expect(pods.get_by_role("row").last).to_contain_text(f"${billed / 1_000_000:.4f}")
    pod = httpx.get(f"{server.url}/_mock/fleet/pods").json()["items"][0]
    assert pod["billed"] == billed  # as nothing else cost anything
    expect(page.get_by_role("region", name="Costs")).to_contain_text(f"${billed / 1_000_000:.4f}")
    page.get_by_role("button", name="Turn it off …").click()
    page.get_by_role("button", name="Turn it off", exact=True).click()
    expect(page.get_by_role("heading", name="This namespace has no fleet")).to_be_visible()


def test_a_wrong_document_is_refused_with_its_path_and_stays_to_be_mended(page: Page, server: Server) -> None:
    httpx.put(f"{server.url}/_mock/fleet", json={})
    page.goto(f"{server.url}/_mock/ui/fleet")
    document = page.get_by_label("The fleet as JSON")
    expect(document).not_to_be_empty()
    document.fill('{"providers": []}')
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("providers")
    expect(document).to_have_value('{"providers": []}')


def test_a_pod_shows_its_engine_and_that_it_waits_for_that(page: Page, tmp_path: Path) -> None:
    """Nobody listens where the server should be."""
    address = f"http://127.0.0.1:{free_port()}"
    with running(tmp_path, {"ADMIN": "open", "COMFY_HTTP_URL": address}) as server:
        spot = {"name": "spot", "kind": "spot", "engines": [address], "bootSeconds": {"min": 0, "max": 0}}
        assert httpx.put(f"{server.url}/_mock/fleet", json={"providers": [spot]}).is_success
        page.goto(f"{server.url}/_mock/ui/fleet")
        page.get_by_role("button", name="Boot a pod").click()
        pod = page.get_by_role("region", name="Pods").get_by_role("row").last
        expect(pod).to_contain_text(f"on {address.removeprefix('http://')}")
        expect(pod).to_contain_text("starting, later than planned")
        expect(page.get_by_label("The fleet as JSON")).to_have_value(re.compile("engines"))
