"""Tell events of a namespace that are about no single job: they are stored, and told on the streams of events.

Whoever makes such an event (the fleet, of its pods) calls `TellNamespaceEvents.append` before it changes the jobs that
it is about, and after it has changed those that led to it: streams tell what happens in the order in which it was
written. After a crash it appends the last event again, with the same key. The type of an event is a `MessageType`. What
is not to be stored is told by `EventStreams.tell_passing`.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

from civitai_mock.domain.namespace_events import LoggedEvent, NamespaceEvent
from civitai_mock.ports import Clock, NamespaceEventFeed, NamespaceEventStore
from civitai_mock.services.error_boundary import ErrorBoundary

PAGE = 100


class FollowNamespaceEvents:
    """Publishes what any process appends, in order and once, from when somebody begins to listen until `forget`."""

    def __init__(self, *, feed: NamespaceEventFeed, publish: Callable[[Sequence[LoggedEvent]], None]) -> None:
        self._feed = feed
        self._publish = publish
        self._position: int | None = None
        self._reading = asyncio.Lock()

    @property
    def has_begun(self) -> bool:
        return self._position is not None

    def forget(self) -> None:
        self._position = None

    async def begin(self) -> None:
        """Publish all that is appended from now on, and what was since an earlier call; raise `TransientError`."""
        async with self._reading:
            if self._position is None:
                self._position = await self._feed.last_position()
                return
        await self.catch_up()

    async def catch_up(self) -> None:
        """Publish what is new, if this has begun; raise `TransientError` while the store is away."""
        async with self._reading:
            while self._position is not None and (events := await self._feed.after(self._position, limit=PAGE)):
                if self._position is not None:  # still
                    self._position = events[-1].position
                    self._publish(events)


class TellNamespaceEvents:
    """Appends events of one namespace, which are kept for `lifetime`, and told here before `append` returns."""

    def __init__(
        self, *, events: NamespaceEventStore, follow: FollowNamespaceEvents, clock: Clock, lifetime: timedelta
    ) -> None:
        self._events = events
        self._follow = follow
        self._clock = clock
        self._lifetime = lifetime

    async def append(self, events: Sequence[NamespaceEvent]) -> None:
        """Store events whose keys are new, and tell them; raise `TransientError` while the store is away."""
        await self._events.append(events, keep_until=self._clock.now() + self._lifetime)
        with ErrorBoundary("events of namespaces not read"):  # they are stored, and read with the next look
            await self._follow.catch_up()
