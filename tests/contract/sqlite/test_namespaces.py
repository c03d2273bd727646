"""What SQLite keeps of namespaces: how many, where the files of each epoch are, and what two processes see."""

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from civitai_mock.clock import SystemClock
from civitai_mock.domain.errors import ConflictError
from civitai_mock.domain.namespaces import DEFAULT, Epoch, NamespaceRecord
from civitai_mock.ports import NamespaceStore, Stores
from civitai_mock.services.control_plane import ControlPlane
from civitai_mock.storage.sqlite import TableNames, open_sqlite
from civitai_mock.storage.sqlite.connections import connect_memory
from civitai_mock.storage.sqlite.jobs import JobStatements
from civitai_mock.storage.sqlite.open import BLOBS, FILE_NAME
from civitai_mock.storage.sqlite.schema import filled
from tests.support.dates import START
from tests.support.jobs import LIFETIME, chunks, job_id, make_job
from tests.support.stored_world import fill
from tests.support.workflows import first_jobs, make_workflow

NAMES = TableNames()
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
KEY = "ACDC.png"
COUNT = 'SELECT count(*) FROM "{table}"'


@pytest.fixture
async def stores(tmp_path: Path) -> AsyncIterator[Stores]:
    async with open_sqlite(directory=tmp_path, names=NAMES) as opened:
        yield opened


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


async def put(stores: Stores) -> None:
    await stores.blobs.put(KEY, chunks(b"content"), content_type="image/png", keep_until=START + LIFETIME)


async def test_there_are_no_more_namespaces_than_the_limit_says(stores: Stores) -> None:
    namespaces, add = stores.namespaces, partial(stores.namespaces.add, now=NOW, document={}, most=3)
    for name in ("a", "b"):
        await add(name)
    with pytest.raises(ConflictError, match="3 namespaces"):
        await add("c")
    assert await add("a") == await namespaces.get("a")
    assert await namespaces.delete("a")
    await add("c")
    with pytest.raises(ConflictError):
        await add("a")


async def test_files_of_the_first_epoch_stand_where_they_always_did(stores: Stores, tmp_path: Path) -> None:
    await put(stores)
    await put(stores.in_epoch(Epoch("a", 7)))
    assert files(tmp_path / BLOBS) == {f"AC/{KEY}", f"epoch-7/AC/{KEY}"}


async def test_files_of_an_ended_epoch_are_swept_with_their_folders(stores: Stores, tmp_path: Path) -> None:
    record = await stores.namespaces.add("a", now=NOW, document={})
    await put(stores)
    await put(stores.in_epoch(Epoch("a", record.epoch)))
    await stores.namespaces.delete("a")
    while await stores.namespaces.sweep_over(limit=10):
        pass
    assert files(tmp_path / BLOBS) == {f"AC/{KEY}"}
    assert [path.name for path in (tmp_path / BLOBS).iterdir()] == ["AC"]
    await stores.namespaces.renew(DEFAULT, {})
    while await stores.namespaces.sweep_over(limit=10):
        pass
    assert files(tmp_path / BLOBS) == set()


@pytest.fixture
def names_of_tables() -> list[str]:
    with closing(connect_memory(NAMES)) as connections:
        rows = connections.writer.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return [name for (name,) in rows]


def counts(folder: Path, tables: list[str]) -> dict[str, int]:
    with closing(sqlite3.connect(folder / FILE_NAME)) as connection:
        return {name: connection.execute(COUNT.replace("{table}", name)).fetchone()[0] for name in tables}


async def test_nothing_in_any_table_is_left_of_an_ended_epoch(
    stores: Stores, tmp_path: Path, names_of_tables: list[str]
) -> None:
    before = counts(tmp_path, names_of_tables)
    record = await stores.namespaces.add("a", now=NOW, document={})
    await fill(stores.in_epoch(Epoch("a", record.epoch)))
    await stores.namespaces.count(record.epoch, "x")
    filled_tables = {name for name, count in counts(tmp_path, names_of_tables).items() if count > before[name]}
    assert filled_tables >= {name for name in names_of_tables if name.startswith("jobs") and "texts" not in name}
    await stores.namespaces.delete("a")
    while await stores.namespaces.sweep_over(limit=10):
        pass
    after = counts(tmp_path, names_of_tables)
    assert after | {"counters": 0} == before | {"counters": 0}  # but for the revision and the last epoch


async def test_a_process_that_has_not_heard_of_a_reset_writes_where_nobody_looks(
    stores: Stores, tmp_path: Path
) -> None:
    async with open_sqlite(directory=tmp_path, names=NAMES) as other:
        record = await stores.namespaces.add("a", now=NOW, document={})
        await other.namespaces.heartbeat("other", revision=record.changed, now=NOW)
        late = other.in_epoch(Epoch("a", record.epoch))
        renewed = await stores.namespaces.renew("a", {})
        assert renewed is not None
        await late.jobs.add([make_job()])
        await put(late)
        fresh = stores.in_epoch(Epoch("a", renewed.epoch))
        assert await fresh.jobs.get(job_id(1)) is None
        assert await fresh.blobs.stat(KEY) is None
        assert [found.name for found in await other.namespaces.changed_since(record.changed)] == ["a"]
        await other.namespaces.heartbeat("other", revision=renewed.changed, now=NOW)
        while await other.namespaces.sweep_over(limit=10):
            pass
        assert await late.jobs.get(job_id(1)) is None
    assert files(tmp_path / BLOBS) == set()


async def test_many_ended_epochs_are_looked_at_a_few_at_a_time(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    """As each of them costs a look, and a process that may not have heard of their end keeps them all."""
    monkeypatch.setattr("civitai_mock.storage.sqlite.epoch_sweep.EPOCHS", 2)
    namespaces = stores.namespaces
    records = [await namespaces.add(name, now=NOW, document={}) for name in "abcde"]
    await namespaces.heartbeat("late", revision=await namespaces.revision(), now=NOW)
    for record in records:
        await namespaces.delete(record.name)
    assert [await namespaces.sweep_over(limit=10) for _ in range(6)] == [True, True, False] * 2
    last = stores.in_epoch(Epoch("e", records[-1].epoch))
    await last.jobs.add([make_job()])
    assert [await namespaces.sweep_over(limit=10) for _ in range(4)] == [True, True, True, False]
    assert await last.jobs.get(job_id(1)) is None
    await namespaces.farewell("late")
    while await namespaces.sweep_over(limit=10):
        pass
    assert await namespaces.changed_since(0) == []


class WithDeletion:
    """Is a store in which somebody deletes a namespace, and sweeps, once a process has read what there is."""

    def __init__(self, inner: NamespaceStore) -> None:
        self._inner = inner
        self._has_deleted = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def changed_since(self, revision: int) -> Sequence[NamespaceRecord]:
        changed = await self._inner.changed_since(revision)
        if not self._has_deleted:
            self._has_deleted = await self._inner.delete("a")
            while await self._inner.sweep_over(limit=10):
                pass
        return changed


async def test_a_process_that_starts_hears_of_what_is_deleted_meanwhile(stores: Stores) -> None:
    await stores.namespaces.add("a", now=NOW, document={})
    store = cast("NamespaceStore", WithDeletion(stores.namespaces))
    control = ControlPlane(store=store, clock=SystemClock(), process_id="new")

    async def obey(_: NamespaceRecord) -> None:
        pass

    await control.start(obey)
    await control.refresh()
    assert "a" not in control.records


async def test_namespaces_are_there_after_a_restart(tmp_path: Path) -> None:
    async with open_sqlite(directory=tmp_path, names=NAMES) as stores:
        record = await stores.namespaces.add("a", now=NOW, document={"seed": 7})
        renewed = await stores.namespaces.renew(DEFAULT, {})
        revision = await stores.namespaces.revision()
    async with open_sqlite(directory=tmp_path, names=NAMES) as stores:
        assert await stores.namespaces.get("a") == record
        assert await stores.namespaces.get(DEFAULT) == renewed
        assert await stores.namespaces.revision() == revision


def test_all_epochs_share_their_statements() -> None:
    assert filled(JobStatements, TableNames()) is filled(JobStatements, TableNames())
    assert filled(JobStatements, TableNames()) is not filled(JobStatements, TableNames(jobs="others"))


async def test_the_place_of_a_deleted_job_in_its_workflow_is_deleted(stores: Stores, tmp_path: Path) -> None:
    for number in (1, 2):
        workflow = make_workflow(number)
        await stores.workflows.add(workflow, first_jobs(workflow))
    (job,) = first_jobs(make_workflow(1))
    assert await stores.jobs.delete(job.id)
    assert counts(tmp_path, ["jobs", "jobs places"]) == {"jobs": 1, "jobs places": 1}
