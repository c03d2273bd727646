"""The pages Pictures and Clock in a real browser."""

import json
import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.support.process import Server
from tests.support.served_app import JOBS, template

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def run(server: Server, prompt: str, *, seed: int = 7) -> Any:
    params = {"prompt": prompt, "seed": seed, "steps": 2, "width": 64, "height": 64}
    answer = httpx.post(f"{server.url}{JOBS}?wait=true", json=template(params=params), timeout=60)
    assert answer.status_code in {200, 202}, answer.text
    return answer.json()


def watched(page: Page) -> list[str]:
    """Return what the page tells its console, from now on."""
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.on("response", lambda answer: told.extend([] if answer.ok else [f"{answer.status} {answer.url}"]))
    page.on("pageerror", lambda error: told.append(str(error)))
    return told


def test_pictures_come_by_themselves_and_one_shows_what_made_it(page: Page, server: Server) -> None:
    told = watched(page)
    page.goto(f"{server.url}/_mock/ui/pictures")
    expect(page.get_by_role("heading", name="No picture was made yet")).to_be_visible()
    run(server, "a <b>fox</b> \u202e in snow", seed=4711)
    picture = page.get_by_role("img", name="a <b>fox</b>")
    expect(picture).to_be_visible()
    picture.click()
    detail = page.get_by_role("region", name="Picture")
    expect(detail.get_by_text("4711", exact=True)).to_be_visible()
    expect(detail.get_by_text("In the file: parameters")).to_be_visible()
    detail.get_by_text("In the file: prompt").click()
    graph = json.loads(detail.locator("details[open] pre").inner_text())
    assert "KSampler" in {node["class_type"] for node in graph.values()}
    assert re.search(r"/pictures/[0-9A-F]{64}$", page.url)
    assert told == []


def test_pictures_are_found_by_seed_and_mature_ones_stand_behind_a_veil(page: Page, server: Server) -> None:
    run(server, "a fox", seed=1)
    run(server, "a nude", seed=2)
    page.goto(f"{server.url}/_mock/ui/pictures?seed=2")
    expect(page.get_by_role("listitem")).to_have_count(1)
    page.get_by_role("button", name="Show (x)").click()
    expect(page.get_by_role("button", name="Show (x)")).to_have_count(0)
    page.get_by_label("Seed").fill("1")
    expect(page.get_by_role("img", name="a fox")).to_be_visible()
    page.get_by_label("Search").fill("nothing like that")
    expect(page.get_by_text("No picture is like that.")).to_be_visible()


def test_the_clock_is_frozen_advanced_and_set_and_shows_what_curl_does(page: Page, server: Server) -> None:
    told = watched(page)
    page.goto(f"{server.url}/_mock/ui/clock")
    expect(page.get_by_text("It goes as on this machine.")).to_be_visible()
    page.get_by_role("button", name="Freeze").click()
    expect(page.get_by_text("It stands still.")).to_be_visible()
    job = httpx.post(
        f"{server.url}{JOBS}", json=template(), headers={"x-mock-progress": "time; SENT_TO_COMFY=9m"}
    ).json()
    row = page.get_by_role("row", name=re.compile(r"goes on"))
    expect(row.get_by_role("link", name=job["jobId"][:8])).to_be_visible()
    page.get_by_role("button", name="+10 min").click()
    expect(row).to_have_count(0)
    status = httpx.get(f"{server.url}{JOBS}/{job['jobId']}").json()
    assert status["lastEvent"]["type"] == "Succeeded"
    httpx.put(f"{server.url}/_mock/clock", json={"mode": "scaled", "rate": 60})
    expect(page.get_by_text(re.compile("It goes by itself, .60[.]"))).to_be_visible()
    page.get_by_role("button", name="Real time").click()
    expect(page.get_by_text("It goes as on this machine.")).to_be_visible()
    assert httpx.get(f"{server.url}/_mock/clock").json()["mode"] == "real"
    assert told == []


def test_where_nothing_falls_due_a_job_can_be_had_that_waits_for_the_clock(page: Page, server: Server) -> None:
    told = watched(page)
    page.goto(f"{server.url}/_mock/ui/clock")
    page.get_by_role("button", name="Run it for me").click()
    row = page.get_by_role("row", name=re.compile(r"goes on"))
    expect(row).to_have_count(1)
    expect(page.get_by_text("It stands still.")).to_be_visible()
    page.get_by_role("button", name="+10 min").click()
    expect(page.get_by_text("Nothing falls due")).to_be_visible()
    (job,) = httpx.get(f"{server.url}/_mock/jobs").json()["items"]
    assert job["outcome"] == "SUCCEEDED"
    assert told == []


def test_new_pictures_wait_while_somebody_looks_further_down(page: Page, server: Server) -> None:
    params = {"prompt": "an old one", "steps": 1, "width": 64, "height": 64}
    jobs = {"jobs": [template(params=params) for _ in range(30)]}
    httpx.post(f"{server.url}{JOBS}?wait=true", json=jobs, timeout=60).raise_for_status()
    page.set_viewport_size({"width": 500, "height": 600})
    page.goto(f"{server.url}/_mock/ui/pictures")
    tiles = page.get_by_role("listitem")
    expect(tiles).to_have_count(30)
    page.mouse.move(250, 400)
    page.mouse.wheel(0, 600)
    expect(tiles.first).not_to_be_in_viewport()
    run(server, "a fresh one")
    fresh = page.get_by_role("button", name="1 new")
    expect(fresh).to_be_visible()
    expect(tiles).to_have_count(30)
    fresh.click()
    expect(tiles.first).to_contain_text("a fresh one")
    expect(tiles.first).to_be_in_viewport()
    expect(fresh).to_be_hidden()
    run(server, "another fresh one")
    expect(tiles.first).to_contain_text("another fresh one")
