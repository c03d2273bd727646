"""What the store in files keeps is its owner's alone, and a directory that cannot be used says why."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from civitai_mock.domain.errors import TransientError
from civitai_mock.ports import Stores
from civitai_mock.storage.sqlite import TableNames, open_sqlite, permissions
from civitai_mock.storage.sqlite.connections import connect_file
from tests.support.dates import START
from tests.support.jobs import chunks, make_claim, make_job

KEY = "A" * 64
LOOSE_FOLDER, LOOSE_FILE = 0o755, 0o644


@contextmanager
def _umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


async def _use(stores: Stores) -> None:
    """Leave something of every kind."""
    await stores.blobs.put(KEY, chunks(b"x" * 100), content_type="image/png", keep_until=START + timedelta(days=1))
    await stores.jobs.add([make_job(1)])
    await stores.queue.claim(make_claim(), limit=1)
    await stores.secrets.secret("key")


def _modes(folder: Path) -> Mapping[str, int]:
    return {str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}


def _open_to_others(folder: Path) -> list[str]:
    return [name for name, mode in _modes(folder).items() if mode & permissions.OTHERS]


@pytest.mark.parametrize("umask", [0o022, 0o000, 0o077, 0o777])
@pytest.mark.parametrize("was_there", [True, False])
async def test_files_are_the_owner_s_alone_whatever_the_umask(tmp_path: Path, umask: int, was_there: bool) -> None:
    folder = tmp_path / "some" / "data"
    if was_there:
        folder.mkdir(parents=True)
        folder.chmod(LOOSE_FOLDER)
    with _umask(umask):
        async with open_sqlite(directory=folder, names=TableNames()) as stores:
            await _use(stores)
            assert {"civitai-mock.db", "civitai-mock.db-wal", "civitai-mock.db-shm", f"blobs/AA/{KEY}"} <= set(
                _modes(folder)
            )
            assert _open_to_others(folder) == []
            assert set(_modes(folder).values()) == {permissions.FILE_MODE, permissions.FOLDER_MODE}
    assert stat.S_IMODE(folder.stat().st_mode) == (LOOSE_FOLDER if was_there else permissions.FOLDER_MODE)


async def test_the_database_is_private_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, int] = {}

    def connect_later(path: Path, names: TableNames) -> object:
        seen.update(_modes(tmp_path))
        return connect_file(path, names)

    monkeypatch.setattr("civitai_mock.storage.sqlite.open.connect_file", connect_later)
    with _umask(0):
        async with open_sqlite(directory=tmp_path, names=TableNames()):
            assert seen["civitai-mock.db"] == permissions.FILE_MODE


async def test_what_an_earlier_version_left_is_tightened_and_the_folder_keeps_its_mode(tmp_path: Path) -> None:
    async with open_sqlite(directory=tmp_path, names=TableNames()) as stores:
        await _use(stores)
    for path in tmp_path.rglob("*"):
        path.chmod(LOOSE_FOLDER if path.is_dir() else LOOSE_FILE)
    tmp_path.chmod(LOOSE_FOLDER)
    async with open_sqlite(directory=tmp_path, names=TableNames()) as stores:
        assert _open_to_others(tmp_path) == []
        assert await stores.blobs.stat(KEY) is not None
    assert stat.S_IMODE(tmp_path.stat().st_mode) == LOOSE_FOLDER


async def test_blobs_are_gone_through_only_once(tmp_path: Path) -> None:
    async with open_sqlite(directory=tmp_path, names=TableNames()) as stores:
        await _use(stores)
    blob = tmp_path / "blobs" / "AA" / KEY
    blob.chmod(LOOSE_FILE)
    async with open_sqlite(directory=tmp_path, names=TableNames()):
        assert stat.S_IMODE(blob.stat().st_mode) == LOOSE_FILE


async def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(TransientError, match="data is not a folder"):
        async with open_sqlite(directory=tmp_path / "data", names=TableNames()):
            pass


# The interpreter's own files may be out of that user's reach, so they are loaded before.
OPEN_AS_SOMEBODY = """
import asyncio, os, sys
from pathlib import Path
from civitai_mock.domain.errors import TransientError
from civitai_mock.storage.sqlite import TableNames, open_sqlite
os.setgroups([]); os.setgid(4343); os.setuid(4242)
async def main():
    async with open_sqlite(directory=Path("data"), names=TableNames()):
        pass
try:
    asyncio.run(main())
except TransientError as error:
    print(error.message)
"""


def _said_to_somebody(folder: Path) -> str:
    if os.geteuid() != 0:
        pytest.skip("only root can start a process of another user")
    folder.chmod(0o755)
    command = [sys.executable, "-c", OPEN_AS_SOMEBODY]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_a_folder_of_another_user_says_whose_it_is_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o755)
    assert _said_to_somebody(tmp_path) == (
        "SQLite at data/civitai-mock.db cannot be used: data belongs to 0:0 (mode 755), this process is 4242:4343;"
        " `chown -R 4242 data`, or run as its owner (docker run --user 0:0)."
    )


def test_so_does_the_folder_in_which_it_would_be_made(tmp_path: Path) -> None:
    said = _said_to_somebody(tmp_path)
    assert ". belongs to 0:0 (mode 755), this process is 4242:4343; make data for this user, or set DATA_DIR" in said
    assert "chown" not in said


def test_nor_is_the_root_of_all_folders_to_change_hands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    assert "; set DATA_DIR to a folder of its own" in str(permissions.obstacle(Path("/"), []))


def test_an_owner_is_told_to_let_himself_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert f"; `chmod u+rwX {tmp_path}`" in str(permissions.obstacle(tmp_path, []))


@pytest.mark.parametrize("mode", [0o700, 0o755])
@pytest.mark.parametrize("name", ["blobs", "uploads", "workers", "workers/.door", "civitai-mock.db", "open.lock"])
async def test_so_does_whatever_another_user_has_left_in_a_folder_for_all(tmp_path: Path, name: str, mode: int) -> None:
    data = tmp_path / "data"
    async with open_sqlite(directory=data, names=TableNames()) as stores:
        await _use(stores)
    for path in [data, *data.rglob("*")]:
        os.chown(path, 4242, 4343)
    os.chown(data / name, 5555, 5555)
    (data / name).chmod(mode)
    data.chmod(0o1777)
    said = _said_to_somebody(tmp_path)
    assert f"data/{name} belongs to 5555:5555" in said
    assert "`chown -R 4242 data`" in said


async def test_root_is_told_whose_the_store_is_too(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    async with open_sqlite(directory=tmp_path, names=TableNames()):
        pass
    for path in tmp_path.rglob("*"):
        os.chown(path, 4242, 4343)
    with pytest.raises(TransientError, match=r"belongs to 4242:4343 \(mode 700\), this process is 0:0; `chown -R 0 /"):
        async with open_sqlite(directory=tmp_path, names=TableNames()):
            pass


def test_a_read_only_file_system_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class ReadOnly:
        f_flag = os.ST_RDONLY

    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(os, "statvfs", lambda _: ReadOnly)
    said = permissions.obstacle(tmp_path / "absent", [])
    assert said == f"{tmp_path} is on a read-only file system; mount it writable, or set MONGODB_URI=memory://"


async def test_on_a_read_only_root_the_store_is_in_memory_unless_something_is_mounted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not permissions.is_sealed(tmp_path)

    class ReadOnly:
        f_flag = os.ST_RDONLY

    monkeypatch.setattr(os, "statvfs", lambda _: ReadOnly)
    assert not permissions.is_sealed(Path("/proc/absent"))
    if tmp_path.stat().st_dev == Path("/").stat().st_dev:
        async with open_sqlite(directory=tmp_path / "data", names=TableNames()) as stores:
            assert stores.health.description == "SQLite in memory"


def test_what_can_be_used_or_is_not_there_is_no_obstacle(tmp_path: Path) -> None:
    assert permissions.obstacle(tmp_path, [tmp_path / "absent"]) is None
