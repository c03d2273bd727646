"""`controlNets`, and images that a user's own graph loads, through the whole server."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.comfy_graphs import node, text_to_image
from tests.support.served_app import JOBS, Opened, Served, serve_all, template

URL = "https://images.example/fox.png"
KEY = "AC146E9943652A7D6359696406CAFFBF3796C4AD81CD3711502EEBA988663395"
CONTROL_NET = "urn:air:sdxl:controlnet:civitai:1@2"
CANNY = {"preprocessor": "canny", "weight": 0.5, "endStep": 0.75, "imageUrl": URL}


@pytest.fixture
async def opened() -> AsyncIterator[Opened]:
    async with serve_all() as everything:
        yield everything


async def test_a_job_with_control_nets_succeeds_and_shows_them_complete(opened: Opened) -> None:
    assert (await opened.client.post("/v2/resources", json={"air": CONTROL_NET})).status_code < 300
    key = (await opened.run(template()))["result"][0]["blobKey"]
    of_a_model = {"preprocessor": "DepthZoe", "blobKey": key, "model": CONTROL_NET}
    status = await opened.run(template(controlNets=[CANNY, of_a_model]))
    assert status["lastEvent"]["type"] == "Succeeded"
    assert status["job"]["controlNets"] == [
        {"preprocessor": "Canny", "weight": 0.5, "startStep": 0, "endStep": 0.75, "imageUrl": URL},
        {
            "preprocessor": "DepthZoe",
            "weight": 1,
            "startStep": 0,
            "endStep": 1,
            "blobKey": key,
            "model": "@civitai/2",
        },
    ]
    assert "@civitai/2" in status["job"]["resources"]
    assert (await opened.client.get(status["result"][0]["blobUrl"])).status_code == 200


async def test_a_graph_that_loads_an_image_succeeds_and_is_shown_as_it_was_sent(opened: Opened) -> None:
    graph = {**text_to_image(), "10": node("LoadImage", image=URL), "11": node("PreviewImage", images=["10", 0])}
    status = await opened.run({"$type": "comfy", "params": {"workflow": graph}})
    assert status["lastEvent"]["type"] == "Succeeded"
    assert status["job"]["params"]["workflow"] == graph
    assert URL not in status["lastEvent"]["context"]["comfy_prompt_request"]


@pytest.mark.parametrize(
    ("control_nets", "path"),
    [
        ({}, "controlNets"),
        ([{"preprocessor": "OpenPose", "imageUrl": URL}], "controlNets[0].preprocessor"),
        ([CANNY, {**CANNY, "endStep": 20}], "controlNets[1].endStep"),
        ([{**CANNY, "startStep": 0.75}], "controlNets[0]"),
        ([{**CANNY, "blobKey": KEY}], "controlNets[0]"),
        ([{"preprocessor": "Rembg"}], "controlNets[0]"),
        ([{**CANNY, "imageUrl": "file:///etc/passwd"}], "controlNets[0].imageUrl"),
        ([CANNY, {**CANNY, "model": CONTROL_NET}], "controlNets[1].model"),
    ],
)
async def test_a_bad_control_net_is_a_400_that_names_the_place(served: Served, control_nets: Any, path: str) -> None:
    answer = await served.client.post(JOBS, json=template(controlNets=control_nets))
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [path])
    assert await served.queued() == 0


async def test_an_image_that_cannot_be_fetched_is_a_400_that_names_the_place(served: Served) -> None:
    graph = {**text_to_image(), "10": node("LoadImage", image="https://[::1/fox.png")}
    answer = await served.client.post(JOBS, json={"$type": "comfy", "params": {"workflow": graph}})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["params.workflow.10.inputs.image"])
