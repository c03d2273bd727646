"""npm's `@civitai/app-sdk` 0.14.0, unchanged: it submits without waiting, polls, and finds the images."""

from typing import Any

import pytest

from tests.clients.inputs import CHECKPOINT, download
from tests.support.clients import Client, ClientError
from tests.support.media import opened
from tests.support.process import Server

pytestmark = [pytest.mark.slow, pytest.mark.long]

QUICK = {"intervalMs": 20}
SMALL = {"model": CHECKPOINT, "width": 128, "height": 192}
GOOGLE = {"engine": "google", "model": "nano-banana-2", "aspectRatio": "1:1", "numImages": 2, "resolution": "1K"}
WAN = {"engine": "wan", "version": "v2.5", "operation": "text-to-video", "resolution": "480p", "duration": 5}


def finished(server: Server, client: Client, body: Any) -> Any:
    submitted = client.call(server, "sdk.submitWorkflow", body)
    return client.call(server, "sdk.pollWorkflow", submitted["id"], QUICK)


def test_an_estimate_costs_something_and_makes_nothing(server: Server, civitai_v2: Client) -> None:
    body = civitai_v2.call(server, "sdk.buildTextToImageBody", {"prompt": "a fox", **SMALL}, {"tags": ["my-app"]})
    estimate = civitai_v2.call(server, "sdk.estimateWorkflow", body)
    assert estimate["cost"]["total"] > 0
    with pytest.raises(ClientError, match="HTTP 404"):
        civitai_v2.call(server, "sdk.getWorkflow", estimate["id"])


def test_text_to_image_as_its_readme_has_it(server: Server, civitai_v2: Client) -> None:
    """With the model, the size and the pause between two questions that the package chooses."""
    body = civitai_v2.call(server, "sdk.buildTextToImageBody", {"prompt": "a fox"})
    submitted = civitai_v2.call(server, "sdk.submitWorkflow", body)
    workflow = civitai_v2.call(server, "sdk.pollWorkflow", submitted["id"])
    (url,) = civitai_v2.call(server, "sdk.extractImageUrls", workflow)
    assert opened(download(url)).size == (1024, 1024)


@pytest.mark.parametrize(
    ("given", "count"),
    [({**SMALL, "engine": "sdcpp", "ecosystem": "sd1", "operation": "createImage", "quantity": 3}, 3), (GOOGLE, 2)],
    ids=["sdcpp", "google"],
)
def test_image_gen_ends_with_its_images(server: Server, civitai_v2: Client, given: Any, count: int) -> None:
    body = civitai_v2.call(server, "sdk.buildImageGenBody", given | {"prompt": "a fox"}, {"tags": ["my-app"]})
    urls = civitai_v2.call(server, "sdk.extractImageUrls", finished(server, civitai_v2, body))
    assert [opened(download(url)).format for url in urls] == ["JPEG"] * count


def test_video_gen_ends_with_a_video_and_no_images(server: Server, civitai_v2: Client) -> None:
    step = {"$type": "videoGen", "input": WAN | {"prompt": "a fox"}}
    body = civitai_v2.call(server, "sdk.buildWorkflowBody", step)
    workflow = finished(server, civitai_v2, body)
    assert civitai_v2.call(server, "sdk.extractImageUrls", workflow) == []
    assert download(workflow["steps"][0]["output"]["video"]["url"])[4:8] == b"ftyp"


def test_a_refusal_names_what_is_wrong(server: Server, civitai_v2: Client) -> None:
    body = civitai_v2.call(server, "sdk.buildImageGenBody", {"engine": "nobody", "prompt": "a fox"})
    with pytest.raises(ClientError, match=r"HTTP 400.*steps\[0\]\.input"):
        civitai_v2.call(server, "sdk.submitWorkflow", body)
