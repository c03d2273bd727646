"""Blobs as files, and what can happen to those."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest

from civitai_mock.domain.errors import NotFoundError, TransientError
from civitai_mock.domain.namespaces import FIRST_EPOCH
from civitai_mock.ports import Stores
from civitai_mock.storage.sqlite import TableNames, open_sqlite
from civitai_mock.storage.sqlite.blob_bytes import BUFFER, FileContent, FileUpload
from civitai_mock.storage.sqlite.open import BLOBS, UPLOADS
from tests.support.dates import START
from tests.support.jobs import LIFETIME, chunks, collect

T = TypeVar("T")

KEY = "AC146E9943652A7D6359696406CAFFBF3796C4AD81CD3711502EEBA988663395"


class CountingThreads(ThreadPoolExecutor):
    """Counts what is handed to its threads."""

    trips = 0

    def submit(self, work: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        self.trips += 1
        return super().submit(work, *args, **kwargs)


@pytest.fixture
async def stores(tmp_path: Path) -> AsyncIterator[Stores]:
    async with open_sqlite(directory=tmp_path, names=TableNames()) as opened:
        yield opened


async def put(stores: Stores, content: bytes = b"content", key: str = KEY) -> None:
    await stores.blobs.put(key, chunks(content), content_type="image/png", keep_until=START)


def files(directory: Path) -> list[str]:
    """Blobs, and what is on its way to be one."""
    found = [*(directory / BLOBS).rglob("*"), *(directory / UPLOADS).glob("*/*")]
    return [path.relative_to(directory).as_posix() for path in found if path.is_file()]


async def test_a_blob_is_a_file_named_by_its_key(stores: Stores, tmp_path: Path) -> None:
    await put(stores)
    assert files(tmp_path) == [f"blobs/AC/{KEY}"]


@pytest.mark.parametrize("key", ["", "..", "../x", "a/b", ".", ".a", ".a/b.png", "/etc/passwd", "a\n", "ä", "A" * 129])
@pytest.mark.parametrize("on_disk", [True, False])
async def test_a_key_that_could_be_a_path_is_refused(tmp_path: Path, key: str, *, on_disk: bool) -> None:
    async with open_sqlite(directory=tmp_path / "store" if on_disk else None, names=TableNames()) as stores:
        with pytest.raises(ValueError, match="cannot be the key of a blob"):
            await put(stores, key=key)
    assert files(tmp_path / "store") == []


@pytest.mark.parametrize(("size", "trips"), [(600, 0), (100_000, 2)])
async def test_a_small_blob_is_written_and_read_without_a_thread(tmp_path: Path, size: int, trips: int) -> None:
    threads = CountingThreads()
    asyncio.get_running_loop().set_default_executor(threads)
    (tmp_path / "blobs").mkdir()
    content = FileContent(folder=tmp_path / "blobs", incoming=tmp_path)
    (await content.receive(FIRST_EPOCH, KEY, chunks(bytes(size)))).keep()
    assert await collect(content.read(FIRST_EPOCH, KEY, start=0, stop=size)) == bytes(size)
    assert threads.trips == trips


async def test_deleted_swept_and_failed_blobs_leave_no_file(stores: Stores, tmp_path: Path) -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield bytes(BUFFER)
        raise ConnectionError

    await put(stores)
    await stores.blobs.delete(KEY)
    await put(stores, key="B" * 64)
    await stores.blobs.sweep(START + LIFETIME)
    with pytest.raises(ConnectionError):
        await stores.blobs.put(KEY, failing(), content_type="image/png", keep_until=START)
    assert files(tmp_path) == []


async def test_a_cancelled_put_leaves_no_file(stores: Stores, tmp_path: Path) -> None:
    task = asyncio.create_task(put(stores, bytes(BUFFER)))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    await asyncio.get_running_loop().shutdown_default_executor()
    assert task.cancelled()
    assert files(tmp_path) == []


def test_a_write_that_comes_after_all_was_discarded_brings_nothing_back(tmp_path: Path) -> None:
    upload = FileUpload(arriving=tmp_path / "arriving", target=tmp_path / "target")
    upload.append(b"early")
    upload.discard()
    upload.append(b"late")
    assert list(tmp_path.iterdir()) == []


async def test_a_blob_whose_file_was_taken_away_cannot_be_read_and_can_be_deleted(
    stores: Stores, tmp_path: Path
) -> None:
    await put(stores)
    (tmp_path / BLOBS / "AC" / KEY).unlink()
    with pytest.raises(NotFoundError):
        await collect(stores.blobs.read(KEY, start=0, stop=7))
    assert await stores.blobs.delete(KEY)


async def test_a_blob_whose_file_was_cut_short_cannot_be_read(stores: Stores, tmp_path: Path) -> None:
    await put(stores)
    (tmp_path / BLOBS / "AC" / KEY).write_bytes(b"con")
    with pytest.raises(NotFoundError):
        await collect(stores.blobs.read(KEY, start=0, stop=7))


async def test_a_folder_that_went_makes_the_store_away(tmp_path: Path) -> None:
    content = FileContent(folder=tmp_path / "blobs", incoming=tmp_path / "incoming")
    with pytest.raises(TransientError, match="incoming"):
        await content.receive(FIRST_EPOCH, KEY, chunks(b"content"))


async def test_a_blob_that_cannot_be_put_in_its_place_is_not_known(stores: Stores, tmp_path: Path) -> None:
    (tmp_path / BLOBS / "AC" / KEY).mkdir(parents=True)
    with pytest.raises(TransientError):
        await put(stores)
    assert await stores.blobs.stat(KEY) is None
    assert files(tmp_path) == []
    shutil.rmtree(tmp_path / BLOBS / "AC")
    await put(stores)
    assert await collect(stores.blobs.read(KEY, start=0, stop=7)) == b"content"
