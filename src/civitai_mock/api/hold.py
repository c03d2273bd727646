"""Do something that takes long while a caller waits, and no longer than that."""

import asyncio
from collections.abc import Coroutine

from starlette.requests import ClientDisconnect, Request


async def while_connected(request: Request, work: Coroutine[None, None, None]) -> None:
    """Raise `ClientDisconnect` if the caller hangs up before `work` is done; the request's body has to be read."""
    working = asyncio.create_task(work)
    hanging_up = asyncio.create_task(_hang_up(request))
    try:
        await asyncio.wait((working, hanging_up), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        await working
    finally:
        working.cancel()
        hanging_up.cancel()
        await asyncio.gather(working, hanging_up, return_exceptions=True)


async def _hang_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
