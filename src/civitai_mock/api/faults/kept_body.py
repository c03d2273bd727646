"""Look at the body of a request before its handler reads it, and notice early that its caller is gone."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from civitai_mock.api.body_budget import BodyBudget, TooManyBodiesError
from civitai_mock.api.errors import BodyTimeoutError
from civitai_mock.api.exchange import ApiOptions

DISCONNECT = "http.disconnect"


class KeptBody:
    """Hands a request's messages over as its server does: those first that were received early, which are kept.

    What is kept counts among the bodies of all requests until it is handed over, or the request is over.
    """

    def __init__(self, receive: Receive, options: ApiOptions, bodies: BodyBudget) -> None:
        self._receive = receive
        self._options = options
        self._share = bodies.held()
        self._kept: deque[tuple[Message, int]] = deque()  # with the bytes that are counted for each
        self._size = 0
        self._is_whole = False

    async def receive(self) -> Message:
        if not self._kept:
            return await self._receive()
        message, counted = self._kept.popleft()
        self._share.shrink(counted)
        return message

    def let_go(self) -> None:
        """Drop what nobody has read."""
        while self._kept:
            self._share.shrink(self._kept.popleft()[1])

    async def read(self) -> bytes | None:
        """Return the whole body; None for one that is too large, which is for the handler to say.

        Raise `ClientDisconnect` if the caller goes away first, `BodyTimeoutError` if it takes too long, and
        `TooManyBodiesError` if others take all the room.
        """
        seconds = self._options.body_timeout.total_seconds()
        try:
            async with asyncio.timeout(seconds):
                while not self._is_whole and self._size <= self._options.max_body_bytes:
                    await self._keep_next()
        except TimeoutError as error:
            raise BodyTimeoutError(f"The body did not arrive within {seconds:g} seconds.") from error
        return b"".join(message.get("body", b"") for message, _ in self._kept) if self._is_whole else None

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[asyncio.Future[None]]:
        """Yield what is done once the caller is gone; nobody else may receive meanwhile."""
        watching = asyncio.create_task(self._until_gone(), name="wait for disconnect")
        try:
            yield watching
        finally:
            watching.cancel()

    async def _until_gone(self) -> None:
        """Return when the caller is gone; it is not noticed of one whose body is too large, or has no room."""
        with suppress(TooManyBodiesError):
            try:
                while self._size <= self._options.max_body_bytes:
                    await self._keep_next()
            except ClientDisconnect:
                return
        await asyncio.get_running_loop().create_future()

    async def _keep_next(self) -> None:
        """Keep what comes next; raise an error if that is no part of a body, or if there is no room for it."""
        message = await self._receive()
        size, counted = len(message.get("body", b"")), 0
        self._size += size
        self._is_whole = self._is_whole or not message.get("more_body", False)
        try:
            self._share.grow(size)
            counted = size
        finally:
            self._kept.append((message, counted))
        if message["type"] == DISCONNECT:
            raise ClientDisconnect
