"""Word between the API and the scheduler of one process."""

import asyncio
from collections.abc import Callable, Sequence

Listener = Callable[[Sequence[str]], None]


class InProcessSignals:
    """Implements `JobSignals`; whoever wants to hear of ended jobs adds a listener."""

    def __init__(self) -> None:
        self._work = asyncio.Event()
        self._listeners: list[Listener] = []

    def submitted(self) -> None:
        self._work.set()

    def ended(self, job_ids: Sequence[str]) -> None:
        for listener in self._listeners:
            listener(job_ids)

    def listen(self, listener: Listener) -> None:
        self._listeners.append(listener)

    async def work(self) -> None:
        """Wait until there may be something to claim; word that came since the last wait is not lost."""
        await self._work.wait()
        self._work.clear()
