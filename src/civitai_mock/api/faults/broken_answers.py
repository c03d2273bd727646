"""Answers that break on their way: half of a body, a body that drips, and JSON that is not what it was.

Each stands between an app and the `send` of its server.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, TypeAlias

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import Message, Scope, Send

from civitai_mock.api.broken_connection import break_off
from civitai_mock.services.faults.held_answers import HeldAnswers

if TYPE_CHECKING:
    import asyncio

PIECES_PER_SECOND = 10
START = "http.response.start"

Edit: TypeAlias = Callable[[int, bytes], tuple[int, bytes]]
Watched: TypeAlias = Callable[[], AbstractAsyncContextManager["asyncio.Future[None]"]]


class HalfBody:
    """Sends half of a body, and then ends the connection; an answer without a body arrives as a whole."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._left: int | None = None

    async def send(self, message: Message) -> None:
        """Raise `ClientDisconnect` once half of it was sent, as nobody is there any more."""
        if message["type"] == START:
            length = Headers(raw=message["headers"]).get("content-length")
            self._left = None if length is None else int(length) // 2
            await self._send(message)
            return
        body = bytes(message.get("body", b""))
        if not body:
            await self._send(message)
            return
        left = len(body) // 2 if self._left is None else self._left  # of unknown length, half of the first part
        if len(body) < left:
            self._left = left - len(body)
            await self._send(message)
            return
        await self._send({"type": message["type"], "body": body[:left], "more_body": True})
        await break_off(self._scope, self._send, resets=False, has_begun=True)
        raise ClientDisconnect


class SlowDrip:
    """Sends a body at a speed, in bytes a second; the rest comes at once when nothing is held back any more."""

    def __init__(self, send: Send, *, speed: int, held: HeldAnswers, watched: Watched) -> None:
        self._send = send
        self._speed = speed
        self._held = held
        self._watched = watched

    async def send(self, message: Message) -> None:
        """Raise `ClientDisconnect` if the caller goes away."""
        body = memoryview(message.get("body", b""))
        if not body:
            await self._send(message)
            return
        async with self._watched() as given_up:
            for piece, is_last in self._pieces(body):
                await self._held.hold(len(piece) / self._speed, given_up)
                if given_up.done():
                    raise ClientDisconnect
                more_body = not is_last or message.get("more_body", False)
                await self._send({**message, "body": bytes(piece), "more_body": more_body})

    def _pieces(self, body: memoryview) -> Iterator[tuple[memoryview, bool]]:
        """Yield the pieces, and whether each is the last one."""
        size, at = max(1, self._speed // PIECES_PER_SECOND), 0
        while at < len(body):
            end = len(body) if self._held.is_stopped else at + size
            yield body[at:end], end >= len(body)
            at = end


class EditedJson:
    """Sends JSON with an edit of its status and its text; any other answer passes as it is."""

    def __init__(self, send: Send, edit: Edit) -> None:
        self._send = send
        self._edit = edit
        self._start: Message | None = None
        self._body = bytearray()

    async def send(self, message: Message) -> None:
        if message["type"] == START and "json" in Headers(raw=message["headers"]).get("content-type", ""):
            self._start = message
        elif self._start is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._send_edited(self._start)

    async def _send_edited(self, start: Message) -> None:
        status, body = self._edit(start["status"], bytes(self._body))
        headers = MutableHeaders(raw=list(start["headers"]))
        headers["content-length"] = str(len(body))
        await self._send({**start, "status": status, "headers": headers.raw})
        await self._send({"type": "http.response.body", "body": body})
