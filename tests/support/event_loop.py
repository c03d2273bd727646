"""Wait for something by turns of the event loop, never by time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

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


async def until_quiet(turns: int = 50) -> None:
    """Let everything go on that goes on in the event loop alone, until for some turns nothing has."""
    loop: Any = asyncio.get_running_loop()
    quiet = 0
    while quiet < turns:
        await asyncio.sleep(0)
        quiet = 0 if loop._ready else quiet + 1
