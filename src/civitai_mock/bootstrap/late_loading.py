"""Load soon after the start what the first healthy answer does not need, so that no later request waits for it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

SETTLE_SECONDS = 0.1  # for whoever waits for the server to be healthy


@asynccontextmanager
async def loading_late(parts: Iterable[Callable[[], object]]) -> AsyncIterator[None]:
    """Load the parts beside what runs, one at a time: a request that comes meanwhile waits for one part at most.

    A part that is used before loads at that moment.
    """
    loading = asyncio.create_task(_load(parts), name="late loading")
    try:
        yield
    finally:
        loading.cancel()


async def _load(parts: Iterable[Callable[[], object]]) -> None:
    await asyncio.sleep(SETTLE_SECONDS)
    for load in parts:
        load()
        await asyncio.sleep(0)
