"""Which rule fires in a namespace: counted in the store, with the dice of its seed, until the store is away."""

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from civitai_mock.clock import NamespaceClock, RandomIds, VirtualClock
from civitai_mock.domain.clock_state import frozen
from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.fault_presets import Hook
from civitai_mock.domain.faults.conditions import FaultSubject
from civitai_mock.domain.faults.patterns import LinearPattern
from civitai_mock.domain.faults.rules import parse_fault_header, parse_rule
from civitai_mock.domain.faults.scenarios import parse_scenario
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.ports import Metrics, NamespaceStore
from civitai_mock.services.activity import Activity
from civitai_mock.services.controls import Controls
from civitai_mock.services.faults.firing import Faults, ServerRules
from civitai_mock.services.faults.parsed_rules import StoredRule
from civitai_mock.services.faults.scenarios import StoredScenario
from civitai_mock.services.namespace_ids import NamespaceIds
from civitai_mock.storage.sqlite import TableNames, open_sqlite
from tests.support.dates import START

REQUEST = FaultSubject(hook=Hook.REQUEST, method="GET", route="/v1/consumer/jobs/{jobId}")
ERROR: JsonObject = {"action": {"status": 500}}


@pytest.fixture
async def store() -> AsyncIterator[NamespaceStore]:
    async with open_sqlite(directory=None, names=TableNames()) as stores:
        yield stores.namespaces


def stored(rule_id: str, *, life: str = "1", **members: Any) -> JsonObject:
    """What is stored of a rule that was set at `START`."""
    return StoredRule(
        rule=parse_rule({**ERROR, **members}, rule_id=rule_id, set_at=START), life=life, set_at=START
    ).document()


@dataclass
class AwayStore:
    """A store of which some calls come while it is away."""

    inner: NamespaceStore
    is_away: bool = False

    async def count(self, epoch: int, key: str) -> int:
        if self.is_away:
            raise TransientError("The store is away.")
        return await self.inner.count(epoch, key)

    async def counted(self, epoch: int, keys: Sequence[str]) -> Mapping[str, int]:
        if self.is_away:
            raise TransientError("The store is away.")
        return await self.inner.counted(epoch, keys)

    async def swap_count(self, epoch: int, key: str, before: int, after: int) -> bool:
        return await self.inner.swap_count(epoch, key, before, after)

    async def set_count(self, epoch: int, key: str, value: int) -> None:
        if self.is_away:
            raise TransientError("The store is away.")
        await self.inner.set_count(epoch, key, value)


@dataclass(kw_only=True)
class Process:
    """The faults of a namespace in one process, and what they depend on."""

    store: Any
    controls: Controls = field(default_factory=Controls)
    epoch: Epoch = field(default_factory=Epoch)
    machine: VirtualClock = field(default_factory=lambda: VirtualClock(START))
    metrics: Metrics = field(default_factory=Metrics)
    faults: Faults = field(init=False)
    clock: NamespaceClock = field(init=False)

    def __post_init__(self) -> None:
        self.clock = NamespaceClock(system_clock=self.machine, activity=Activity())
        self.faults = Faults(
            controls=self.controls,
            server_rules=ServerRules(),
            store=self.store,
            epoch=self.epoch,
            clock=self.clock,
            system_clock=self.machine,
            ids=NamespaceIds(random=RandomIds(), controls=self.controls, epoch=self.epoch, count=self.store.count),
            metrics=self.metrics,
        )

    def set(self, *rules: JsonObject, server: Sequence[JsonObject] = (), **members: Any) -> "Process":
        self.controls.update({"rules": list(rules), **members}, {"rules": list(server)})
        return self

    async def fires(self, subject: FaultSubject = REQUEST, *, header: str | None = None) -> str | None:
        asked = None if header is None else parse_fault_header(header)
        rule = (await self.faults.choose(subject, asked=asked)).rule
        return None if rule is None else rule.id

    async def fired(self, number: int) -> list[str | None]:
        return [await self.fires() for _ in range(number)]

    async def looks(self) -> list[tuple[str, str | None]]:
        return [(look.rule.id, look.failed) for look in (await self.faults.choose(REQUEST)).looks]


async def test_nothing_is_set_until_a_rule_is(store: NamespaceStore) -> None:
    process = Process(store=store)
    assert (process.faults.is_any_set, process.faults.hits(Hook.REQUEST), await process.fires()) == (False, False, None)
    process.set(stored("fault-1"), stored("fault-2", enabled=False, action={"lose": True}))
    hits = [hook for hook in Hook if process.faults.hits(hook)]
    assert (process.faults.is_any_set, hits, await process.fires()) == (True, [Hook.REQUEST, Hook.JOB], "fault-1")
    process.set()
    assert (process.faults.is_any_set, process.faults.hits(Hook.REQUEST), await process.fires()) == (False, False, None)


async def test_what_a_request_asks_for_comes_first_and_the_servers_rules_last(store: NamespaceStore) -> None:
    process = Process(store=store).set(stored("fault-1", times=1), server=[stored("server-fault-1")])
    assert await process.fires(header="html-error") == "html-error"
    assert await process.fired(2) == ["fault-1", "server-fault-1"]
    assert process.metrics.faults_fired == {"html-error": 1, "": 2}


async def test_a_header_hits_without_any_rule(store: NamespaceStore) -> None:
    assert await Process(store=store).fires(header="html-error") == "html-error"


async def test_times_is_exact_over_all_processes(store: NamespaceStore) -> None:
    processes = [Process(store=store).set(stored("fault-1", times=5)) for _ in range(4)]
    fired = await asyncio.gather(*(process.fires() for process in processes for _ in range(10)))
    assert fired.count("fault-1") == 5


async def test_a_servers_rule_is_counted_over_all_namespaces(store: NamespaceStore) -> None:
    for name, number in (("a", 21), ("b", 22)):
        process = Process(store=store, epoch=Epoch(name, number)).set(server=[stored("server-fault-1", every=2)])
        assert await process.fires() == (None if name == "a" else "server-fault-1")


async def test_each_namespace_counts_its_rules_by_itself(store: NamespaceStore) -> None:
    for number in (21, 22):
        process = Process(store=store, epoch=Epoch("a", number)).set(stored("fault-1", times=1))
        assert await process.fired(2) == ["fault-1", None]


async def test_a_new_life_begins_anew(store: NamespaceStore) -> None:
    process = Process(store=store).set(stored("fault-1", times=1))
    assert await process.fired(2) == ["fault-1", None]
    process.set(stored("fault-1", times=1), stored("fault-2", times=1))
    assert await process.fired(2) == ["fault-2", None]
    process.set(stored("fault-1", times=1, life="2"))
    assert await process.fired(2) == ["fault-1", None]


async def test_a_rule_that_goes_while_its_hit_is_counted_does_not_spend_its_next_life(store: NamespaceStore) -> None:
    process = Process(store=store).set(stored("fault-1", times=1))
    firing = asyncio.create_task(process.fires())
    await asyncio.sleep(0)
    process.set(stored("fault-1", times=1, life="2"))
    assert await firing == "fault-1"
    assert await process.fired(2) == ["fault-1", None]


async def test_equal_seeds_have_equal_dice_and_a_restart_goes_on(store: NamespaceStore) -> None:
    rule = stored("fault-1", probability=0.5)
    one, other = [Process(store=store, epoch=Epoch("a", number)).set(rule, seed=7) for number in (21, 22)]
    first = await one.fired(20)
    restarted = Process(store=store, epoch=Epoch("a", 21)).set(rule, seed=7)
    assert [*first, *(await restarted.fired(20))] == await other.fired(40)
    assert first not in (await restarted.fired(20), [None] * 20, ["fault-1"] * 20)
    another = Process(store=store, epoch=Epoch("a", 23)).set(rule, seed=8)
    assert await another.fired(20) != first


async def test_rules_that_have_to_count_pause_while_the_store_is_away(store: NamespaceStore) -> None:
    away = AwayStore(store)
    process = Process(store=away).set(
        stored("fault-1", times=2), stored("fault-2", every=2), stored("fault-3", probability=1)
    )
    assert await process.fires() == "fault-1"
    away.is_away = True
    assert await process.looks() == [("fault-1", "store"), ("fault-2", "store"), ("fault-3", None)]
    away.is_away = False
    assert await process.fired(3) == ["fault-1", "fault-3", "fault-2"]


async def test_dice_without_a_seed_do_not_need_the_store(store: NamespaceStore) -> None:
    process = Process(store=AwayStore(store, is_away=True)).set(stored("fault-1", probability=0.5))
    assert set(await process.fired(200)) == {None, "fault-1"}


async def test_a_rule_ends_by_the_clock_of_its_namespace_and_one_of_the_server_by_the_real_one(
    store: NamespaceStore,
) -> None:
    process = Process(store=store).set(
        stored("fault-1", forSeconds=10), server=[stored("server-fault-1", forSeconds=99)]
    )
    process.clock.set(frozen(START))
    process.machine.advance(50)
    assert await process.fires() == "fault-1"
    process.clock.set(frozen(START + timedelta(days=1)))
    assert await process.fires() == "server-fault-1"
    process.machine.advance(50)
    assert await process.looks() == [("fault-1", "until"), ("server-fault-1", "until")]


async def test_a_stored_rule_that_this_program_does_not_know_is_left_out(store: NamespaceStore) -> None:
    unknown: JsonObject = {"id": "fault-1", "life": "1", "setAt": START.isoformat(), "rule": {"preset": "of-tomorrow"}}
    process = Process(store=store).set(unknown, {"id": "fault-2"}, stored("fault-3"))
    assert await process.looks() == [("fault-3", None)]


async def test_each_rule_has_one_turn_with_what_comes_more_than_once(store: NamespaceStore) -> None:
    rules = [stored("never", probability=0), stored("always")]
    process = Process(store=store).set(*rules)
    first = await process.faults.choose(REQUEST)
    turns = process.faults.turns_of(first)
    assert (first.rule, list(turns.values())) == (None, ["probability"])
    again = await process.faults.choose(REQUEST, turns=turns)
    assert [(look.rule.id, look.failed) for look in again.looks] == [("never", "probability")]
    process.set(stored("second", every=2), stored("always"))
    second = await process.faults.choose(REQUEST)
    assert (second.rule and second.rule.id, list(process.faults.turns_of(second).values())) == ("always", ["every"])
    for _ in range(2):  # the turn of something else would be the second one
        found = await process.faults.choose(REQUEST, turns=process.faults.turns_of(second))
        assert found.rule is not None
        assert found.rule.id == "always"
    assert await process.fires() == "second"


async def test_a_rule_that_was_made_again_has_another_turn(store: NamespaceStore) -> None:
    process = Process(store=store).set(stored("a", after=1))
    turns = process.faults.turns_of(await process.faults.choose(REQUEST))
    process.set(stored("a", life="2"))
    again = await process.faults.choose(REQUEST, turns=turns)
    assert again.rule is not None


def scenario(*, start: str = "a", **states: Any) -> JsonObject:
    """What is stored of scenarios: just one, of the name x."""
    found = parse_scenario({"start": start, "states": states}, name="x")
    return {"x": StoredScenario(scenario=found, life="1").document()}


FAIL_TWICE = scenario(a={**ERROR, "next": "b"}, b={**ERROR, "next": "done"}, done={})


async def test_a_scenario_fails_twice_then_nothing_happens(store: NamespaceStore) -> None:
    process = Process(store=store).set(scenarios=FAIL_TWICE)
    assert (process.faults.is_any_set, process.faults.hits(Hook.REQUEST)) == (True, True)
    assert await process.fired(4) == ["x/a", "x/b", None, None]
    assert process.metrics.faults_fired == {"": 2}
    restarted = Process(store=store).set(scenarios=FAIL_TWICE)
    assert await restarted.fires() is None


async def test_each_move_of_a_scenario_is_made_once_over_all_processes(store: NamespaceStore) -> None:
    states = {f"s{number}": {**ERROR, "next": f"s{number + 1}"} for number in range(9)}
    moving = scenario(start="s0", **states, s9={})
    processes = [Process(store=store).set(scenarios=moving) for _ in range(4)]
    fired = await asyncio.gather(*(process.fires() for process in processes for _ in range(10)))
    assert sorted(filter(None, fired)) == [f"x/s{number}" for number in range(9)]


async def test_without_a_next_state_a_scenario_stays(store: NamespaceStore) -> None:
    process = Process(store=store).set(scenarios=scenario(a=ERROR))
    assert await process.fired(3) == ["x/a"] * 3


async def test_rules_come_before_scenarios_also_where_only_the_dice_were_against_them(store: NamespaceStore) -> None:
    process = Process(store=store).set(stored("fault-1", times=1), scenarios=FAIL_TWICE)
    assert await process.fired(3) == ["fault-1", "x/a", "x/b"]
    process.set(stored("fault-1", life="2", probability=0), scenarios=scenario(a=ERROR))
    assert await process.looks() == [("fault-1", "probability")]


async def test_a_state_that_only_looks_moves_on_and_lets_others_fire(store: NamespaceStore) -> None:
    waiting = scenario(a={"match": {"method": "POST"}, "next": "b"}, b=ERROR)
    other = {"y": StoredScenario(scenario=parse_scenario({"start": "a", "states": {"a": ERROR}}, name="y"), life="1")}
    process = Process(store=store).set(scenarios={**waiting, "y": other["y"].document()})
    assert await process.looks() == [("x/a", "match.method"), ("y/a", None)]
    assert await process.fires(FaultSubject(hook=Hook.REQUEST, method="POST")) == "y/a"
    assert await process.fires() == "x/b"


async def test_scenarios_pause_while_the_store_is_away(store: NamespaceStore) -> None:
    away = AwayStore(store)
    process = Process(store=away).set(scenarios=FAIL_TWICE)
    assert await process.fires() == "x/a"
    away.is_away = True
    assert await process.looks() == [("x/a", "store")]
    away.is_away = False
    assert await process.fired(2) == ["x/b", None]


async def test_a_new_life_of_a_scenario_begins_anew_and_one_that_goes_is_no_more(store: NamespaceStore) -> None:
    process = Process(store=store).set(scenarios=FAIL_TWICE)
    assert await process.fired(3) == ["x/a", "x/b", None]
    found = parse_scenario({"start": "a", "states": {"a": ERROR}}, name="x")
    process.set(scenarios={"x": StoredScenario(scenario=found, life="2").document()})
    assert await process.fires() == "x/a"
    process.set()
    assert (process.faults.is_any_set, await process.fires()) == (False, None)


@pytest.mark.parametrize("length", [10, 10_000])
@pytest.mark.parametrize("is_scenario", [False, True])
async def test_patterns_look_through_much_in_a_thread_so_that_others_go_on(
    store: NamespaceStore, monkeypatch: pytest.MonkeyPatch, length: int, is_scenario: bool
) -> None:
    here = threading.current_thread()
    are_here: list[bool] = []

    def is_in(_: LinearPattern, text: str) -> bool:
        are_here.append(threading.current_thread() is here)
        return text.endswith("b")

    monkeypatch.setattr(LinearPattern, "is_in", is_in)
    match = {"prompt": {"pattern": "b$"}}
    process = Process(store=store)
    if is_scenario:
        process.set(scenarios=scenario(a={**ERROR, "match": match}))
    else:
        process.set(stored("fault-1", match=match, times=1))
    found = [await process.fires(FaultSubject(hook=Hook.REQUEST, prompts=["a" * length + end])) for end in "ab"]
    assert found == [None, "x/a" if is_scenario else "fault-1"]
    assert are_here == [length < 1000] * 2


async def test_rules_of_scenarios_are_found_in_any_state(store: NamespaceStore) -> None:
    process = Process(store=store).set(stored("fault-1"), scenarios=FAIL_TWICE)
    assert await process.fires() == "fault-1"
    found = [process.faults.find(rule_id) for rule_id in ("fault-1", "x/a", "x/b", "x/c")]
    assert [None if rule is None else rule.id for rule in found] == ["fault-1", "x/a", "x/b", None]
    assert process.faults.has_rule(lambda rule: rule.id == "x/b")
    process.set()
    assert (process.faults.find("x/a"), process.faults.has_rule(lambda _: True)) == (None, False)
