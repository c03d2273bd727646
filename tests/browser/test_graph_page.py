"""Graphs in a real browser: how they are laid out, the tab of a job, and the page where one is pasted."""

import itertools
import json
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.support.dashboard import Dashboard
from tests.support.process import Server
from tests.support.served_app import JOBS, template
from tests.support.standin_session import text_to_image

pytestmark = [pytest.mark.browser, pytest.mark.slow]
LAID_OUT = """async ([root, graph]) => {
    const { layOut } = await import(root + "draw/graph.js");
    return layOut(graph).map(({ id, layer, x, y, height }) => ({ id, layer, x, y, height }));
}"""


def submitted(server: Server, **changes: Any) -> str:
    answer = httpx.post(f"{server.url}{JOBS}?wait=true", json=template(**changes), timeout=60)
    return str(answer.json()["jobs"][0]["jobId"])


def laid_out(page: Page, server: Server, graph: Any) -> Any:
    page.goto(f"{server.url}/_mock/ui/graph")
    return page.evaluate(LAID_OUT, [f"{server.url}/_mock/ui/assets/js/", graph])


def test_each_node_stands_to_the_right_of_all_that_it_reads_and_none_on_another(page: Page, server: Server) -> None:
    graph = text_to_image(steps=4)
    boxes = {box["id"]: box for box in laid_out(page, server, graph)}
    assert boxes.keys() == graph.keys()
    for node_id, node in graph.items():
        for value in node["inputs"].values():
            if isinstance(value, list):
                assert boxes[value[0]]["layer"] < boxes[node_id]["layer"]
    for layer in {box["layer"] for box in boxes.values()}:
        column = sorted((box for box in boxes.values() if box["layer"] == layer), key=lambda box: box["y"])
        for above, below in itertools.pairwise(column):
            assert above["y"] + above["height"] < below["y"]


def test_a_long_chain_and_a_circle_are_laid_out(page: Page, server: Server) -> None:
    chain = {str(n): {"class_type": "A", "inputs": {"a": [str(n - 1), 0]} if n else {}} for n in range(5000)}
    assert max(box["layer"] for box in laid_out(page, server, chain)) == 4999
    circle = {"1": {"class_type": "A", "inputs": {"a": ["2", 0]}}, "2": {"class_type": "A", "inputs": {"a": ["1", 0]}}}
    assert {box["layer"] for box in laid_out(page, server, circle)} == {0, 1}


def test_a_job_without_a_graph_says_so_and_asks_for_none(dashboard: Dashboard) -> None:
    submission = {"$type": "wdTagging", "model": "wd", "mediaUrl": "https://images.example/1.png"}
    job_id = dashboard.http.post(JOBS, json=submission).json()["jobId"]
    page = dashboard.go(f"jobs/{job_id}", tab="graph")
    expect(page.get_by_text("This kind of job has no graph.")).to_be_visible()


def test_the_tab_shows_nodes_that_can_be_found_and_saved(page: Page, server: Server) -> None:
    job_id = submitted(server)
    page.goto(f"{server.url}/_mock/ui/jobs/{job_id}?tab=graph")
    picture = page.get_by_role("img", name=f"Graph of job {job_id[:8]}")
    expect(picture).to_be_visible()
    page.get_by_label("Find a node").fill("CFG")
    expect(picture.locator(".node.found")).to_have_count(1)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download JSON").last.click()
    saved = json.loads(waiting.value.path().read_text("utf-8"))
    assert saved == httpx.get(f"{server.url}/_mock/jobs/{job_id}/graph").json()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_a_graph_is_pasted_as_text_and_two_jobs_are_compared(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/_mock/ui/graph")
    graph = {"1": {"class_type": "<b>Note</b>", "inputs": {"text": "<img src=x onerror=alert(1)>"}}}
    page.get_by_label("Graph in API format").fill(json.dumps(graph))
    page.get_by_role("button", name="Show it").click()
    expect(page.locator("svg.graph .head")).to_have_text("1 <b>Note</b>")
    page.get_by_label("Graph in API format").fill('{"a": 1}')
    page.get_by_role("button", name="Show it").click()
    expect(page.get_by_role("alert")).to_contain_text("no graph in API format")
    params = {"prompt": "a wolf", "steps": 20, "cfgScale": 7, "width": 64, "height": 64, "seed": 7}
    first, second = submitted(server), submitted(server, params=params)
    page.goto(f"{server.url}/_mock/ui/graph?a={first}&b={second}")
    differs = page.get_by_role("region", name="What differs")
    expect(differs).to_contain_text("a wolf")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_a_graph_leads_to_the_servers_that_could_open_it(
    page: Page, server_with_comfyui: Server, comfyui: Server
) -> None:
    server = server_with_comfyui
    job_id = submitted(server)
    for path in (f"jobs/{job_id}?tab=graph", "graph"):
        page.goto(f"{server.url}/_mock/ui/{path}")
        if path == "graph":
            page.get_by_label("Graph in API format").fill(json.dumps(text_to_image()))
            page.get_by_role("button", name="Show it").click()
        link = page.get_by_role("link", name=f"Open in ComfyUI at 127.0.0.1:{comfyui.port}")
        expect(link).to_have_attribute("href", f"{comfyui.url}/")
        expect(link).to_have_attribute("rel", "noopener noreferrer")
        expect(page.get_by_text("drop the file on its page")).to_be_visible()
        with page.expect_popup() as opened:
            link.click()
        assert opened.value.url == f"{comfyui.url}/"
        assert opened.value.evaluate("window.opener") is None
        opened.value.close()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_without_a_server_nothing_is_said_of_one(page: Page, server: Server) -> None:
    job_id = submitted(server)
    with page.expect_response("**/_mock/workers*") as told:
        page.goto(f"{server.url}/_mock/ui/jobs/{job_id}?tab=graph")
    assert told.value.ok
    expect(page.get_by_role("img", name=f"Graph of job {job_id[:8]}")).to_be_visible()
    expect(page.get_by_text("ComfyUI takes no graph")).to_be_hidden()


def test_many_nodes_are_drawn_when_somebody_says_so(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/_mock/ui/graph")
    many = {str(n): {"class_type": "Note", "inputs": {}} for n in range(301)}
    page.get_by_label("Graph in API format").fill(json.dumps(many))
    page.get_by_role("button", name="Show it").click()
    expect(page.get_by_role("img", name="The graph that was pasted")).to_have_count(0)
    page.get_by_role("button", name="Draw them").click()
    expect(page.get_by_role("img", name="The graph that was pasted")).to_be_visible()
