"""What holds for every page of the dashboard, whatever it shows: a new one is among them by itself."""

import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, Route, ViewportSize, expect
from starlette.routing import Match

from civitai_mock.api.mock.route_table import ROUTES
from civitai_mock.api.openapi import DescribedRoute
from civitai_mock.api.ui.dashboard import page_names
from civitai_mock.pytest_plugin.server import CivitaiMockServer, running_server
from tests.support.dashboard import Dashboard, open_dashboard
from tests.support.dashboard_pages import ADDRESSES, PAGES, World, fill

pytestmark = pytest.mark.browser
TOKEN = "s3cret-of-the-pages"
WIDE: ViewportSize = {"width": 1280, "height": 800}
NARROW: ViewportSize = {"width": 360, "height": 740}
AT_200_PERCENT: ViewportSize = {"width": 640, "height": 400}
LOOKS: Sequence[tuple[ViewportSize, Literal["light", "dark"]]] = [
    (WIDE, "dark"),
    (NARROW, "light"),
    (AT_200_PERCENT, "light"),
]
LOADS = re.compile("/_mock/(?!ui|events|state)")
TRACE_ID = re.compile("trace id 00-[0-9a-f]{32}-[0-9a-f]{16}-00")
MOST_SHIFT = 0.02  # of what browsers call the layout shift; 0.1 counts as good
BLOB = "/_mock/blobs/{blobKey}"
ASKS_NOTHING = ("graph", "graph difference")  # before somebody presses a button
NAMES = [page.name for page in PAGES]
USUAL = [*NAMES, *(pytest.param(each, marks=pytest.mark.long) for each in ADDRESSES if each not in NAMES)]
TEACHES = {
    "queue": "Nothing waits, nothing runs",
    "jobs": "No jobs yet",
    "pictures": "No picture was made yet",
    "journal": "No requests yet",
    "faults": "Nothing goes wrong on purpose",
    "fleet": "This namespace has no fleet",
}
WATCH_SHIFTS = """() => {
    window.shift = 0;
    new PerformanceObserver((list) => {
        for (const { value } of list.getEntries()) window.shift += value;
    }).observe({ type: "layout-shift", buffered: true });
}"""
FOCUSABLE = """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
    .filter((node) => !node.disabled && node.tabIndex >= 0 && node.checkVisibility()).length"""
FOCUSED = """() => {
    const node = document.activeElement;
    window.reached ??= new Set();
    const isAgain = node !== window.before && window.reached.has(node);
    window.before = node;
    if (node === document.body || isAgain) return null;
    window.reached.add(node);
    const { outlineStyle } = getComputedStyle(node.matches(":focus-visible") ? node : node.closest(":focus-within"));
    const { left, right, top, bottom } = node.getBoundingClientRect();
    const isSeen = right > 0 && left < innerWidth && bottom > 0 && top < innerHeight;
    return [outlineStyle !== "none" && isSeen, node.outerHTML.slice(0, 200)];
}"""

MARK = """() => {
    const marked = [...document.querySelectorAll("main :is(a, button, input, textarea, select, summary, code)")];
    for (const node of marked) node.dataset.isMarked = "";
    return marked.length;
}"""
MARKED = "document.querySelectorAll('[data-is-marked]').length"
TRY_AGAIN = """() => {
    const buttons = [...document.querySelectorAll("button")].filter((button) => button.textContent === "Try again");
    for (const button of buttons) button.click();
    return buttons.length === 0;
}"""


@pytest.fixture(scope="module")
def filled(browser: Browser, mock: CivitaiMockServer) -> Iterator[tuple[Dashboard, World]]:
    with open_dashboard(browser, mock, viewport=WIDE) as opened:
        yield opened, fill(opened)


def go(dashboard: Dashboard, world: World, address: str) -> Page:
    path, query = world.address(address)
    return dashboard.go(path, **query)


def settled(page: Page) -> Locator:
    """Wait until nothing is loaded any more, and return what the page shows."""
    expect(page.get_by_role("button", name="Live")).to_be_visible()
    expect(page.locator("main .page > *").first).to_be_visible()
    expect(page.locator("main .loading")).to_have_count(0)
    expect(page.locator("main remote-image:empty:visible")).to_have_count(0)
    return page.locator("main")


def check(page: Page) -> None:
    """Check that axe finds nothing, and that the page is not wider than its window."""
    found = Axe().run(page).response["violations"]
    assert [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found] == []
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


def routes_of(paths: Sequence[str]) -> Sequence[str]:
    """Return the routes of the control plane that were asked, each once."""
    found = [next((route.path_format for route in ROUTES if _answers(route, path)), "") for path in paths]
    return [route for route in dict.fromkeys(found) if LOADS.search(route)]


def _answers(route: DescribedRoute, path: str) -> bool:
    return route.matches({"type": "http", "method": "GET", "path": path})[0] is Match.FULL


def test_the_table_of_pages_is_that_of_the_server_and_of_the_navigation(dashboard: Dashboard) -> None:
    assert set(NAMES) == page_names()
    links = dashboard.go().get_by_role("navigation", name="Pages").get_by_role("link")
    expect(links).to_have_text([page.title for page in PAGES])


@pytest.mark.parametrize("address", USUAL)
def test_a_filled_page_has_no_fault(filled: tuple[Dashboard, World], address: str) -> None:
    dashboard, world = filled
    dashboard.page.set_viewport_size(WIDE)
    dashboard.page.emulate_media(color_scheme="light")
    page = go(dashboard, world, address)
    shown = settled(page)
    expect(shown.get_by_role("heading", level=1)).to_have_count(1)
    expect(shown.locator(".state:visible")).to_have_count(0)
    check(page)
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size(NARROW)
    check(page)
    expect(page.get_by_role("alert")).to_have_count(0)
    assert dashboard.complaints == []


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_page_teaches_and_does_what_it_teaches(dashboard: Dashboard, name: str) -> None:
    page = dashboard.go(name)
    settled(page)
    check(page)
    if name in TEACHES:
        heading, box = page.get_by_role("heading", name=TEACHES[name]), page.locator(".state.empty")
        expect(heading).to_be_visible()
        expect(box.locator("pre")).to_contain_text(f"'{dashboard.url}/")
        expect(box.locator("pre")).to_contain_text(dashboard.namespace)
        runs_it = box.get_by_role("button")
        runs_it.focus()
        with page.expect_response("**/_mock/state"):
            dashboard.change("PUT", "progress", {"mode": "time"})  # after which everything is read anew
        with page.expect_response("**/_mock/state"):
            pass
        expect(runs_it).to_be_focused()
        page.keyboard.press("Enter")
        expect(heading).to_have_count(0)
    assert dashboard.complaints == []


def test_letters_lead_from_page_to_page(filled: tuple[Dashboard, World]) -> None:
    dashboard, _ = filled
    dashboard.page.set_viewport_size(WIDE)
    page = dashboard.go("settings")
    for entry in PAGES:
        page.keyboard.type(f"g{entry.key}")
        expect(page.get_by_role("heading", level=1)).to_have_text(entry.title)
        expect(page.get_by_role("heading", level=1)).to_be_focused()
        expect(page.locator("nav [aria-current]")).to_have_text(entry.title)
        settled(page)
    expect(page.get_by_role("alert")).to_have_count(0)
    assert dashboard.complaints == []


@pytest.mark.long
@pytest.mark.parametrize("address", ADDRESSES)
def test_a_page_in_another_theme_and_width_has_no_fault(filled: tuple[Dashboard, World], address: str) -> None:
    dashboard, world = filled
    for size, scheme in LOOKS:
        dashboard.page.set_viewport_size(size)
        dashboard.page.emulate_media(color_scheme=scheme)
        page = go(dashboard, world, address)
        settled(page)
        check(page)
    assert dashboard.complaints == []


@pytest.mark.long
@pytest.mark.parametrize("address", ADDRESSES)
def test_all_of_a_page_is_reached_by_tab_and_seen_there(filled: tuple[Dashboard, World], address: str) -> None:
    dashboard, world = filled
    dashboard.page.set_viewport_size(WIDE)
    page = go(dashboard, world, address)
    settled(page)
    focusable, hidden = page.evaluate(FOCUSABLE), list[str]()
    page.keyboard.press("Tab")
    while (focused := page.evaluate(FOCUSED)) is not None:
        is_seen, html = focused
        if not is_seen:
            hidden.append(html)
        page.keyboard.press("Tab")
    assert hidden == []
    assert page.evaluate("reached.size") >= focusable
    assert dashboard.complaints == []


@pytest.mark.long
@pytest.mark.parametrize("address", [address for address in ADDRESSES if address not in ASKS_NOTHING])
def test_what_is_the_same_when_all_is_read_anew_stays_with_its_focus_and_what_is_written_in_it(
    filled: tuple[Dashboard, World], address: str
) -> None:
    dashboard, world = filled
    dashboard.page.set_viewport_size(WIDE)
    page = go(dashboard, world, address)
    settled(page)
    marked = page.evaluate(MARK)
    page.get_by_role("button", name="Live").click()
    with page.expect_response(lambda response: LOADS.search(response.url) is not None):
        page.get_by_role("button", name="Held").click()  # it goes on, and reads all anew
    settled(page)
    with page.expect_response("**/_mock/state"):  # which is asked again and again, so all else was answered
        pass
    assert page.evaluate(MARKED) == marked


@pytest.mark.long
@pytest.mark.parametrize("address", ADDRESSES)
def test_a_page_says_that_it_loads_and_nothing_jumps(filled: tuple[Dashboard, World], address: str) -> None:
    dashboard, world = filled
    dashboard.page.set_viewport_size(WIDE)
    held: list[Route] = []
    is_held = True

    def hold(route: Route) -> None:
        if is_held:
            held.append(route)
        else:
            route.continue_()

    dashboard.page.route(LOADS, hold)
    page = go(dashboard, world, address)
    page.evaluate(WATCH_SHIFTS)
    if address not in ASKS_NOTHING:
        expect(page.locator("main .loading").first).to_have_text("Loading…")
        expect(page.locator("main .loading").first).to_have_role("status")
    is_held = False
    for route in held:
        route.continue_()
    settled(page)
    expect(page.locator("main .state:visible")).to_have_count(0)
    assert page.evaluate("shift") <= MOST_SHIFT
    page.unroute(LOADS)
    assert dashboard.complaints == []


@pytest.mark.long
@pytest.mark.parametrize("address", ADDRESSES)
def test_what_is_copied_as_curl_is_answered(filled: tuple[Dashboard, World], address: str, tmp_path: Path) -> None:
    dashboard, world = filled
    dashboard.page.set_viewport_size(WIDE)
    dashboard.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = go(dashboard, world, address)
    settled(page)
    copies = page.get_by_role("button", name="Copy as curl")
    if address == "graph":  # which asks for nothing, before two jobs are named
        expect(copies).to_have_count(0)
        return
    expect(copies.first).to_be_visible()
    page.keyboard.press("y")
    expect(page.get_by_role("status").filter(has_text="Copied the command.")).to_be_visible()
    command = page.evaluate("navigator.clipboard.readText()")
    answer = tmp_path / "answer"
    subprocess.run(["bash", "-c", f"{command} --fail --noproxy '*' -o {answer}"], check=True, timeout=60)
    assert address == "picture" or json.loads(answer.read_bytes()) is not None


@pytest.mark.long
@pytest.mark.parametrize("address", ADDRESSES)
def test_a_part_that_breaks_says_so_in_its_place_and_is_tried_again(
    filled: tuple[Dashboard, World], address: str
) -> None:
    dashboard, world = filled
    dashboard.page.set_viewport_size(WIDE)
    dashboard.page.goto("about:blank")  # so that the page before asks for nothing any more
    dashboard.requests.clear()
    settled(go(dashboard, world, address))
    asked = routes_of([urlsplit(each.url).path for each in dashboard.requests if each.method == "GET"])
    assert bool(asked) == (address != "graph")
    for status in (503, 403):
        for route in asked:
            _check_broken(dashboard, route, status)


def _check_broken(dashboard: Dashboard, route: str, status: int) -> None:
    rule = dashboard.change(
        "POST", "faults", {"match": {"route": route, "method": "GET"}, "action": {"status": status}}
    )
    page = dashboard.page
    page.reload()
    toast = page.get_by_role("alert").first
    expect(toast).to_contain_text(str(status))
    expect(toast).to_contain_text(TRACE_ID)
    expect(page.get_by_role("button", name="Live")).to_be_visible()
    expect(page.get_by_role("navigation", name="Pages").get_by_role("link")).to_have_count(len(PAGES))
    if route == BLOB:
        expect(page.locator("remote-image p").first).to_contain_text(f"No picture: {status}")
    else:
        expect(page.get_by_role("button", name="Try again").first).to_be_visible()
    settled(page)
    dashboard.change("DELETE", f"faults/{rule['id']}")
    if route != BLOB:
        page.wait_for_function(TRY_AGAIN)  # each that is there, as one may go by itself meanwhile
        settled(page)
        expect(page.locator("main .state:visible")).to_have_count(0)
    assert [each for each in dashboard.complaints if "Failed to load resource" not in each] == []
    dashboard.complaints.clear()


@pytest.mark.long
def test_every_page_asks_for_the_token_and_says_so_if_it_gets_none(browser: Browser) -> None:
    with (
        running_server({"admin_token": TOKEN, "missing_resources": "lenient"}) as server,
        open_dashboard(browser, CivitaiMockServer(server.url, token=TOKEN), viewport=WIDE) as dashboard,
    ):
        world, page = fill(dashboard), dashboard.page
        for address in ADDRESSES:
            go(dashboard, world, address)
            page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
            expect(page.get_by_role("alert").first).to_contain_text("401")
            if address not in ASKS_NOTHING:
                expect(page.locator("main .state.broken").first).to_contain_text("401")
            page.get_by_role("button", name="Try again").first.click()
            page.get_by_role("dialog").get_by_label("Token").fill(TOKEN)
            page.keyboard.press("Enter")
            settled(page)
            page.reload()
            settled(page)
            expect(page.locator("main .state:visible")).to_have_count(0)
            page.evaluate("sessionStorage.clear()")
        assert [each for each in dashboard.complaints if "401 (Unauthorized)" not in each] == []
        assert not [request.url for request in dashboard.requests if TOKEN in request.url]
