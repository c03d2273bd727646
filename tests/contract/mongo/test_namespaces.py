"""What only MongoDB can get wrong about namespaces: revisions that are drawn and written in another order."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from pymongo.errors import AutoReconnect

from civitai_mock.domain.errors import ConflictError, TransientError
from civitai_mock.domain.namespaces import USUAL_MOST, Epoch
from civitai_mock.ports import NamespaceStore, Stores
from civitai_mock.ports.snapshots import CounterRecord, Delivery, JobRecord
from civitai_mock.storage.mongo import blobs as blobs_module
from civitai_mock.storage.mongo import epoch_sweep, revisions
from civitai_mock.storage.mongo.collections import Collections
from civitai_mock.storage.mongo.epoch_sweep import EpochSweep
from civitai_mock.storage.mongo.namespaces import MongoNamespaceStore
from civitai_mock.storage.mongo.revisions import ITSELF, Revisions
from civitai_mock.storage.mongo.snapshots import MongoSnapshotStore
from tests.support.dates import START
from tests.support.jobs import add_jobs, chunks, make_job
from tests.support.mongo import Interrupted, Meanwhile, SentAgain

pytestmark = pytest.mark.mongo

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def process_on(inside: Collections, **troubled: Any) -> NamespaceStore:
    """Another process on the database, with its own trouble; it has nothing to do with files."""
    collections = replace(inside, **troubled)
    drawing = Revisions(settings=collections.secrets, namespaces=collections.namespaces)
    nothing: Any = None
    sweep = EpochSweep(collections=collections, revisions=drawing, files=nothing)
    return MongoNamespaceStore(collections=collections, revisions=drawing, sweep=sweep)


def telling(inside: Collections) -> tuple[NamespaceStore, asyncio.Event]:
    """A process, and what is set as soon as it has written a new record."""
    is_written = asyncio.Event()

    async def tell() -> None:
        is_written.set()

    return process_on(inside, namespaces=Meanwhile(inside.namespaces, "insert_one", tell, after=True)), is_written


async def add(namespaces: NamespaceStore, name: str, *, most: int = USUAL_MOST) -> int:
    return (await namespaces.add(name, now=NOW, document={}, most=most)).changed


class Follower:
    """Hears of changes as processes do: it asks for the revision first."""

    def __init__(self, namespaces: NamespaceStore, revision: int) -> None:
        self.names: set[str] = set()
        self.revision = revision
        self._namespaces = namespaces

    async def look(self) -> None:
        revision = await self._namespaces.revision()
        self.names |= {record.name for record in await self._namespaces.changed_since(self.revision)}
        self.revision = revision


async def test_a_change_that_is_written_after_a_later_one_is_not_missed(stores: Stores, inside: Collections) -> None:
    follower = Follower(stores.namespaces, await stores.namespaces.revision())
    later: list[asyncio.Task[int]] = []

    async def others_add_and_look() -> None:
        process, is_written = telling(inside)
        later.append(asyncio.create_task(add(process, "later")))
        await is_written.wait()
        await follower.look()

    slow = process_on(inside, namespaces=Meanwhile(inside.namespaces, "insert_one", others_add_and_look))
    earlier = await add(slow, "earlier")
    assert earlier < await later[0]
    assert follower.names == {"later"}
    await follower.look()
    assert follower.names == {"later", "earlier"}
    assert follower.revision == await later[0]


async def test_a_change_returns_when_all_before_it_can_be_read(stores: Stores, inside: Collections) -> None:
    """Else whoever waits until others have come so far would not wait for its own."""
    revision_at_return: list[int] = []

    async def add_and_note(process: NamespaceStore) -> None:
        changed = await add(process, "later")
        revision_at_return.append(await stores.namespaces.revision() - changed)

    async def others_add() -> None:
        process, is_written = telling(inside)
        later.append(asyncio.create_task(add_and_note(process)))
        await is_written.wait()
        assert revision_at_return == []

    later: list[asyncio.Task[None]] = []
    await add(process_on(inside, namespaces=Meanwhile(inside.namespaces, "insert_one", others_add)), "earlier")
    await later[0]
    assert revision_at_return == [0]


@pytest.mark.parametrize("kind", ["add", "save", "renew", "delete"])
async def test_a_write_of_a_process_that_was_taken_for_dead_comes_too_late_and_is_made_again(
    stores: Stores, inside: Collections, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    namespaces = stores.namespaces
    if kind != "add":
        await add(namespaces, "a")
    before = await namespaces.get("a")
    follower = Follower(namespaces, await namespaces.revision())
    monkeypatch.setattr(revisions, "MOST_PENDING_SECONDS", -1.0)

    async def others_look_past_it() -> None:
        first = follower.revision
        while follower.revision == first:
            await follower.look()

    call = "insert_one" if kind == "add" else "find_one_and_update"
    slow = process_on(inside, namespaces=Meanwhile(inside.namespaces, call, others_look_past_it))
    if kind == "save":
        assert before is not None
        assert await slow.save(before, {"x": 1}) is None
        assert await namespaces.get("a") != before  # as its revision is another
        return
    if kind == "delete":
        assert await slow.delete("a")
    else:
        written = await (slow.renew("a", {"x": 1}) if kind == "renew" else slow.add("a", now=NOW, document={"x": 1}))
        assert written is not None
        assert await namespaces.get("a") == written
    passed = follower.revision
    await follower.look()
    assert passed < follower.revision == (await namespaces.changed_since(0))[-1].changed
    assert (await namespaces.get("a") is None) == (kind == "delete")


class Late:
    """A collection whose `insert_one` breaks off, and is carried out all the same, later."""

    def __init__(self, inside: Any, error: BaseException) -> None:
        self._inside = inside
        self._error = error
        self._documents: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inside, name)

    async def insert_one(self, document: Any) -> None:
        self._documents.append(document)
        raise self._error

    async def carry_out(self) -> None:
        for document in self._documents:
            await self._inside.insert_one(document)


@pytest.mark.parametrize("error", [asyncio.CancelledError(), AutoReconnect("away")], ids=["cancelled", "away"])
async def test_a_change_that_breaks_off_and_is_written_afterwards_is_not_missed(
    stores: Stores, inside: Collections, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    follower = Follower(stores.namespaces, await stores.namespaces.revision())
    late = Late(inside.namespaces, error)
    with pytest.raises((asyncio.CancelledError, TransientError)):
        await add(process_on(inside, namespaces=late), "late")
    await follower.look()
    await late.carry_out()
    monkeypatch.setattr(revisions, "MOST_PENDING_SECONDS", -1.0)
    await add(stores.namespaces, "other")
    await follower.look()
    assert follower.names == {"late", "other"}


async def test_a_process_that_dies_before_its_change_is_written_holds_nobody_up(
    stores: Stores, inside: Collections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revisions, "MOST_PENDING_SECONDS", -1.0)
    before = await stores.namespaces.revision()
    dead = Interrupted(inside.namespaces, "insert_one")
    with pytest.raises(TransientError):
        await add(process_on(inside, namespaces=dead, secrets=DyingAfterOne(inside.secrets)), "lost")
    assert await pending(inside) == ["lost"]
    assert await stores.namespaces.revision() == before
    changed = await add(stores.namespaces, "a")
    assert await stores.namespaces.revision() >= changed
    assert await pending(inside) == []
    assert await stores.namespaces.get("lost") is None
    assert (await stores.namespaces.get("a")) is not None


async def test_two_readings_at_once_end_what_two_dead_processes_left(
    stores: Stores, inside: Collections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revisions, "MOST_PENDING_SECONDS", -1.0)
    for name in ("first", "second"):
        dead = Interrupted(inside.namespaces, "insert_one")
        drawing = process_on(inside, namespaces=dead, secrets=DyingAfterOne(inside.secrets))
        with pytest.raises(TransientError):
            await add(drawing, name)
    assert await pending(inside) == ["first", "second"]

    async def read_twice() -> None:
        for _ in range(2):
            await process.revision()

    process = process_on(inside, namespaces=Meanwhile(inside.namespaces, "find_one", read_twice))
    await process.revision()
    assert await pending(inside) == []


async def test_a_process_that_dies_after_its_change_is_written_has_made_it(
    stores: Stores, inside: Collections, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = Follower(stores.namespaces, await stores.namespaces.revision())
    with pytest.raises(TransientError):
        await add(process_on(inside, secrets=DyingAfterOne(inside.secrets)), "a")
    assert await pending(inside) == ["a"]
    written = await stores.namespaces.get("a")
    assert written is not None
    await follower.look()
    assert follower.revision < written.changed
    monkeypatch.setattr(revisions, "MOST_PENDING_SECONDS", -1.0)
    await follower.look()
    await follower.look()
    assert follower.revision == written.changed
    assert await stores.namespaces.get("a") == written


class DyingAfterOne(Interrupted):
    """The document that revisions are drawn from, whose connection is gone after the first draw."""

    def __init__(self, collection: Any) -> None:
        super().__init__(collection, "find_one_and_update")
        self._drawn = False

    async def _interrupt(self, call: Any, *args: object, **kwargs: object) -> object:
        if self._drawn:
            return await super()._interrupt(call, *args, **kwargs)
        self._drawn = True
        return await call(*args, **kwargs)


async def pending(inside: Collections) -> list[str]:
    document = await inside.secrets.find_one(ITSELF)
    assert document is not None
    return [entry["name"] for entry in document["pending"]]


async def test_processes_that_add_at_once_never_add_too_many(stores: Stores, inside: Collections) -> None:
    processes = [process_on(inside) for _ in range(3)]
    added = await asyncio.gather(
        *(add(process, f"{place}-{number}", most=4) for place, process in enumerate(processes) for number in range(4)),
        return_exceptions=True,
    )
    refused = [answer for answer in added if isinstance(answer, ConflictError)]
    assert 1 <= len(added) - len(refused) <= 3
    assert len(await stores.namespaces.list(after="", limit=99)) == 1 + len(added) - len(refused)
    for name in ("x", "y", "z"):  # one after the other, up to the last one
        if len(await stores.namespaces.list(after="", limit=99)) < 4:
            await add(stores.namespaces, name, most=4)
    with pytest.raises(ConflictError, match="There are 4 namespaces already"):
        await add(stores.namespaces, "one too many", most=4)


async def test_namespaces_are_counted_only_when_there_may_be_too_many(inside: Collections) -> None:
    counts: list[int] = []

    class Counted(Interrupted):
        async def _interrupt(self, call: Any, *args: object, **kwargs: object) -> object:
            counts.append(number)
            return await call(*args, **kwargs)

    process = process_on(inside, namespaces=Counted(inside.namespaces, "count_documents"))
    for number in range(5):
        await add(process, f"n{number}", most=6)
    assert counts == [0]
    assert await process.delete("n0")
    number = 5
    await add(process, "n5", most=6)
    assert counts == [0, 5]
    with pytest.raises(ConflictError):
        await add(process, "n6", most=6)


async def test_an_epoch_whose_end_broke_off_is_not_over_and_is_unlisted_later(
    stores: Stores, inside: Collections, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = await stores.namespaces.add("a", now=NOW, document={})
    of_a = stores.in_epoch(Epoch("a", record.epoch))
    await add_jobs(of_a.jobs, 3)
    broken = process_on(inside, namespaces=Interrupted(inside.namespaces, "find_one_and_update"))
    with pytest.raises(TransientError):
        await broken.renew("a", {})
    assert not await stores.namespaces.sweep_over(limit=9)
    assert (await of_a.queue.backlog()).jobs == 3
    assert list(await stores.namespaces.epochs_with_work()) == [record.epoch]
    assert await inside.epochs.count_documents({}) == 1
    monkeypatch.setattr(epoch_sweep, "LISTED", timedelta())
    assert not await stores.namespaces.sweep_over(limit=9)
    assert await inside.epochs.count_documents({}) == 0
    assert (await of_a.queue.backlog()).jobs == 3


async def test_an_epoch_of_which_nothing_was_left_for_long_is_forgotten(
    stores: Stores, inside: Collections, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write that was under way when it ended may land before that."""
    record = await stores.namespaces.add("a", now=NOW, document={})
    of_a = stores.in_epoch(Epoch("a", record.epoch))
    await stores.namespaces.renew("a", {})
    assert not await stores.namespaces.sweep_over(limit=9)
    await of_a.jobs.add([make_job()])
    assert await stores.namespaces.sweep_over(limit=9)
    assert not await stores.namespaces.sweep_over(limit=9)
    assert await inside.jobs.count_documents({}) == 0
    assert await inside.epochs.count_documents({}) == 1
    monkeypatch.setattr(epoch_sweep, "LISTED", timedelta())
    assert not await stores.namespaces.sweep_over(limit=9)
    assert await inside.epochs.count_documents({}) == 0


async def test_files_of_an_epoch_that_is_over_go_with_their_parts(
    stores: Stores, inside: Collections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blobs_module, "LARGEST_CONTENT", 1000)
    record = await stores.namespaces.add("a", now=NOW, document={})
    for each in (stores, stores.in_epoch(Epoch("a", record.epoch))):
        await each.blobs.put("key", chunks(bytes(300 * 1024)), content_type="image/png", keep_until=START)
    await stores.namespaces.renew("a", {})
    while await stores.namespaces.sweep_over(limit=1):
        pass
    assert [file["metadata"]["epoch"] async for file in inside.blob_files.find()] == [1]
    assert await inside.blob_chunks.count_documents({}) == 2
    assert await stores.blobs.stat("key") is not None


async def test_a_deleted_name_is_in_the_way_of_slow_writes_after_all_have_heard_of_it(
    stores: Stores, inside: Collections, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add(stores.namespaces, "a")
    await stores.namespaces.delete("a")
    start = await stores.namespaces.revision()
    assert not await stores.namespaces.sweep_over(limit=9)
    document = await inside.namespaces.find_one({"_id": "a"})
    assert document is not None
    assert document["changed"] == -start
    assert await add(stores.namespaces, "a") > start
    await stores.namespaces.delete("a")
    monkeypatch.setattr(epoch_sweep, "LISTED", timedelta())
    assert not await stores.namespaces.sweep_over(limit=9)
    assert await inside.namespaces.find_one({"_id": "a"}) is None


async def test_an_epoch_whose_lease_the_driver_sends_again_has_begun(stores: Stores, inside: Collections) -> None:
    process = process_on(inside, leases=SentAgain(inside.leases, "insert_one"))
    epoch = await process.begin_epoch(lasting=timedelta(minutes=1))
    assert await stores.namespaces.keep_epoch(epoch, lasting=timedelta(minutes=1))


async def test_records_of_a_snapshot_that_the_driver_sends_again_are_there_once(
    stores: Stores, inside: Collections
) -> None:
    epoch = Epoch("here", await stores.namespaces.begin_epoch(lasting=timedelta(minutes=1)))
    records = [JobRecord(job=make_job(number), earlier=(), delivery=Delivery(), polls=0) for number in (1, 2)]
    again: Any = partial(SentAgain, call="insert_many", stored=1)
    sending = replace(inside, jobs=again(inside.jobs), counters=again(inside.counters))
    snapshots = MongoSnapshotStore(epoch=epoch, collections=sending)
    await snapshots.write_jobs(records)
    await snapshots.write_counters([CounterRecord(key=key, value=3) for key in ("a", "b")])
    assert [record.job async for record in stores.in_epoch(epoch).snapshots.jobs()] == [make_job(1), make_job(2)]
    assert await stores.namespaces.counted(epoch.number, ["a", "b"]) == {"a": 3, "b": 3}
