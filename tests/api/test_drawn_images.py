"""Images of simulated jobs, which are drawn when somebody first asks for their bytes."""

import asyncio
import io
import threading
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from structlog.testing import capture_logs

from civitai_mock.domain.blob import Blob, UndrawnBlob
from civitai_mock.drawing import artist
from civitai_mock.generation.recipe import Recipe
from tests.support.served_app import JOBS, Opened, serve_all, template

OWN = {"x-trace-id"}


@dataclass
class Counted:
    """Counts what is drawn; `failure` is raised instead."""

    drawn: int = 0
    failure: Exception | None = None


@pytest.fixture
def drawings(monkeypatch: pytest.MonkeyPatch) -> Counted:
    counted, draw = Counted(), artist.draw_recipe

    def draw_counted(recipe: Recipe, graph_text: str) -> bytes:
        counted.drawn += 1
        if counted.failure is not None:
            raise counted.failure
        return draw(recipe, graph_text)

    monkeypatch.setattr(artist, "draw_recipe", draw_counted)
    return counted


def small(**changes: Any) -> dict[str, Any]:
    made = template(**changes)
    made["params"] |= {"width": 64, "height": 64}
    return made


async def run(opened: Opened, **changes: Any) -> list[dict[str, Any]]:
    """Let a job end, and return its images."""
    images: list[dict[str, Any]] = (await opened.run(small(**changes)))["result"]
    return images


async def kept(opened: Opened, image: dict[str, Any]) -> Blob | UndrawnBlob | None:
    return await opened.stores.blobs.stat(image["blobKey"])


def headers(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in OWN}


async def test_a_job_ends_before_its_images_are_drawn(drawings: Counted) -> None:
    async with serve_all() as opened:
        images = await run(opened, quantity=3)
        assert [image["available"] for image in images] == [True] * 3
        assert all([isinstance(await kept(opened, image), UndrawnBlob) for image in images])
        assert drawings.drawn == 0
        contents = [(await opened.client.get(image["blobUrl"])).content for image in images]
        assert all([isinstance(await kept(opened, image), Blob) for image in images])
    assert drawings.drawn == len(set(contents)) == 3
    assert [Image.open(io.BytesIO(content)).size for content in contents] == [(64, 64)] * 3


async def test_fifty_first_downloads_at_once_draw_once(drawings: Counted) -> None:
    async with serve_all() as opened:
        (image,) = await run(opened)
        answers = await asyncio.gather(*(opened.client.get(image["blobUrl"]) for _ in range(50)))
    assert len({answer.content for answer in answers}) == 1
    assert {answer.status_code for answer in answers} == {200}
    assert drawings.drawn == 1


@pytest.mark.parametrize(
    ("method", "sent"),
    [
        ("GET", {}),
        ("HEAD", {}),
        ("GET", {"range": "bytes=10-19"}),
        ("GET", {"range": "bytes=-5"}),
        ("GET", {"range": "bytes=999999-"}),
        ("GET", {"if-none-match": "*"}),
        ("HEAD", {"if-none-match": '"other"'}),
    ],
)
async def test_the_first_answer_is_that_of_an_image_that_was_there(
    drawings: Counted, method: str, sent: dict[str, str]
) -> None:
    async with serve_all() as opened:
        (image,) = await run(opened)
        first = await opened.client.request(method, image["blobUrl"], headers=sent)
        again = await opened.client.request(method, image["blobUrl"], headers=sent)
    assert (first.status_code, headers(first)) == (again.status_code, headers(again))
    assert first.content == again.content or first.status_code == 416  # whose body has a trace id of its own
    assert drawings.drawn == 1


async def test_an_asset_is_drawn_as_well(drawings: Counted) -> None:
    async with serve_all() as opened:
        done = await opened.run(small())
        path = f"{JOBS}/{done['jobId']}"
        copied = await opened.run(
            {"$type": "copyAsset", "jobId": done["jobId"], "assetName": done["result"][0]["blobKey"]}
        )
        assert drawings.drawn == 1
        copy = (await opened.client.get(f"{JOBS}/{copied['jobId']}/assets/{done['result'][0]['blobKey']}")).content
        assert copy == (await opened.client.get((await opened.client.get(path)).json()["result"][0]["blobUrl"])).content
    assert drawings.drawn == 1


async def test_a_pinned_image_is_drawn_and_outlives_its_job(drawings: Counted) -> None:
    async with serve_all() as opened:
        (image,) = await run(opened)
        await opened.run({"$type": "blobPin", "key": image["blobKey"]})
        blob = await kept(opened, image)
        assert isinstance(blob, Blob)
        assert blob.keep_until.year == 9999
    assert drawings.drawn == 1


async def test_an_image_that_another_job_reads_is_drawn_for_it(drawings: Counted) -> None:
    async with serve_all() as opened:
        (image,) = await run(opened)
        params = small()["params"] | {"sourceImage": image["blobKey"], "strength": 0.5}
        (derived,) = await run(opened, params=params)
        assert drawings.drawn == 1
        assert isinstance(await kept(opened, derived), UndrawnBlob)
        content = (await opened.client.get(derived["blobUrl"])).content
    assert Image.open(io.BytesIO(content)).size == (64, 64)


async def test_an_image_to_image_is_drawn_after_its_source_is_gone(drawings: Counted) -> None:
    async with serve_all() as opened:
        (image,) = await run(opened)
        params = small()["params"] | {"sourceImage": image["blobKey"], "strength": 0.5}
        (derived,) = await run(opened, params=params)
        await opened.run({"$type": "blobDelete", "key": image["blobKey"]})
        assert (await opened.client.get(image["blobUrl"])).status_code == 404
        assert (await opened.client.get(derived["blobUrl"])).status_code == 200


async def test_what_a_bug_does_not_draw_is_a_500_with_a_problem_until_it_is_mended(drawings: Counted) -> None:
    async with serve_all() as opened:
        (image,) = await run(opened)
        drawings.failure = ZeroDivisionError("a bug")
        with capture_logs() as logs:
            answer = await opened.client.get(image["blobUrl"])
        assert answer.status_code == 500
        assert answer.headers["content-type"] == "application/problem+json; charset=utf-8"
        assert (answer.json()["code"], answer.json()["detail"]) == (
            "internal_error",
            "The image could not be drawn because of an error in this server; see its log.",
        )
        assert [line["event"] for line in logs if line["log_level"] == "error"] == ["image not drawn"]
        drawings.failure = None
        assert (await opened.client.get(image["blobUrl"])).status_code == 200


async def test_a_job_that_needs_an_image_that_a_bug_does_not_draw_fails(drawings: Counted) -> None:
    async with serve_all() as opened:
        (image,) = await run(opened)
        drawings.failure = ZeroDivisionError("a bug")
        done = await opened.run({"$type": "blobPin", "key": image["blobKey"]})
    assert done["lastEvent"]["type"] == "Failed"


async def test_the_loop_goes_on_while_an_image_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def held(*_: object) -> bytes:
        begun.set()
        assert go_on.wait(10)
        return threading.current_thread().name.encode()

    monkeypatch.setattr(artist, "draw_recipe", held)
    async with serve_all() as opened:
        (image,) = await run(opened)
        downloading = asyncio.create_task(opened.client.get(image["blobUrl"]))
        await asyncio.to_thread(begun.wait, 10)
        await run(opened)
        assert not downloading.done()
        go_on.set()
        assert (await downloading).content.startswith(b"drawing")


async def test_no_more_images_are_drawn_at_once_than_there_are_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    lock, at_once = threading.Lock(), [0, 0]
    both, draw = threading.Barrier(2, timeout=60), artist.draw_recipe

    def counted(recipe: Recipe, graph_text: str) -> bytes:
        with lock:
            at_once[0] += 1
            at_once[1] = max(at_once)
        both.wait()
        with lock:
            at_once[0] -= 1
        return draw(recipe, graph_text)

    monkeypatch.setattr(artist, "draw_recipe", counted)
    async with serve_all() as opened:
        images = await run(opened, quantity=6)
        await asyncio.gather(*(opened.client.get(image["blobUrl"]) for image in images))
    assert at_once == [0, 2]


async def test_two_processes_on_one_store_and_one_after_a_restart_give_out_the_same(
    tmp_path: Path, drawings: Counted
) -> None:
    tmp_path.chmod(0o700)
    store = {"mongodb_uri": None, "data_dir": tmp_path}
    async with serve_all(**store) as opened:
        (image, other) = await run(opened, quantity=2)
    assert drawings.drawn == 0
    async with AsyncExitStack() as stack:
        processes = [await stack.enter_async_context(serve_all(**store)) for _ in range(2)]
        contents = [(await process.client.get(image["blobUrl"])).content for process in processes]
        at_once = await asyncio.gather(*(process.client.get(other["blobUrl"]) for process in processes))
    async with serve_all(**store) as opened:
        contents.append((await opened.client.get(image["blobUrl"])).content)
    assert len(set(contents)) == len({answer.content for answer in at_once}) == 1
    assert drawings.drawn in {2, 3}  # as both may draw what is asked for at once


async def test_an_image_is_served_though_no_file_can_be_written(tmp_path: Path, drawings: Counted) -> None:
    tmp_path.chmod(0o700)
    async with serve_all(mongodb_uri=None, data_dir=tmp_path) as opened:
        (image,) = await run(opened)
        (tmp_path / "blobs").rename(tmp_path / "away")
        (tmp_path / "blobs").write_bytes(b"in the way")
        with capture_logs() as logs:
            unkept = [await opened.client.get(image["blobUrl"]) for _ in range(2)]
        assert [line["event"] for line in logs if line["log_level"] == "warning"] == ["drawn image not kept"]
        (tmp_path / "blobs").unlink()
        (tmp_path / "away").rename(tmp_path / "blobs")
        kept_now = [await opened.client.get(image["blobUrl"]) for _ in range(2)]
    answers = [*unkept, *kept_now]
    assert {answer.status_code for answer in answers} == {200}
    assert len({(answer.content, answer.headers["etag"]) for answer in answers}) == 1
    assert drawings.drawn == 3


async def test_an_image_that_is_too_large_fails_its_job() -> None:
    graph = {
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "x.safetensors"}},
        "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 16392, "height": 64, "batch_size": 1}},
        "8": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["4", 2]}},
        "9": {"class_type": "SaveImage", "inputs": {"images": ["8", 0], "filename_prefix": "x"}},
    }
    async with serve_all() as opened:
        done = await opened.run({"$type": "comfy", "params": {"workflow": graph}})
    assert done["lastEvent"]["type"] == "Failed"
    assert "16392" in str(done["lastEvent"])
