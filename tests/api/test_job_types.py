"""Every `$type` through the whole server: what a client sends, and what it gets in the end."""

import io
import struct
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import av
import pytest
from PIL import Image

from civitai_mock.api.vocabulary import ClientCompat
from civitai_mock.clock import VirtualClock
from civitai_mock.domain.json_types import Json
from tests.support.comfy_graphs import node, text_to_image
from tests.support.dates import START
from tests.support.served_app import JOBS, Opened, serve_all
from tests.support.templates import TEMPLATES, template

NO_FILES = {"imageEmbedding", "mediaTagging", "mediaCaptioning", "wdTagging", "movieRating", "prepareModel"}
UNKNOWN_AIR = "urn:air:sd1:checkpoint:civitai:1@1"


@pytest.fixture
async def opened() -> AsyncIterator[Opened]:
    async with serve_all() as everything:
        yield everything


async def run(opened: Opened, name: str, **changes: Json) -> Any:
    return await opened.run(template(name, **changes))


async def problem(opened: Opened, name: str, **changes: Json) -> Any:
    answer = await opened.client.post(JOBS, json=template(name, **changes))
    assert answer.status_code == 400, answer.text
    return answer.json()["errors"]


async def download(opened: Opened, url: str) -> bytes:
    answer = await opened.client.get(url)
    assert answer.status_code == 200
    return answer.content


async def contents(opened: Opened, result: Any) -> Any:
    """The bytes of a result of files, or another result as it is."""
    return [await download(opened, one["blobUrl"]) for one in result] if isinstance(result, list) else result


async def image(opened: Opened, url: str) -> Image.Image:
    return Image.open(io.BytesIO(await download(opened, url)))


@pytest.mark.parametrize("name", sorted(set(TEMPLATES) - {"copyAsset", "clearAssets"}))
async def test_a_job_of_every_type_succeeds(opened: Opened, name: str) -> None:
    status = await run(opened, name)
    assert status["lastEvent"]["type"] == "Succeeded"
    assert status["job"]["type"] == status["lastEvent"]["jobType"]
    assert isinstance(status["result"], dict if name in NO_FILES else list)


@pytest.mark.parametrize("compat", list(ClientCompat))
@pytest.mark.parametrize("name", sorted(set(TEMPLATES) - {"copyAsset", "clearAssets"}))
async def test_a_job_that_is_asked_for_alone_is_the_one_of_its_token(opened: Opened, name: str, compat: str) -> None:
    """The first answer is made of the summary of the job."""
    answer = (await opened.client.post(JOBS, json=template(name))).json()
    await opened.wait_until_ended(answer["jobId"])
    opened.answer_with(blob_urls=replace(opened.use_cases.blob_urls, clock=VirtualClock(START)))
    alone, together = [
        await opened.client.get(path, headers={"X-Mock-Compat": compat})
        for path in (f"{JOBS}/{answer['jobId']}", f"{JOBS}?token={answer['token']}")
    ]
    assert [alone.json()] == together.json()["jobs"]
    assert alone.content in together.content


@pytest.mark.parametrize("name", sorted(NO_FILES | {"imageTransform", "imageResourceTraining"}))
async def test_the_same_request_gets_the_same_result(opened: Opened, name: str) -> None:
    first, second = [await run(opened, name) for _ in range(2)]
    assert await contents(opened, first["result"]) == await contents(opened, second["result"])


async def test_an_unknown_type_is_refused_with_the_known_ones(opened: Opened) -> None:
    answer = await opened.client.post(JOBS, json={"$type": "rebootWorker"})
    assert answer.status_code == 400
    (message,) = answer.json()["errors"]["$type"]
    assert all(name in message for name in TEMPLATES)


async def test_the_airs_of_a_graph_become_files_of_resources(opened: Opened) -> None:
    sent = text_to_image(model="urn:air:sdxl:checkpoint:civitai:101055@128078")
    status = await run(opened, "comfy", params={"workflow": sent})
    assert status["job"]["resources"] == ["@civitai/128078"]
    assert status["job"]["params"]["workflow"] == sent
    assert (
        '"ckpt_name":"sdxl/civitai/101055/128078.safetensors"' in status["lastEvent"]["context"]["comfy_prompt_request"]
    )


async def test_an_air_of_a_graph_has_to_be_known(opened: Opened) -> None:
    errors = await problem(opened, "comfy", params={"workflow": text_to_image(model=UNKNOWN_AIR)})
    assert list(errors) == ["params.workflow.4.inputs.ckpt_name"]


async def test_an_unknown_air_of_a_graph_is_made_up_where_that_is_allowed() -> None:
    async with serve_all(missing_resources="lenient") as opened:
        status = await run(opened, "comfy", params={"workflow": text_to_image(model=UNKNOWN_AIR)})
    assert status["lastEvent"]["type"] == "Succeeded"


async def test_every_image_of_every_output_node_is_a_result(opened: Opened) -> None:
    graph = text_to_image(width=96, height=64, batch=2, outputs={"9": "SaveImage", "10": "SaveImage"})
    status = await run(opened, "comfy", params={"workflow": graph})
    assert [result["seed"] for result in status["result"]] == [42] * 4
    assert {(await image(opened, result["blobUrl"])).size for result in status["result"]} == {(96, 64)}


async def test_a_workflow_of_the_editor_is_refused(opened: Opened) -> None:
    errors = await problem(opened, "comfy", params={"workflow": {"nodes": [], "links": []}})
    assert "Export (API)" in errors["params.workflow"][0]


async def test_a_training_makes_files_for_each_epoch(opened: Opened) -> None:
    status = await run(opened, "imageResourceTraining")
    first_epoch = status["result"][:3]
    model = await download(opened, first_epoch[0]["blobUrl"])
    (length,) = struct.unpack("<Q", model[:8])
    assert model[8:9] == b"{"
    assert length < len(model)
    assert {(await image(opened, result["blobUrl"])).size for result in first_epoch[1:]} == {(512, 512)}
    assert [epoch["epoch"] for epoch in status["lastEvent"]["context"]["epochs"]] == [1, 2]


@pytest.mark.parametrize(
    ("transformer", "mode"), [("Canny", "RGB"), ("DepthZoe", "RGB"), ("SoftedgePidinet", "RGB"), ("Rembg", "RGBA")]
)
async def test_an_image_of_another_job_is_transformed(opened: Opened, transformer: str, mode: str) -> None:
    (made,) = (await run(opened, "textToImage", params={"width": 320, "height": 256, "seed": 1}))["result"]
    status = await run(opened, "imageTransform", transformer=transformer, imageUrl=None, blobKey=made["blobKey"])
    changed = await image(opened, status["result"][0]["blobUrl"])
    assert (changed.size, changed.mode) == ((320, 256), mode)
    assert len(set(changed.tobytes())) > 1


async def test_what_is_no_image_cannot_be_transformed(opened: Opened) -> None:
    model = (await run(opened, "imageResourceTraining"))["result"][0]["blobKey"]
    status = await run(opened, "imageTransform", imageUrl=None, blobKey=model)
    assert status["lastEvent"]["type"] == "Failed"
    assert status["lastEvent"]["context"]["message"] == "The file is not a readable PNG, JPEG or WebP image."


async def test_a_blob_is_found_kept_and_deleted(opened: Opened) -> None:
    (made,) = (await run(opened, "textToImage"))["result"]
    key, original = made["blobKey"], await download(opened, made["blobUrl"])
    for name in ("blobGet", "blobPin", "blobUpload", "blobUnpin"):
        (found,) = (await run(opened, name, key=key))["result"]
        assert await download(opened, found["blobUrl"]) == original
    (deleted,) = (await run(opened, "blobDelete", key=key))["result"]
    assert deleted == {"blobKey": key, "available": False}
    assert (await opened.client.get(made["blobUrl"])).status_code == 404
    (gone,) = (await run(opened, "blobGet", key=key))["result"]
    assert gone == {"blobKey": key, "available": False}


async def test_an_asset_is_copied_and_the_originals_are_cleared(opened: Opened) -> None:
    training = await run(opened, "imageResourceTraining")
    original = await download(opened, training["result"][0]["blobUrl"])
    copy = await run(opened, "copyAsset", jobId=training["jobId"])
    cleared = await run(opened, "clearAssets", jobId=training["jobId"])
    assert cleared["result"] == {"jobId": training["jobId"], "deleted": 6}
    assert (await opened.client.get(training["result"][0]["blobUrl"])).status_code == 404
    assert await download(opened, copy["result"][0]["blobUrl"]) == original


@pytest.mark.parametrize(("name", "asset"), [("comfy", "9_0.png"), ("imageResourceTraining", "epoch-2.safetensors")])
async def test_files_with_a_name_are_assets_of_their_job(opened: Opened, name: str, asset: str) -> None:
    job_id = (await run(opened, name))["jobId"]
    assert await download(opened, f"{JOBS}/{job_id}/assets/{asset}")


async def test_a_graph_makes_a_video_of_an_image_that_is_stored_here(opened: Opened) -> None:
    """An animation is one result, and an asset with a name that ends as its type does."""
    stored = (await run(opened, "textToImage"))["result"][0]["blobKey"]
    graph: dict[str, Json] = {
        "1": node("LoadImage", image=stored),
        "2": node("ImageScale", image=["1", 0], upscale_method="area", width=64, height=48, crop="center"),
        "3": node("RepeatImageBatch", image=["2", 0], amount=5),
        "4": node("CreateVideo", images=["3", 0], fps=5.0),
        "5": node("SaveVideo", video=["4", 0], filename_prefix="x", format="auto", codec="auto"),
        "6": node("SaveImage", images=["2", 0], filename_prefix="x"),
    }
    status = await run(opened, "comfy", params={"workflow": graph})
    video, still = await contents(opened, status["result"])
    with av.open(io.BytesIO(video), "r") as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height, len(list(container.decode(stream)))) == (64, 48, 5)
    with Image.open(io.BytesIO(still)) as image:
        assert (image.mode, image.size) == ("RGB", (64, 48))
    answer = await opened.client.get(status["result"][0]["blobUrl"])
    assert answer.headers["content-type"] == "video/mp4"
