"""Wait for something by turns of the event loop, never by time."""

import asyncio
from collections.abc import Awaitable, Callable

MOST_TURNS = 5_000


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(MOST_TURNS):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came true")


async def until_found(condition: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(MOST_TURNS):
        if await condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came true")


async def settle(turns: int = 200) -> None:
    """Let everything that can go on without the clock go on."""
    for _ in range(turns):
        await asyncio.sleep(0)
