"""The frame of the dashboard, and its pages Queue, Jobs and Job, in a real browser."""

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from civitai_mock.pytest_plugin.server import CivitaiMockServer, running_server
from tests.support.dashboard import Dashboard, open_dashboard, size_of

pytestmark = pytest.mark.browser
TOKEN = "s3cret-of-the-page"
HOSTILE = [
    "<img src=x onerror=alert(1)><script>alert(2)</script>",
    "\u202eright to left\u2066 and \u200b nothing",
    "x" * 20_000,
    "before\x7f and \x1b[31m",
    "quotes ' \" ` ${x} {{x}} \\",
]


def _violations(page: Page) -> list[Any]:
    found = Axe().run(page)
    return [(each["id"], [node["html"] for node in each["nodes"]]) for each in found.response["violations"]]


def test_a_newcomer_is_led_to_an_empty_page_that_runs_a_job_and_shows_its_picture(dashboard: Dashboard) -> None:
    page = dashboard.page
    page.goto(f"{dashboard.url}/?x=1")
    expect(page).to_have_url(f"{dashboard.url}/_mock/ui/")
    dashboard.go()
    expect(page.get_by_role("heading", name="Nothing waits, nothing runs")).to_be_visible()
    expect(page.locator("pre")).to_contain_text(f"curl -s -X POST '{dashboard.url}/v1/consumer/jobs'")
    page.get_by_role("button", name="Run it for me").click()
    expect(page).to_have_url(re.compile("/_mock/ui/jobs/[0-9a-f-]{36}"))
    expect(page.locator(".job-line")).to_contain_text("Succeeded")
    expect(page.get_by_role("tabpanel").locator("svg.waterfall")).to_be_visible()
    page.get_by_role("tab", name="Result").click()
    picture = page.get_by_role("tabpanel").get_by_role("img")
    expect(picture).to_have_attribute("alt", re.compile("a lighthouse"))
    expect(picture).to_have_js_property("complete", value=True)
    assert dashboard.get("jobs?take=10")["items"][0]["prompt"].startswith("a lighthouse")


def test_what_is_loaded_first_is_small(dashboard: Dashboard) -> None:
    dashboard.submit()
    dashboard.go()
    expect(dashboard.page.get_by_role("heading", name="Ended in the last minute")).to_be_visible()
    files = {request.url for request in dashboard.requests if "/_mock/ui" in request.url}
    files |= {f"{dashboard.url}/_mock/ui/assets/js/{name}.js" for name in ("stream-worker", "source")}  # of the worker
    assert len(files) <= 21  # beside these are the stream, the state, and what is shown: two requests
    assert size_of(dashboard, files) <= 100_000


@pytest.mark.parametrize("context", [{}, {"color_scheme": "dark"}, {"viewport": {"width": 360, "height": 740}}])
def test_pages_have_no_fault_that_axe_finds(browser: Browser, mock: CivitaiMockServer, context: dict[str, Any]) -> None:
    with open_dashboard(browser, mock, **context) as dashboard:
        page = dashboard.go()
        expect(page.get_by_role("button", name="Run it for me")).to_be_visible()
        done, waits = dashboard.submit(), dashboard.submit(progress="manual")
        failing = dashboard.submit(progress="manual")
        dashboard.change("POST", f"jobs/{failing}/fail", {"error": "RuntimeError", "message": "out of memory"})
        expect(dashboard.row(done)).to_contain_text("Succeeded")
        expect(dashboard.row(waits)).to_be_visible()
        assert _violations(page) == []
        dashboard.go("jobs")
        expect(dashboard.row(failing)).to_contain_text("Failed")
        assert _violations(page) == []
        dashboard.go(f"jobs/{failing}")
        expect(page.locator(".job-top .reason")).to_have_text("RuntimeError: out of memory")
        expect(page.locator("svg.waterfall")).to_be_visible()
        assert _violations(page) == []
        width = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert width[0] <= width[1]
        assert dashboard.complaints == []


def test_tabs_of_a_job_and_an_empty_page_have_no_fault_that_axe_finds(dashboard: Dashboard) -> None:
    page = dashboard.go("jobs")
    expect(page.get_by_role("button", name="Run it for me")).to_be_visible()
    assert _violations(page) == []
    dashboard.go(f"jobs/{dashboard.submit()}", tab="result")
    expect(page.get_by_role("tabpanel").get_by_role("img")).to_be_visible()
    for tab in ("Request", "Status", "Journal"):
        page.get_by_role("tab", name=tab).click()
        expect(page.get_by_role("tabpanel").get_by_text("POST" if tab != "Status" else "GET").first).to_be_visible()
        assert _violations(page) == []


def test_what_others_do_is_seen_and_what_is_done_here_others_see(dashboard: Dashboard) -> None:
    page = dashboard.go()
    expect(page.get_by_role("button", name="Live")).to_be_visible()
    job_id = dashboard.submit(progress="manual")
    row = dashboard.row(job_id)
    expect(row).to_contain_text("an order of yours")
    dashboard.change("POST", "faults", {"preset": "blob-late"})
    expect(page.get_by_role("group", name="Faults that are on")).to_contain_text("blob-late")
    dashboard.change("PUT", "clock", {"mode": "frozen", "now": "2026-01-31T12:00:00Z"})
    expect(page.locator(".clock")).to_contain_text("frozen")
    row.get_by_role("button", name="Advance").click()
    expect(page.get_by_label("Running", exact=True).locator(f"[data-key='{job_id}']")).to_contain_text("Claimed")
    assert dashboard.get(f"jobs/{job_id}")["stage"] == "CLAIMED"
    row.get_by_role("button", name="Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the job").click()
    expect(page.get_by_label("Ended in the last minute").locator(f"[data-key='{job_id}']")).to_contain_text("Cancelled")
    assert dashboard.get(f"jobs/{job_id}")["status"] == "Deleted"


def test_jobs_that_wait_for_an_order_are_ended_from_the_queue(dashboard: Dashboard) -> None:
    page = dashboard.go()
    for word, status in (("Succeed", "Succeeded"), ("Fail", "Failed")):
        job_id = dashboard.submit(progress="manual")
        dashboard.row(job_id).get_by_role("button", name=word).click()
        expect(page.get_by_label("Ended in the last minute").locator(f"[data-key='{job_id}']")).to_contain_text(status)
        assert dashboard.get(f"jobs/{job_id}")["status"] == status


def test_claiming_is_paused_and_a_job_is_raised(dashboard: Dashboard) -> None:
    page = dashboard.go()
    page.get_by_role("button", name="Pause claiming").click()
    expect(page.get_by_text("Claiming is paused: no worker")).to_be_visible()
    assert dashboard.get("queue/claiming") == {"paused": True}
    first, second = dashboard.submit(), dashboard.submit()
    expect(dashboard.row(second)).to_contain_text("2")
    dashboard.row(second).get_by_role("button", name="Raise").click()
    waiting = page.get_by_label("Waiting", exact=True).locator("tbody tr")
    expect(waiting.first).to_have_attribute("data-key", second)
    assert [job["jobId"] for job in dashboard.get("queue")["items"]] == [second, first]
    dashboard.change("PUT", "queue/claiming", {"paused": False})
    expect(dashboard.row(first)).to_contain_text("Succeeded")


def test_jobs_are_filtered_by_the_address_and_paged(dashboard: Dashboard) -> None:
    ids = [dashboard.submit(progress="manual", params={"prompt": f"number {each}"}) for each in range(52)]
    page = dashboard.go("jobs")
    expect(page.locator("tbody tr")).to_have_count(50)
    expect(page.get_by_text("1 to 50 of 52")).to_be_visible()
    page.get_by_role("button", name="Older").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(dashboard.row(ids[0])).to_be_visible()
    page.get_by_role("button", name="Newer").click()
    page.get_by_role("searchbox").fill("number 17")
    expect(page).to_have_url(re.compile("q=number[+]17"))
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(dashboard.row(ids[17])).to_be_visible()
    page.reload()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.get_by_role("searchbox")).to_have_value("number 17")
    page.get_by_role("combobox", name="Status").select_option("Succeeded")
    expect(page.get_by_role("heading", name="No job matches")).to_be_visible()


def test_new_jobs_wait_while_somebody_has_selected_some_which_are_cancelled_together(dashboard: Dashboard) -> None:
    first, second = (dashboard.submit(progress="manual") for _ in range(2))
    page = dashboard.go("jobs")
    for job_id in (first, second):
        dashboard.row(job_id).get_by_role("checkbox").check()
    third = dashboard.submit(progress="manual")
    expect(page.get_by_role("button", name="1 new")).to_be_visible()
    expect(dashboard.row(third)).to_have_count(0)
    page.get_by_role("button", name="Cancel 2").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel 2 jobs").click()
    expect(dashboard.row(first)).to_contain_text("Cancelled")
    expect(dashboard.row(third)).to_be_visible()
    assert {job["status"] for job in dashboard.get("jobs")["items"] if job["jobId"] != third} == {"Deleted"}


@pytest.mark.parametrize("prompt", HOSTILE)
def test_whatever_a_prompt_has_is_text(dashboard: Dashboard, prompt: str) -> None:
    job_id = dashboard.submit(params={"prompt": prompt})
    page = dashboard.go("jobs")
    expect(dashboard.row(job_id)).to_contain_text(prompt[:20])
    dashboard.go(f"jobs/{job_id}")
    expect(page.locator(".prompt")).to_be_visible()
    shown = page.locator(".prompt").evaluate("(node) => node.textContent")
    assert shown == prompt
    page.get_by_role("tab", name="Request").click()
    expect(page.get_by_role("tabpanel").locator("pre")).to_have_count(2)
    assert page.locator("main script, main img[src='x']").count() == 0


def test_a_load_that_fails_shows_a_box_and_a_toast_and_is_tried_again(
    browser: Browser, mock: CivitaiMockServer
) -> None:
    with open_dashboard(browser, mock) as dashboard:
        rule = {"match": {"route": "/_mock/overview"}, "action": {"status": 503}}
        dashboard.change("POST", "faults", rule)
        page = dashboard.go()
        box = page.locator(".state.broken")
        expect(box).to_contain_text("503")
        toast = page.get_by_role("alert")
        expect(toast).to_contain_text("trace id")
        trace_id = toast.locator("code").text_content()
        assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-00", trace_id or "")
        dashboard.change("DELETE", "faults")
        expect(page.get_by_role("heading", name="Nothing waits, nothing runs")).to_be_visible()
        toast.first.get_by_role("button", name="Close").click()


def test_what_breaks_in_the_page_is_shown_and_told_to_the_server(browser: Browser, mock: CivitaiMockServer) -> None:
    with open_dashboard(browser, mock) as dashboard:
        page = dashboard.go()
        expect(page.get_by_role("button", name="Live")).to_be_visible()
        with page.expect_request("**/_mock/client-errors") as told:
            page.evaluate("() => { Promise.reject(new Error('lost its thread')); }")
        expect(page.get_by_role("alert")).to_contain_text("lost its thread")
        assert '"kind":"unhandledrejection"' in (told.value.post_data or "")
        answer = told.value.response()
        assert answer is not None
        assert answer.status == 204


def test_the_token_is_asked_for_once_and_never_in_an_address(browser: Browser) -> None:
    with (
        running_server({"admin_token": TOKEN}) as server,
        open_dashboard(browser, CivitaiMockServer(server.url, token=TOKEN)) as dashboard,
    ):
        page = dashboard.go()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Token").fill("another")
        dialog.get_by_role("button", name="Use it").click()
        expect(dialog.get_by_label("Token")).to_have_value("")
        dialog.get_by_label("Token").fill(TOKEN)
        dialog.get_by_role("button", name="Use it").click()
        expect(page.get_by_role("button", name="Live")).to_be_visible()
        job_id = dashboard.submit()
        expect(dashboard.row(job_id)).to_contain_text("Succeeded")
        page.reload()
        expect(dashboard.row(job_id)).to_contain_text("Succeeded")
        dashboard.go(f"jobs/{job_id}", tab="result")
        expect(page.get_by_role("tabpanel").get_by_role("img")).to_be_visible()
        assert not [request.url for request in dashboard.requests if TOKEN in request.url]


def test_all_is_reached_by_the_keyboard(dashboard: Dashboard) -> None:
    first, second = (dashboard.submit(progress="manual") for _ in range(2))
    page = dashboard.go()
    expect(dashboard.row(first)).to_be_visible()
    page.keyboard.type("gj")
    expect(page.get_by_role("heading", level=1)).to_have_text("Jobs")
    expect(dashboard.row(first)).to_be_visible()
    page.keyboard.press("j")
    expect(dashboard.row(second)).to_be_focused()
    page.keyboard.press("j")
    expect(dashboard.row(first)).to_be_focused()
    third = dashboard.submit(progress="manual")
    expect(dashboard.row(third)).to_be_visible()
    expect(dashboard.row(first)).to_be_focused()
    page.keyboard.press("x")
    expect(dashboard.row(first).get_by_role("checkbox")).to_be_checked()
    page.keyboard.press("x")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/jobs/{first}"))
    page.get_by_role("tab", name="Timeline").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Result")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile("/jobs[?]"))
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("jjg?")
    expect(page.get_by_role("searchbox")).to_have_value("jjg?")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.get_by_label("Letters are shortcuts").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.type("gq")
    expect(page.get_by_role("heading", level=1)).to_have_text("Jobs")


def test_a_held_display_stands_still_until_it_goes_on(dashboard: Dashboard) -> None:
    page = dashboard.go()
    expect(page.get_by_role("button", name="Live")).to_be_visible()
    page.keyboard.press(".")
    expect(page.get_by_role("button", name="Held")).to_have_attribute("aria-pressed", "true")
    job_id = dashboard.submit()
    for _ in range(2):  # seconds, as the clock goes on
        expect(page.locator(".clock")).not_to_have_text(page.locator(".clock").inner_text())
    expect(dashboard.row(job_id)).to_have_count(0)
    page.keyboard.press(".")
    expect(dashboard.row(job_id)).to_be_visible()


def test_a_chosen_theme_is_kept(dashboard: Dashboard) -> None:
    page = dashboard.go()
    for name in ("light", "dark"):
        page.get_by_role("button", name="Theme").click()
        expect(page.locator("html")).to_have_attribute("data-theme", name)
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_tabs_of_one_browser_share_a_stream(dashboard: Dashboard) -> None:
    pages = [dashboard.go(), *(dashboard.page.context.new_page() for _ in range(6))]
    for page in pages[1:]:
        page.goto(f"{dashboard.url}/_mock/ui/jobs?namespace={dashboard.namespace}")
    job_id = dashboard.submit()
    for page in pages:
        expect(page.locator(f"[data-key='{job_id}']")).to_contain_text("Succeeded")


def test_it_works_behind_a_prefix_and_without_a_worker_or_a_stream(browser: Browser, mock: CivitaiMockServer) -> None:
    with open_dashboard(browser, mock) as dashboard:
        page, job_id = dashboard.page, dashboard.submit()

        def pass_on(route: Route) -> None:
            if "/_mock/events" in route.request.url:
                route.abort()
            else:
                route.fulfill(response=route.fetch(url=route.request.url.replace("/behind/a/prefix", "")))

        page.route("**/behind/a/prefix/**", pass_on)
        page.goto(f"{dashboard.url}/behind/a/prefix/_mock/ui/queue?namespace={dashboard.namespace}")
        expect(dashboard.row(job_id)).to_contain_text("Succeeded")
        expect(page.get_by_role("button", name="No answer")).to_be_visible()
        dashboard.row(job_id).get_by_role("link").click()
        expect(page).to_have_url(re.compile(f"/behind/a/prefix/_mock/ui/jobs/{job_id}"))
        page.get_by_role("tab", name="Result").click()
        expect(page.get_by_role("tabpanel").get_by_role("img")).to_be_visible()
        later = dashboard.submit()
        expect(dashboard.row(later)).to_be_visible()
