"""Opening, closing and opening again."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import AsyncExitStack, closing
from pathlib import Path

import pytest
from filelock import FileLock

from civitai_mock.domain.errors import TransientError
from civitai_mock.storage.sqlite import TableNames, open_sqlite
from civitai_mock.storage.sqlite import open as opening
from civitai_mock.storage.sqlite.encoding import to_json
from civitai_mock.storage.sqlite.open import FILE_NAME
from civitai_mock.storage.sqlite.permissions import FILE_MODE
from civitai_mock.storage.sqlite.schema import RESERVED, VERSION
from tests.support.dates import START
from tests.support.event_loop import settle
from tests.support.jobs import add_claimed, chunks, collect, job_id, make_job, make_resource, prepared

NAMES = TableNames()
KEY = "A" * 64
PATIENCE_SECONDS = 60


def tables(directory: Path) -> set[str]:
    with closing(sqlite3.connect(directory / FILE_NAME)) as connection:
        rows = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    return {name for (name,) in rows}


def files(directory: Path, pattern: str) -> list[str]:
    return sorted(path.name for path in directory.glob(pattern))


async def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    async with open_sqlite(directory=tmp_path, names=NAMES) as stores:
        claimed = await add_claimed(stores.jobs, stores.queue)
        entered = prepared(claimed)
        await stores.jobs.replace(claimed, entered)
        await stores.resources.add(make_resource(modelName="kept"))
        blob = await stores.blobs.put(KEY, chunks(b"content"), content_type="image/png", keep_until=START)
        secret = await stores.secrets.secret("signing")
    async with open_sqlite(directory=tmp_path, names=NAMES) as stores:
        assert await stores.jobs.get(entered.id) == entered
        assert len(await stores.jobs.events(entered.id)) == 2
        kept = make_resource(modelName="kept")
        assert await stores.resources.find([kept.air]) == {str(kept.air): kept}
        assert await stores.blobs.stat(KEY) == blob
        assert await collect(stores.blobs.read(KEY, start=0, stop=7)) == b"content"
        assert await stores.secrets.secret("signing") == secret


async def test_a_directory_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    directory = tmp_path / "some" / "where"
    async with open_sqlite(directory=directory, names=NAMES):
        assert directory.stat().st_mode & 0o777 == 0o700


async def test_the_description_says_where(tmp_path: Path) -> None:
    async with open_sqlite(directory=tmp_path, names=NAMES) as stores:
        assert stores.health.description == f"SQLite at {tmp_path / FILE_NAME}"
    async with open_sqlite(directory=None, names=NAMES) as stores:
        assert stores.health.description == "SQLite in memory"


async def test_a_store_in_memory_leaves_nothing_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with open_sqlite(directory=None, names=NAMES) as stores:
        await add_claimed(stores.jobs, stores.queue)
        await stores.blobs.put(KEY, chunks(bytes(10_000_000)), content_type="image/png", keep_until=START)
        assert files(tmp_path, "*") == []


async def test_stores_in_memory_are_apart(tmp_path: Path) -> None:
    async with open_sqlite(directory=None, names=NAMES) as one, open_sqlite(directory=None, names=NAMES) as other:
        await one.jobs.add([make_job()])
        assert await other.jobs.get(job_id(1)) is None


async def test_closing_leaves_one_tidy_database_file(tmp_path: Path) -> None:
    async with open_sqlite(directory=tmp_path, names=NAMES) as stores:
        await add_claimed(stores.jobs, stores.queue)
    assert files(tmp_path, f"{FILE_NAME}*") == [FILE_NAME]
    assert files(tmp_path, "workers/*.lock") == []
    assert files(tmp_path, "uploads/*") == [".door"]


async def test_tables_have_the_names_that_were_chosen(tmp_path: Path) -> None:
    names = TableNames(resources="models", jobs="my-jobs.v1", job_events="order")
    async with open_sqlite(directory=tmp_path, names=names) as stores:
        claimed = await add_claimed(stores.jobs, stores.queue)
        assert await stores.jobs.replace(claimed, prepared(claimed))
        await stores.resources.add(make_resource())
    of_workflows = (" workflows", " places", " tags", " announcements", " deliveries")
    of_namespaces = (" namespace events", " named jobs", " fleets", " fleet costs")
    others = (*of_workflows, *of_namespaces)
    of_jobs = {f"my-jobs.v1{what}" for what in ("", " requests", " leaves", " order", " texts", *others)}
    assert tables(tmp_path) == {"models", *of_jobs, *RESERVED}


async def test_other_names_in_the_same_file_are_other_tables(tmp_path: Path) -> None:
    async with open_sqlite(directory=tmp_path, names=NAMES) as stores:
        await stores.jobs.add([make_job()])
    async with open_sqlite(directory=tmp_path, names=TableNames(jobs="jobs2", job_events="events2")) as stores:
        assert await stores.jobs.get(job_id(1)) is None
        await stores.jobs.add([make_job()])
    async with open_sqlite(directory=tmp_path, names=NAMES) as stores:
        assert await stores.jobs.get(job_id(1)) == make_job()


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "a b",
        'a"b',
        "a;b",
        "1a",
        "{jobs}",
        "a" * 65,
        "имя",
        "sqlite_x",
        "Blobs",
        "secrets",
        "namespaces",
        "jobEvent",
    ],
)
def test_an_odd_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"name of a table|names of the tables must differ"):
        TableNames(jobs=name)


async def test_a_file_in_the_place_of_the_directory_is_told(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("x")
    for directory in (place, place / "below"):
        with pytest.raises(TransientError, match=r"SQLite at .*file.* cannot be used"):
            async with open_sqlite(directory=directory, names=NAMES):
                pass


async def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(TransientError, match=rf"SQLite at {tmp_path / FILE_NAME} cannot be used: unable to open"):
        async with open_sqlite(directory=tmp_path, names=NAMES):
            pass


@pytest.mark.parametrize("damage", [b"This is not a database. " * 1000, b"SQLite format 3\x00" + bytes(8000)])
async def test_a_file_that_is_no_database_is_told_and_left_alone(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(damage)
    with pytest.raises(TransientError, match=rf"SQLite at {tmp_path / FILE_NAME} cannot be used"):
        async with open_sqlite(directory=tmp_path, names=NAMES):
            pass
    assert (tmp_path / FILE_NAME).read_bytes() == damage


async def test_a_file_of_a_later_version_is_refused(tmp_path: Path) -> None:
    async with open_sqlite(directory=tmp_path, names=NAMES):
        pass
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(TransientError, match=rf"version {VERSION + 1}, this program knows {VERSION}"):
        async with open_sqlite(directory=tmp_path, names=NAMES):
            pass


async def test_an_old_sqlite_library_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    with pytest.raises(TransientError, match=r"3\.35 or later"):
        async with open_sqlite(directory=tmp_path, names=NAMES):
            pass


async def test_a_store_that_failed_to_open_can_be_opened_once_the_cause_is_gone(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"not a database " * 1000)
    with pytest.raises(TransientError):
        async with open_sqlite(directory=tmp_path, names=NAMES):
            pass
    (tmp_path / FILE_NAME).unlink()
    async with open_sqlite(directory=tmp_path, names=NAMES) as stores:
        await stores.health.ping()


@pytest.mark.parametrize("on_disk", [True, False])
async def test_a_closed_store_is_away(tmp_path: Path, *, on_disk: bool) -> None:
    async with open_sqlite(directory=tmp_path if on_disk else None, names=NAMES) as stores:
        pass
    with pytest.raises(TransientError):
        await stores.jobs.get(job_id(1))
    with pytest.raises(TransientError):
        await stores.jobs.add([make_job()])
    with pytest.raises(TransientError):
        await stores.resources.search("", offset=0, limit=1)
    with pytest.raises(TransientError):
        await stores.health.ping()


async def test_what_is_stored_can_be_read_by_people(tmp_path: Path) -> None:
    async with open_sqlite(directory=tmp_path, names=NAMES) as stores:
        await stores.jobs.add([make_job()])
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        found = connection.execute("SELECT json_extract(body, '$.properties.userId') FROM [jobs requests]").fetchall()
    assert found == [(7,)]
    assert to_json({"a": "ключ"}) == '{"a":"ключ"}'


@pytest.fixture
def held(tmp_path: Path) -> Iterator[FileLock]:
    """Hold the lock of a process that opens or upgrades the directory."""
    with FileLock(tmp_path / opening.LOCK, mode=FILE_MODE, thread_local=False) as lock:
        yield lock


async def test_who_opens_waits_for_a_process_that_upgrades_and_says_so_once(
    tmp_path: Path, held: FileLock, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = list[str]()

    class LogOfTheWaiter:
        def warning(self, line: str, **_: object) -> None:
            lines.append(line)
            held.release()

    monkeypatch.setattr(opening, "OPEN_SECONDS", 0.0)
    monkeypatch.setattr(opening, "logger", LogOfTheWaiter())
    async with open_sqlite(directory=tmp_path, names=NAMES) as stores:
        assert await stores.secrets.secret("signing")
    assert lines == ["waiting for another process that opens or upgrades the store"]


@pytest.mark.usefixtures("held")
async def test_a_process_that_upgrades_for_ever_makes_the_store_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "UPGRADE_SECONDS", 0.0)
    with pytest.raises(TransientError, match=r"another process has been opening or upgrading it for 0 s"):
        async with open_sqlite(directory=tmp_path, names=NAMES):
            pass


@pytest.mark.usefixtures("held")
async def test_who_is_stopped_does_not_wait_for_the_process_that_upgrades(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        waiting = asyncio.create_task(stack.enter_async_context(open_sqlite(directory=tmp_path, names=NAMES)))
        await settle()
        waiting.cancel()
        async with asyncio.timeout(PATIENCE_SECONDS):
            with pytest.raises(asyncio.CancelledError):
                await waiting
