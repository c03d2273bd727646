"""Blocking work in a thread beside the event loop, whatever becomes of it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


class ThreadFailedError(Exception):
    """Stands for what a future cannot carry or would take for something else; `cause` is what was raised."""

    def __init__(self, cause: BaseException) -> None:
        super().__init__(f"{type(cause).__name__}: {cause}")
        self.cause = cause


@dataclass(frozen=True, slots=True)
class _Made(Generic[T]):
    value: T


async def in_thread(work: Callable[[], T], *, threads: Executor | None = None) -> T:
    """Raise what `work` raises if that is a plain exception, and `ThreadFailedError` otherwise.

    A StopIteration would never reach a future, and who waits for it would wait for ever; a CancelledError would cancel
    who waits, and SystemExit would end the server.
    """
    outcome = await asyncio.get_running_loop().run_in_executor(threads, _tried, work)
    if isinstance(outcome, _Made):
        return outcome.value
    if isinstance(outcome, Exception) and not isinstance(outcome, StopIteration | StopAsyncIteration | CancelledError):
        raise outcome
    raise ThreadFailedError(outcome) from outcome


def _tried(work: Callable[[], T]) -> _Made[T] | BaseException:
    try:
        return _Made(work())
    except BaseException as error:  # noqa: BLE001 - raised again where it can be caught
        return error
