"""Word between the API and the scheduler of one process."""

import asyncio
from collections.abc import Callable, Sequence

from civitai_mock.domain.job import Job

Listener = Callable[[Sequence[Job]], None]


class EventBus:
    """Implements `JobSignals`; whoever wants to hear of changed or ended jobs adds a listener."""

    def __init__(self) -> None:
        self._work = asyncio.Event()
        self._end_listeners: list[Listener] = []
        self._change_listeners: list[Listener] = []

    def submitted(self) -> None:
        self._work.set()

    def changed(self, jobs: Sequence[Job]) -> None:
        for listener in self._change_listeners:
            listener(jobs)

    def ended(self, jobs: Sequence[Job]) -> None:
        for listener in self._end_listeners:
            listener(jobs)

    def listen(self, listener: Listener) -> None:
        """Hear of jobs that ended, or that were taken from their holder."""
        self._end_listeners.append(listener)

    def listen_to_changes(self, listener: Listener) -> None:
        """Hear of jobs that have a new event."""
        self._change_listeners.append(listener)

    async def work(self) -> None:
        """Wait until there may be something to claim; word that came since the last wait is not lost."""
        await self._work.wait()
        self._work.clear()
