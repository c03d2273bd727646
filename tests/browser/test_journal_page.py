"""The page Journal in a real browser."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.support.dashboard import Dashboard

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SECRET = "a-secret-of-the-app"
WORKFLOWS = "/v2/consumer/workflows"


def test_an_empty_journal_teaches_and_requests_of_others_arrive(dashboard: Dashboard) -> None:
    page = dashboard.go("journal")
    expect(page.get_by_role("heading", name="No requests yet")).to_be_visible()
    page.get_by_role("button", name="Run it for me").click()
    expect(page.get_by_role("link", name=WORKFLOWS)).to_be_visible()
    job_id = dashboard.submit(params={"prompt": "a <b>fox</b>"})
    dashboard.http.get(f"/v1/consumer/jobs/{job_id}").raise_for_status()
    dashboard.http.get("/v1/consumer/jobs/none")
    expect(page.get_by_role("row")).to_have_count(5)
    page.get_by_label("Status").fill("404")
    page.get_by_label("Status").press("Enter")
    expect(page.get_by_role("row")).to_have_count(2)
    expect(page).to_have_url(re.compile("status=404"))
    page.get_by_label("Method").select_option("POST")
    expect(page.get_by_role("heading", name="No request matches")).to_be_visible()
    page.get_by_role("button", name="Show all requests").click()
    expect(page.get_by_role("row")).to_have_count(5)
    page.get_by_label("Id of a job").fill(job_id)
    page.get_by_label("Id of a job").press("Enter")
    expect(page.get_by_role("row")).to_have_count(3)


def test_a_request_shows_what_was_sent_without_secrets_and_why_no_rule_hit_it(dashboard: Dashboard) -> None:
    dashboard.change("POST", "faults", {"match": {"method": "GET"}, "action": {"status": 503}})
    answer = dashboard.http.post(
        "/v1/consumer/jobs",
        json={"$type": "textToImage", "params": {"prompt": "a <b>fox</b>"}},
        headers={"authorization": f"Bearer {SECRET}"},
    )
    page = dashboard.go("journal")
    page.get_by_role("link", name="/v1/consumer/jobs").click()
    detail = page.get_by_role("region", name="Request")
    expect(detail.get_by_text("did not match: match.method")).to_be_visible()
    expect(detail.get_by_text('"prompt": "a <b>fox</b>"').first).to_be_visible()
    expect(detail.get_by_text(str(answer.status_code), exact=True)).to_be_visible()
    assert SECRET not in page.content()
    page.reload()
    expect(detail.get_by_text("did not match: match.method")).to_be_visible()
    detail.get_by_role("link", name="Close").click()
    expect(detail).to_be_hidden()


def test_a_fault_and_a_verify_are_made_from_a_request(dashboard: Dashboard) -> None:
    dashboard.http.get(WORKFLOWS).raise_for_status()
    page = dashboard.go("journal")
    page.get_by_role("link", name=WORKFLOWS).click()
    detail = page.get_by_role("region", name="Request")
    expect(detail.get_by_text("There was no rule that could have hit it.")).to_be_visible()
    detail.get_by_role("button", name="Make a verify").click()
    text = page.get_by_label("What is sent, as JSON")
    page.get_by_role("button", name="Verify", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="As expected: 1 came.")).to_be_visible()
    detail.get_by_role("button", name="Make a verify").click()
    text.fill("{")
    page.get_by_role("button", name="Verify", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="That is not JSON")).to_be_visible()
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    detail.get_by_role("button", name="Make a fault").click()
    page.get_by_role("button", name="Add the rule").click()
    expect(page.get_by_role("status").filter(has_text="The rule fault-1 is on.")).to_be_visible()
    (rule,) = dashboard.get("faults")["items"]
    assert (rule["match"], rule["times"]) == ({"method": "GET", "route": WORKFLOWS}, 1)
    assert dashboard.http.get(WORKFLOWS).status_code == 503
    row = page.get_by_role("row", name=re.compile("503"))
    expect(row).to_contain_text("fault-1")


def test_a_verify_that_fails_says_why(dashboard: Dashboard) -> None:
    dashboard.http.get(WORKFLOWS).raise_for_status()
    page = dashboard.go("journal")
    page.get_by_role("link", name=WORKFLOWS).click()
    page.get_by_role("button", name="Make a verify").click()
    page.get_by_label("What is sent, as JSON").fill('{"count": 2}')
    page.get_by_role("button", name="Verify", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="2 requests")).to_be_visible()
    (complaint,) = dashboard.complaints
    assert "409" in complaint
    dashboard.complaints.clear()


def test_it_is_paused_saved_and_cleared(dashboard: Dashboard, tmp_path: Path) -> None:
    dashboard.http.get(WORKFLOWS).raise_for_status()
    page = dashboard.go("journal")
    expect(page.get_by_role("row")).to_have_count(2)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as HAR").click()
    download.value.save_as(tmp_path / "saved.har")
    (entry,) = json.loads((tmp_path / "saved.har").read_text())["log"]["entries"]
    assert entry["request"]["url"].endswith(WORKFLOWS)
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
    dashboard.http.get(WORKFLOWS).raise_for_status()
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("row")).to_have_count(3)
    page.get_by_role("button", name="Clear …").click()
    page.get_by_role("button", name="Leave it").click()
    assert len(dashboard.get("journal")["items"]) == 2
    page.get_by_role("button", name="Clear …").click()
    page.get_by_role("button", name="Clear it").click()
    expect(page.get_by_role("heading", name="No requests yet")).to_be_visible()
    assert dashboard.get("journal")["items"] == []


def test_a_request_that_the_journal_has_no_more_is_told(dashboard: Dashboard) -> None:
    page = dashboard.go("journal/no-such-request")
    expect(page.get_by_role("heading", name="The journal has this request no more")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(dashboard: Dashboard, scheme: Any) -> None:
    dashboard.page.emulate_media(color_scheme=scheme)
    dashboard.change("POST", "faults", {"match": {"method": "POST"}, "action": {"status": 503}})
    dashboard.http.get(WORKFLOWS).raise_for_status()
    page = dashboard.go("journal")
    page.get_by_role("link", name=WORKFLOWS).click()
    expect(page.get_by_text("did not match: match.method")).to_be_visible()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_new_requests_wait_while_somebody_reads(dashboard: Dashboard) -> None:
    for number in range(40):
        dashboard.http.get(f"/v1/nowhere?n={number}")
    page = dashboard.go("journal")
    expect(page.get_by_role("row")).to_have_count(41)
    page.mouse.wheel(0, 400)
    expect(page.get_by_role("link", name="n=39")).not_to_be_in_viewport()
    for number in (40, 41):
        dashboard.http.get(f"/v1/nowhere?n={number}")
    fresh = page.get_by_role("button", name="2 new")
    expect(fresh).to_be_visible()
    expect(page.get_by_role("row")).to_have_count(41)
    fresh.click()
    expect(page.get_by_role("link", name="n=41")).to_be_in_viewport()
    expect(page.get_by_role("row")).to_have_count(43)
    expect(fresh).to_be_hidden()
    dashboard.http.get("/v1/nowhere?n=42")
    expect(page.get_by_role("row")).to_have_count(44)
    page.mouse.wheel(0, 400)
    expect(page.get_by_role("link", name="n=42")).not_to_be_in_viewport()
    dashboard.change("DELETE", "journal")
    expect(page.get_by_role("heading", name="No requests yet")).to_be_visible()
