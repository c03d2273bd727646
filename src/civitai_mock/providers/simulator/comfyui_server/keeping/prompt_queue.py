"""Pending and running prompts, and what the worker is asked to free."""

import asyncio
import heapq
from collections.abc import Callable

from civitai_mock.providers.simulator.comfyui_server.keeping.item import QueueItem


class PromptQueue:
    """`changed` is called at every change that ComfyUI broadcasts."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self.pending: list[QueueItem] = []
        self.running: QueueItem | None = None
        self._changed = changed
        self._flags: set[str] = set()
        self._woken = asyncio.Event()
        self._next_number = 0

    @property
    def remaining(self) -> int:
        return len(self.pending) + (self.running is not None)

    def draw_number(self, *, front: bool) -> int:
        """One per request, also for those that are refused then."""
        number = self._next_number
        self._next_number += 1
        return -number if front else number

    def put(self, item: QueueItem) -> None:
        """An item that equals a pending one in number and id is in the queue when the TypeError is raised.

        ComfyUI then compares their graphs, and that is what fails.
        """
        is_twin = any(item.rank == other.rank for other in self.pending)
        heapq.heappush(self.pending, item)
        if is_twin:
            raise TypeError("'<' not supported between instances of 'dict' and 'dict'")
        self._changed()
        self._woken.set()

    async def take(self) -> QueueItem | None:
        """Wait for a prompt; None if there is only something to free. A call that nobody waits for is not heard."""
        if not self.pending:
            self._woken.clear()
            await self._woken.wait()
        if not self.pending:
            return None
        self.running = heapq.heappop(self.pending)
        self._changed()
        return self.running

    def finished(self) -> None:
        self.running = None

    def delete(self, prompt_id: object) -> None:
        """The first pending one; running ones stay."""
        for place, item in enumerate(self.pending):
            if item.prompt_id == prompt_id:
                del self.pending[place]
                heapq.heapify(self.pending)
                self._changed()
                return

    def clear(self) -> None:
        self.pending = []
        self._changed()

    def ask_to_free(self, what: str) -> None:
        self._flags.add(what)
        self._woken.set()

    def take_flags(self) -> set[str]:
        flags, self._flags = self._flags, set()
        return flags
