"""Two processes that move one fleet at the same time: each transition happens once, and each job runs once."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from civitai_mock.clock import SystemClock
from civitai_mock.clock.virtual import VirtualClock
from civitai_mock.domain.fleet.document import parse_fleet
from civitai_mock.domain.fleet.pods import PodState
from civitai_mock.domain.fleet.state import stored_state
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.ports import Stores
from civitai_mock.scheduler.fleet.controller import FleetController, FleetServices, PlacedJob
from civitai_mock.scheduler.leases import InFlight
from civitai_mock.services.event_bus import EventBus
from civitai_mock.services.fleet.orders import FleetOrders
from civitai_mock.services.namespace_events import FollowNamespaceEvents, TellNamespaceEvents
from tests.support.dates import START
from tests.support.jobs import make_claim, make_job, succeeded

FLEET = parse_fleet(
    {
        "providers": [
            {"name": "spot", "kind": "spot", "bootSeconds": {"min": 60, "max": 60}, "maxConcurrent": 4},
            {"name": "serverless", "kind": "serverless"},
        ]
    }
)
JOBS, TURNS = 12, 60  # jobs of two pictures each


class Process:
    """Moves the fleet beside others; each job that it gets has succeeded before its next turn."""

    def __init__(self, stores: Stores, clock: VirtualClock, name: str) -> None:
        bus = EventBus()
        follow = FollowNamespaceEvents(feed=stores.namespace_feed, publish=lambda _: None)
        services = FleetServices(
            store=stores.fleet,
            jobs=stores.jobs,
            queue=stores.queue,
            clock=clock,
            event_bus=bus,
            events=TellNamespaceEvents(
                events=stores.namespace_events, follow=follow, clock=clock, lifetime=timedelta(days=1)
            ),
            orders=FleetOrders(store=stores.namespaces, epoch=Epoch(), clock=SystemClock(), wake=bus.publish_work),
            seed="7",
            get_workers=lambda: (),
        )
        self._controller = FleetController(services, in_flight=InFlight())
        self._stores = stores
        self._clock = clock
        self._name = name

    async def take_turn(self) -> Sequence[PlacedJob]:
        placed = await self._controller.take_turn(
            FLEET, room=100, only_timed=False, claim=lambda: make_claim(self._name, at=self._clock.now())
        )
        for each in placed:
            assert await self._stores.jobs.replace(each.job, succeeded(each.job, at=self._clock.now()))
        return placed

    def stop(self) -> None:
        self._controller.stop()


async def test_each_transition_happens_once_and_each_job_runs_once(stores: Stores) -> None:
    clock = VirtualClock(START)
    await stores.jobs.add([make_job(number, expire_at=START + timedelta(days=1)) for number in range(1, JOBS + 1)])
    processes = [Process(stores, clock, name) for name in ("a", "b")]
    runs: list[PlacedJob] = []
    for _ in range(TURNS):
        for placed in await asyncio.gather(*[process.take_turn() for process in processes]):
            runs += placed
        clock.advance(10)
    for process in processes:
        process.stop()
    assert Counter(run.job.id for run in runs) == {make_job(number).id: 1 for number in range(1, JOBS + 1)}
    assert {run.place.pod_id for run in runs} == {"spot-1"}
    stored = await stores.fleet.read()
    assert stored is not None
    (pod,) = stored_state(stored[1]).pods
    assert (pod.state, pod.jobs) == (PodState.SHUTDOWN, ())
    events = [logged.event for logged in await stores.namespace_feed.after(0, limit=100)]
    assert [event.type for event in events] == ["pod_booting", "pod_ready", "pod_idle", "pod_shutdown"]
    assert len({event.key for event in events}) == len(events)
    costs = await stores.fleet.costs()
    assert Counter(cost.id.partition("/")[0] for cost in costs) == {"job": JOBS, "pod": 1}
