"""Listen to a stream of events: over ASGI, where no client of HTTP would show it before its end."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import orjson
from starlette.types import ASGIApp, Message

from civitai_mock.domain.json_types import JsonObject
from tests.support.asgi import http_scope

PATIENCE_SECONDS = 60
PASSING = frozenset({"queue_position", "generation_progress"})


@dataclass(frozen=True, slots=True)
class Told:
    """Is one message as server-sent events have it."""

    type: str
    data: JsonObject
    id: str | None

    @property
    def seq(self) -> object:
        return self.data.get("seq")


def parse(text: str) -> list[Told]:
    """Read whole events, and leave out comments and what is no event."""
    told = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
        if "data" in fields:
            told.append(Told(fields["event"], orjson.loads(fields["data"]), fields.get("id")))
    return told


@dataclass(slots=True, kw_only=True)
class Listener:
    """Is somebody who listens; what it takes no more while it `holds` waits in the server."""

    task: asyncio.Task[None]
    messages: list[Message] = field(default_factory=list)
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    may_take: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def status(self) -> int:
        return int(self.messages[0]["status"])

    @property
    def headers(self) -> Mapping[str, str]:
        return {name.decode(): value.decode() for name, value in self.messages[0]["headers"]}

    @property
    def text(self) -> str:
        return b"".join(message.get("body", b"") for message in self.messages[1:]).decode()

    @property
    def told(self) -> list[Told]:
        """Return what was told of what is stored; the other messages come when they come."""
        return [message for message in self.everything_told if message.type not in PASSING]

    @property
    def everything_told(self) -> list[Told]:
        return parse(self.text)

    async def begun(self) -> "Listener":
        """Return when the server has begun to answer."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.messages) < 2 and not self.task.done():  # noqa: ASYNC110 - whatever is sent counts
                await asyncio.sleep(0)
        return self

    async def ended(self) -> "Listener":
        """Return when the server has ended the answer."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.task
        return self

    async def hears(self, count: int) -> list[Told]:
        """Return when so many messages came."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.told) < count and not self.task.done():  # noqa: ASYNC110 - as above
                await asyncio.sleep(0)
        assert len(self.told) >= count, self.text
        return self.told


@asynccontextmanager
async def listening(
    app: ASGIApp, path: str, *, query: str = "", method: str = "GET", **headers: str
) -> AsyncIterator[Listener]:
    """Listen until the block is left, which hangs up."""
    listener: Listener

    async def receive() -> Message:
        await listener.hung_up.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        listener.messages.append(message)
        await listener.may_take.wait()

    scope = {**http_scope(method, path, host="mock.test:3000", **headers), "query_string": query.encode()}
    listener = Listener(task=asyncio.create_task(app(scope, receive, send)))  # type: ignore[arg-type] # a coroutine
    listener.may_take.set()
    try:
        yield listener
    finally:
        listener.may_take.set()
        listener.hung_up.set()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.gather(listener.task, return_exceptions=True)
