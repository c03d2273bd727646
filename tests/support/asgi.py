"""Speak ASGI by hand, for what no HTTP client would do."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import orjson
from starlette.types import ASGIApp, Message, Scope

Receive = Callable[[], Awaitable[Message]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What an app sent."""

    messages: list[Message]

    @property
    def status(self) -> int:
        return int(self.messages[0]["status"])

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.messages[0]["headers"]}

    @property
    def json(self) -> dict[str, object]:
        body: dict[str, object] = orjson.loads(b"".join(message.get("body", b"") for message in self.messages[1:]))
        return body


def http_scope(method: str, path: str, **headers: str) -> Scope:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        "server": ("mock.test", 3000),
    }


async def exchange(app: ASGIApp, scope: Scope, receive: Receive) -> Exchange:
    messages: list[Message] = []

    async def send(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, send)
    return Exchange(messages=messages)


async def silence() -> Message:
    """A client that sends nothing more, and stays."""
    never: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
    return await never


async def hang_up() -> Message:
    """A client that is gone."""
    return {"type": "http.disconnect"}


async def in_chunks(chunk: bytes, count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield chunk
