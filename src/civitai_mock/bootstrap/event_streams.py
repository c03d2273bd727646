"""Make the streams of events of a namespace; they are only loaded once somebody listens."""

from datetime import timedelta
from typing import Protocol

from civitai_mock.api.exchange import UseCases
from civitai_mock.bootstrap.event_renderer import make_event_renderer
from civitai_mock.bootstrap.runtime import Runtime
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.ports import Clock, Provider, Stores
from civitai_mock.services.event_bus import EventBus
from civitai_mock.services.event_feed import FollowEvents
from civitai_mock.services.event_stream.streams import EventStreams, StreamSources


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
    def use_cases(self) -> UseCases: ...

    @property
    def worker_name(self) -> str | None: ...


def make_event_streams(parts: StreamParts) -> EventStreams:
    runtime, settings = parts.runtime, parts.runtime.settings
    return EventStreams(
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
            get_positions=parts.use_cases.queue_positions,
            render=make_event_renderer(settings.vocabularies, get_worker_id=lambda: parts.worker_name),
            kept=timedelta(hours=settings.job_lifetime_hours),
        )
    )
