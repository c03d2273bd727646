"""Each kind of failure ends in a notice that stays, with the trace id where there is one."""

import re

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.support.dashboard import Dashboard

pytestmark = [pytest.mark.browser, pytest.mark.long]
CLAIMING = "/_mock/queue/claiming"
TRACE_ID = re.compile("trace id 00-[0-9a-f]{32}-[0-9a-f]{16}-00")
OF_THE_BROWSER = re.compile("Failed to load resource|broke: |violates|Content Security Policy")


def press(dashboard: Dashboard) -> Locator:
    """Press a button that changes something, and return the notice that tells how it failed."""
    page = dashboard.go()
    page.get_by_role("button", name="Pause claiming").click()
    return page.get_by_role("alert")


def close(dashboard: Dashboard) -> None:
    """Close a notice, which is gone then, and forget what the browser itself said of the failure."""
    dashboard.page.get_by_role("alert").get_by_role("button", name="Close").click()
    expect(dashboard.page.get_by_role("alert")).to_have_count(0)
    assert [each for each in dashboard.complaints if not OF_THE_BROWSER.search(each)] == []
    dashboard.complaints.clear()


@pytest.mark.parametrize("status", [400, 403, 404, 409, 429, 500, 503])
def test_a_refusal_is_told_with_its_trace_id_and_can_be_tried_again(dashboard: Dashboard, status: int) -> None:
    match = {"route": CLAIMING, "method": "PUT"}
    dashboard.change("POST", "faults", {"match": match, "action": {"status": status}, "times": 2})
    toast = press(dashboard)
    expect(toast).to_contain_text(str(status))
    expect(toast).to_contain_text(TRACE_ID)
    toast.get_by_role("button", name="Try again").click()
    expect(toast).to_contain_text(str(status))
    toast.get_by_role("button", name="Try again").click()
    expect(toast).to_have_count(0)
    expect(dashboard.page.get_by_role("status").filter(has_text="Claiming is paused.")).to_be_visible()
    assert dashboard.get("queue/claiming") == {"paused": True}
    dashboard.complaints.clear()


def test_paths_of_what_is_wrong_are_told(dashboard: Dashboard) -> None:
    page = dashboard.go("resources/new")
    page.get_by_label("The resource as JSON").fill('{"air": "nonsense", "size": -1}')
    page.get_by_role("button", name="Add it").click()
    toast = page.get_by_role("alert")
    expect(toast.get_by_role("listitem").filter(has_text="size:")).to_be_visible()
    expect(toast).to_contain_text(TRACE_ID)
    close(dashboard)


def test_a_job_that_is_not_there_is_told_in_its_place(dashboard: Dashboard) -> None:
    page = dashboard.go("jobs/00000000-0000-0000-0000-000000000000")
    expect(page.locator("main .state.broken")).to_contain_text("404")
    expect(page.get_by_role("alert")).to_contain_text(TRACE_ID)
    close(dashboard)


def test_a_server_that_is_away_is_told(dashboard: Dashboard) -> None:
    dashboard.page.route(f"**{CLAIMING}", lambda route: route.abort() if changes(route) else route.continue_())
    expect(press(dashboard)).to_contain_text("The server is not reachable")
    close(dashboard)


def test_a_server_that_is_silent_is_told_after_ten_seconds(dashboard: Dashboard) -> None:
    dashboard.page.route(f"**{CLAIMING}", lambda route: None if changes(route) else route.continue_())
    expect(press(dashboard)).to_contain_text("had no answer after 10 s")
    close(dashboard)


def test_an_answer_that_is_no_json_is_told(dashboard: Dashboard) -> None:
    page = dashboard.page
    page.route(f"**{CLAIMING}", lambda route: route.fulfill(body="<html>") if changes(route) else route.continue_())
    expect(press(dashboard)).to_contain_text("The answer is not JSON")
    close(dashboard)


def changes(route: Route) -> bool:
    return route.request.method == "PUT"


BREAKS = {
    "error": ("() => { setTimeout(() => { throw new Error('lost its thread'); }); }", "lost its thread"),
    "unhandledrejection": ("() => { void Promise.reject(new Error('lost its thread')); }", "lost its thread"),
    "securitypolicyviolation": ("() => { document.body.setAttribute('style', 'color: red'); }", "refused inline"),
}


@pytest.mark.parametrize("kind", list(BREAKS))
def test_what_breaks_in_a_script_is_told_here_and_to_the_server(dashboard: Dashboard, kind: str) -> None:
    page, (script, text) = dashboard.go(), BREAKS[kind]
    expect(page.get_by_role("button", name="Live")).to_be_visible()
    with page.expect_request("**/_mock/client-errors") as told:
        page.evaluate(script)
    expect(page.get_by_role("alert")).to_contain_text(text)
    assert f'"kind":"{kind}"' in (told.value.post_data or "")
    answer = told.value.response()
    assert answer is not None
    assert answer.status == 204
    close(dashboard)


def test_a_notice_that_was_closed_does_not_come_back_by_itself(dashboard: Dashboard) -> None:
    dashboard.change("POST", "faults", {"match": {"route": "/_mock/state"}, "action": {"status": 500}})
    page = dashboard.go()
    expect(page.get_by_role("alert")).to_contain_text("500")
    for _ in range(3):
        with page.expect_response("**/_mock/state"):
            pass
    expect(page.get_by_role("alert")).not_to_contain_text("\u00d7")
    close(dashboard)
    for _ in range(3):
        with page.expect_response("**/_mock/state"):
            pass
    expect(page.get_by_role("alert")).to_have_count(0)
    dashboard.change("DELETE", "faults")
    dashboard.complaints.clear()
