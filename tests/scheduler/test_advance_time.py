"""A clock that is advanced: everything falls due in order, and nothing is left over when it is there."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import httpx
import pytest

from civitai_mock.api.v1.job_types import parse_template
from civitai_mock.bootstrap.namespace import Namespace
from civitai_mock.bootstrap.namespace_factory import make_namespace
from civitai_mock.bootstrap.runtime import open_runtime
from civitai_mock.bootstrap.scheduler import make_scheduler
from civitai_mock.clock import NamespaceClock, SeededIds
from civitai_mock.domain.claims import Claim
from civitai_mock.domain.clock_state import ClockMode, ClockState, frozen
from civitai_mock.domain.dotnet import format_date
from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.faults.rules import parse_fault_header
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.domain.stages import Outcome
from civitai_mock.ports import JobQueue
from civitai_mock.scheduler.advance_time import AdvanceTime
from civitai_mock.scheduler.scheduler import Scheduler
from civitai_mock.services.consumers import EVERYBODY, Caller
from tests.scheduler.conftest import running
from tests.support.dates import START
from tests.support.event_loop import until
from tests.support.jobs import TRACE_ID
from tests.support.receiver import URL, Receiver
from tests.support.served_app import make_settings

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
MODEL = "urn:air:sd1:checkpoint:civitai:4384@128713"
SETTINGS = {
    "seed_resources": False,
    "missing_resources": "lenient",
    "simulation_profile": "realistic",
    "simulation_load_ms": 0,
    "simulation_prompt_ms": 0,
    "simulation_convert_ms": 0,
    "simulation_step_ms": 1000 / 0.262144,  # a second for each step of an image of 512 x 512
    "callback_max_attempts": 4,
    "job_timeout_s": 3600,
    "shutdown_grace_ms": 0,
}


@dataclass(frozen=True, kw_only=True)
class World:
    """Is a namespace whose clock stands, in a process that runs its jobs, each step of which takes a second."""

    namespace: Namespace
    clock: NamespaceClock
    advance: AdvanceTime
    receiver: Receiver
    scheduler: Scheduler

    async def submit(self, *, steps: int = 20, **members: Json) -> Job:
        (job,) = await self.submit_all([{"steps": steps, **members}])
        return job

    async def submit_all(self, templates: Sequence[JsonObject], *, fault: str | None = None) -> Sequence[Job]:
        """Submit jobs with one request, which may ask for a fault; the member `steps` is of their params."""
        parsed = [
            parse_template(_template(**template), path=f"jobs[{index}]") for index, template in enumerate(templates)
        ]
        asked = None if fault is None else parse_fault_header(fault)
        caller = Caller(trace_id=TRACE_ID, consumer=EVERYBODY, asked_fault=asked)
        return await self.namespace.use_cases.submit(parsed, caller)

    async def after(self, duration: timedelta) -> None:
        await self.advance.to(START + duration)

    async def after_next(self) -> datetime:
        """Advance to what falls due next, and return when that was."""
        await self.advance.to(None)
        return self.clock.now()

    def told_of(self, event: str) -> list[str]:
        """Return the ids of the jobs that the receiver was told an event of, in order."""
        bodies = [json.loads(request.content) for request in self.receiver.requests]
        return [body["jobId"] for body in bodies if body["type"] == event]

    async def now_is(self, job: Job) -> Job:
        (stored,) = await self.namespace.stores.jobs.get_many([job.id])
        return stored

    async def ends(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """Return the jobs as they are now, the first that ended first."""
        stored = await self.namespace.stores.jobs.get_many([job.id for job in jobs])
        return sorted(stored, key=lambda job: job.last_event.at)


def _template(*, steps: Json, **members: Json) -> JsonObject:
    params: JsonObject = {"prompt": "a fox", "steps": steps, "width": 512, "height": 512}
    return {"$type": "textToImage", "model": MODEL, "params": params, **members}


@asynccontextmanager
async def open_world(**settings: object) -> AsyncIterator[World]:
    async with (
        Receiver() as receiver,
        open_runtime(make_settings(**SETTINGS | settings), ids=SeededIds(), network=receiver.network) as runtime,
    ):
        namespace = make_namespace(runtime)
        clock = namespace.clock
        assert isinstance(clock, NamespaceClock)
        clock.set(frozen(START))
        scheduler = make_scheduler(namespace)
        async with running(scheduler):
            yield World(
                namespace=namespace,
                clock=clock,
                advance=scheduler.advance_time_by(clock),
                receiver=receiver,
                scheduler=scheduler,
            )


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with open_world() as opened:
        yield opened


async def test_a_job_ends_when_the_clock_comes_to_its_end_and_not_before(world: World) -> None:
    job = await world.submit(steps=100)
    await world.after(100 * SECOND - timedelta(microseconds=1))
    assert (await world.now_is(job)).outcome is None
    await world.after(100 * SECOND)
    ended = await world.now_is(job)
    assert (ended.outcome, ended.last_event.at) == (Outcome.SUCCEEDED, START + 100 * SECOND)


async def test_jobs_end_in_the_order_of_their_ends_and_are_told_of_in_that_order(world: World) -> None:
    """Of two that end together the older one is first."""
    steps = [Random(7).randint(1, 30) for _ in range(60)]
    jobs = [await world.submit(steps=length, callbackUrl=URL) for length in steps]
    await world.after(10 * MINUTE)
    ended = [await world.now_is(job) for job in jobs]
    assert {job.outcome for job in ended} == {Outcome.SUCCEEDED}
    assert [job.last_event.at - START for job in ended] == [length * SECOND for length in steps]
    due = sorted(ended, key=lambda job: (job.last_event.at, job.created_at, job.id))
    assert world.told_of("Succeeded") == [job.id for job in due]


async def test_a_job_expires_in_its_turn_whether_it_waits_or_runs(world: World) -> None:
    """One is over in time, one is not, and one waits for that."""
    quick = await world.submit(steps=20, expireAt=format_date(START + 30 * SECOND))
    slow = await world.submit(steps=60, expireAt=format_date(START + 30 * SECOND))
    await world.after(HOUR)
    assert [(await world.now_is(job)).outcome for job in (quick, slow)] == [Outcome.SUCCEEDED, Outcome.EXPIRED]
    assert (await world.now_is(slow)).last_event.at == START + 30 * SECOND


async def test_a_job_that_ends_in_the_moment_of_its_deadline_has_ended_in_time(world: World) -> None:
    job = await world.submit(steps=30, expireAt=format_date(START + 30 * SECOND))
    await world.after(HOUR)
    assert (await world.now_is(job)).outcome is Outcome.SUCCEEDED


async def test_a_claim_times_out_and_is_made_again_at_the_same_time(world: World) -> None:
    job = await world.submit(steps=100, timeout="00:00:40", retries=1)
    await world.after(HOUR)
    events = await world.namespace.stores.jobs.events(job.id)
    assert [event.at - START for event in events if event.type == "ClaimExpired"] == [40 * SECOND]
    assert (await world.now_is(job)).last_event.at == START + 80 * SECOND
    assert (await world.now_is(job)).outcome is Outcome.FAILED


async def test_retries_of_a_callback_fall_due_among_all_else(world: World) -> None:
    """The pauses of the real service are minutes long in the end; here they take none."""
    arrived = list[tuple[str, datetime]]()

    async def note(_: httpx.Request) -> None:
        arrived.append(("try", world.clock.now()))

    world.receiver.on_arrival = note
    world.receiver.answer = lambda _: httpx.Response(503)
    await world.submit(steps=1, callbackUrl=URL)
    await world.after(timedelta())
    assert len(arrived) == 1  # it was tried before anybody waited
    await world.after(HOUR)
    pauses = [after[1] - before[1] for before, after in pairwise(arrived)]
    assert all(timedelta(seconds=0.5) <= pause <= 8 * SECOND for pause in pauses[:3])
    assert len(arrived) >= 4


async def test_a_chain_of_jobs_that_depend_on_each_other_runs_in_one_advance(world: World) -> None:
    chain: list[JsonObject] = [
        {"name": f"job {n}", "steps": 10, "dependencies": [f"job {n - 1}"] if n else []} for n in range(3)
    ]
    jobs = await world.submit_all(chain)
    await world.after(HOUR)
    ends = [(await world.now_is(job)).last_event.at - START for job in jobs]
    assert ends == [10 * SECOND, 20 * SECOND, 30 * SECOND]


async def test_what_has_no_room_waits_for_it_in_its_own_time() -> None:
    async with open_world(scheduler_max_in_flight=2) as world:
        jobs = [await world.submit(steps=10) for _ in range(6)]
        await world.after(HOUR)
        ends = [(await world.now_is(job)).last_event.at - START for job in jobs]
    assert sorted(ends) == [10 * SECOND, 10 * SECOND, 20 * SECOND, 20 * SECOND, 30 * SECOND, 30 * SECOND]


async def test_what_is_kept_no_longer_is_gone_when_the_clock_is_there(world: World) -> None:
    job = await world.submit(steps=1)
    await world.after(timedelta(days=400))
    assert await world.namespace.stores.jobs.get(job.id) is None


async def test_a_clock_advances_to_whatever_comes_next(world: World) -> None:
    assert await world.after_next() == START
    await world.submit(steps=50)
    await world.submit(steps=60, expireAt=format_date(START + 20 * SECOND))
    assert await world.after_next() == START + 20 * SECOND
    assert await world.after_next() == START + 50 * SECOND
    assert await world.after_next() == START + 50 * SECOND


async def test_what_was_delivered_leaves_nothing_that_falls_due(world: World) -> None:
    await world.submit(steps=5, callbackUrl=URL)
    assert await world.after_next() == START + 5 * SECOND
    assert len(world.told_of("Succeeded")) == 1
    assert await world.after_next() == START + 5 * SECOND


async def test_a_scaled_clock_advances_to_what_would_come_by_itself(world: World) -> None:
    real = world.namespace.system_clock.now()
    world.clock.set(ClockState(mode=ClockMode.SCALED, at=START, since=real, rate=0.001))
    await world.submit(steps=50)
    assert timedelta() <= await world.after_next() - START - 50 * SECOND < SECOND


async def test_a_scaled_clock_stands_while_it_is_advanced_and_then_goes_on(world: World) -> None:
    real = world.namespace.system_clock.now()
    world.clock.set(ClockState(mode=ClockMode.SCALED, at=START, since=real, rate=0.001))
    job = await world.submit(steps=100)
    await world.after(HOUR)
    ended = (await world.now_is(job)).last_event.at - START
    assert timedelta() <= ended - 100 * SECOND < SECOND  # the clock went on until the job was claimed
    assert world.clock.state.mode is ClockMode.SCALED
    assert timedelta() <= world.clock.now() - (START + HOUR) < SECOND


async def test_an_advance_that_is_broken_off_leaves_the_clock_where_it_has_come_to(world: World) -> None:
    world.receiver.hold()
    job = await world.submit(steps=10, callbackUrl=URL)
    advancing = asyncio.create_task(world.after(HOUR))
    await until(lambda: len(world.receiver.requests) == 1)
    advancing.cancel()
    await asyncio.wait([advancing])
    assert world.clock.now() == START  # the receiver has not answered yet
    world.receiver.go_on()
    await world.after(HOUR)
    assert (await world.now_is(job)).last_event.at == START + 10 * SECOND


class JumpingQueue:
    """Hands out jobs as its store does; the clock is set two hours on while it carries out a claim."""

    def __init__(self, namespace: Namespace, clock: NamespaceClock) -> None:
        self._inner = namespace.stores.queue
        self._clock = clock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def claim(self, claim: Claim, *, limit: int, only_timed: bool = False) -> Sequence[Job]:
        jobs = await self._inner.claim(claim, limit=limit, only_timed=only_timed)
        if jobs:
            self._clock.set(frozen(START + 2 * HOUR))
        return jobs


async def test_a_claim_during_which_the_clock_is_set_is_dated_anew_and_does_not_time_out() -> None:
    async with open_runtime(make_settings(**SETTINGS), ids=SeededIds()) as runtime:
        namespace = make_namespace(runtime)
        assert isinstance(namespace.clock, NamespaceClock)
        clock = namespace.clock
        clock.set(frozen(START))
        queue: Any = JumpingQueue(namespace, clock)
        scheduler = make_scheduler(replace(namespace, stores=replace(namespace.stores, queue=queue)))
        advance = scheduler.advance_time_by(clock)
        async with Receiver() as receiver, running(scheduler):
            world = World(namespace=namespace, clock=clock, advance=advance, receiver=receiver, scheduler=scheduler)
            job = await world.submit(steps=30)
            await world.advance.to(START + 3 * HOUR)
            events = await namespace.stores.jobs.events(job.id)
    assert [event.type for event in events] == ["Initialized", "Claimed", "Updated", "Updated", "Succeeded"]
    assert events[-1].claim_duration == 30 * SECOND


async def test_a_job_whose_claim_was_carried_out_though_the_answer_was_lost_is_done_at_its_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost: list[Sequence[Job]] = []
    queue = type(world.namespace.stores.queue)
    really_claim = queue.claim

    async def claim(self: JobQueue, claim: Claim, **members: Any) -> Sequence[Job]:
        jobs = await really_claim(self, claim, **members)
        if jobs and not lost:
            lost.append(jobs)
            raise TransientError("The answer was lost.")
        return jobs

    monkeypatch.setattr(queue, "claim", claim)
    job = await world.submit(steps=5)
    await world.after(MINUTE)
    ended = await world.now_is(job)
    assert [[each.id for each in jobs] for jobs in lost] == [[job.id]]
    assert (ended.outcome, ended.last_event.at) == (Outcome.SUCCEEDED, START + 5 * SECOND)


async def test_a_job_that_an_earlier_life_of_the_worker_could_not_give_back_is_done_at_its_time() -> None:
    async with open_runtime(make_settings(**SETTINGS), ids=SeededIds()) as runtime, Receiver() as receiver:
        namespace = make_namespace(runtime)
        clock = namespace.clock
        assert isinstance(clock, NamespaceClock)
        clock.set(frozen(START))
        scheduler = make_scheduler(namespace)
        advance = scheduler.advance_time_by(clock)
        world = World(namespace=namespace, clock=clock, advance=advance, receiver=receiver, scheduler=scheduler)
        job = await world.submit(steps=5)
        held = Claim(
            provider=runtime.provider.name, worker_id=scheduler.worker_id, at=START, until=runtime.clock.now() + HOUR
        )
        assert await namespace.stores.queue.claim(held, limit=1)
        async with running(scheduler):
            await world.after(MINUTE)
            ended = await world.now_is(job)
    assert (ended.outcome, ended.last_event.at) == (Outcome.SUCCEEDED, START + 5 * SECOND)
