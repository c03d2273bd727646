"""Make the streams of events of a namespace; they are only loaded once somebody listens."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Protocol

from civitai_mock.api.exchange import UseCases
from civitai_mock.bootstrap.event_renderer import make_event_renderer
from civitai_mock.bootstrap.runtime import Runtime
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.ports import Clock, Provider, Stores
from civitai_mock.services.controls import Controls
from civitai_mock.services.event_bus import EventBus
from civitai_mock.services.event_feed import FollowEvents
from civitai_mock.services.event_stream.costs import CostSource
from civitai_mock.services.event_stream.streams import EventStreams, StreamSources
from civitai_mock.services.fleet_policy import FleetPolicy
from civitai_mock.services.queue_position import QueuePosition


class StreamParts(Protocol):
    """Is what a namespace has of which its streams are made."""

    @property
    def runtime(self) -> Runtime: ...

    @property
    def epoch(self) -> Epoch: ...

    @property
    def stores(self) -> Stores: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def provider(self) -> Provider: ...

    @property
    def event_bus(self) -> EventBus: ...

    @property
    def event_feed(self) -> FollowEvents: ...

    @property
    def controls(self) -> Controls: ...

    @property
    def fleet_policy(self) -> FleetPolicy: ...

    @property
    def use_cases(self) -> UseCases: ...

    @property
    def worker_name(self) -> str | None: ...


def make_event_streams(parts: StreamParts) -> EventStreams:
    async def get_positions(jobs: Sequence[Job]) -> Mapping[str, QueuePosition]:
        """Return where jobs are in the queue and, on a fleet, when they begin at the provider that gets each."""
        cases = parts.use_cases
        positions = await cases.queue_positions(jobs)
        if not (positions and parts.fleet_policy.is_on):
            return positions
        unfinished = [job for job in jobs if job.outcome is None]
        return (await cases.fleet.chosen_of(unfinished, positions, cases.support(unfinished)))[0]

    async def read_costs() -> JsonObject:
        return await parts.use_cases.fleet.costs()

    runtime, settings = parts.runtime, parts.runtime.settings
    streams = EventStreams(
        StreamSources(
            epoch=parts.epoch.initial_number,
            jobs=parts.stores.jobs,
            feed=runtime.stores.feed,
            namespace_events=parts.stores.namespace_events,
            namespace_feed=runtime.stores.namespace_feed,
            event_bus=parts.event_bus,
            event_feed=parts.event_feed,
            clock=parts.clock,
            system_clock=runtime.clock,
            provider=parts.provider,
            get_positions=get_positions,
            render=make_event_renderer(
                settings.vocabularies, get_worker_id=lambda: parts.worker_name, fleet_policy=parts.fleet_policy
            ),
            costs=CostSource(is_fleet=lambda: parts.fleet_policy.is_on, read=read_costs),
            kept=timedelta(hours=settings.job_lifetime_hours),
        )
    )
    parts.controls.subscribe(streams.begin_costs)
    return streams
