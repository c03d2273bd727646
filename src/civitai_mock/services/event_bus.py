"""Tell the parts of one process about new, changed and ended jobs; a poll as a safety net covers other processes."""

import asyncio
from collections.abc import Callable, Sequence

from civitai_mock.domain.job import Job

Listener = Callable[[Sequence[Job]], None]


class EventBus:
    """Publishes to whoever added a listener. Listeners are called at once and must not block."""

    def __init__(self) -> None:
        self._work = asyncio.Event()
        self._end_listeners: list[Listener] = []
        self._change_listeners: list[Listener] = []

    def submitted(self) -> None:
        """Publish that new jobs are in the store."""
        self._work.set()

    def changed(self, jobs: Sequence[Job]) -> None:
        """Publish that jobs have a new `last_event`; a new job has its first one."""
        for listener in self._change_listeners:
            listener(jobs)

    def ended(self, jobs: Sequence[Job]) -> None:
        """Publish that these jobs have an outcome or lost their holder; a claim that was made later is not meant."""
        for listener in self._end_listeners:
            listener(jobs)

    def listen(self, listener: Listener) -> None:
        """Subscribe to jobs that ended, or that were taken from their holder."""
        self._end_listeners.append(listener)

    def listen_to_changes(self, listener: Listener) -> None:
        """Subscribe to jobs that have a new event."""
        self._change_listeners.append(listener)

    async def work(self) -> None:
        """Wait until there may be something to claim; word that came since the last wait is not lost."""
        await self._work.wait()
        self._work.clear()
