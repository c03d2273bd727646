"""Work that is done once for all who ask for it at the same time."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class SharedWork(Generic[T]):
    """Runs one task for each key; it goes on if nobody waits for it any more."""

    def __init__(self, *, name: str) -> None:
        """Name the tasks by what they do."""
        self._name = name
        self._tasks: dict[str, asyncio.Task[T]] = {}

    async def run(self, key: str, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return what the work returns that is done for this key now, or else `work`; raise what it raises."""
        task = self._tasks.get(key)
        if task is None:
            task = asyncio.create_task(work(), name=f"{self._name} {key}")
            self._tasks[key] = task
            task.add_done_callback(partial(self._forget, key))
        return await asyncio.shield(task)

    async def aclose(self) -> None:
        """Break off all work."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _forget(self, key: str, task: asyncio.Task[T]) -> None:
        del self._tasks[key]
        if not task.cancelled():
            task.exception()  # is the concern of those who wait, also where nobody does any more
