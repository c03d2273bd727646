"""Make the streams of events of a namespace; they are only loaded once somebody listens."""

from collections.abc import Callable
from datetime import timedelta

from civitai_mock.bootstrap.event_renderer import make_event_renderer
from civitai_mock.bootstrap.runtime import Runtime
from civitai_mock.ports import JobStore
from civitai_mock.services.event_bus import EventBus
from civitai_mock.services.event_feed import FollowEvents
from civitai_mock.services.event_stream.streams import EventStreams, StreamSources


def make_event_streams(
    runtime: Runtime,
    *,
    epoch: int,
    jobs: JobStore,
    event_bus: EventBus,
    event_feed: FollowEvents,
    get_worker_id: Callable[[], str | None],
) -> EventStreams:
    settings = runtime.settings
    return EventStreams(
        StreamSources(
            epoch=epoch,
            jobs=jobs,
            feed=runtime.stores.feed,
            event_bus=event_bus,
            event_feed=event_feed,
            system_clock=runtime.clock,
            render=make_event_renderer(settings.vocabularies, get_worker_id=get_worker_id),
            kept=timedelta(hours=settings.job_lifetime_hours),
        )
    )
