"""What stops a prompt before its end: a node that fails, and POST /interrupt."""

import asyncio
import traceback
from collections.abc import Callable
from typing import TypeVar

import structlog

from civitai_mock.comfyui_standin.validation.input_checks import exception_name
from civitai_mock.drawing.threads import ThreadFailedError, in_thread

LOGGED_CALLS = 3  # the innermost calls of a failure inside this server
T = TypeVar("T")

logger = structlog.stdlib.get_logger()


class NodeFailedError(Exception):
    """Carries what `execution_error` reports; `type` is the exception's name as ComfyUI prints it."""

    @classmethod
    def of(cls, error: Exception) -> "NodeFailedError":
        """Report an error inside this server as if it had happened in ComfyUI, and log it."""
        if isinstance(error, cls):
            return error
        cause = error.cause if isinstance(error, ThreadFailedError) else error
        lines = traceback.format_exception(cause, limit=-LOGGED_CALLS)  # all of them, with values, would take seconds
        logger.warning("prompt failed", error=exception_name(cause), traceback="".join(lines))
        return cls(exception_name(cause), str(cause))

    def __init__(self, type_name: str, message: str, *, inputs_known: bool = True) -> None:
        super().__init__(message)
        self.type = type_name
        self.message = f"{message}\n"
        self.inputs_known = inputs_known


class PromptInterrupted(Exception):  # noqa: N818 - an outcome, not a fault
    """Somebody asked for the running prompt to stop."""


class Interrupt:
    """Stops the running prompt, and none that starts later.

    It is noticed between nodes, at each step, and while an image is being drawn.
    """

    def __init__(self) -> None:
        self._requested = asyncio.Event()

    def request(self) -> None:
        self._requested.set()

    def clear(self) -> None:
        self._requested.clear()

    def check(self) -> None:
        """Raise `PromptInterrupted` once after each request."""
        if self._requested.is_set():
            self._requested.clear()
            raise PromptInterrupted

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Return what `work` returns; an interrupt abandons the thread, and its result is dropped."""
        working = asyncio.create_task(in_thread(work))
        requested = asyncio.create_task(self._requested.wait())
        try:
            await asyncio.wait({working, requested}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                self.check()
            return await working
        finally:
            working.cancel()
            requested.cancel()
