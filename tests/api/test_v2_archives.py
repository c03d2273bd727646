"""Archives of blobs: one zip or tar file of several, put together while it is downloaded."""

import io
import tarfile
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime

import httpx
import pytest

from civitai_mock.domain.blob import BlobFacts
from civitai_mock.domain.errors import NotFoundError
from civitai_mock.services.archives import ArchiveEntry, ArchiveFormat, safe_name
from civitai_mock.services.consumers import EVERYBODY
from tests.support.asgi import exchange, hang_up, http_scope
from tests.support.jobs import LEASE, chunks
from tests.support.served_app import BASE_URL, Served, serve, serve_all, template

DAY_SECONDS = 24 * 3600
CONTENTS = {"a.png": b"one", "b.jpeg": bytes(range(256)) * 3000, "c.mp4": b""}


async def store(served: Served, *, owner: str = EVERYBODY) -> list[ArchiveEntry]:
    for name, content in CONTENTS.items():
        await served.stores.blobs.put(
            name,
            chunks(content),
            content_type="image/png",
            keep_until=served.clock.now() + LEASE * 10_000,
            owner=owner,
            facts=BlobFacts(),
        )
    return [ArchiveEntry(blob_id=name, file_name=name) for name in CONTENTS]


async def make(
    served: Served,
    entries: Sequence[ArchiveEntry],
    *,
    archive_format: ArchiveFormat = ArchiveFormat.ZIP,
    name: str | None = None,
    owner: str | None = None,
) -> str:
    made = await served.use_cases.archives.make(
        entries, archive_format=archive_format, name=name, owner=owner, issued_by=EVERYBODY, base_url=BASE_URL
    )
    return made.url


def unpacked(answer: httpx.Response) -> dict[str, bytes]:
    assert answer.status_code == 200, answer.text
    if answer.headers["content-type"] == "application/zip":
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            assert archive.testzip() is None
            return {name: archive.read(name) for name in archive.namelist()}
    with tarfile.open(fileobj=io.BytesIO(answer.content), mode="r:") as files:
        found = {member.name: files.extractfile(member) for member in files.getmembers()}
        return {name: file.read() for name, file in found.items() if file is not None}


@pytest.mark.parametrize("archive_format", ArchiveFormat)
async def test_an_archive_has_all_its_files(served: Served, archive_format: ArchiveFormat) -> None:
    url = await make(served, await store(served), archive_format=archive_format, name="my cats")
    answer = await served.client.get(url)
    assert answer.headers["content-type"] == archive_format.content_type
    assert answer.headers["content-disposition"] == f'attachment; filename="my cats.{archive_format}"'
    assert unpacked(answer) == CONTENTS
    head = await served.client.head(url)
    assert (head.status_code, head.content) == (200, b"")


async def test_files_have_the_time_at_which_the_archive_was_made(served: Served) -> None:
    url = await make(served, await store(served))
    served.clock.advance(60)
    with zipfile.ZipFile(io.BytesIO((await served.client.get(url)).content)) as archive:
        dates = {datetime(*info.date_time, tzinfo=UTC) for info in archive.infolist()}
    assert dates == {datetime(2025, 9, 6, 18, 18, 16, tzinfo=UTC)}


@pytest.mark.parametrize("archive_format", ArchiveFormat)
async def test_names_that_would_overwrite_each_other_are_numbered(
    served: Served, archive_format: ArchiveFormat
) -> None:
    await store(served)
    names = ["x.png", "X.png", "x.png", "../../etc/x.png", "/", "", "ключ.png", "a" * 300 + ".png"]
    entries = [ArchiveEntry(blob_id="a.png", file_name=name) for name in names]
    found = unpacked(await served.client.get(await make(served, entries, archive_format=archive_format)))
    assert list(found) == [
        "x.png",
        "X (2).png",
        "x (3).png",
        "_.._etc_x.png",
        "_",
        "_ (2)",
        "ключ.png",
        "a" * 196 + ".png",
    ]


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("a.png", "a.png"),
        ("..", "_"),
        (".hidden", "hidden"),
        ("C:\\a\\b.png", "C__a_b.png"),
        ("a\x00\n.png", "a__.png"),
        ("a." + "b" * 300, "a." + "b" * 198),
        ("ж" * 300 + ".png", "ж" * 98 + ".png"),
    ],
)
def test_a_name_is_that_of_one_file_in_one_folder(name: str, safe: str) -> None:
    assert safe_name(name) == safe


async def test_an_archive_may_be_empty(served: Served) -> None:
    for archive_format in ArchiveFormat:
        assert unpacked(await served.client.get(await make(served, [], archive_format=archive_format))) == {}


async def test_what_is_deleted_meanwhile_is_left_out(served: Served) -> None:
    url = await make(served, await store(served))
    await served.stores.blobs.delete("b.jpeg")
    assert list(unpacked(await served.client.get(url))) == ["a.png", "c.mp4"]


async def test_an_image_that_nobody_has_seen_is_drawn_for_its_archive() -> None:
    async with serve_all(simulation_pictures="blank") as opened:
        job = await opened.run(template(quantity=1))
        key = job["result"][0]["blobKey"]
        made = await opened.use_cases.archives.make(
            [ArchiveEntry(blob_id=key, file_name="a.png")],
            archive_format=ArchiveFormat.ZIP,
            name=None,
            owner=None,
            issued_by=EVERYBODY,
            base_url="",
        )
        found = unpacked(await opened.client.get(made.url))
    assert found["a.png"].startswith(b"\x89PNG")


async def test_nobody_puts_the_blob_of_somebody_else_into_an_archive(served: Served) -> None:
    entries = await store(served, owner="civitai-1000001")
    with pytest.raises(NotFoundError):
        await make(served, entries, owner="civitai-1000002")
    assert unpacked(await served.client.get(await make(served, entries, owner="civitai-1000001"))) == CONTENTS


async def test_whoever_has_the_url_needs_no_token() -> None:
    async with serve(auth="tokens", auth_tokens="alice") as served:
        assert unpacked(await served.client.get(await make(served, await store(served)))) == CONTENTS


async def test_an_archive_that_has_expired_is_a_410(served: Served) -> None:
    url = await make(served, await store(served))
    served.clock.advance(DAY_SECONDS - 1)
    assert (await served.client.get(url)).status_code == 200
    served.clock.advance(1)
    answer = await served.client.get(url)
    assert (answer.status_code, answer.json()["title"]) == (410, "Gone")


async def test_an_archive_whose_list_is_gone_is_a_410(served: Served) -> None:
    url = await make(served, await store(served))
    await served.stores.blobs.sweep(served.clock.now() + LEASE * 10_000)
    assert (await served.client.get(url)).status_code == 410


@pytest.mark.parametrize("token", ["x", "A" * 60, "%20"])
async def test_a_token_that_is_not_ours_is_a_400(served: Served, token: str) -> None:
    assert (await served.client.get(f"/v2/consumer/blobs/archive/{token}")).status_code == 400


async def test_whoever_goes_away_ends_the_work_on_the_archive(served: Served) -> None:
    url = await make(served, await store(served))
    answered = await exchange(served.app, http_scope("GET", url.removeprefix(BASE_URL)), hang_up)
    assert answered.messages[0]["type"] == "http.response.start"
