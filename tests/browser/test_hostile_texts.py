"""Whatever somebody writes into prompts, names and headers is a text on every page that shows it, and breaks none."""

import json
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, expect

from civitai_mock.pytest_plugin.server import CivitaiMockServer
from tests.support.dashboard import Dashboard, open_dashboard
from tests.support.dashboard_pages import ADDRESSES, World, fill
from tests.support.process import poll_until
from tests.support.served_app import JOBS, template

pytestmark = [pytest.mark.browser, pytest.mark.long]
MARKUP = "<img src=x onerror=\"hit = 1\"><script>hit = 1</script></pre></textarea><svg onload='hit = 1'>"
TEXT = f"{MARKUP} \u202eright to left\u2066 \x7f \x1b[31m ' \" ` ${{hit}} {{{{hit}}}} \\ &lt;b&gt;"
LONG = "x" * 20_000
NUL = "before\x00behind"
FILE = "<img src=x onerror=hit=1>\u202e.safetensors"
AIR = "urn:air:sdxl:lora:civitai:666@666"
SHOWN_IN = {  # what is read there is the whole text; elsewhere it may be cut, or not be there
    "queue": "td .clip",
    "jobs": "td .clip",
    "pictures": "figcaption .clip",
    "job timeline": ".prompt",
    "picture": ".facts dd",
}
HELD = """([selector, text]) => [...document.querySelectorAll(selector)].some((node) => {
    const held = node.textContent;
    return held === text || (held.length >= 300 && text.startsWith(held));
})"""


@pytest.fixture(scope="module", params=[TEXT, LONG], ids=["markup", "long"])
def hostile(
    request: pytest.FixtureRequest, browser: Browser, mock: CivitaiMockServer
) -> Iterator[tuple[Dashboard, World, str]]:
    text: str = request.param
    with open_dashboard(browser, mock, viewport={"width": 1280, "height": 800}) as opened:
        world = fill(opened, text)
        _write_everywhere(opened, text)
        yield opened, world, text
        opened.change("DELETE", f"resources/{AIR}")


def _write_everywhere(dashboard: Dashboard, text: str) -> None:
    resource = {"air": AIR, "modelName": text, "versionName": NUL, "fileName": FILE}
    dashboard.change("POST", "resources", resource)
    rule = {"match": {"prompt": {"contains": text[:200]}}, "action": {"status": 503}, "enabled": False}
    dashboard.change("POST", "faults", rule)
    dashboard.change("PUT", "scenarios/weather/state", {"state": "calm"})
    headers = [
        (b"user-agent", MARKUP.encode()),
        (b"x-odd", "\u202e\u00e9".encode()),
        (b"content-type", b"application/json"),
    ]
    lone = json.dumps(template(params={"prompt": f"\ud800 {MARKUP}"}))
    for body in (lone, json.dumps(template(params={"prompt": NUL}))):
        answer = dashboard.http.post(JOBS, content=body, headers=httpx.Headers(headers))
        assert answer.status_code == 400


@pytest.mark.parametrize("address", [*ADDRESSES, "refused", "named"])
def test_a_text_is_a_text(hostile: tuple[Dashboard, World, str], address: str) -> None:
    dashboard, world, text = hostile
    page = dashboard.page
    if address == "refused":
        entry = next(each for each in dashboard.get("journal?method=POST")["items"] if each["status"] == 400)
        dashboard.go(f"journal/{entry['id']}")
        expect(page.get_by_role("region", name="Request")).to_contain_text("onerror")
    elif address == "named":
        dashboard.go(f"resources/{AIR}")
        document = page.get_by_label("The resource as JSON")
        expect(document).not_to_be_empty()
        assert json.loads(document.input_value())["modelName"] == text
        assert json.loads(document.input_value())["versionName"] == NUL
    else:
        path, query = world.address(address)
        dashboard.go(path, **query)
    expect(page.get_by_role("button", name="Live")).to_be_visible()
    expect(page.locator("main .page > *").first).to_be_visible()
    expect(page.locator("main .loading")).to_have_count(0)
    if address in SHOWN_IN:
        poll_until(lambda: page.evaluate(HELD, [SHOWN_IN[address], text]))
    assert page.evaluate("typeof hit") == "undefined"
    assert page.locator("main script, main img[src=x], main [onload], main [onerror]").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    expect(page.get_by_role("alert")).to_have_count(0)
    assert dashboard.complaints == []
