"""Previews of v2's images: a smaller picture under the same path with another signature."""

import asyncio
import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import httpx
import pytest
from PIL import Image

from civitai_mock.domain.blob import Blob, Shown
from civitai_mock.domain.errors import TransientError
from civitai_mock.generation.media import Derived
from civitai_mock.generation.operations import Operation
from civitai_mock.ports import LoadInput
from civitai_mock.services.blob_previews import BlobPreviews, preview_key
from tests.support.media_files import FILES, image_file, plain_image_file
from tests.support.served_app import BASE_URL, IMAGE, Served, serve, serve_all, template

BLOBS = "/v2/consumer/blobs"
AT_ONCE = 20
PATIENCE_SECONDS = 60
LARGE = plain_image_file("PNG", size=(900, 600))


async def upload(client: httpx.AsyncClient, content: bytes, content_type: str = "image/png") -> dict[str, Any]:
    answer = await client.post(BLOBS, content=content, headers={"content-type": content_type})
    assert answer.status_code == 201, answer.text
    blob: dict[str, Any] = answer.json()
    return blob


async def download(client: httpx.AsyncClient, url: str) -> httpx.Response:
    redirect = await client.get(url)
    assert redirect.status_code == 301, redirect.text
    return await client.get(redirect.headers["location"])


def opened(answer: httpx.Response) -> Image.Image:
    assert answer.status_code == 200
    image = Image.open(io.BytesIO(answer.content))
    image.load()
    return image


class CountingArtist:
    """Counts what is derived, and can be held."""

    def __init__(self, inner: Any) -> None:
        self.derived = 0
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()
        self.go_on.set()
        self._inner = inner

    async def derive(self, operation: Operation, inputs: Sequence[LoadInput]) -> Derived:
        self.derived += 1
        self.begun.set()
        await self.go_on.wait()
        made: Derived = await self._inner.derive(operation, inputs)
        return made


class FullStore:
    """Takes nothing new."""

    def __init__(self, inner: Any) -> None:
        self.stat, self.read = inner.stat, inner.read

    async def put(self, *_: Any, **__: Any) -> Blob:
        raise TransientError("The disk is full.")


def with_previews(served: Served, *, artist: Any = None, blobs: Any = None) -> None:
    access = served.use_cases.blob_access
    previews = BlobPreviews(
        blobs=blobs or served.stores.blobs,
        drawing=access.drawing,
        artist=artist or served.namespace.runtime.artist,
    )
    changed = replace(access, previews=previews)
    served.answer_with(blob_access=changed, view_blobs=replace(served.use_cases.view_blobs, access=changed))


@pytest.mark.parametrize("content_type", ["image/png", "image/jpeg", "image/webp"])
async def test_a_preview_is_the_image_in_few_pixels(served: Served, content_type: str) -> None:
    content = plain_image_file(content_type.removeprefix("image/").upper(), size=(900, 600))
    blob = await upload(served.client, content, content_type)
    assert blob["previewUrl"].partition("?")[0] == blob["url"].partition("?")[0]
    assert blob["previewUrl"] != blob["url"]
    answer = await download(served.client, blob["previewUrl"])
    image = opened(answer)
    assert (image.format, image.size, answer.headers["content-type"]) == ("JPEG", (450, 300), "image/jpeg")
    assert image.convert("L").getextrema()[0] == pytest.approx(128, abs=3)
    assert (await download(served.client, blob["url"])).content == content


async def test_an_image_that_is_small_is_its_own_preview(served: Served) -> None:
    blob = await upload(served.client, FILES["image/png"]())
    assert (await download(served.client, blob["previewUrl"])).content == FILES["image/png"]()


async def test_a_preview_has_ranges_tags_and_a_level_as_the_image_has(served: Served) -> None:
    blob = await upload(served.client, LARGE)
    found = (await served.client.get(blob["previewUrl"])).headers["location"]
    whole = await served.client.get(found)
    part = await served.client.get(found, headers={"range": "bytes=2-5"})
    assert (part.status_code, part.content) == (206, whole.content[2:6])
    kept = await served.client.get(found, headers={"if-none-match": whole.headers["etag"]})
    assert (kept.status_code, whole.headers["x-nsfw-level"]) == (304, "PG")


async def test_a_preview_is_made_once_however_many_ask_for_it(served: Served) -> None:
    artist = CountingArtist(served.namespace.runtime.artist)
    artist.go_on.clear()
    with_previews(served, artist=artist)
    blob = await upload(served.client, LARGE)
    asking = [asyncio.create_task(download(served.client, blob["previewUrl"])) for _ in range(AT_ONCE)]
    async with asyncio.timeout(PATIENCE_SECONDS):
        await artist.begun.wait()
        artist.go_on.set()
        contents = {answer.content for answer in await asyncio.gather(*asking)}
    assert (len(contents), artist.derived) == (1, 1)
    assert {(await download(served.client, blob["previewUrl"])).content} == contents
    assert artist.derived == 1


async def test_a_preview_is_given_out_though_the_store_takes_nothing(served: Served) -> None:
    blob = await upload(served.client, LARGE)
    with_previews(served, blobs=FullStore(served.stores.blobs))
    for _ in range(2):
        assert opened(await download(served.client, blob["previewUrl"])).size == (450, 300)


async def test_what_cannot_be_made_smaller_is_its_own_preview(served: Served) -> None:
    key = "7Q00000000000000000000000Z.png"
    await served.store_blob(key)
    url = served.use_cases.workflow_blob_urls.sign(key, base_url=BASE_URL, shown=Shown.PREVIEW).url
    assert (await download(served.client, url)).content == IMAGE


async def test_a_preview_goes_with_its_image(served: Served) -> None:
    blob = await upload(served.client, LARGE)
    await download(served.client, blob["previewUrl"])
    stored = await served.stores.blobs.stat(blob["id"])
    assert isinstance(stored, Blob)
    kept = await served.stores.blobs.stat(preview_key(stored))
    assert kept is not None
    assert (kept.keep_until, kept.owner) == (stored.keep_until, stored.owner)
    assert await served.use_cases.blob_access.delete(blob["id"], owner=None)
    assert await served.stores.blobs.stat(preview_key(stored)) is None
    assert (await served.client.get(blob["previewUrl"])).status_code == 404


async def test_a_preview_of_other_bytes_is_another_one(served: Served) -> None:
    blob = await upload(served.client, LARGE)
    first = await download(served.client, blob["previewUrl"])
    await served.store_blob(blob["id"], image_file("PNG", size=(700, 700)))
    assert opened(await download(served.client, blob["previewUrl"])).size == (450, 450)
    assert opened(first).size == (450, 300)


async def test_an_image_that_nobody_has_seen_is_drawn_for_its_preview() -> None:
    params = {**template()["params"], "width": 768, "height": 512}
    async with serve_all(simulation_pictures="blank") as opened_app:
        job = await opened_app.run(template(params=params))
        key = job["result"][0]["blobKey"]
        url = opened_app.use_cases.workflow_blob_urls.sign(key, base_url=BASE_URL, shown=Shown.PREVIEW).url
        assert opened(await download(opened_app.client, url)).size == (450, 300)


async def test_a_url_of_a_preview_leads_to_nothing_larger() -> None:
    """As the source of an image it is the preview, too: it is a right to see that, and nothing else."""
    async with serve(auth="tokens", auth_tokens="alice") as served:
        headers = {"authorization": "Bearer alice", "content-type": "image/png"}
        blob = (await served.client.post(BLOBS, content=LARGE, headers=headers)).json()
        link = served.namespace.own_blob_links.find(blob["previewUrl"])
        assert link is not None
        read = await served.use_cases.blob_access.open_link(link, owner="nobody")
        assert read.blob.content_type == "image/jpeg"
