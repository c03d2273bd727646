"""The jobs of a namespace that has a fleet: they run on pods, and on workers that are always there."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from civitai_mock.bootstrap.scheduler import make_scheduler
from civitai_mock.domain.clock_state import frozen
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.fleet.costs import CostEntry
from civitai_mock.domain.fleet.document import parse_fleet
from civitai_mock.domain.fleet.pods import PodState
from civitai_mock.domain.fleet.state import FleetState, state_json, stored_state
from civitai_mock.domain.fleet.turn import Turn
from civitai_mock.domain.job import Job
from civitai_mock.domain.namespace_events import LoggedEvent
from civitai_mock.domain.stages import JobEventType, Outcome
from civitai_mock.services.fleet.orders import FleetOrder, OrderKind
from tests.scheduler.conftest import running
from tests.scheduler.test_advance_time import SECOND, World, open_world
from tests.support.dates import START
from tests.support.event_loop import until

PICTURE = 12.27
SPOT = {"name": "spot", "kind": "spot", "bootSeconds": {"min": 270, "max": 270}}
SERVERLESS = {"name": "serverless", "kind": "serverless", "maxConcurrent": 1}


def fleet(*, spot: dict[str, Any] | None = None, serverless: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"providers": [SPOT | (spot or {}), SERVERLESS | (serverless or {})]}


@asynccontextmanager
async def open_fleet(document: dict[str, Any] | None = None, **settings: object) -> AsyncIterator[World]:
    async with open_world(**settings) as world:
        world.namespace.controls.update({"fleet": document or fleet(), "seed": 7}, {})
        yield world


async def submit(world: World, count: int, *, fault: str | None = None, **members: Any) -> Sequence[Job]:
    """Submit jobs, and return them in the order of the queue."""
    jobs = await world.submit_all([{"steps": 4, **members} for _ in range(count)], fault=fault)
    return sorted(jobs, key=lambda job: job.id)


async def order(world: World, kind: OrderKind, **members: Any) -> str:
    return await world.namespace.fleet_orders.give(FleetOrder(kind=kind, **members))


async def told(world: World) -> Sequence[LoggedEvent]:
    return await world.namespace.stores.namespace_feed.after(0, limit=1000)


async def state_of(world: World) -> FleetState:
    stored = await world.namespace.stores.fleet.read()
    assert stored is not None
    return stored_state(stored[1])


async def costs_of(world: World) -> Sequence[CostEntry]:
    return await world.namespace.stores.fleet.costs()


async def events_of(world: World, job: Job) -> Sequence[JobEvent]:
    return await world.namespace.stores.jobs.events(job.id)


async def run_comic(world: World) -> Sequence[Job]:
    jobs = await submit(world, 40, properties={"comicId": "c"})
    await world.after((270 + 16 * PICTURE + 5) * SECOND)
    assert await order(world, OrderKind.PREEMPT, pod_id="spot-1") == "spot-1"
    await world.after(3600 * SECOND)
    return [await world.now_is(job) for job in jobs]


async def test_a_comic_loses_its_pod_and_is_whole_all_the_same() -> None:
    async with open_fleet() as world:
        jobs = await run_comic(world)
        assert {job.outcome for job in jobs} == {Outcome.SUCCEEDED}
        assert Counter(job.last_event.worker_id for job in jobs) == {"spot-1": 17, "serverless-worker-1": 23}
        assert Counter(job.last_event.provider for job in jobs) == {"spot": 17, "serverless": 23}
        assert sum(len(job.slots) for job in jobs) == 40
        events = await told(world)
        assert [event.event.type for event in events] == [
            "pod_booting",
            "pod_ready",
            "pod_preemption_warning",
            "fallback_activated",
            "pod_shutdown",
        ]
        seconds = 270 + 16 * PICTURE + 5
        dates = [(event.event.at - START).total_seconds() for event in events]
        assert dates == pytest.approx([0, 270, seconds, seconds, seconds + 30])
        costs = await costs_of(world)
        assert sum(cost.billed for cost in costs) == 61_272 + 23 * 3_000
        assert sum(cost.per_picture for cost in costs) == 17 * 1_500 + 23 * 3_000
        assert len(costs) == 41


async def test_equal_seeds_are_equal_runs_byte_for_byte() -> None:
    runs = []
    for _ in range(2):
        async with open_fleet() as world:
            jobs = await run_comic(world)
            runs.append(
                (
                    [await events_of(world, job) for job in jobs],
                    [event.event for event in await told(world)],
                    await costs_of(world),
                    await world.namespace.stores.fleet.read(),
                )
            )
    assert runs[0] == runs[1]


async def test_events_name_the_pod_and_the_rule() -> None:
    async with open_fleet() as world:
        jobs = await submit(world, 21)
        await world.after(300 * SECOND)
        claimed, prepared = (await events_of(world, jobs[0]))[1:3]
        assert (claimed.provider, claimed.worker_id) == ("spot", "spot-1")
        assert (claimed.at - START).total_seconds() == 270
        for event in (claimed, prepared):
            assert event.context["worker_group"] == "spot"
            assert event.context["fleet_reason"] == "pictures_over_20"
        assert (await world.now_is(jobs[0])).last_event.at == START + (270 + PICTURE) * SECOND


@pytest.mark.parametrize(
    ("warning", "event_type", "attempt"),
    [(5, JobEventType.LATE_REJECTED, 0), (0, JobEventType.CLAIM_EXPIRED, 1)],
)
async def test_a_job_that_was_warned_uses_no_retry_and_one_that_was_not_does(
    warning: float, event_type: JobEventType, attempt: int
) -> None:
    async with open_fleet() as world:
        jobs = await submit(world, 21)
        await world.after(271 * SECOND)
        await order(world, OrderKind.PREEMPT, pod_id="spot-1", warning_seconds=warning)
        await world.after(3600 * SECOND)
        first = await world.now_is(jobs[0])
        assert (first.outcome, first.retry_attempt) == (Outcome.SUCCEEDED, attempt)
        ended = next(event for event in await events_of(world, first) if event.claim_has_completed)
        assert (ended.type, ended.at, ended.worker_id) == (event_type, START + 271 * SECOND, "spot-1")
        if warning:
            assert ended.context == {"reason": "preempted"}
        again = (await events_of(world, first))[-2]
        assert (again.provider, again.context["fleet_reason"]) == ("serverless", "preempted")
        assert {(await world.now_is(job)).retry_attempt for job in jobs[1:]} == {0}


async def test_the_pod_is_gone_five_minutes_after_its_last_job() -> None:
    async with open_fleet() as world:
        await submit(world, 21)
        ends = 270 + 21 * PICTURE
        await world.after((ends + 299) * SECOND)
        assert (await state_of(world)).pods[0].state is PodState.IDLE
        await world.after((ends + 300) * SECOND)
        (pod,) = (await state_of(world)).pods
        assert pod.state is PodState.SHUTDOWN
        assert pod.shutdown_at is not None
        assert pod.last_job_at is not None
        assert pod.shutdown_at - pod.last_job_at == timedelta(minutes=5)


async def test_a_full_provider_rejects_a_job_which_waits_again() -> None:
    async with open_fleet(fleet(serverless={"capacity": "never"})) as world:
        jobs = await submit(world, 2)
        await world.after(600 * SECOND)
        types = [event.type for event in await events_of(world, jobs[0])]
        assert types[:2] == [JobEventType.INITIALIZED, JobEventType.REJECTED]
        assert {(await world.now_is(job)).last_event.provider for job in jobs} == {"spot"}


async def test_results_that_were_made_before_cost_nothing_and_take_no_time() -> None:
    async with open_fleet(result_cache="on") as world:
        await submit(world, 1)
        await world.after(60 * SECOND)
        (again,) = await submit(world, 1)
        await world.after(61 * SECOND)
        ended = await world.now_is(again)
        assert (ended.outcome, ended.last_event.at) == (Outcome.SUCCEEDED, START + 60 * SECOND)
        assert len(await costs_of(world)) == 1


async def test_a_job_that_is_deleted_leaves_its_pod() -> None:
    async with open_fleet() as world:
        jobs = await submit(world, 21)
        await world.after(271 * SECOND)
        await world.namespace.stores.jobs.delete(jobs[0].id)
        await world.after(1500 * SECOND)
        assert (await state_of(world)).placements == {}
        assert Counter([(await world.now_is(job)).outcome for job in jobs[1:]]) == {Outcome.SUCCEEDED: 20}


async def test_a_fleet_that_is_turned_off_leaves_no_pods_and_jobs_go_on_without_it() -> None:
    async with open_fleet() as world:
        jobs = await submit(world, 21)
        await world.after(271 * SECOND)
        world.namespace.controls.update({"seed": 7}, {})
        world.namespace.event_bus.publish_work()
        await world.after(600 * SECOND)
        assert (await state_of(world)).pods[0].state is PodState.SHUTDOWN
        found = [await world.now_is(job) for job in jobs]
        assert {job.outcome for job in found} == {Outcome.SUCCEEDED}
        assert {job.last_event.provider for job in found[1:]} == {world.namespace.provider.name}


async def test_orders_boot_and_shut_down_a_pod() -> None:
    async with open_fleet() as world:
        assert await order(world, OrderKind.BOOT) == "spot-1"
        with pytest.raises(Exception, match="may have 1"):
            await order(world, OrderKind.BOOT)
        with pytest.raises(Exception, match="There is no pod"):
            await order(world, OrderKind.SHUTDOWN, pod_id="spot-2")
        await world.after(600 * SECOND)
        events = [event.event for event in await told(world)]
        assert [event.type for event in events] == ["pod_booting", "pod_ready", "pod_shutdown"]


@pytest.mark.parametrize(
    ("state", "after", "warning"),
    [
        (PodState.BOOT_REQUESTED, 0.5, None),
        (PodState.BOOTING, 100, None),
        (PodState.READY, 271, None),
        (PodState.GENERATING, 300, None),
        (PodState.PREEMPTION_WARN, 300, 5),
        (PodState.PREEMPTION_WARN, 300, 0),
        (PodState.FALLBACK, 300, 30),
        (PodState.IDLE, 270 + 21 * PICTURE + 10, None),
        (PodState.SHUTDOWN, 270 + 21 * PICTURE + 310, None),
    ],
)
async def test_who_goes_on_after_a_crash_goes_on_in_order_and_bills_nothing_twice(
    state: PodState, after: float, warning: float | None
) -> None:
    """A scheduler that is abandoned writes nothing more, as one whose process was killed."""
    async with open_fleet() as world:
        if state is PodState.READY:
            await order(world, OrderKind.BOOT)
        jobs = () if state is PodState.READY else await submit(world, 21)
        await world.after(after * SECOND)
        world.scheduler.abandon()
        await until(lambda: world.scheduler.is_idle)
        if warning is not None:
            await store_a_preemption(world, warning)
        assert (await state_of(world)).pods[0].state is state
        world.clock.set(frozen(world.clock.now() + timedelta(hours=2)))
        await go_on(world)
        assert {(await world.now_is(job)).outcome for job in jobs} <= {Outcome.SUCCEEDED}
        events = [event.event for event in await told(world)]
        assert len({event.key for event in events}) == len(events)
        assert [event.at for event in events] == sorted(event.at for event in events)
        costs = await costs_of(world)
        assert sorted(cost.job_id for cost in costs if cost.job_id) == sorted(job.id for job in jobs)
        pods = (await state_of(world)).pods
        assert {pod.state for pod in pods} == {PodState.SHUTDOWN}
        assert sorted(cost.id for cost in costs if cost.pod) == sorted(f"pod/{pod.pod_id}" for pod in pods)


async def store_a_preemption(world: World, warning: float) -> None:
    """Store the turn that takes the pod away, and do nothing of it, as who dies in that moment."""
    fleet_store = world.namespace.stores.fleet
    stored = await fleet_store.read()
    assert stored is not None
    turn = Turn(stored_state(stored[1]), parse_fleet(fleet()))
    turn.preempt("spot-1", at=world.clock.now(), warning=warning)
    assert await fleet_store.save(stored[0], state_json(turn.state)) is not None


async def go_on(world: World) -> None:
    """Work for two hours as the process that comes after one that has died."""
    scheduler = make_scheduler(world.namespace)
    async with running(scheduler):
        await scheduler.take_over()
        await scheduler.advance_time_by(world.clock).to(world.clock.now() + timedelta(hours=2))


@pytest.mark.parametrize(
    ("warning", "event_type", "attempt"),
    [(30, JobEventType.LATE_REJECTED, 0), (0, JobEventType.CLAIM_EXPIRED, 1)],
)
async def test_the_preset_takes_the_pod_of_its_job_away(warning: int, event_type: JobEventType, attempt: int) -> None:
    async with open_fleet() as world:
        jobs = await submit(world, 21, fault=f"preempted; warning={warning}")
        await world.after(3600 * SECOND)
        found = [await world.now_is(job) for job in jobs]
        assert {job.outcome for job in found} == {Outcome.SUCCEEDED}
        ended = next(event for event in await events_of(world, jobs[0]) if event.claim_has_completed)
        assert (ended.type, ended.at, ended.worker_id) == (event_type, START + 270 * SECOND, "spot-1")
        assert [job.retry_attempt for job in found] == [attempt] + [0] * 20
        assert {job.last_event.provider for job in found} == {"serverless"}
        events = [event.event.type for event in await told(world)]
        warnings = ["pod_preemption_warning"] if warning else []
        assert events == ["pod_booting", "pod_ready", *warnings, "fallback_activated", "pod_shutdown"]
