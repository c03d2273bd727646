"""Look at the body of a request before its handler reads it, and notice early that its caller is gone."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from civitai_mock.api.body_budget import BodyBudget
from civitai_mock.api.errors import BodyTimeoutError
from civitai_mock.api.exchange import ApiOptions

DISCONNECT = "http.disconnect"


class KeptBody:
    """Hands a request's messages over as its server does: those first that were received early, which are kept."""

    def __init__(self, receive: Receive, options: ApiOptions) -> None:
        self._receive = receive
        self._options = options
        self._kept: deque[Message] = deque()
        self._size = 0
        self._is_whole = False

    async def receive(self) -> Message:
        if self._kept:
            return self._kept.popleft()
        return await self._receive()

    async def read(self, bodies: BodyBudget) -> bytes | None:
        """Return the whole body; None for one that is too large, which is for the handler to say.

        Raise `ClientDisconnect` if the caller goes away first, and `BodyTimeoutError` if it takes too long.
        """
        seconds = self._options.body_timeout.total_seconds()
        try:
            async with asyncio.timeout(seconds):
                with bodies.held() as share:
                    while not self._is_whole and self._size <= self._options.max_body_bytes:
                        share.grow(await self._keep_next())
        except TimeoutError as error:
            raise BodyTimeoutError(f"The body did not arrive within {seconds:g} seconds.") from error
        return b"".join(message.get("body", b"") for message in self._kept) if self._is_whole else None

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[asyncio.Future[None]]:
        """Yield what is done once the caller is gone; nobody else may receive meanwhile."""
        watching = asyncio.create_task(self._until_gone(), name="wait for disconnect")
        try:
            yield watching
        finally:
            watching.cancel()

    async def _until_gone(self) -> None:
        """Return when the caller is gone; of one that sends more than a body may have, it is not noticed."""
        try:
            while self._size <= self._options.max_body_bytes:
                await self._keep_next()
            await asyncio.get_running_loop().create_future()
        except ClientDisconnect:
            return

    async def _keep_next(self) -> int:
        """Receive a part of the body, and return its size."""
        message = await self._receive()
        self._kept.append(message)
        if message["type"] == DISCONNECT:
            raise ClientDisconnect
        size = len(message.get("body", b""))
        self._size += size
        self._is_whole = self._is_whole or not message.get("more_body", False)
        return size
