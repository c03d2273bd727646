"""What a store in a folder says of itself once it cannot keep what it is given."""

import asyncio
import resource
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from civitai_mock.domain.errors import TransientError
from civitai_mock.ports import Stores
from civitai_mock.storage.sqlite import TableNames, open_sqlite
from civitai_mock.storage.sqlite.open import BLOBS, FILE_NAME, UPLOADS
from tests.support.dates import START
from tests.support.jobs import chunks, collect, job_id, make_job

KEY = "A" * 64
SPARE = "spare"
LOG = f"{FILE_NAME}-wal"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
async def stores(folder: Path) -> AsyncIterator[Stores]:
    async with open_sqlite(directory=folder, names=TableNames()) as opened:
        yield opened


def own_uploads(folder: Path) -> Path:
    (own,) = (entry for entry in (folder / UPLOADS).iterdir() if entry.is_dir())
    return own


def move_away(path: Path) -> None:
    path.rename(path.with_name(SPARE))


def replace_by_copy(path: Path) -> None:
    move_away(path)
    shutil.copy(path.with_name(SPARE), path)


def replace_by_file(path: Path) -> None:
    move_away(path)
    path.write_text("in the way")


def bring_back(path: Path) -> None:
    if path.is_file():
        path.unlink()
    path.with_name(SPARE).rename(path)


DATABASE_LOST: Mapping[str, tuple[str, Callable[[Path], None]]] = {
    "the database is gone": (FILE_NAME, move_away),
    "the database is another": (FILE_NAME, replace_by_copy),
    "the log is gone": (LOG, move_away),
    "the log is another": (LOG, replace_by_copy),
}
FOLDERS_LOST: Mapping[str, tuple[str, Callable[[Path], None]]] = {
    "the folder of blobs is gone": (BLOBS, move_away),
    "the folder of blobs is none": (BLOBS, replace_by_file),
    "the folder of uploads is gone": (UPLOADS, move_away),
    "the folder of uploads is none": (UPLOADS, replace_by_file),
}
LOST = {**DATABASE_LOST, **FOLDERS_LOST, "all of it is gone": ("", move_away)}


@pytest.mark.parametrize("case", LOST)
async def test_a_store_that_lost_its_files_says_so_until_they_are_back(stores: Stores, folder: Path, case: str) -> None:
    name, lose = LOST[case]
    await stores.health.ping()
    lose(folder / name)
    for _ in range(3):
        with pytest.raises(TransientError, match="cannot be used"):
            await stores.health.ping()
    bring_back(folder / name)
    await stores.health.ping()


@pytest.mark.parametrize("case", DATABASE_LOST)
async def test_nothing_is_acknowledged_that_nobody_would_find(folder: Path, case: str) -> None:
    name, lose = DATABASE_LOST[case]
    async with open_sqlite(directory=folder, names=TableNames()) as stores:
        await stores.jobs.add([make_job(1)])
        lose(folder / name)
        with pytest.raises(TransientError, match="deleted, moved or replaced while it was open; restart"):
            await stores.jobs.add([make_job(2)])
        with pytest.raises(TransientError):
            await stores.blobs.put(KEY, chunks(b"x"), content_type="image/png", keep_until=START)


@pytest.mark.parametrize("left", [b"", b"SQLite format 3"])
async def test_a_database_that_is_overwritten_in_its_place_is_noticed(folder: Path, left: bytes) -> None:
    """As by `cp` of an older one, which leaves the file the same for the system."""
    async with open_sqlite(directory=folder, names=TableNames()) as stores:
        (folder / FILE_NAME).write_bytes(left)
        for attempt in (stores.health.ping, lambda: stores.jobs.add([make_job(1)])):
            with pytest.raises(TransientError, match="was overwritten while it was open; restart"):
                await attempt()


@pytest.mark.parametrize(
    "table", ["jobs", "jobs leaves", "jobs requests", "jobs texts", "jobs jobEvent", "resources", "blobs"]
)
async def test_a_table_that_is_missing_is_noticed(stores: Stores, folder: Path, table: str) -> None:
    with closing(sqlite3.connect(folder / FILE_NAME)) as other:
        other.execute(f'DROP TABLE "{table}"')
    for _ in range(2):
        with pytest.raises(TransientError, match=f"no such table: {table}"):
            await stores.health.ping()


@pytest.mark.parametrize("obstruct", [Path.touch, lambda path: path.symlink_to("/nowhere")], ids=["file", "link"])
async def test_a_folder_that_one_blob_needs_is_asked_for_until_it_can_be_used(
    stores: Stores, folder: Path, obstruct: Callable[[Path], None]
) -> None:
    needed = folder / BLOBS / KEY[:2]
    obstruct(needed)
    await stores.health.ping()
    for _ in range(2):
        with pytest.raises(TransientError, match=f"{BLOBS}/{KEY[:2]}"):
            await stores.blobs.put(KEY, chunks(b"x"), content_type="image/png", keep_until=START)
        with pytest.raises(TransientError, match=f"{BLOBS}/{KEY[:2]}"):
            await stores.health.ping()
    needed.unlink()
    await stores.health.ping()
    await stores.blobs.put(KEY, chunks(b"x"), content_type="image/png", keep_until=START)


async def test_a_blob_that_cannot_take_its_place_is_a_failure_as_well(stores: Stores, folder: Path) -> None:
    in_the_way = folder / BLOBS / KEY[:2] / KEY
    in_the_way.mkdir(parents=True)
    with pytest.raises(TransientError):
        await stores.blobs.put(KEY, chunks(b"x"), content_type="image/png", keep_until=START)
    await stores.health.ping()  # others find their places
    in_the_way.rmdir()
    await stores.blobs.put(KEY, chunks(b"x"), content_type="image/png", keep_until=START)


async def test_many_may_ask_at_once(stores: Stores, folder: Path) -> None:
    with files_no_larger_than((folder / LOG).stat().st_size):
        asked = await asyncio.gather(*(stores.health.ping() for _ in range(20)), return_exceptions=True)
    assert {type(answer) for answer in asked} == {TransientError}
    await asyncio.gather(*(stores.health.ping() for _ in range(20)))


async def test_a_healthy_store_leaves_nothing_behind(stores: Stores, folder: Path) -> None:
    for _ in range(3):
        await stores.health.ping()
    assert list((folder / BLOBS).iterdir()) == list(own_uploads(folder).iterdir()) == []


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """As a disk that is full for all files that are larger: what is beyond is not written."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_full_disk_is_told_and_overcome(stores: Stores, folder: Path) -> None:
    await stores.jobs.add([make_job(1)])
    with files_no_larger_than((folder / LOG).stat().st_size):
        for attempt in (stores.health.ping, stores.health.ping, lambda: stores.jobs.add([make_job(2)])):
            with pytest.raises(TransientError, match="cannot be used"):
                await attempt()
    await stores.health.ping()
    await stores.jobs.add([make_job(2)])
    assert len(await stores.jobs.get_many([job_id(1), job_id(2)])) == 2


async def test_after_a_write_that_failed_a_small_one_is_no_proof(stores: Stores, folder: Path) -> None:
    """SQLite writes again where the one that failed had found some room."""
    jobs = [make_job(number) for number in range(1, 200)]
    with files_no_larger_than((folder / LOG).stat().st_size + 65_536):
        with pytest.raises(TransientError):
            await stores.jobs.add(jobs)
        await stores.jobs.add(jobs[:1])
        with pytest.raises(TransientError):
            await stores.health.ping()
    await stores.health.ping()


async def test_an_upload_that_found_no_room_is_remembered_until_one_as_large_does(stores: Stores) -> None:
    image = bytes(range(256)) * 8_000
    with files_no_larger_than(1_000_000):
        await stores.health.ping()
        with pytest.raises(TransientError, match="cannot be used"):
            await stores.blobs.put(KEY, chunks(image), content_type="image/png", keep_until=START)
        assert await stores.blobs.stat(KEY) is None
        for _ in range(2):
            with pytest.raises(TransientError):
                await stores.health.ping()
    await stores.health.ping()
    await stores.blobs.put(KEY, chunks(image), content_type="image/png", keep_until=START)
    assert await collect(stores.blobs.read(KEY, start=0, stop=len(image))) == image
