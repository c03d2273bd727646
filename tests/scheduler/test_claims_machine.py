"""A state machine of processes, their store and their clock: no job is stranded, and none ends twice."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from mongomock_motor import AsyncMongoMockClient

from civitai_mock.bootstrap.stores import open_stores
from civitai_mock.clock import SeededIds
from civitai_mock.domain.claims import RULES, Change
from civitai_mock.domain.stages import JobEventType
from civitai_mock.ports import Outputs, Stores
from civitai_mock.storage.mongo.collections import JOB_EVENTS, JOBS
from tests.scheduler.conftest import LEASE_SECONDS, POLL_SECONDS, REQUEST, SETTINGS, Bench, open_bench
from tests.support.controlled_process import (
    ControlledClock,
    ControlledGate,
    ProcessControl,
    RecordingJobStore,
    SettableClock,
    StoredChange,
)
from tests.support.event_loop import settle
from tests.support.gated_stores import StoreGate, gated
from tests.support.jobs import make_job
from tests.support.mongo import job_roles
from tests.support.receiver import Receiver
from tests.support.scripted_provider import ScriptedProvider

MOST_PROCESSES = 3
MOST_TURNS = 80  # between the moment at which everybody scans and the next job
PROMPT_SECONDS = 3 * POLL_SECONDS
ROUNDS_TO_END = 80
CHANGES: Mapping[JobEventType, Sequence[Change]] = {
    JobEventType.CLAIMED: (Change.ADVANCE,),
    JobEventType.UPDATED: (Change.ADVANCE, Change.UNBLOCK),
    JobEventType.SUCCEEDED: (Change.SUCCEED,),
    JobEventType.FAILED: (Change.FAIL, Change.USE_RETRY, Change.ABANDON),
    JobEventType.LATE_REJECTED: (Change.RELEASE,),
    JobEventType.CLAIM_EXPIRED: (Change.USE_RETRY, Change.ABANDON),
    JobEventType.DELETED: (Change.CANCEL,),
    JobEventType.EXPIRED: (Change.EXPIRE,),
}


def follows_the_rules(change: StoredChange) -> bool:
    before, after = change.before.holding, change.after.holding
    changes = CHANGES[change.after.last_event.type]
    return any(before in rule.before and after in rule.after for change in changes for rule in RULES[change])


class FinishingProvider(ScriptedProvider):
    """Is a ComfyUI whose prompts outlive their senders; they end when a rule says so, or after a time."""

    def __init__(self, clock: SettableClock) -> None:
        super().__init__()
        self.hold()
        self.seconds: float | None = None
        self._clock = clock

    async def collect(self, prompt_id: str) -> Outputs:
        if self.seconds is not None:
            await self._clock.sleep(self.seconds)
        return await super().collect(prompt_id)


@dataclass(kw_only=True)
class Process:
    """Is one scheduler, with what pauses and kills it."""

    control: ProcessControl
    bench: Bench
    stop: Any = None
    task: Any = None

    @property
    def is_paused(self) -> bool:
        return not self.control.may_run.is_set()


class ClaimWorld:
    """Does everything that a rule of the machine may do, as coroutines."""

    def __init__(self, kind: str, seed: int) -> None:
        self.kind = kind
        self.rng = random.Random(seed)
        self.clock = SettableClock()
        self.provider = FinishingProvider(self.clock)
        self.is_away = False
        self.processes: list[Process] = []
        self.jobs: list[str] = []
        self.started = 0
        self.stack = AsyncExitStack()

    async def open(self) -> None:
        stores = await self.stack.enter_async_context(open_stores(SETTINGS))
        receiver = await self.stack.enter_async_context(Receiver())
        if self.kind == "mongo":
            stores = await _with_mongo(stores)
        self.store = RecordingJobStore(stores.jobs, StoreGate())
        recorded = replace(stores, jobs=self.store)
        self.bench = await self.stack.enter_async_context(
            open_bench(self.clock, SeededIds(), receiver, stores=recorded, provider=self.provider)
        )
        await self.start()

    async def start(self) -> None:
        control = ProcessControl(rng=self.rng)
        process = Process(control=control, bench=self.bench.elsewhere(ControlledClock(self.clock, control)))
        self.started += 1
        stores = gated(self.bench.stores, ControlledGate(control, lambda: self.is_away))
        scheduler = process.bench.scheduler(worker_id=f"worker-{self.started}", stores=stores)
        process.stop, process.task = scheduler.stop, asyncio.create_task(scheduler.run())
        self.processes.append(process)
        await settle()

    async def submit(self, count: int) -> None:
        for _ in range(count):
            number = len(self.jobs) + 1
            plain = make_job(number, created_at=self.clock.now())
            job = replace(plain, spec=REQUEST, resources=plain.resources[:1], slots=plain.slots[:1])
            await self.store.add([job])
            self.jobs.append(job.id)
        for process in self.processes:
            process.bench.event_bus.publish_work()
        await settle()

    async def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await settle()

    async def cancel(self, job_id: str) -> None:
        """Cancel through a process that has no scheduler."""
        await self.bench.cancel(job_id)
        await settle()

    async def pause(self, process: Process) -> None:
        process.control.may_run.clear()
        await settle()

    async def resume(self, process: Process) -> None:
        process.control.may_run.set()
        await settle()

    async def kill(self, process: Process) -> None:
        self.processes.remove(process)
        process.control.is_dead = True
        process.control.may_run.set()
        process.task.cancel()
        with suppress(asyncio.CancelledError, BaseExceptionGroup):
            await process.task

    async def ask_to_stop(self, process: Process) -> None:
        self.processes.remove(process)
        process.stop()
        await process.task

    async def finish_prompts(self) -> None:
        self.provider.go_on()
        await settle()
        self.provider.hold()

    async def trouble_is_over(self) -> None:
        """Let everything work from now on, while jobs keep coming: every one has to come to its end.

        Prompts take their time, so that no worker is ever idle.
        """
        self.is_away, early = False, list(self.jobs)
        for process in self.processes:
            process.control.may_run.set()
        if not self.processes:
            await self.start()
        self.provider.seconds = PROMPT_SECONDS
        self.provider.go_on()
        for _ in range(ROUNDS_TO_END):
            left = [job for job in await self.store.get_many(early) if job.outcome is None]
            if not left:
                return
            self.clock.advance(POLL_SECONDS)
            await settle(self.rng.randrange(MOST_TURNS))
            await self.submit(1)
        raise AssertionError(f"stranded: {[(job.id, job.stage, job.claim) for job in left]}")

    async def check(self, job_id: str) -> None:
        events = await self.store.events(job_id)
        assert [event.seq for event in events] == list(range(len(events)))
        assert [event.job_has_completed for event in events[:-1]] == [False] * (len(events) - 1)

    async def close(self) -> None:
        for process in list(self.processes):
            await self.kill(process)
        await self.stack.aclose()


class OneByOne:
    """Is a collection of mongomock, which knows neither newer bulk writes nor that a member of null is null as well."""

    def __init__(self, collection: Any) -> None:
        self._collection = collection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._collection, name)

    async def bulk_write(self, updates: Sequence[Any], **_: object) -> "Matched":
        results = [await self._collection.update_one(_known(update._filter), update._doc) for update in updates]
        return Matched(sum(result.matched_count for result in results))


def _known(query: Mapping[str, Any]) -> Mapping[str, Any]:
    is_unclaimed = query["claim.workerId"] is None
    return {("claim" if name == "claim.workerId" and is_unclaimed else name): value for name, value in query.items()}


@dataclass(frozen=True)
class Matched:
    matched_count: int


async def _with_mongo(stores: Stores) -> Stores:
    """Keep jobs in a MongoDB inside this process."""
    database: Any = AsyncMongoMockClient().test  # mongomock has no types
    jobs, events = database.jobs, database.jobEvent
    await jobs.create_indexes(JOBS)
    await events.create_indexes(JOB_EVENTS)
    toy: Any = OneByOne(jobs)
    roles = job_roles(jobs=toy, events=events, reservations=database.reservations, workflows=database.workflows)
    return replace(stores, jobs=roles.jobs, queue=roles.queue, search=roles.search, webhooks=roles.webhooks)


class ClaimMachine(RuleBasedStateMachine):
    """Has a rule for each thing that may happen, to one process or to all of them."""

    kind = "sqlite"

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()

    @initialize(seed=st.integers(0, 2**16))
    def open(self, seed: int) -> None:
        self.world = ClaimWorld(self.kind, seed)
        self.runner.run(self.world.open())

    def pick(self, index: int) -> Process:
        return self.world.processes[index % len(self.world.processes)]

    @rule(count=st.integers(1, 4))
    def submit(self, count: int) -> None:
        self.runner.run(self.world.submit(count))

    @rule(seconds=st.sampled_from([0.5, POLL_SECONDS, LEASE_SECONDS / 2, LEASE_SECONDS + POLL_SECONDS]))
    def time_passes(self, seconds: float) -> None:
        self.runner.run(self.world.advance(seconds))

    @rule(seconds=st.sampled_from([-LEASE_SECONDS, -1.0, 1.0, 2 * LEASE_SECONDS, 600.0]))
    def clock_is_set(self, seconds: float) -> None:
        self.world.clock.set_by(seconds)

    @rule()
    def prompts_finish(self) -> None:
        self.runner.run(self.world.finish_prompts())

    @rule()
    def comfyui_forgets_everything(self) -> None:
        self.world.provider.lost.update(self.world.provider.sent)

    @precondition(lambda self: self.world.jobs)
    @rule(index=st.integers(0, 100))
    def cancel(self, index: int) -> None:
        self.runner.run(self.world.cancel(self.world.jobs[index % len(self.world.jobs)]))

    @precondition(lambda self: len(self.world.processes) < MOST_PROCESSES)
    @rule()
    def start(self) -> None:
        self.runner.run(self.world.start())

    @precondition(lambda self: self.world.processes)
    @rule(index=st.integers(0, MOST_PROCESSES))
    def kill(self, index: int) -> None:
        self.runner.run(self.world.kill(self.pick(index)))

    @precondition(lambda self: self.world.processes)
    @rule(index=st.integers(0, MOST_PROCESSES))
    def stop(self, index: int) -> None:
        process = self.pick(index)
        if not process.is_paused:
            self.runner.run(self.world.ask_to_stop(process))

    @precondition(lambda self: self.world.processes)
    @rule(index=st.integers(0, MOST_PROCESSES))
    def pause_or_go_on(self, index: int) -> None:
        process = self.pick(index)
        self.runner.run(self.world.resume(process) if process.is_paused else self.world.pause(process))

    @rule()
    def store_goes_or_comes_back(self) -> None:
        self.world.is_away = not self.world.is_away

    @invariant()
    def every_change_follows_the_rules(self) -> None:
        assert all(map(follows_the_rules, self.world.store.changes))

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self._end()
        self.runner.close()

    def _end(self) -> None:
        try:
            self.runner.run(self.world.trouble_is_over())
            for job_id in self.world.jobs:
                self.runner.run(self.world.check(job_id))
        finally:
            self.runner.run(self.world.close())


class MongoClaimMachine(ClaimMachine):
    kind = "mongo"


MACHINES = {"sqlite": ClaimMachine, "mongo": MongoClaimMachine}
QUICK = settings(max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))
LONG = settings(QUICK, max_examples=200, stateful_step_count=50)


@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES.keys())
def test_no_interleaving_strands_a_job_or_ends_one_twice(machine: type[ClaimMachine]) -> None:
    run_state_machine_as_test(machine, settings=QUICK)


@pytest.mark.long
@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES.keys())
def test_no_interleaving_of_very_many_strands_a_job_or_ends_one_twice(machine: type[ClaimMachine]) -> None:
    run_state_machine_as_test(machine, settings=LONG)
