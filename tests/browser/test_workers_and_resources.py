"""The pages Workers and Resources in a real browser."""

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.support.process import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow]
AIR = "urn:air:sdxl:lora:civitai:7@8"
RESOURCES = "/v2/resources"


def test_workers_say_what_they_are(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/_mock/ui/workers")
    worker = page.get_by_role("region", name="Worker local")
    expect(worker).to_contain_text("ready")
    expect(worker).to_contain_text("sdxl")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_resources_are_found_and_one_is_added_changed_and_deleted(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/_mock/ui/resources")
    listed = page.get_by_role("region", name="Resources")
    expect(listed.get_by_role("link").first).to_be_visible()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.get_by_role("button", name="Add one").click()
    document = page.get_by_label("The resource as JSON")
    document.fill(f'{{"air": "{AIR}", "modelName": "a <i>fox</i>"}}')
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("heading", name=AIR)).to_be_visible()
    assert httpx.get(f"{server.url}{RESOURCES}/{AIR}").json()["modelName"] == "a <i>fox</i>"
    page.get_by_label("Search resources").fill("<i>fox")
    expect(listed.get_by_role("link")).to_have_count(1)
    expect(listed).to_contain_text("a <i>fox</i>")
    expect(document).to_have_value(f'{{\n  "air": "{AIR}",' + document.input_value().partition(",")[2])
    document.fill(document.input_value().replace("a <i>fox</i>", "a wolf"))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="The resource is saved.").last).to_be_visible()
    assert httpx.get(f"{server.url}{RESOURCES}/{AIR}").json()["modelName"] == "a wolf"
    page.get_by_role("button", name="Delete …").click()
    page.get_by_role("button", name="Delete it").click()
    expect(page.get_by_role("status").filter(has_text="The resource is deleted.")).to_be_visible()
    assert httpx.get(f"{server.url}{RESOURCES}/{AIR}").status_code == 404


def test_what_is_wrong_in_a_resource_is_told(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/_mock/ui/resources/new")
    page.get_by_label("The resource as JSON").fill('{"air": "nonsense"}')
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("alert")).to_contain_text("air")
