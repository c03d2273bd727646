"""POST /interrupt: noticed between nodes, at each step, and while an image is being drawn."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from civitai_mock.drawing.threads import in_thread

T = TypeVar("T")


class PromptInterrupted(Exception):  # noqa: N818 - an outcome, not a fault
    """Somebody asked for it."""


class Interrupt:
    """One for the worker: it concerns the prompt that runs, and none that starts later."""

    def __init__(self) -> None:
        self._asked = asyncio.Event()

    def ask(self) -> None:
        self._asked.set()

    def forget(self) -> None:
        self._asked.clear()

    def check(self) -> None:
        """Raise `Interrupted` once for each time that it was asked for."""
        if self._asked.is_set():
            self._asked.clear()
            raise PromptInterrupted

    async def in_thread(self, work: Callable[[], T]) -> T:
        """What `work` gives; an interrupt lets go of the thread, whose result nobody waits for any more."""
        working = asyncio.create_task(in_thread(work))
        asked = asyncio.create_task(self._asked.wait())
        try:
            await asyncio.wait({working, asked}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                self.check()
            return await working
        finally:
            working.cancel()
            asked.cancel()
