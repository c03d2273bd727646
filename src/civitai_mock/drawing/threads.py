"""Threads beside the event loop, for drawing: what work raises there reaches whoever waits for it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import CancelledError, Executor, ThreadPoolExecutor
from typing import Generic, TypeVar

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.services.streams import in_chunks

T = TypeVar("T")


class ThreadFailedError(Exception):
    """Stands for an exception that a future cannot carry, or would misunderstand; `cause` is the exception itself."""

    def __init__(self, cause: BaseException) -> None:
        super().__init__(f"{type(cause).__name__}: {cause}")
        self.cause = cause


@dataclass(frozen=True, slots=True)
class _Returned(Generic[T]):
    """Says that work returned a value, which may be an exception itself."""

    value: T


async def in_thread(work: Callable[[], T], *, threads: Executor | None = None) -> T:
    """Return what `work` returns; raise what it raises if that is a plain exception, else `ThreadFailedError`.

    A StopIteration would never reach a future, and the waiting task would wait for ever. A CancelledError would cancel
    the waiting task, and SystemExit would end the server.
    """
    return _result(await asyncio.get_running_loop().run_in_executor(threads, _try, work))


def _result(outcome: _Returned[T] | BaseException) -> T:
    if isinstance(outcome, _Returned):
        return outcome.value
    if isinstance(outcome, Exception) and not isinstance(outcome, StopIteration | StopAsyncIteration | CancelledError):
        raise outcome
    raise ThreadFailedError(outcome) from outcome


def _try(work: Callable[[], T]) -> _Returned[T] | BaseException:
    try:
        return _Returned(work())
    except BaseException as error:  # noqa: BLE001 - raised again where it can be caught
        return error


class DrawingThreads:
    """Runs drawing in a few threads, each work when somebody asks for its result."""

    def __init__(self, count: int) -> None:
        self._threads = ThreadPoolExecutor(max_workers=count, thread_name_prefix="drawing")

    async def run(self, work: Callable[[], T]) -> T:
        return await in_thread(work, threads=self._threads)

    async def stream(self, draw: Callable[[], bytes]) -> AsyncIterator[bytes]:
        """Yield in chunks what `draw` returns; it is called when the first chunk is asked for."""
        data = await self.run(draw)
        async for chunk in in_chunks(data):
            yield chunk

    async def aclose(self) -> None:
        """Wait for work that has begun, off the event loop; drop the rest."""
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)
