"""A thread for work on large bodies, which would hold up the event loop and every request that it serves."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

LARGE_BYTES = 64 * 1024  # smaller bodies are done before a thread would have begun
# More threads would not be faster, as only one at a time runs Python, and whoever sends much waits behind himself.
_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="large-bodies")


async def in_thread_if_large(work: Callable[[], T], *, size: int, large: int = LARGE_BYTES) -> T:
    """Return what `work` returns; it runs in the thread if the body that it works on has `large` bytes or more."""
    if size < large:
        return work()
    return await asyncio.get_running_loop().run_in_executor(_thread, work)
