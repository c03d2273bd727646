"""Read the events of namespaces between those of jobs, in the order in which both were written."""

from collections import deque
from datetime import datetime

from civitai_mock.domain.namespace_events import LoggedEvent
from civitai_mock.ports import NamespaceEventFeed

PAGE = 20


class NamespaceLog:
    """Shows one event after the other, from behind `position` on, which is that of the last one that was handed out.

    What is written is told in the order of its times, and of equal times in that in which it was written. To know that,
    its reader looks at this before and after it looks at a page of the feed of jobs' events: what was here before it
    can come behind all of that page; what came meanwhile only before an event of the page that was written later.
    """

    def __init__(self, feed: NamespaceEventFeed, position: int) -> None:
        self._feed = feed
        self.position = position
        self._read: deque[LoggedEvent] = deque()
        self._has_more = True
        self._settled = position

    async def begin(self) -> None:
        """Show only what is appended from now on."""
        self.position = self._settled = await self._feed.last_position()

    @property
    def has_left(self) -> bool:
        """Return whether something was read that is not handed out yet."""
        return bool(self._read)

    async def settle(self) -> None:
        """Look what there is, before its reader looks at the feed of jobs' events."""
        if not self._read:
            await self._fetch()
        self._settled = self._read[-1].position if self._read else self.position
        self._has_more = True

    async def next_before(self, at: datetime, feed_position: str) -> LoggedEvent | None:
        """Return the next event if that was before an event of a job."""
        if not self._read and self._has_more:
            await self._fetch()
        is_before = self._read and (self._read[0].event.at, self._read[0].feed_position) < (at, feed_position)
        return self._read[0] if is_before else None

    def next_settled(self) -> LoggedEvent | None:
        """Return the next event if that can come behind all events of jobs that were seen."""
        return self._read[0] if self._read and self._read[0].position <= self._settled else None

    def hand_out(self) -> None:
        """Go on behind the next event, which was told."""
        self.position = self._read.popleft().position

    async def _fetch(self) -> None:
        events = await self._feed.after(self.position, limit=PAGE)
        self._read.extend(events)
        self._has_more = len(events) == PAGE
