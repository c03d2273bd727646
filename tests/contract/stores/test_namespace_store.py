"""`NamespaceStore`: records of namespaces, the processes that obey them, and what these share."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, TypeAlias

import pytest

from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.namespaces import DEFAULT, FIRST_EPOCH, SERVER, SHARED_EPOCH, Epoch, NamespaceRecord
from civitai_mock.domain.workflow import WorkflowMemo, WorkflowStatus
from civitai_mock.ports import NamespaceStore, Stores
from tests.support.dates import START
from tests.support.jobs import SECOND, add_claimed, make_blocked, make_job, succeeded
from tests.support.stored_world import announced, fill, observe
from tests.support.workflows import MONTH, make_workflow, workflow_id

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DOCUMENT: JsonObject = {"mode": "polls", "each": 2, "nested": {"ключ": [None, 0.1, True]}}
Change: TypeAlias = Callable[[NamespaceStore], Awaitable[Any]]


async def add(namespaces: NamespaceStore, name: str = "a", **document: Any) -> NamespaceRecord:
    return await namespaces.add(name, now=NOW, document=document)


async def names_of(namespaces: NamespaceStore) -> list[str]:
    return [record.name for record in await namespaces.list(after="", limit=100)]


async def test_at_first_there_are_the_default_namespace_and_the_record_of_the_server(
    namespaces: NamespaceStore,
) -> None:
    default, server = await namespaces.get(DEFAULT), await namespaces.get(SERVER)
    assert default is not None
    assert server is not None
    assert (default.epoch, dict(default.document)) == (FIRST_EPOCH, {})
    assert dict(server.document) == {}
    assert await names_of(namespaces) == [DEFAULT]
    assert await namespaces.get("a") is None


async def test_a_namespace_comes_back_as_it_was_added(namespaces: NamespaceStore) -> None:
    added = await namespaces.add("a", now=NOW, document=DOCUMENT)
    assert (added.name, added.used_at, dict(added.document), added.is_deleted) == ("a", NOW, DOCUMENT, False)
    assert added.changed == await namespaces.revision()
    assert await namespaces.get("a") == added


async def test_each_namespace_has_an_epoch_of_its_own(namespaces: NamespaceStore) -> None:
    epochs = [(await add(namespaces, name)).epoch for name in ("a", "b", "c")]
    assert len({FIRST_EPOCH, *epochs}) == 4


async def test_one_that_is_there_stays_as_it_is(namespaces: NamespaceStore) -> None:
    first = await add(namespaces, x=1)
    assert await namespaces.add("a", now=NOW + MINUTE, document={"x": 2}) == first
    assert await namespaces.get("a") == first


async def test_of_many_who_add_one_name_all_get_one_namespace(namespaces: NamespaceStore) -> None:
    added = await asyncio.gather(*(add(namespaces, "a", x=number) for number in range(20)))
    assert {record.epoch for record in added} == {added[0].epoch}
    assert await namespaces.get("a") in added


async def test_names_differ_by_case(namespaces: NamespaceStore) -> None:
    assert (await add(namespaces, "a")).epoch != (await add(namespaces, "A")).epoch


async def test_namespaces_are_listed_by_name_page_by_page(namespaces: NamespaceStore) -> None:
    for name in ("b", "a", "z", "A", "0.-_"):
        await add(namespaces, name)
    assert await names_of(namespaces) == ["0.-_", "A", "a", "b", DEFAULT, "z"]
    assert [record.name for record in await namespaces.list(after="a", limit=2)] == ["b", DEFAULT]
    assert list(await namespaces.list(after="z", limit=2)) == []


async def test_a_document_is_saved_if_nobody_has_changed_the_record(namespaces: NamespaceStore) -> None:
    added = await add(namespaces, x=1)
    saved = await namespaces.save(added, DOCUMENT)
    assert saved == replace(added, document=DOCUMENT, changed=await namespaces.revision())
    assert saved.changed > added.changed
    assert await namespaces.save(added, {"x": 3}) is None
    assert await namespaces.get("a") == saved


async def test_the_document_of_the_server_is_saved_like_any_other(namespaces: NamespaceStore) -> None:
    server = await namespaces.get(SERVER)
    assert server is not None
    assert await namespaces.save(server, DOCUMENT) == await namespaces.get(SERVER)
    assert await names_of(namespaces) == [DEFAULT]


async def test_of_many_who_save_at_once_one_wins(namespaces: NamespaceStore) -> None:
    added = await add(namespaces)
    saved = await asyncio.gather(*(namespaces.save(added, {"x": number}) for number in range(20)))
    (won,) = [record for record in saved if record is not None]
    assert await namespaces.get("a") == won


async def test_a_namespace_that_begins_anew_has_a_new_epoch_and_document(namespaces: NamespaceStore) -> None:
    added = await add(namespaces, x=1)
    renewed = await namespaces.renew("a", {"seed": 7})
    assert renewed is not None
    assert (renewed.name, renewed.used_at, dict(renewed.document)) == ("a", NOW, {"seed": 7})
    assert renewed.epoch > added.epoch
    assert renewed.changed == await namespaces.revision()
    assert await namespaces.get("a") == renewed
    assert await namespaces.save(added, {"x": 2}) is None
    assert (await add(namespaces, "b")).epoch > renewed.epoch


async def test_the_default_namespace_can_begin_anew_and_the_server_cannot(namespaces: NamespaceStore) -> None:
    renewed = await namespaces.renew(DEFAULT, {})
    assert renewed is not None
    assert renewed.epoch > FIRST_EPOCH
    assert await namespaces.get(DEFAULT) == renewed
    for name in (SERVER, "unknown"):
        assert await namespaces.renew(name, {}) is None


async def test_all_who_renew_at_once_begin_an_epoch_of_their_own(namespaces: NamespaceStore) -> None:
    await add(namespaces)
    renewed = [record for record in await asyncio.gather(*(namespaces.renew("a", {}) for _ in range(20))) if record]
    assert len({record.epoch for record in renewed}) == 20
    assert await namespaces.get("a") == max(renewed, key=lambda record: record.changed)


async def test_a_deleted_namespace_is_unknown_until_it_is_added_again(namespaces: NamespaceStore) -> None:
    added = await add(namespaces, x=1)
    assert await namespaces.delete("a")
    assert await namespaces.get("a") is None
    assert await names_of(namespaces) == [DEFAULT]
    assert await namespaces.save(added, {}) is None
    assert await namespaces.renew("a", {}) is None
    assert not await namespaces.delete("a")
    again = await add(namespaces, x=2)
    assert again.epoch > added.epoch
    assert await namespaces.get("a") == again


@pytest.mark.parametrize("name", [DEFAULT, SERVER, "unknown"])
async def test_what_is_always_there_or_not_there_at_all_cannot_be_deleted(
    namespaces: NamespaceStore, name: str
) -> None:
    before = await namespaces.get(name)
    assert not await namespaces.delete(name)
    assert await namespaces.get(name) == before


async def test_namespaces_that_nobody_uses_are_found_the_longest_unused_first(namespaces: NamespaceStore) -> None:
    for minutes, name in enumerate(("c", "b", "a")):
        await namespaces.add(name, now=NOW + minutes * MINUTE, document={})
    await namespaces.touch(["c", DEFAULT, "unknown"], NOW + 9 * MINUTE)
    await namespaces.touch(["c"], NOW)  # by a process whose note came late
    assert list(await namespaces.unused_since(NOW + 5 * MINUTE, limit=9)) == ["b", "a"]
    assert list(await namespaces.unused_since(NOW + 5 * MINUTE, limit=1)) == ["b"]
    assert list(await namespaces.unused_since(NOW + 2 * MINUTE, limit=9)) == ["b"]
    found = await namespaces.get("c")
    assert found is not None
    assert found.used_at == NOW + 9 * MINUTE
    assert await namespaces.delete("b")
    assert list(await namespaces.unused_since(NOW + 5 * MINUTE, limit=9)) == ["a"]
    assert await namespaces.get("unknown") is None


async def save(namespaces: NamespaceStore) -> None:
    record = await namespaces.get("a")
    assert record is not None
    assert await namespaces.save(record, {})


CHANGES: dict[str, Change] = {
    "add": lambda namespaces: add(namespaces, "b"),
    "save": save,
    "renew": lambda namespaces: namespaces.renew("a", {}),
    "delete": lambda namespaces: namespaces.delete("a"),
}
NOT_CHANGES: dict[str, Change] = {
    "add what is there": lambda namespaces: add(namespaces, "a"),
    "renew what is unknown": lambda namespaces: namespaces.renew("b", {}),
    "delete what is unknown": lambda namespaces: namespaces.delete("b"),
    "touch": lambda namespaces: namespaces.touch(["a"], NOW + MINUTE),
    "heartbeat": lambda namespaces: namespaces.heartbeat("p", revision=1, now=NOW),
    "farewell": lambda namespaces: namespaces.farewell("p"),
    "hold": lambda namespaces: namespaces.hold("lead/1", "p", now=NOW, until=NOW + MINUTE),
    "release": lambda namespaces: namespaces.release("lead/1", "p"),
    "count": lambda namespaces: namespaces.count(FIRST_EPOCH, "x"),
    "sweep": lambda namespaces: namespaces.sweep_over(limit=9),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
async def test_a_change_raises_the_revision(namespaces: NamespaceStore, change: Change) -> None:
    await add(namespaces)
    before = await namespaces.revision()
    await change(namespaces)
    assert await namespaces.revision() > before
    assert len(await namespaces.changed_since(before)) == 1


@pytest.mark.parametrize("call", NOT_CHANGES.values(), ids=NOT_CHANGES.keys())
async def test_what_changes_no_namespace_leaves_the_revision_as_it_is(namespaces: NamespaceStore, call: Change) -> None:
    await add(namespaces)
    before = await namespaces.revision()
    await call(namespaces)
    assert await namespaces.revision() == before
    assert list(await namespaces.changed_since(before)) == []


async def test_changes_are_told_once_each_in_their_order_with_what_was_deleted(namespaces: NamespaceStore) -> None:
    start = await namespaces.revision()
    for name in ("a", "b", "c"):
        await add(namespaces, name)
    middle = await namespaces.revision()
    renewed = await namespaces.renew("a", {})
    await namespaces.delete("b")
    changed = await namespaces.changed_since(start)
    assert [record.name for record in changed] == ["c", "a", "b"]
    assert [record.is_deleted for record in changed] == [False, False, True]
    assert changed[1] == renewed
    assert [record.changed for record in changed] == sorted(record.changed for record in changed)
    assert list(await namespaces.changed_since(middle)) == list(changed[1:])
    assert list(await namespaces.changed_since(changed[-1].changed)) == []


async def live(namespaces: NamespaceStore, since: datetime) -> list[tuple[str, int, datetime]]:
    found = await namespaces.live_processes(since)
    return sorted((process.id, process.revision, process.seen_at) for process in found)


async def test_a_process_lives_as_long_as_it_is_heard_of(namespaces: NamespaceStore) -> None:
    await namespaces.heartbeat("a", revision=1, now=NOW)
    await namespaces.heartbeat("b", revision=1, now=NOW)
    await namespaces.heartbeat("b", revision=2, now=NOW + 5 * SECOND)
    assert await live(namespaces, NOW) == [("a", 1, NOW), ("b", 2, NOW + 5 * SECOND)]
    assert await live(namespaces, NOW + SECOND) == [("b", 2, NOW + 5 * SECOND)]
    await namespaces.farewell("b")
    await namespaces.farewell("unknown")
    assert await live(namespaces, NOW) == [("a", 1, NOW)]


async def test_a_process_that_was_not_heard_of_for_long_is_forgotten(namespaces: NamespaceStore) -> None:
    """Ten times as long as one is taken for alive, by the last heartbeat of any."""
    await namespaces.heartbeat("old", revision=1, now=NOW - 51 * SECOND)
    await namespaces.heartbeat("late", revision=1, now=NOW - 49 * SECOND)
    await namespaces.heartbeat("a", revision=1, now=NOW)
    assert [name for name, *_ in await live(namespaces, NOW - 5 * SECOND)] == ["a"]
    assert [name for name, *_ in await live(namespaces, NOW - 9 * MINUTE)] == ["a", "late"]


async def test_one_process_holds_a_name_until_its_lease_ends(namespaces: NamespaceStore) -> None:
    hold = namespaces.hold
    assert await hold("x", "a", now=NOW, until=NOW + 10 * SECOND)
    assert not await hold("x", "b", now=NOW + 9 * SECOND, until=NOW + MINUTE)
    assert await hold("y", "b", now=NOW, until=NOW + MINUTE)
    assert await hold("x", "a", now=NOW + 9 * SECOND, until=NOW + 20 * SECOND)
    assert not await hold("x", "b", now=NOW + 11 * SECOND, until=NOW + MINUTE)
    assert await hold("x", "b", now=NOW + 20 * SECOND, until=NOW + MINUTE)
    assert not await hold("x", "a", now=NOW + 21 * SECOND, until=NOW + MINUTE)


async def test_a_name_that_is_given_back_is_free(namespaces: NamespaceStore) -> None:
    assert await namespaces.hold("x", "a", now=NOW, until=NOW + MINUTE)
    await namespaces.release("x", "b")
    assert not await namespaces.hold("x", "b", now=NOW, until=NOW + MINUTE)
    await namespaces.release("x", "a")
    assert await namespaces.hold("x", "b", now=NOW, until=NOW + MINUTE)


async def test_of_many_who_want_a_name_one_gets_it(namespaces: NamespaceStore) -> None:
    held = await asyncio.gather(
        *(namespaces.hold("x", f"p{number}", now=NOW, until=NOW + MINUTE) for number in range(20))
    )
    assert held.count(True) == 1


async def test_each_key_of_each_epoch_is_counted_by_itself(namespaces: NamespaceStore) -> None:
    added = await add(namespaces)
    counts = await asyncio.gather(*(namespaces.count(FIRST_EPOCH, "x") for _ in range(20)))
    assert sorted(counts) == list(range(20))
    assert await namespaces.count(FIRST_EPOCH, "y") == 0
    assert await namespaces.count(added.epoch, "x") == 0
    assert await namespaces.count(FIRST_EPOCH, "x") == 20
    assert await namespaces.counted(FIRST_EPOCH, ["x", "y", "z"]) == {"x": 21, "y": 1}
    assert await namespaces.counted(added.epoch, ["x"]) == {"x": 1}
    assert await namespaces.counted(added.epoch, []) == {}


async def test_counters_are_forgotten_by_their_names(namespaces: NamespaceStore) -> None:
    keys = ["a/x", "a/y", "b"]
    for key in keys:
        await namespaces.count(FIRST_EPOCH, key)
        await namespaces.count(SHARED_EPOCH, key)
    await namespaces.forget_counts(FIRST_EPOCH, ["a/x", "a/y", "unknown"])
    await namespaces.forget_counts(FIRST_EPOCH, [])
    assert await namespaces.counted(FIRST_EPOCH, keys) == {"b": 1}
    assert await namespaces.counted(SHARED_EPOCH, keys) == dict.fromkeys(keys, 1)
    assert await namespaces.count(FIRST_EPOCH, "a/x") == 0


async def test_a_counter_is_set_whatever_it_was(namespaces: NamespaceStore) -> None:
    await namespaces.count(FIRST_EPOCH, "x")
    values = [1_800_000_000_000_000, 3]
    for value in values:
        await asyncio.gather(*(namespaces.set_count(FIRST_EPOCH, key, value) for key in ("x", "y", "y")))
        assert await namespaces.counted(FIRST_EPOCH, ["x", "y"]) == {"x": value, "y": value}
    assert await namespaces.counted(SHARED_EPOCH, ["x", "y"]) == {}
    assert await namespaces.count(FIRST_EPOCH, "x") == 3
    await namespaces.forget_counts(FIRST_EPOCH, ["x", "y"])
    assert await namespaces.counted(FIRST_EPOCH, ["x", "y"]) == {}


@pytest.mark.parametrize("before", [0, 7])
async def test_a_counter_is_swapped_by_the_first_who_knows_it(namespaces: NamespaceStore, before: int) -> None:
    if before:
        assert await namespaces.swap_count(FIRST_EPOCH, "x", 0, before)
    assert not await namespaces.swap_count(FIRST_EPOCH, "x", before + 1, 5)
    swaps = [namespaces.swap_count(FIRST_EPOCH, "x", before, 20 + number) for number in range(20)]
    swapped = await asyncio.gather(*swaps)
    assert swapped.count(True) == 1
    assert await namespaces.counted(FIRST_EPOCH, ["x"]) == {"x": 20 + swapped.index(True)}
    assert await namespaces.swap_count(SHARED_EPOCH, "x", 0, 1)


async def test_notes_are_found_by_how_their_names_begin(namespaces: NamespaceStore) -> None:
    later = datetime.now(UTC) + MINUTE
    for name, text in (("q/1", "ä"), ("q/2", "{}"), ("q", "other"), ("q0", "other"), ("r/1", "x" * 100_000)):
        await namespaces.post(name, text, until=later)
    await namespaces.post("q/2", "[]", until=later)
    assert await namespaces.posted("q/") == {"1": "ä", "2": "[]"}
    assert await namespaces.posted("r/1") == {"": "x" * 100_000}
    await namespaces.take_down("q/")
    assert await namespaces.posted("q/") == {}
    assert set(await namespaces.posted("")) >= {"q", "q0", "r/1"}


async def test_a_note_that_is_news_raises_the_revision_and_changes_no_record(namespaces: NamespaceStore) -> None:
    later, before = datetime.now(UTC) + MINUTE, await namespaces.revision()
    await namespaces.post("q/1", "text", until=later)
    assert await namespaces.revision() == before
    await namespaces.post("q/2", "text", until=later, is_news=True)
    assert await namespaces.revision() > before
    assert list(await namespaces.changed_since(before)) == []


async def test_notes_and_leases_are_not_in_each_others_way(namespaces: NamespaceStore) -> None:
    now = datetime.now(UTC)
    await namespaces.post("q/1", "text", until=now + MINUTE)
    assert await namespaces.hold("lead", "me", now=now, until=now + MINUTE)
    await namespaces.take_down("q/")
    assert not await namespaces.hold("lead", "you", now=now, until=now + MINUTE)


async def in_namespace(stores: Stores, name: str) -> tuple[Epoch, Stores]:
    record = await add(stores.namespaces, name)
    epoch = Epoch(name, record.epoch)
    return epoch, stores.in_epoch(epoch)


async def a_queued_job(stores: Stores) -> None:
    await stores.jobs.add([make_job()])


async def a_blocked_job(stores: Stores) -> None:
    await stores.jobs.add([make_blocked(1, "x")])


async def a_claimed_job(stores: Stores) -> None:
    await add_claimed(stores.jobs, stores.queue)


async def an_ended_job_to_tell_of(stores: Stores) -> None:
    claimed = await add_claimed(stores.jobs, stores.queue, job=replace(make_job(), callback_url="http://localhost:1/"))
    assert await stores.jobs.replace(claimed, succeeded(claimed))


async def an_ended_job(stores: Stores) -> None:
    claimed = await add_claimed(stores.jobs, stores.queue)
    assert await stores.jobs.replace(claimed, succeeded(claimed))


async def an_open_workflow(stores: Stores) -> None:
    await stores.workflows.add(make_workflow(), [])


async def a_workflow_that_is_over(stores: Stores) -> None:
    added = await stores.workflows.add(make_workflow(), [])
    memo = WorkflowMemo(status=WorkflowStatus.SUCCEEDED, started_at=START, completed_at=START)
    assert await stores.workflows.replace(added, added.over(memo, keep_until=START + MONTH))


async def an_announcement_to_deliver(stores: Stores) -> None:
    await a_workflow_that_is_over(stores)
    assert await stores.announcements.announce(workflow_id(1), [announced(0)])


Make: TypeAlias = Callable[[Stores], Awaitable[None]]
WORK: dict[str, Make] = {
    "queued job": a_queued_job,
    "blocked job": a_blocked_job,
    "claimed job": a_claimed_job,
    "webhook": an_ended_job_to_tell_of,
    "workflow": an_open_workflow,
    "announcement": an_announcement_to_deliver,
}
NO_WORK: dict[str, Make] = {"ended job": an_ended_job, "workflow": a_workflow_that_is_over}


@pytest.mark.parametrize("make", WORK.values(), ids=WORK.keys())
async def test_epochs_with_something_to_do_are_found(stores: Stores, make: Make) -> None:
    _, idle = await in_namespace(stores, "idle")
    busy, of_busy = await in_namespace(stores, "busy")
    other, of_other = await in_namespace(stores, "other")
    ended, of_ended = await in_namespace(stores, "ended")
    for each in (of_busy, of_other, of_ended):
        await make(each)
    await an_ended_job(idle)
    await stores.namespaces.renew("ended", {})
    assert list(await stores.namespaces.epochs_with_work()) == sorted([busy.number, other.number])
    assert ended.number not in await stores.namespaces.epochs_with_work()


@pytest.mark.parametrize("make", NO_WORK.values(), ids=NO_WORK.keys())
async def test_epochs_with_nothing_to_do_are_not_found(stores: Stores, make: Make) -> None:
    await make(stores)
    assert list(await stores.namespaces.epochs_with_work()) == []


async def sweep_all(namespaces: NamespaceStore, *, limit: int = 1000) -> int:
    """Sweep until nothing is left, and return in how many steps something was deleted."""
    steps = 0
    while await namespaces.sweep_over(limit=limit):
        steps += 1
        assert steps < 1000
    return steps


@pytest.mark.parametrize("limit", [1, 1000])
async def test_what_is_left_of_an_ended_epoch_is_swept_and_nothing_else(stores: Stores, limit: int) -> None:
    kept, of_kept = await in_namespace(stores, "kept")
    ended, of_ended = await in_namespace(stores, "ended")
    world, gone = await fill(of_kept), await fill(of_ended)
    await stores.namespaces.count(kept.number, "x")
    await stores.namespaces.count(ended.number, "x")
    before = await observe(world)
    assert await sweep_all(stores.namespaces) == 0
    await stores.namespaces.renew("ended", {})
    assert await sweep_all(stores.namespaces, limit=limit) > 0
    assert await observe(world) == before
    nothing = replace(gone, stores=stores.in_epoch(Epoch("other", ended.number)))
    _, fresh = await in_namespace(stores, "fresh")
    assert await observe(nothing) == await observe(replace(gone, stores=fresh))
    assert await stores.namespaces.count(kept.number, "x") == 1
    assert await stores.namespaces.count(ended.number, "x") == 0


async def test_a_sweep_deletes_a_little_at_a_time(stores: Stores) -> None:
    epoch, of_ended = await in_namespace(stores, "ended")
    await of_ended.jobs.add([make_job(number) for number in range(1, 101)])
    await stores.namespaces.renew("ended", {})
    left = stores.in_epoch(Epoch("ended", epoch.number)).queue
    sizes = [(await left.backlog()).jobs]
    while await stores.namespaces.sweep_over(limit=50):
        sizes.append((await left.backlog()).jobs)
    assert all(0 <= before - after <= 50 for before, after in pairwise(sizes))
    assert (sizes[0], sizes[-1]) == (100, 0)


async def test_an_epoch_is_swept_again_as_long_as_a_process_may_not_know_of_its_end(stores: Stores) -> None:
    """As a process that was busy may write to it before it hears of that."""
    namespaces = stores.namespaces
    epoch, of_ended = await in_namespace(stores, "ended")
    await namespaces.heartbeat("late", revision=await namespaces.revision(), now=NOW)
    await namespaces.renew("ended", {})
    assert await sweep_all(namespaces) == 0
    await fill(of_ended)
    assert await sweep_all(namespaces) > 0
    await namespaces.heartbeat("late", revision=await namespaces.revision(), now=NOW)
    assert await sweep_all(namespaces) == 0
    assert await of_ended.jobs.get(make_job().id) is None
    assert epoch.number not in await namespaces.epochs_with_work()


async def test_the_first_epoch_is_swept_like_any_other(stores: Stores) -> None:
    world = await fill(stores)
    await stores.namespaces.renew(DEFAULT, {})
    assert await sweep_all(stores.namespaces) > 0
    observed = await observe(world)
    _, fresh = await in_namespace(stores, "fresh")
    assert observed == await observe(replace(world, stores=fresh))  # resources of the default namespace are shared


async def test_a_deleted_name_is_told_of_until_all_have_heard_of_it(namespaces: NamespaceStore) -> None:
    await add(namespaces)
    start = await namespaces.revision()
    await namespaces.heartbeat("late", revision=start, now=NOW)
    await namespaces.delete("a")
    await sweep_all(namespaces)
    assert [record.name for record in await namespaces.changed_since(start)] == ["a"]
    await namespaces.heartbeat("late", revision=await namespaces.revision(), now=NOW)
    await sweep_all(namespaces)
    assert list(await namespaces.changed_since(start)) == []
    assert await namespaces.get("a") is None
