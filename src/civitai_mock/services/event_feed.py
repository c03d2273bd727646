"""Follow the feed of events of the store: one poll for all in this process who have to know what others did."""

import asyncio
import time
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from datetime import timedelta
from functools import partial

import structlog

from civitai_mock.domain.job import Job
from civitai_mock.domain.namespace_events import LoggedEvent
from civitai_mock.domain.search import FeedEntry
from civitai_mock.ports import Clock, EventFeed, NamespaceEventFeed, Timer
from civitai_mock.services.error_boundary import ErrorBoundary
from civitai_mock.services.event_bus import EventBus
from civitai_mock.services.namespace_events import FollowNamespaceEvents

logger = structlog.stdlib.get_logger()

PAGE = 500


class FollowEvents:
    """Publishes on the event buses what other processes did, for as long as somebody follows.

    One poll serves all namespaces of a process: each bus is told of its own epoch. What this process did is published
    by whoever did it, at once, and not again. The feed also has what was written and never published, as whoever wrote
    it was cancelled; a change may be published twice if the feed is read between its write and its publication.
    """

    def __init__(self, *, feed: EventFeed, namespace_feed: NamespaceEventFeed, clock: Clock) -> None:
        # Told of the epochs of namespaces that are not open in this process.
        self.on_unknown_epochs: Callable[[AbstractSet[int]], None] = _ignore
        self._feed = feed
        self._clock = clock
        self._buses: dict[int, EventBus] = {}  # by epoch
        self._intervals: dict[object, timedelta] = {}  # by follower
        self._following: asyncio.Task[None] | None = None
        self._begun: asyncio.Event = asyncio.Event()
        self._look = asyncio.Event()
        self._next_look = timedelta.max  # at most so long after the last, or after a follower came that looks closer
        self._timers: list[Timer] = []
        self._published = _Published()
        self._wakers: set[Callable[[], None]] = set()
        # Only for those who are woken: nobody else wants to know.
        self.namespace_events = FollowNamespaceEvents(feed=namespace_feed, publish=self._publish_namespace_events)

    def add(self, epoch: int, event_bus: EventBus) -> None:
        """Tell a bus of what others do in an epoch, until `remove`."""
        self._buses[epoch] = event_bus
        event_bus.subscribe_to_changes(partial(self._on_changed, epoch))

    def remove(self, epoch: int) -> None:
        self._buses.pop(epoch, None)

    def follow(self, follower: object, *, every: timedelta) -> None:
        """Publish, until `unfollow`, what others do from now on, within `every`; who follows most closely counts."""
        self._intervals[follower] = every
        if self._following is None:
            self._following = asyncio.create_task(self._run(), name="event feed")
        elif every < self._next_look:
            self._look_within(every)

    def unfollow(self, follower: object) -> None:
        """Follow for the others alone; nothing runs without any."""
        self._intervals.pop(follower, None)
        if not self._intervals and self._following is not None:
            self._following.cancel()
            self._following = None
            self._begun.clear()
            self.namespace_events.forget()
            self._published = _Published()

    def add_waker(self, wake: Callable[[], None]) -> None:
        """Have somebody called, until `remove_waker`, once this has begun, and when something new is in the feed.

        As long as there is anybody, events of namespaces are published, too.
        """
        self._wakers.add(wake)
        if not self.namespace_events.has_begun:
            self._look.set()

    def remove_waker(self, wake: Callable[[], None]) -> None:
        self._wakers.discard(wake)
        if not self._wakers:
            self.namespace_events.forget()

    @property
    def has_begun(self) -> bool:
        """Return whether all is published that others do from now on."""
        return self._begun.is_set()

    async def begun(self) -> None:
        """Return when all is published that others do from then on; without this, what they do meanwhile is not."""
        await self._begun.wait()

    def _on_changed(self, epoch: int, jobs: Sequence[Job]) -> None:
        if self._following is not None:
            for job in jobs:
                self._published.recent[epoch, job.id] = job.seq
            self._wake()

    def _wake(self) -> None:
        for wake in self._wakers:
            wake()

    async def _run(self) -> None:
        position: str | None = None
        while True:
            self._look.clear()
            with ErrorBoundary("events of other processes not read"):
                if position is None:
                    position = await self._feed.last_position()
                    self._begun.set()
                    await self._begin_namespace_events()
                    self._wake()
                else:
                    await self._begin_namespace_events()
                    position = await self._read(position)
            await self._pause()

    async def _begin_namespace_events(self) -> None:
        if self._wakers:
            has_begun = self.namespace_events.has_begun
            await self.namespace_events.begin()
            if not has_begun:
                self._wake()

    async def _read(self, position: str) -> str:
        """Publish what came after a position, and return where to go on."""
        began = time.monotonic()
        is_last = False
        while not is_last:
            page = await self._feed.after(position, limit=PAGE)
            position, is_last = page.position, page.is_last
            if page.entries:
                await self.namespace_events.catch_up()  # of what was written before the events of jobs in the page
                await asyncio.sleep(0)  # as a write of this process that was just made is published in the next turn
            new = [entry for entry in page.entries if self._published.lacks(entry)]
            if new:
                self._published.recent.update(((entry.epoch, entry.job_id), entry.seq) for entry in new)
                self._publish(new)
        self._published.forget(before=began - self._feed.settling.total_seconds())
        return position

    def _publish(self, entries: Sequence[FeedEntry]) -> None:
        by_epoch: dict[int, list[FeedEntry]] = {}
        for entry in entries:
            by_epoch.setdefault(entry.epoch, []).append(entry)
        for epoch in by_epoch.keys() & self._buses.keys():
            self._buses[epoch].publish_changes_elsewhere(by_epoch[epoch])
        unknown = by_epoch.keys() - self._buses.keys()
        if unknown:
            self.on_unknown_epochs(unknown)
        self._wake()

    def _publish_namespace_events(self, events: Sequence[LoggedEvent]) -> None:
        for event in events:
            if event.epoch in self._buses:
                self._buses[event.epoch].publish_namespace_event(event)
        self._wake()

    async def _pause(self) -> None:
        """Return after the shortest interval; followers come and go meanwhile, often as close as the last."""
        try:
            self._look_within(min(self._intervals.values()))
            await self._look.wait()
        finally:
            for timer in self._timers:
                timer.cancel()
            self._timers.clear()
            self._next_look = timedelta.max

    def _look_within(self, interval: timedelta) -> None:
        self._next_look = interval
        self._timers.append(self._clock.call_later(interval.total_seconds(), self._look.set))


class _Published:
    """Remembers the last event of each job that was published, as long as the feed may show it again."""

    def __init__(self) -> None:
        self.recent: dict[tuple[int, str], int] = {}  # by epoch and id
        self._older: dict[tuple[int, str], int] = {}
        self._since = time.monotonic()  # when `recent` was begun

    def lacks(self, entry: FeedEntry) -> bool:
        key = (entry.epoch, entry.job_id)
        seq = self.recent.get(key, self._older.get(key, -1))
        return seq < entry.seq

    def forget(self, *, before: float) -> None:
        """Forget what was published before this time, as far as that is known; `recent` may have some of it."""
        if self._since <= before:
            self.recent, self._older, self._since = {}, self.recent, time.monotonic()


def _ignore(_: AbstractSet[int]) -> None:
    pass
