"""Do in a thread what would hold up the event loop, and with it everybody else."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

LARGE_BYTES = 64 * 1024  # what is smaller is done sooner than a thread is found
# One: more would not be faster, as only one thread at a time runs Python, and whoever sends much waits for himself.
_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="large-bodies")


async def beside_others(work: Callable[[], T], *, size: int, large: int = LARGE_BYTES) -> T:
    """Its result; `size` is that of what it works on, in bytes, and `large` is where a thread is worth its while."""
    if size < large:
        return work()
    return await asyncio.get_running_loop().run_in_executor(_thread, work)
