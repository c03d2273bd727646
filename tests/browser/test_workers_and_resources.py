"""The pages Workers and Resources in a real browser."""

import json
import re
from contextlib import ExitStack
from pathlib import Path
from subprocess import DEVNULL, run
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import running_comfyui
from tests.support.process import MOCK, PATIENCE_SECONDS, Server, poll_until, running, start
from tests.support.served_app import CHECKPOINT, JOBS, template

pytestmark = [pytest.mark.browser, pytest.mark.slow]
AIR = "urn:air:sdxl:lora:civitai:7@8"
RESOURCES, WORKERS = "/v2/resources", "/_mock/workers"
SEEN_MS = 2000  # what is seen within a second has it twice, on a busy machine


def test_workers_say_what_they_are(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/_mock/ui/workers")
    worker = page.get_by_role("region", name="Worker local")
    expect(worker).to_contain_text("ready")
    expect(worker).to_contain_text("sdxl")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def draining(server: Server) -> list[bool]:
    return [item.get("draining", False) for item in httpx.get(f"{server.url}{WORKERS}").json()["items"]]


def test_a_server_is_drained_and_resumed_from_the_page_and_by_others(
    page: Page, server_with_comfyui: Server, comfyui: Server
) -> None:
    server, name = server_with_comfyui, f"127.0.0.1:{comfyui.port}"
    page.goto(f"{server.url}/_mock/ui/workers")
    worker = page.get_by_role("region", name=f"Worker {name}")
    expect(worker.get_by_text("ready", exact=True)).to_be_visible()
    link = worker.get_by_role("link", name="Open its page")
    expect(link).to_have_attribute("href", f"{comfyui.url}/")
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    assert "s3cret" not in page.content()
    expect(worker.get_by_role("button", name="Retry now")).to_be_hidden()
    worker.get_by_role("button", name=f"Drain: {name}").click()
    expect(worker.get_by_text("draining", exact=True)).to_be_visible()
    expect(worker).to_contain_text("it gets no new jobs until it is resumed")
    expect(worker).to_contain_text("Nothing is left there: it can be stopped.")
    assert draining(server) == [True]
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    job_id = httpx.post(f"{server.url}{JOBS}", json=template()).json()["jobId"]
    resume = worker.get_by_role("button", name=f"Resume: {name}")
    expect(resume).to_be_focused()
    page.keyboard.press("Enter")
    expect(worker.get_by_text("ready", exact=True)).to_be_visible()
    assert draining(server) == [False]
    ended = f"{server.url}{JOBS}/{job_id}"
    poll_until(lambda: httpx.get(ended).json()["lastEvent"]["type"] == "Succeeded")
    for word, shown in (("drain", "draining"), ("resume", "ready")):
        httpx.post(f"{server.url}{WORKERS}/{name}/{word}", json={}).raise_for_status()
        expect(worker.get_by_text(shown, exact=True)).to_be_visible(timeout=SEEN_MS)


def test_a_server_that_is_away_is_asked_again_at_once(page: Page, server_with_comfyui: Server, comfyui: Server) -> None:
    server, name = server_with_comfyui, f"127.0.0.1:{comfyui.port}"
    page.goto(f"{server.url}/_mock/ui/workers")
    worker = page.get_by_role("region", name=f"Worker {name}")
    expect(worker.get_by_text("ready", exact=True)).to_be_visible()
    comfyui.kill()
    retry = worker.get_by_role("button", name="Retry now")
    with page.expect_response(f"**{WORKERS}/**/retry") as answer:
        retry.click()
    assert answer.value.json()["ready"] is False
    expect(worker.get_by_text("not ready", exact=True)).to_be_visible()
    with running_comfyui(comfyui.folder, port=comfyui.port):
        with page.expect_response(f"**{WORKERS}/**/retry") as answer:
            retry.click()
        assert answer.value.json()["ready"] is True
        expect(worker.get_by_text("ready", exact=True)).to_be_visible(timeout=SEEN_MS)


def test_processes_are_listed_and_one_that_was_killed_is_told_as_dead(page: Page, tmp_path: Path) -> None:
    settings = {"ADMIN": "open", "SCHEDULER_LEASE_MS": "3000"}
    with running(tmp_path, settings, command=(*MOCK, "api")) as server, ExitStack() as stack:
        scheduler = start(tmp_path, settings, command=(*MOCK, "scheduler"))
        stack.callback(scheduler.wait, PATIENCE_SECONDS)
        stack.callback(scheduler.kill)
        page.goto(f"{server.url}/_mock/ui/workers")
        rows = page.get_by_role("region", name="Processes").get_by_role("row")
        expect(rows).to_have_count(3)
        expect(rows.filter(has_text="answers this page")).to_contain_text("alive")
        runs_jobs = rows.filter(has_text="runs jobs")
        expect(runs_jobs).to_contain_text("alive")
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        httpx.put(f"{server.url}/_mock/progress", json={"mode": "time", "stages": {"SENT_TO_COMFY": "1h"}})
        httpx.post(f"{server.url}{JOBS}", json=template()).raise_for_status()
        expect(runs_jobs.get_by_role("cell").nth(3)).to_have_text("1")
        expect(runs_jobs).to_contain_text("the first holds for")
        scheduler.kill()
        expect(runs_jobs).to_contain_text("dead", timeout=PATIENCE_SECONDS * 1000)
        expect(runs_jobs).to_contain_text("s ago")
        expect(runs_jobs).to_contain_text("its jobs are free")
        page.set_viewport_size({"width": 360, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_what_is_simulated_takes_no_orders(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/_mock/ui/workers")
    worker = page.get_by_role("region", name="Worker local")
    expect(worker.get_by_text("ready", exact=True)).to_be_visible()
    expect(worker.get_by_role("button")).to_have_count(0)
    expect(worker.get_by_role("link")).to_have_count(0)


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


def test_what_somebody_writes_into_a_resource_stays_when_all_is_read_anew(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/_mock/ui/resources/{CHECKPOINT}")
    document = page.get_by_label("The resource as JSON")
    expect(document).to_have_value(re.compile(CHECKPOINT))
    document.fill("half of a resource")
    page.get_by_role("button", name="Live").click()
    with page.expect_response(lambda response: "/_mock/resources/urn" in response.url):
        page.get_by_role("button", name="Held").click()  # it goes on, and reads all anew
    expect(page.get_by_role("button", name="Live")).to_be_visible()
    expect(document).to_have_value("half of a resource")


def test_what_is_wrong_in_a_resource_is_told(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/_mock/ui/resources/new")
    page.get_by_label("The resource as JSON").fill('{"air": "nonsense"}')
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("alert")).to_contain_text("air")


def everything(server: Server) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = httpx.get(f"{server.url}/_mock/resources?take=1000").json()["items"]
    return found


def delete(server: Server, air: str) -> None:
    path = f"{server.url}/_mock/resources/{air}"
    httpx.request("DELETE", path, headers={"content-type": "application/json"}).raise_for_status()


def test_resources_are_exported_and_imported_so_that_the_list_is_as_before(
    page: Page, server: Server, tmp_path: Path
) -> None:
    named = {"air": AIR, "modelName": "it's a <i>fox</i>", "note": {"kept": [1, None]}}
    with httpx.Client(base_url=server.url) as client:
        for document in (named, *({"air": f"urn:air:sd1:lora:civitai:1@{number}"} for number in range(1001, 1100))):
            client.post("/_mock/resources", json=document).raise_for_status()
    before = everything(server)
    assert len(before) > 100  # which are more than one page
    page.goto(f"{server.url}/_mock/ui/resources")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Export").click()
    assert waiting.value.suggested_filename == "resources.json"
    saved = tmp_path / "saved.json"
    waiting.value.save_as(saved)
    assert json.loads(saved.read_text()) == before
    expect(page.get_by_role("status").filter(has_text=f"{len(before)} resources exported.")).to_be_visible()
    for each in (before[0]["air"], AIR):
        delete(server, each)
    changed = {"air": before[1]["air"], "modelName": "another one"}
    httpx.put(f"{server.url}/_mock/resources/{before[1]['air']}", json=changed).raise_for_status()
    page.reload()
    page.get_by_label("Resources to import").set_input_files(saved)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"Import {len(before)} resources?")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    dialog.get_by_role("button", name="Leave it").click()
    assert len(everything(server)) == len(before) - 2
    page.get_by_label("Resources to import").set_input_files(saved)
    dialog.get_by_role("button", name="Import", exact=True).click()
    told = f"2 resources added, {len(before) - 2} replaced."
    expect(page.get_by_role("status").filter(has_text=told)).to_be_visible()
    expect(page.get_by_role("region", name="Resources").get_by_role("link").first).to_have_text(before[0]["air"])
    assert everything(server) == before


@pytest.mark.parametrize(
    ("text", "why"),
    [("[{", "mine.json is not JSON: "), ("[]", "mine.json has no resource"), ('{"items": []}', "has no resource")],
)
def test_a_file_without_resources_is_told_with_why(
    page: Page, server: Server, tmp_path: Path, text: str, why: str
) -> None:
    (tmp_path / "mine.json").write_text(text)
    page.goto(f"{server.url}/_mock/ui/resources")
    page.get_by_label("Resources to import").set_input_files(tmp_path / "mine.json")
    expect(page.get_by_role("alert")).to_contain_text(why)
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_each_resource_that_is_refused_is_named_and_the_others_are_imported(
    page: Page, server: Server, tmp_path: Path
) -> None:
    wrong = "urn:air:sdxl:lora:civitai:9@9"
    mine = [{"air": wrong, "size": -1}, {"air": AIR, "modelName": "it's mine"}, 5]
    (tmp_path / "mine.json").write_text(json.dumps(mine))
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{server.url}/_mock/ui/resources")
    page.get_by_label("Resources to import").set_input_files(tmp_path / "mine.json")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Copy as curl").click()
    expect(page.get_by_role("status").filter(has_text="Copied")).to_be_attached()
    commands = page.evaluate("navigator.clipboard.readText()")
    dialog.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="1 resource added, 0 replaced.")).to_be_visible()
    refused = page.get_by_role("alert")
    expect(refused).to_contain_text("2 resources refused")
    expect(refused.get_by_role("listitem").filter(has_text=wrong)).to_contain_text("size")
    expect(refused.get_by_role("listitem").filter(has_text="resource 3")).to_have_count(1)
    kept = httpx.get(f"{server.url}/_mock/resources/{AIR}").json()
    delete(server, AIR)
    for _ in range(2):  # adds it, then puts it into its place
        run(["sh", "-c", commands.splitlines()[1]], check=True, timeout=PATIENCE_SECONDS, stdout=DEVNULL)
        assert httpx.get(f"{server.url}/_mock/resources/{AIR}").json() == kept


def test_a_resource_says_which_servers_have_its_file(page: Page, server_with_comfyui: Server, comfyui: Server) -> None:
    server, name = server_with_comfyui, f"127.0.0.1:{comfyui.port}"
    told = httpx.get(f"{server.url}{WORKERS}", params={"resource": CHECKPOINT}).json()["items"][0]["hasFile"]
    page.goto(f"{server.url}/_mock/ui/resources/{CHECKPOINT}")
    row = page.get_by_role("region", name="Who has its file").get_by_role("listitem").filter(has_text=name)
    expect(row).to_contain_text("has it" if told else "lacks it")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    document = page.get_by_label("The resource as JSON")
    expect(document).not_to_have_value(re.compile("hasFile"))
    httpx.post(f"{server.url}/_mock/resources", json={"air": AIR}).raise_for_status()
    page.goto(f"{server.url}/_mock/ui/resources/{AIR}")
    expect(row).to_contain_text("lacks it")
    httpx.post(f"{server.url}{WORKERS}/{name}/drain", json={}).raise_for_status()
    page.reload()
    expect(row).to_contain_text("not known")
    expect(row).to_contain_text("it gets no new jobs until it is resumed")
