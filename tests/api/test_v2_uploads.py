"""Uploads to v2: what is taken, what is refused, and that nothing stays of what breaks off."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import ExifTags, Image

from civitai_mock.domain.blob import KEY_PATTERN, Blob, BlobFacts
from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.maturity import NsfwLevel
from civitai_mock.domain.png import chunk
from civitai_mock.services.consumers import EVERYBODY, consumer_id
from civitai_mock.services.uploads import LOOKED_AT_WITHIN
from tests.support.asgi import Receive, exchange, hang_up, http_scope, silence
from tests.support.media_files import (
    FILES,
    SIDES,
    image_file,
    plain_image_file,
    png_header,
    png_of,
    sound_file,
    video_file,
)
from tests.support.mongo import mongo_address
from tests.support.served_app import BASE_URL, Served, serve
from tests.support.v2_description import check_answer

BLOBS = "/v2/consumer/blobs"
PNG = FILES["image/png"]()
ALICE, BOB = {"authorization": "Bearer alice"}, {"authorization": "Bearer bob"}
TOKENS: dict[str, Any] = {"auth": "tokens", "auth_tokens": "alice,bob"}
DAY_SECONDS = 24 * 3600
PATIENCE_SECONDS = 60


async def upload(
    served: Served, content: bytes | AsyncIterator[bytes], content_type: str | None = "image/png", **more: Any
) -> httpx.Response:
    headers = {**({} if content_type is None else {"content-type": content_type}), **more.pop("headers", {})}
    return await served.client.post(more.pop("url", BLOBS), content=content, headers=headers, **more)


async def uploaded(served: Served, content: bytes, content_type: str = "image/png", **more: Any) -> dict[str, Any]:
    answer = await upload(served, content, content_type, **more)
    assert answer.status_code == 201, answer.text
    blob: dict[str, Any] = answer.json()
    check_answer("Blob", blob)
    return blob


async def download(served: Served, url: str) -> httpx.Response:
    found = (await served.client.get(url)).headers["location"]
    return await served.client.get(found)


async def assert_nothing_is_stored(served: Served) -> None:
    """Sweep all that was to be kept for as long as uploads are: nothing is there."""
    assert await served.stores.blobs.sweep(served.clock.now() + timedelta(days=365)) == 0


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json; charset=utf-8"
    return answer.status_code, answer.json()["code"]


@asynccontextmanager
async def serve_on(store: str, tmp_path: Path, **settings: Any) -> AsyncIterator[Served]:
    if store == "memory":
        async with serve(**settings) as served:
            yield served
    elif store == "sqlite":
        async with serve(mongodb_uri=None, data_dir=tmp_path / "data", **settings) as served:
            yield served
    else:
        async with (
            mongo_address() as address,
            serve(mongodb_uri=address.uri, mongodb_db_name=address.database, **settings) as served,
        ):
            yield served


ON_ALL_STORES = pytest.mark.parametrize("store", ["memory", "sqlite", pytest.param("mongo", marks=pytest.mark.mongo)])


@ON_ALL_STORES
@pytest.mark.parametrize("content_type", FILES)
async def test_a_file_is_kept_with_what_is_seen_in_it(store: str, content_type: str, tmp_path: Path) -> None:
    content = FILES[content_type]()
    async with serve_on(store, tmp_path) as served:
        told = await uploaded(served, content, content_type)
        kind = content_type.partition("/")[0]
        assert (told["type"], told["available"], told["nsfwLevel"]) == (kind, True, "pg")
        if kind == "audio":
            assert told["duration"] == pytest.approx(2, abs=0.05)
        else:
            assert (told["width"], told["height"]) == SIDES
        answer = await download(served, told["url"].removeprefix(BASE_URL))
        assert (answer.content, answer.headers["content-type"]) == (content, content_type)
        assert answer.headers["x-nsfw-level"] == "PG"
        assert (await served.client.post(f"{BLOBS}/{told['id']}/refresh")).json() == told


async def test_the_size_of_an_image_is_that_of_what_is_seen(served: Served) -> None:
    """A camera says in EXIF that its image has to be turned."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    told = await uploaded(served, image_file("JPEG", exif=exif), "image/jpeg")
    assert (told["width"], told["height"]) == (SIDES[1], SIDES[0])


async def test_an_id_is_26_digits_and_an_extension(served: Served) -> None:
    first, second = await uploaded(served, PNG), await uploaded(served, FILES["image/jpeg"](), "image/jpeg")
    digits, _, extension = first["id"].partition(".")
    assert (len(digits), extension, second["id"][26:]) == (26, "png", ".jpeg")
    assert set(digits) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    assert KEY_PATTERN.fullmatch(first["id"])
    assert first["id"][:26] != second["id"][:26]


async def test_a_large_file_arrives_in_chunks_and_leaves_in_chunks(served: Served) -> None:
    content = image_file("PNG", size=(1400, 1200), compress_level=0)
    assert len(content) > 4_000_000

    async def parts() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 60_001):
            yield content[start : start + 60_001]

    answer = await upload(served, parts())
    told = answer.json()
    assert (answer.status_code, told["width"], told["height"]) == (201, 1400, 1200)
    assert (await download(served, told["url"].removeprefix(BASE_URL))).content == content


async def test_a_first_chunk_may_be_too_short_to_show_a_type(served: Served) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for start in (0, 1, 2, 7):
            yield PNG[start : {0: 1, 1: 2, 2: 7}.get(start, len(PNG))]

    assert (await upload(served, parts())).status_code == 201


@pytest.mark.parametrize(
    ("content_type", "sent_as"),
    [
        ("image/png", None),
        ("image/png", "application/octet-stream"),
        ("image/png", "IMAGE/PNG; charset=binary"),
        ("image/jpeg", "image/jpg"),
        ("image/jpeg", "image/png"),
        ("video/mp4", "image/png"),
        ("audio/flac", "audio/x-flac"),
        ("audio/mpeg", "audio/anything"),
    ],
)
async def test_the_type_is_that_of_the_bytes(served: Served, content_type: str, sent_as: str | None) -> None:
    answer = await upload(served, FILES[content_type](), sent_as)
    assert answer.status_code == 201, answer.text
    stored = await served.stores.blobs.stat(answer.json()["id"])
    assert stored is not None
    assert stored.content_type == content_type


@pytest.mark.parametrize(
    ("content_type", "make", "extension"),
    [
        ("audio/mp4", lambda: FILES["audio/mp4"]().replace(b"ftypM4A ", b"ftypisom", 1), ".m4a"),
        ("audio/webm", lambda: sound_file("webm", "libopus"), ".webm"),
    ],
)
async def test_a_sound_in_a_container_of_videos_is_a_sound_if_that_is_said(
    served: Served, content_type: str, make: Callable[[], bytes], extension: str
) -> None:
    told = await uploaded(served, make(), content_type)
    assert (told["type"], told["id"][26:]) == ("audio", extension)
    answer = await download(served, told["url"].removeprefix(BASE_URL))
    assert answer.headers["content-type"] == content_type


def text_bomb() -> bytes:
    text = chunk(b"zTXt", b"parameters\0\0" + zlib.compress(bytes(80_000_000)))
    return PNG[:33] + text * 3 + PNG[33:]


REFUSED: dict[str, tuple[Callable[[], bytes], str, int, str]] = {
    "nothing": (lambda: b"", "image/png", 400, "invalid_request"),
    "a page": (lambda: b"<html>", "text/html", 415, "unsupported_media_type"),
    "an image as a page": (lambda: PNG, "text/html", 415, "unsupported_media_type"),
    "a form": (lambda: b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x", 415, "unsupported_media_type"),
    "JSON": (lambda: b"{}", "application/json", 415, "unsupported_media_type"),
    "a GIF": (lambda: image_file("GIF"), "image/gif", 415, "unsupported_media_type"),
    "a GIF as a PNG": (lambda: image_file("GIF"), "image/png", 415, "unsupported_media_type"),
    "a drawing": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml", 415, "unsupported_media_type"),
    "a zip": (lambda: b"PK\x03\x04" + bytes(60), "image/png", 415, "unsupported_media_type"),
    "QuickTime": (lambda: b"\0\0\0\x14ftypqt  " + bytes(60), "video/mp4", 415, "unsupported_media_type"),
    "an unknown file": (lambda: b"a text", "application/octet-stream", 415, "unsupported_media_type"),
    "a text as an image": (lambda: b"a text", "image/png", 422, "undecodable_file"),
    "a page as an image": (lambda: b"<html><script>", "image/png", 422, "undecodable_file"),
    "a text as a sound": (lambda: b"a text", "audio/flac", 422, "undecodable_file"),
    "the first byte of a PNG": (lambda: PNG[:1], "image/png", 422, "undecodable_file"),
    "a PNG without an end": (lambda: PNG[:-2000], "image/png", 422, "undecodable_file"),
    "a JPEG without an end": (lambda: FILES["image/jpeg"]()[:-1000], "image/jpeg", 422, "undecodable_file"),
    "a WebP without an end": (lambda: FILES["image/webp"]()[:-1000], "image/webp", 422, "undecodable_file"),
    "an MP4 without an end": (lambda: FILES["video/mp4"]()[:-900], "video/mp4", 422, "undecodable_file"),
    "a WebM without frames": (lambda: FILES["video/webm"]()[:300], "video/webm", 422, "undecodable_file"),
    "a FLAC without frames": (lambda: FILES["audio/flac"]()[:60], "audio/flac", 422, "undecodable_file"),
    "an Ogg without frames": (lambda: FILES["audio/ogg"]()[:40], "audio/ogg", 422, "undecodable_file"),
    "a sound as a video": (
        lambda: FILES["audio/mp4"]().replace(b"ftypM4A ", b"ftypisom", 1),
        "video/mp4",
        422,
        "undecodable_file",
    ),
    "a PNG of one byte that is wrong": (
        lambda: PNG[:5000] + bytes([PNG[5000] ^ 1]) + PNG[5001:],
        "image/png",
        422,
        "undecodable_file",
    ),
    "a PNG of no size": (lambda: png_of(0, 64, b""), "image/png", 422, "undecodable_file"),
    "huge sides": (lambda: png_of(2**31 - 1, 2**31 - 1, bytes(1000)), "image/png", 422, "undecodable_file"),
    "many pixels of nothing": (lambda: png_of(20_000, 20_000, bytes(50_000_000)), "image/png", 422, "undecodable_file"),
    "a text that unpacks to much": (text_bomb, "image/png", 422, "undecodable_file"),
    "a header and noise": (lambda: png_header(64, 64) + bytes(range(256)) * 40, "image/png", 422, "undecodable_file"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_is_no_file_to_be_seen_or_heard_is_refused_and_leaves_nothing(served: Served, case: str) -> None:
    make, content_type, status, code = REFUSED[case]
    assert problem(await upload(served, make(), content_type)) == (status, code)
    await assert_nothing_is_stored(served)


async def test_a_refusal_has_the_title_that_clients_show(served: Served) -> None:
    titles = [(await upload(served, content, "image/png")).json()["title"] for content in (b"", b"a text")]
    assert titles == ["Bad Request", "Unprocessable Content"]


async def test_a_file_that_is_two_things_is_served_as_what_it_begins_like(served: Served) -> None:
    """A page behind an image stays behind an image: no browser is told of another type, or may guess one."""
    content = PNG + b"<html><script>alert(1)</script></html>"
    told = await uploaded(served, content, "image/png")
    answer = await download(served, told["url"].removeprefix(BASE_URL))
    assert (answer.headers["content-type"], answer.headers["x-content-type-options"]) == ("image/png", "nosniff")


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "WEBP"])
async def test_an_image_of_very_many_pixels_is_taken_up_to_the_limit(image_format: str) -> None:
    content_type, content = f"image/{image_format.lower()}", plain_image_file(image_format, size=(4200, 4100))
    async with serve(image_max_pixels=4200 * 4100) as served:
        told = await uploaded(served, content, content_type)
        assert (told["width"], told["height"]) == (4200, 4100)
    async with serve(image_max_pixels=4200 * 4100 - 1) as served:
        assert problem(await upload(served, content, content_type)) == (422, "undecodable_file")
        await assert_nothing_is_stored(served)


@pytest.mark.parametrize("image_format", ["PNG", "JPEG"])
async def test_an_image_of_very_many_pixels_that_breaks_off_is_refused(served: Served, image_format: str) -> None:
    content = plain_image_file(image_format, size=(4200, 4100))
    answer = await upload(served, content[: len(content) // 2], f"image/{image_format.lower()}")
    assert problem(answer) == (422, "undecodable_file")


async def test_a_video_of_too_many_pixels_is_refused_before_it_is_decoded() -> None:
    content = video_file("mp4", "libx264", size=(256, 256), frames=2)
    async with serve(image_max_pixels=256 * 256 - 1) as served:
        assert problem(await upload(served, content, "video/mp4")) == (422, "undecodable_file")


@ON_ALL_STORES
async def test_a_file_above_the_limit_is_a_413_whether_its_size_was_said_or_not(store: str, tmp_path: Path) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield PNG
        for _ in range(4):
            yield bytes(2500)

    async with serve_on(store, tmp_path, upload_max_bytes=len(PNG) + 9000) as served:
        assert (await upload(served, PNG + bytes(9000))).status_code == 201
        assert problem(await upload(served, PNG + bytes(9001))) == (413, "body_too_large")
        assert problem(await upload(served, parts())) == (413, "body_too_large")
        assert served.app.context.bodies.taken == 0
        assert await served.stores.blobs.sweep(served.clock.now() + timedelta(days=365)) == 1


async def test_a_file_may_be_larger_than_a_body_of_json() -> None:
    async with serve(max_body_bytes=1024) as served:
        assert (await upload(served, PNG)).status_code == 201


def in_parts(parts: list[bytes], then: Receive) -> Receive:
    left = list(parts)

    async def receive() -> dict[str, Any]:
        if left:
            return {"type": "http.request", "body": left.pop(0), "more_body": True}
        return dict(await then())

    return receive


@ON_ALL_STORES
async def test_whoever_goes_away_in_the_middle_leaves_nothing_behind(store: str, tmp_path: Path) -> None:
    scope = http_scope("POST", BLOBS, content_type="image/png")
    async with serve_on(store, tmp_path) as served:
        before = files_in(tmp_path)
        answered = await exchange(served.app, scope, in_parts([PNG, bytes(9_000_000)], hang_up))
        assert answered.messages == []
        await assert_nothing_is_stored(served)
        assert served.app.context.bodies.taken == 0
        assert files_in(tmp_path) == before


def files_in(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


async def test_a_file_that_stops_is_a_408_and_leaves_nothing_behind(served: Served) -> None:
    context = served.app.context
    served.app.context = replace(context, options=replace(context.options, body_timeout=timedelta()))
    scope = http_scope("POST", BLOBS, content_type="image/png")
    answered = await exchange(served.app, scope, in_parts([PNG], silence))
    assert (answered.status, answered.headers["connection"]) == (408, "close")
    await assert_nothing_is_stored(served)


async def test_files_that_arrive_together_are_bounded_by_what_is_held_of_them() -> None:
    halfway, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield PNG[:8000]
        halfway.set()
        await go_on.wait()
        yield PNG[8000:]

    async with serve(max_bodies_bytes=len(PNG) + 4000) as served, asyncio.timeout(PATIENCE_SECONDS):
        first = asyncio.create_task(upload(served, slow()))
        await halfway.wait()
        assert problem(await upload(served, PNG)) == (503, "too_many_bodies")
        go_on.set()
        assert (await first).status_code == 201
        assert (await upload(served, PNG)).status_code == 201
        assert served.app.context.bodies.taken == 0


@ON_ALL_STORES
async def test_many_at_once_are_all_kept_each_as_it_is(store: str, tmp_path: Path) -> None:
    contents = [image_file("PNG", size=(20 + index, 10)) for index in range(12)]
    async with serve_on(store, tmp_path) as served, asyncio.timeout(PATIENCE_SECONDS):
        told = await asyncio.gather(*(uploaded(served, content) for content in contents))
        assert [blob["width"] for blob in told] == [20 + index for index in range(12)]
        found = await asyncio.gather(*(download(served, blob["url"].removeprefix(BASE_URL)) for blob in told))
        assert [answer.content for answer in found] == contents


class DescribesNothing:
    """Is a store that goes away once it has the bytes."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def describe(self, key: str, facts: BlobFacts, *, keep_until: object) -> bool:
        raise TransientError(f"{key} {facts} {keep_until}")


async def test_a_store_that_goes_away_before_the_end_keeps_nothing(served: Served) -> None:
    cases = served.use_cases.upload_blobs
    blobs: Any = DescribesNothing(served.stores.blobs)
    served.answer_with(get_upload_blobs=lambda: replace(cases, blobs=blobs))
    assert problem(await upload(served, PNG)) == (503, "unavailable")
    await assert_nothing_is_stored(served)


@ON_ALL_STORES
async def test_what_a_dead_process_had_not_looked_at_is_swept(store: str, tmp_path: Path) -> None:
    """Nobody knows its id, and nobody would ever delete it."""
    async with serve_on(store, tmp_path) as served:
        seen: list[str] = []

        class Dies:
            async def inspect(self, *_: object) -> BlobFacts:
                (key,) = seen
                await served.stores.blobs.stat(key)
                raise asyncio.CancelledError

        class Remembers(DescribesNothing):
            async def put(self, key: str, *content: Any, **facts: Any) -> Blob:
                seen.append(key)
                stored: Blob = await self._inner.put(key, *content, **facts)
                return stored

            async def delete(self, _: str) -> bool:
                raise asyncio.CancelledError

        blobs, inspector = Remembers(served.stores.blobs), Dies()
        uploads: Any = replace(served.use_cases.upload_blobs, blobs=blobs, inspector=inspector)
        served.answer_with(get_upload_blobs=lambda: uploads)
        with pytest.raises(asyncio.CancelledError):
            await upload(served, PNG)
        assert await served.stores.blobs.stat(seen[0]) is not None
        served.clock.advance(LOOKED_AT_WITHIN.total_seconds())
        assert await served.stores.blobs.sweep(served.clock.now()) == 1


@ON_ALL_STORES
async def test_an_upload_is_kept_for_the_days_that_are_set(store: str, tmp_path: Path) -> None:
    async with serve_on(store, tmp_path, workflow_lifetime_days=2) as served:
        told = await uploaded(served, PNG)
        served.clock.advance(2 * DAY_SECONDS - 1)
        assert await served.stores.blobs.sweep(served.clock.now()) == 0
        assert (await served.client.head(f"{BLOBS}/{told['id']}")).status_code == 204
        served.clock.advance(1)
        assert await served.stores.blobs.sweep(served.clock.now()) == 1
        assert (await served.client.head(f"{BLOBS}/{told['id']}")).status_code == 404


async def test_the_flow_of_real_clients() -> None:
    """A URL is asked for, the bytes go there, and the redirect is followed by hand: only the first with a token."""
    async with serve(**TOKENS) as served:
        asked = await served.client.get(f"{BLOBS}/upload", headers=ALICE)
        assert (asked.status_code, set(asked.json())) == (200, {"uploadUrl", "expiresAt"})
        assert asked.json()["expiresAt"] == "2025-09-06T19:18:16Z"
        check_answer("ConsumerBlobPresignResponse", asked.json())
        url = asked.json()["uploadUrl"]
        assert url.startswith(f"{BASE_URL}{BLOBS}?sig=")
        sent = await upload(served, PNG, url=url)
        assert sent.status_code == 201
        blob = sent.json()
        redirect = await served.client.get(blob["url"])
        assert redirect.status_code == 301
        assert (await served.client.get(redirect.headers["location"])).content == PNG
        refreshed = await served.client.post(f"{BLOBS}/{blob['id']}/refresh", headers=ALICE)
        assert (refreshed.status_code, refreshed.json()["url"].partition("?")[0]) == (
            200,
            blob["url"].partition("?")[0],
        )
        assert (await served.client.get(f"{BLOBS}/{blob['id']}", headers=ALICE)).status_code == 301
        assert (await served.client.get(f"{BLOBS}/{blob['id']}", headers=BOB)).status_code == 404
        stored = await served.stores.blobs.stat(blob["id"])
        assert stored is not None
        assert (stored.owner, stored.facts) == (
            consumer_id("alice"),
            BlobFacts(width=SIDES[0], height=SIDES[1], nsfw_level=NsfwLevel.PG),
        )


async def test_a_file_that_is_sent_with_a_token_is_its_owners() -> None:
    async with serve(**TOKENS) as served:
        blob = await uploaded(served, PNG, headers=BOB)
        assert (await served.client.head(f"{BLOBS}/{blob['id']}", headers=BOB)).status_code == 204
        assert (await served.client.head(f"{BLOBS}/{blob['id']}", headers=ALICE)).status_code == 404


async def test_without_auth_a_file_is_everybodys(served: Served) -> None:
    url = (await served.client.get(f"{BLOBS}/upload")).json()["uploadUrl"]
    for blob in (await uploaded(served, PNG), await uploaded(served, PNG, url=url)):
        stored = await served.stores.blobs.stat(blob["id"])
        assert stored is not None
        assert stored.owner == EVERYBODY


async def test_without_a_token_or_a_url_nobody_sends_anything() -> None:
    async with serve(**TOKENS) as served:
        for method, path in (("POST", BLOBS), ("GET", f"{BLOBS}/upload")):
            answer = await served.client.request(method, path, content=PNG if method == "POST" else None)
            assert answer.status_code == 401


@pytest.mark.parametrize(
    "change",
    [lambda sig: sig[:-1], lambda sig: ("B" if sig[0] == "A" else "A") + sig[1:], lambda _: "", lambda sig: sig + "A"],
)
async def test_a_url_that_we_did_not_sign_takes_nothing(change: Callable[[str], str]) -> None:
    async with serve(**TOKENS) as served:
        url = (await served.client.get(f"{BLOBS}/upload", headers=ALICE)).json()["uploadUrl"]
        start, _, signature = url.partition("?sig=")
        for headers in ({}, ALICE):
            answer = await upload(served, PNG, url=f"{start}?sig={change(signature)}", headers=headers)
            assert problem(answer) == (403, "forbidden")
        await assert_nothing_is_stored(served)


async def test_a_signed_url_takes_files_until_it_expires() -> None:
    async with serve(**TOKENS) as served:
        url = (await served.client.get(f"{BLOBS}/upload", headers=ALICE)).json()["uploadUrl"]
        served.clock.advance(3599)
        assert (await upload(served, PNG, url=url)).status_code == 201
        served.clock.advance(1)
        assert problem(await upload(served, PNG, url=url)) == (403, "forbidden")


async def test_the_signature_of_a_blob_is_no_right_to_send_one() -> None:
    async with serve(**TOKENS) as served:
        blob = await uploaded(served, PNG, headers=ALICE)
        answer = await upload(served, PNG, url=f"{BLOBS}?{urlsplit(blob['url']).query}")
        assert problem(answer) == (403, "forbidden")


async def test_uploads_are_counted_by_the_rate_limit() -> None:
    async with serve(rate_limit="1/minute") as served:
        assert (await upload(served, PNG)).status_code == 201
        assert (await upload(served, PNG)).status_code == 429
