"""The page Faults in a real browser."""

from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.support.process import Server
from tests.support.served_app import JOBS, template

pytestmark = [pytest.mark.browser, pytest.mark.slow]
FAULTS = "/_mock/faults"
NEVER = "\N{EN DASH}"
SEEN_MS = 2000  # what is seen within a second has it twice, on a busy machine


def opened(page: Page, server: Server) -> Locator:
    """Open the page, and return its list of rules."""
    page.goto(f"{server.url}/_mock/ui/faults")
    return page.get_by_role("region", name="Rules")


def rules(server: Server) -> Any:
    return httpx.get(f"{server.url}{FAULTS}").json()["items"]


def test_a_preset_is_armed_hits_and_is_switched_off_and_removed(page: Page, server: Server) -> None:
    listed = opened(page, server)
    expect(page.get_by_role("heading", name="Nothing goes wrong on purpose")).to_be_visible()
    page.get_by_label("Search presets").fill("blob-late")
    page.get_by_role("button", name="Use blob-late").click()
    form = page.get_by_role("region", name="New rule")
    form.get_by_label("seconds").fill("600")
    form.get_by_label("Times").fill("3")
    form.get_by_label("Prompt contains").fill("fox")
    form.get_by_role("button", name="Add the rule").click()
    expect(listed.get_by_role("cell", name="blob-late")).to_be_visible()
    (rule,) = rules(server)
    assert (rule["preset"], rule["params"], rule["times"]) == ("blob-late", {"seconds": 600}, 3)
    assert rule["match"] == {"prompt": {"contains": "fox"}}
    job = httpx.post(f"{server.url}{JOBS}?wait=true", json=template(), timeout=60).json()
    url = job["jobs"][0]["result"][0]["blobUrl"]
    assert httpx.get(url).status_code == 404
    expect(listed.get_by_role("row").last).to_contain_text("12")  # one hit, and two are left
    expect(listed.locator("time-ago")).to_have_attribute("date", rules(server)[0]["lastHitAt"])
    listed.get_by_role("button", name="Off: fault-1").click()
    expect(listed.get_by_text("off", exact=True)).to_be_visible()
    assert rules(server)[0]["enabled"] is False
    listed.get_by_role("button", name="Remove fault-1").click()
    expect(page.get_by_role("heading", name="Nothing goes wrong on purpose")).to_be_visible()
    assert rules(server) == []


def test_the_last_hit_of_a_rule_is_seen_when_it_hits_and_gone_when_it_begins_anew(page: Page, server: Server) -> None:
    listed = opened(page, server)
    rule = {"action": {"status": 418}, "match": {"route": JOBS}}
    httpx.post(f"{server.url}{FAULTS}", json=rule)
    expect(listed.get_by_role("row")).to_have_count(2)
    cell = listed.get_by_role("row").last.get_by_role("cell").nth(5)
    expect(cell).to_have_text(NEVER)
    for hits in (1, 2):
        assert httpx.post(f"{server.url}{JOBS}", json=template()).status_code == 418
        (told,) = rules(server)
        expect(cell.locator("time-ago")).to_have_attribute("date", told["lastHitAt"], timeout=SEEN_MS)
        expect(cell).to_contain_text("ago")
        assert told["hits"] == hits
    httpx.put(f"{server.url}{FAULTS}/fault-1", json={**rule, "times": 1})
    expect(cell).to_have_text(NEVER, timeout=SEEN_MS)


def test_rules_that_others_set_are_seen_and_all_are_off_at_once(page: Page, server: Server) -> None:
    listed = opened(page, server)
    for status in (500, 503):
        httpx.post(f"{server.url}{FAULTS}", json={"action": {"status": status}, "match": {"route": JOBS}})
    expect(listed.get_by_role("row")).to_have_count(3)
    page.get_by_role("button", name="All off").click()
    expect(listed.get_by_text("off", exact=True)).to_have_count(2)
    assert [rule["enabled"] for rule in rules(server)] == [False, False]
    page.get_by_role("button", name="Remove all").click()
    page.get_by_role("dialog").get_by_role("button", name="Leave it").click()
    assert len(rules(server)) == 2
    page.get_by_role("button", name="Remove all").click()
    expect(page.get_by_role("heading", name="Remove all 2 rules?")).to_be_visible()
    page.get_by_role("button", name="Remove them").click()
    expect(listed.get_by_role("row")).to_have_count(0)
    assert rules(server) == []


def test_a_dry_run_tells_of_the_journal_and_what_is_wrong_is_told(page: Page, server: Server) -> None:
    httpx.post(f"{server.url}{JOBS}", json=template())
    opened(page, server)
    text = page.get_by_label("The rule as JSON")
    text.fill('{"action": {"status": 500}, "match": {"method": "POST"}}')
    page.get_by_role("button", name="Dry run").click()
    expect(page.get_by_text("It would have hit 1 of the requests in the journal.")).to_be_visible()
    text.fill('{"presett": "blob-late"}')
    page.get_by_role("button", name="Add the rule").click()
    expect(page.get_by_role("alert")).to_contain_text("Did you mean 'preset'?")
    page.get_by_role("button", name="Close").click()
    text.fill("{")
    page.get_by_role("button", name="Add the rule").click()
    expect(page.get_by_role("alert")).to_contain_text("The rule is not JSON")


def test_a_scenario_is_put_into_another_state(page: Page, server: Server) -> None:
    states = {"calm": {"next": "storm"}, "storm": {"action": {"status": 503}}}
    httpx.put(f"{server.url}/_mock/scenarios/weather", json={"start": "calm", "states": states})
    opened(page, server)
    chosen = page.get_by_label("State of weather")
    expect(chosen).to_have_value("calm")
    chosen.select_option("storm")
    expect(page.get_by_role("status").filter(has_text="The state is set.")).to_be_visible()
    assert httpx.get(f"{server.url}/_mock/scenarios/weather").json()["state"] == "storm"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(page: Page, server: Server, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    httpx.post(f"{server.url}{FAULTS}", json={"preset": "blob-late"})
    expect(opened(page, server).get_by_role("row")).to_have_count(2)
    expect(page.get_by_role("button", name="Use blob-late")).to_be_visible()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_who_was_hit_by_a_rule_is_told_and_found_again(page: Page, server: Server) -> None:
    of_requests = {"match": {"method": "GET"}, "action": {"status": 418}}
    for rule in (of_requests, {"preset": "failed-silent", "times": 1}, {"preset": "callback-drop"}):
        httpx.post(f"{server.url}{FAULTS}", json=rule).raise_for_status()
    jobs = [
        httpx.post(f"{server.url}{JOBS}?wait=true", json=template(**more), timeout=60).json()["jobs"][0]["jobId"]
        for more in ({}, {}, {"callbackUrl": "http://127.0.0.1:9/hook"})
    ]
    listed = opened(page, server)
    expect(listed.get_by_role("row")).to_have_count(4)
    expect(listed.get_by_role("link")).to_have_count(2)  # the first rule has hit nobody yet
    for number in range(7):
        httpx.get(f"{server.url}/v1/nowhere?n={number}")
    listed.get_by_role("link", name="Who was hit by fault-1").click()
    hits = page.get_by_role("region", name="Who was hit by fault-1")
    expect(hits.get_by_role("listitem")).to_have_count(5)
    expect(hits.get_by_role("listitem").first).to_contain_text("418GET /v1/nowhere?n=6")
    expect(hits).to_contain_text("None of the last 2,000.")
    httpx.get(f"{server.url}/v1/nowhere?n=7")
    expect(hits.get_by_role("listitem").first).to_contain_text("n=7", timeout=SEEN_MS)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    hits.get_by_role("link", name="All requests of fault-1").click()
    expect(page.get_by_label("Fault", exact=True)).to_have_value("fault-1")
    expect(page.get_by_role("row")).to_have_count(9)
    page.get_by_role("link", name="/v1/nowhere?n=0").click()
    page.get_by_role("region", name="Request").get_by_role("link", name="fault-1").click()
    expect(page.get_by_role("region", name="Who was hit by fault-1")).to_be_visible()
    for rule_id, job_id in (("fault-2", jobs[0]), ("fault-3", jobs[2])):
        listed.get_by_role("link", name=f"Who was hit by {rule_id}").click()
        hits = page.get_by_role("region", name=f"Who was hit by {rule_id}")
        expect(hits.get_by_role("listitem")).to_have_count(1)
        expect(hits.get_by_role("listitem").get_by_role("link")).to_have_attribute("title", job_id)
    hits.get_by_role("link", name="All jobs and their callbacks of fault-3").click()
    expect(page.get_by_role("row")).to_have_count(2)
    expect(page.get_by_label("Fault", exact=True)).to_have_value("fault-3")


def test_a_rule_keeps_the_focus_while_it_hits_and_is_switched(page: Page, server: Server) -> None:
    httpx.post(f"{server.url}{FAULTS}", json={"match": {"method": "GET"}, "action": {"status": 418}})
    listed = opened(page, server)
    listed.get_by_role("button", name="Off: fault-1").focus()
    httpx.get(f"{server.url}/v1/nowhere")
    expect(listed.get_by_role("link", name="Who was hit by fault-1")).to_be_visible()
    page.keyboard.press("Enter")
    expect(listed.get_by_role("button", name="On: fault-1")).to_be_focused()
    assert rules(server)[0]["enabled"] is False


def test_on_a_phone_the_last_hit_is_read_without_scrolling(page: Page, server: Server) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    httpx.post(f"{server.url}{FAULTS}", json={"match": {"method": "GET"}, "action": {"status": 418}})
    httpx.get(f"{server.url}/v1/nowhere")
    listed = opened(page, server)
    place = listed.locator("time-ago").bounding_box()
    assert place is not None
    assert place["x"] + place["width"] <= 360
    assert listed.locator(".scroll").evaluate("node => node.scrollWidth <= node.clientWidth")


def test_a_display_that_is_held_still_shows_no_rule_of_others_until_it_goes_on(page: Page, server: Server) -> None:
    listed = opened(page, server)
    empty = page.get_by_role("heading", name="Nothing goes wrong on purpose")
    expect(empty).to_be_visible()
    page.keyboard.press(".")
    expect(page.get_by_role("button", name="Held")).to_be_visible()
    asked: list[str] = []
    httpx.post(f"{server.url}{FAULTS}", json={"preset": "blob-late"})
    page.on("request", lambda request: asked.append(request.url))
    for _ in range(3):  # seconds, as the clock goes on
        expect(page.locator(".clock")).not_to_have_text(page.locator(".clock").inner_text())
    assert asked == []
    expect(empty).to_be_visible()
    page.keyboard.press(".")
    expect(listed.get_by_role("cell", name="blob-late")).to_be_visible()
    expect(page.get_by_role("group", name="Faults that are on")).to_contain_text("blob-late")
