"""Processes on one store tell each other what they do, and the dead are told as such."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from civitai_mock.clock import VirtualClock
from civitai_mock.ports import NamespaceStore
from civitai_mock.services.processes import NOTES, ListProcesses, ProcessNote, PromptCount, Workload

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LEASE = timedelta(seconds=30)


class Process:
    """Is a process as others hear of it; what it does is set by the test."""

    def __init__(self, store: NamespaceStore, clock: VirtualClock, name: str, *, runs_jobs: bool = True) -> None:
        self.load = Workload(prompts={})
        self._store, self._clock = store, clock
        self.note = ProcessNote(
            store=store,
            clock=clock,
            process_id=name,
            lease=LEASE if runs_jobs else None,
            get_workload=lambda: self.load,
        )
        self.list = ListProcesses(store=store, clock=clock, note=self.note)

    async def beat(self) -> None:
        await self.note.tell()
        await self._store.heartbeat(self.note.process_id, revision=0, now=self._clock.now())

    def works(self, jobs: int, *, until: datetime | None = None, **prompts: int) -> None:
        counts = {name: PromptCount(in_flight=number, most=4) for name, number in prompts.items()}
        self.load = Workload(jobs=jobs, leased_until=until, prompts=counts)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOW)


@pytest.fixture
def shared(namespaces: NamespaceStore) -> NamespaceStore:
    if namespaces.is_private:
        pytest.skip("no other process sees this store")
    return namespaces


async def told(process: Process) -> dict[str, Any]:
    return {each.id: each for each in await process.list()}


async def test_each_tells_of_all_and_knows_itself_best(shared: NamespaceStore, clock: VirtualClock) -> None:
    api, scheduler = Process(shared, clock, "api", runs_jobs=False), Process(shared, clock, "scheduler")
    scheduler.works(2, until=NOW + LEASE, one=2)
    await api.beat()
    await scheduler.beat()
    scheduler.works(3)
    for asked in (api, scheduler):
        found = await told(asked)
        assert list(found) == ["api", "scheduler"]
        assert [found[name].is_own for name in found] == [asked is api, asked is scheduler]
        assert [found[name].facts.runs_jobs for name in found] == [False, True]
        assert all(each.is_alive and each.seen_at == NOW for each in found.values())
    assert (await told(api))["scheduler"].facts.jobs == 2
    assert (await told(api))["scheduler"].facts.leased_until == NOW + LEASE
    assert (await told(scheduler))["scheduler"].facts == scheduler.note.facts
    assert (await told(scheduler))["scheduler"].facts.jobs == 3


async def test_a_dead_one_is_told_as_such_and_forgotten_after_ten_minutes(
    shared: NamespaceStore, clock: VirtualClock
) -> None:
    alive, dead = Process(shared, clock, "alive"), Process(shared, clock, "dead")
    await dead.beat()
    clock.advance(3)
    await dead.beat()  # the heartbeat alone, as nothing is new
    clock.advance(4.9)
    assert (await told(alive))["dead"].is_alive
    clock.advance(0.1)
    found = (await told(alive))["dead"]
    assert (found.is_alive, found.seen_at) == (False, NOW + timedelta(seconds=3))
    clock.advance(590)
    await alive.beat()
    assert "dead" in await told(alive)
    clock.advance(10)
    assert list(await told(alive)) == ["alive"]


async def test_what_is_known_when_heartbeats_are_forgotten_is_a_minute_old_at_most(
    shared: NamespaceStore, clock: VirtualClock
) -> None:
    alive, dead = Process(shared, clock, "alive"), Process(shared, clock, "dead")
    for _ in range(119):
        await dead.beat()
        clock.advance(1)
    clock.advance(60)
    await alive.beat()
    await shared.live_processes(clock.now() - timedelta(seconds=5))  # which forgets what is older than 50 s
    found = (await told(alive))["dead"]
    assert (found.is_alive, found.seen_at) == (False, NOW + timedelta(seconds=60))


async def test_who_leaves_is_gone_at_once(shared: NamespaceStore, clock: VirtualClock) -> None:
    staying, leaving = Process(shared, clock, "staying"), Process(shared, clock, "leaving")
    await leaving.beat()
    await leaving.note.take_down()
    assert list(await told(staying)) == ["staying"]


async def test_nothing_is_written_while_nothing_is_new(shared: NamespaceStore, clock: VirtualClock) -> None:
    process = Process(shared, clock, "one")
    await process.beat()
    before = await shared.posted(NOTES)
    clock.advance(59)
    await process.beat()
    assert await shared.posted(NOTES) == before
    process.works(1)
    await process.beat()
    assert await shared.posted(NOTES) != before


async def test_prompts_are_added_up_and_those_of_the_dead_count_while_their_leases_hold(
    shared: NamespaceStore, clock: VirtualClock
) -> None:
    api, one, two = (Process(shared, clock, name, runs_jobs=name != "api") for name in ("api", "one", "two"))
    one.works(3, until=NOW + LEASE, first=2, second=1)
    two.works(2, until=NOW + LEASE, first=2, second=0)
    for process in (one, two):
        await process.beat()
    counts = {"first": PromptCount(in_flight=4, most=8), "second": PromptCount(in_flight=1, most=8)}
    assert await api.list.prompts() == counts
    clock.advance(20)
    await two.beat()
    of_both = {"first": PromptCount(in_flight=4, most=4), "second": PromptCount(in_flight=1, most=4)}
    assert await api.list.prompts() == of_both
    clock.advance(11)
    await two.beat()
    of_two = {"first": PromptCount(in_flight=2, most=4), "second": PromptCount(in_flight=0, most=4)}
    assert await api.list.prompts() == of_two


async def test_where_nobody_else_can_be_there_is_one_and_it_writes_nothing(
    namespaces: NamespaceStore, clock: VirtualClock
) -> None:
    if not namespaces.is_private:
        pytest.skip("other processes see this store")
    process = Process(namespaces, clock, "alone")
    process.works(1, first=1)
    await process.note.tell()
    await process.note.take_down()
    assert (list(await told(process)), await namespaces.posted(NOTES)) == (["alone"], {})
    assert await process.list.prompts() == {"first": PromptCount(in_flight=1, most=4)}
