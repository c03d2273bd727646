"""The event bus of one process: it publishes new, changed and ended jobs to whoever has subscribed.

What other processes do comes from the feed of the store (`event_feed`), and says less: not how the job is, but that
it has new events.
"""

from collections.abc import Callable, Sequence

from civitai_mock.domain.job import Job
from civitai_mock.domain.namespace_events import LoggedEvent
from civitai_mock.domain.search import FeedEntry
from civitai_mock.services.activity import Activity, Signal

Listener = Callable[[Sequence[Job]], None]
WorkflowListener = Callable[[Sequence[str]], None]
FeedListener = Callable[[Sequence[FeedEntry]], None]
NamespaceListener = Callable[[LoggedEvent], None]


class EventBus:
    """Calls its listeners at once, in the order in which they subscribed. They must not block.

    `activity` counts who is at work by what they heard.
    """

    def __init__(self) -> None:
        self.activity = Activity()
        self._has_work = Signal(self.activity)
        self._end_listeners: list[Listener] = []
        self._change_listeners: list[Listener] = []
        self._feed_listeners: list[FeedListener] = []
        self._workflow_listeners: list[WorkflowListener] = []
        self._announcement_listeners: list[Callable[[], None]] = []
        self._namespace_listeners: list[NamespaceListener] = []

    def subscribe_to_changes(self, listener: Listener) -> None:
        self._change_listeners.append(listener)

    def subscribe_to_ends(self, listener: Listener) -> None:
        self._end_listeners.append(listener)

    def subscribe_to_changes_elsewhere(self, listener: FeedListener) -> None:
        self._feed_listeners.append(listener)

    def subscribe_to_workflows(self, listener: WorkflowListener) -> None:
        self._workflow_listeners.append(listener)

    def subscribe_to_announcements(self, listener: Callable[[], None]) -> None:
        self._announcement_listeners.append(listener)

    def subscribe_to_namespace_events(self, listener: NamespaceListener) -> None:
        self._namespace_listeners.append(listener)

    def close(self) -> None:
        """Publish nothing about jobs any more: they are those of a namespace that was reset."""
        for listeners in (self._change_listeners, self._end_listeners, self._feed_listeners):
            listeners.clear()
        self._workflow_listeners.clear()
        self._announcement_listeners.clear()
        self._namespace_listeners.clear()

    def publish_changes(self, jobs: Sequence[Job]) -> None:
        """Publish that jobs have a new `last_event`; a new job has its first one.

        A job with several new events is among `jobs` with each of them, the oldest first.
        """
        for listener in self._change_listeners:
            listener(jobs)

    def publish_changes_elsewhere(self, entries: Sequence[FeedEntry]) -> None:
        """Publish that other processes changed jobs, or made new ones."""
        for listener in self._feed_listeners:
            listener(entries)

    def publish_ends(self, jobs: Sequence[Job]) -> None:
        """Publish that jobs have an outcome or were taken from their holder; claims made after that still hold."""
        for listener in self._end_listeners:
            listener(jobs)

    def publish_workflows(self, workflow_ids: Sequence[str]) -> None:
        """Publish that workflows have changed beside their jobs: a step can fail before it has any."""
        for listener in self._workflow_listeners:
            listener(workflow_ids)

    def publish_announcements(self) -> None:
        """Publish that a workflow has something to deliver to its callbacks."""
        for listener in self._announcement_listeners:
            listener()

    def publish_namespace_event(self, event: LoggedEvent) -> None:
        """Publish an event that is about no single job, whichever process made it."""
        for listener in self._namespace_listeners:
            listener(event)

    def publish_work(self) -> None:
        """Publish that there may be something to claim."""
        self._has_work.set()

    async def wait_for_work(self) -> None:
        """Return when `publish_work` is called, or at once if it was called since the last return.

        Whoever waits counts as at work between two waits.
        """
        await self._has_work.wait()
