"""Draw in a few threads beside the event loop, each image when somebody asks for its bytes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import CancelledError, Executor, ThreadPoolExecutor
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


CHUNK = 256 * 1024


class Studio:
    def __init__(self, *, threads: int) -> None:
        self._threads = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="drawing")

    async def content(self, draw: Callable[[], bytes]) -> AsyncIterator[bytes]:
        """What `draw` gives, in chunks; it runs in a thread, when the first chunk is asked for."""
        data = await self.run(draw)
        for start in range(0, len(data), CHUNK):
            yield data[start : start + CHUNK]

    async def run(self, work: Callable[[], T]) -> T:
        return await in_thread(work, threads=self._threads)

    async def aclose(self) -> None:
        """Wait for what is being drawn, off the event loop; drop what is not begun."""
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)
