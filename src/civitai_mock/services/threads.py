"""Threads for work on much data, which would hold up the event loop; work on little is done before one would begin."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

LARGE_BYTES = 64 * 1024  # what is smaller is done before a thread would have begun
MANY_CHARACTERS = 2048  # for patterns of users, of which the slowest that was found takes 0.1 s for so many
# More threads would not be faster, as only one at a time runs Python, and whoever sends much waits behind himself.
_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="large-bodies")


async def in_thread(work: Callable[[], T]) -> T:
    """Return what `work` returns, which takes time whatever its size; it runs here where no thread can be had."""
    try:
        return await asyncio.to_thread(work)
    except RuntimeError:
        return work()


async def in_thread_if_large(
    work: Callable[[], T], *, size: int, large: int = LARGE_BYTES, threads: Executor | None = _thread
) -> T:
    """Return what `work` returns; it runs in a thread if what it works on has `large` bytes or more.

    Without `threads` it is one of the event loop's own, of which there are several.
    """
    if size < large:
        return work()
    return await asyncio.get_running_loop().run_in_executor(threads, work)
