"""A client that records the messages of a ComfyUI socket."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

from websockets.asyncio.client import ClientConnection, connect

from tests.support.standin import RunningStandin

# A text message as decoded JSON, or the bytes of a binary one.
Heard: TypeAlias = dict[str, Any] | bytes


class Listener:
    """Keeps every message that it has `heard`."""

    def __init__(self, connection: ClientConnection) -> None:
        self.heard: list[Heard] = []
        self.connection = connection

    async def next(self) -> Heard:
        frame = await self.connection.recv()
        heard: Heard = frame if isinstance(frame, bytes) else json.loads(frame)
        self.heard.append(heard)
        return heard

    async def until(self, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return the first text message from now on that meets a condition."""
        while True:
            heard = await self.next()
            if isinstance(heard, dict) and condition(heard):
                return heard

    async def until_idle(self) -> None:
        """Wait for the status after the last prompt in the queue; everybody gets it."""
        await self.until(lambda message: remaining(message) == 0)

    async def until_ended(self, prompt_id: str) -> None:
        """Wait for the last message about a prompt of this client."""
        await self.until(lambda message: is_end(message, prompt_id))

    async def until_type(self, kind: str) -> dict[str, Any]:
        return await self.until(lambda message: message["type"] == kind)

    @property
    def types(self) -> Sequence[str]:
        return [message["type"] if isinstance(message, dict) else "binary" for message in self.heard]


@asynccontextmanager
async def listen_to(standin: RunningStandin, client_id: str = "", *, flags: bool = False) -> AsyncIterator[Listener]:
    """Connect, and wait for the greeting; with `flags` say that preview metadata is understood."""
    query = f"?clientId={client_id}" if client_id else ""
    async with connect(standin.socket_url + query, max_size=None, max_queue=None) as connection:
        listener = Listener(connection)
        await listener.next()
        if flags:
            hello = {"type": "feature_flags", "data": {"supports_preview_metadata": True}}
            await connection.send(json.dumps(hello))
            await listener.until_type("feature_flags")
        yield listener


def remaining(message: dict[str, Any]) -> int | None:
    """Return how much is in the queue, if this is a status."""
    return message["data"]["status"]["exec_info"]["queue_remaining"] if message["type"] == "status" else None


def is_end(message: dict[str, Any], prompt_id: str) -> bool:
    is_last = message["type"] == "executing" and message["data"]["node"] is None
    return is_last and message["data"].get("prompt_id") == prompt_id
