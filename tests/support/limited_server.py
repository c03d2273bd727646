"""A server on a real socket, with the product's connections and limits that a test can wait for."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial

import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from civitai_mock.serving.connection import Connection, Limits, OpenConnections, Phase

SHORT: Limits = dict.fromkeys(
    (Phase.REQUEST, Phase.HEAD, Phase.BODY, Phase.WRITING, Phase.DRAINING, Phase.CLOSING), 0.2
)
SWEEP_SECONDS = 0.02
PATIENCE_SECONDS = 60.0
LARGE = bytes(40_000_000)  # more than any buffer between two sockets takes


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitedServer:
    """Is a server that runs; `connections` are the open ones."""

    port: int
    connections: OpenConnections

    @asynccontextmanager
    async def connected(self, *, take_at_once: int = 2**16) -> AsyncIterator["Peer"]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=take_at_once)
        try:
            yield Peer(reader=reader, writer=writer)
        finally:
            writer.transport.abort()

    async def empty(self) -> None:
        """Return when no connection is left."""
        await until_true(lambda: not self.connections.http)


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Is the other end of a connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def drip(self, data: bytes = b"x", *, every: float = 0.05) -> None:
        """Never end with what was begun; for a task that is cancelled."""
        with suppress(ConnectionError):
            while True:
                self.writer.write(data)
                await self.writer.drain()
                await asyncio.sleep(every)

    async def some(self) -> int:
        """Return how many bytes came next; there have to be any."""
        data = await self.reader.read(2**20)
        assert data, "the connection was closed"
        return len(data)

    async def everything(self) -> bytes:
        """Return what comes until the server closes the connection; a reset is an end as well."""
        received = bytearray()
        async with asyncio.timeout(PATIENCE_SECONDS):
            with suppress(ConnectionError):
                while data := await self.reader.read(2**16):
                    received += data
        return bytes(received)


async def until_true(condition: Callable[[], bool]) -> None:
    """Wait in real time, which sockets need."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - what is waited for is the kernel's work
            await asyncio.sleep(SWEEP_SECONDS)


@asynccontextmanager
async def limited_server(
    limits: Limits = SHORT, *, most: int | None = None, sweeps: bool = True
) -> AsyncIterator[LimitedServer]:
    """Serve `answer`; without `sweeps` nobody enforces the limits but the test."""
    connections = OpenConnections(limits=limits, max_count=most)
    config = uvicorn.Config(answer, log_config=None, access_log=False, timeout_keep_alive=60)
    config.load()
    make = partial(Connection, config, ServerState(), {}, connections=connections)
    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0)
    sweeping = asyncio.create_task(_sweep(connections if sweeps else OpenConnections(limits=limits)))
    try:
        yield LimitedServer(port=server.sockets[0].getsockname()[1], connections=connections)
    finally:
        sweeping.cancel()
        server.close()
        for connection in list(connections.http):
            connection.abort()


async def _sweep(connections: OpenConnections) -> None:
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        connections.sweep()


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer the path; read the body at `/read` only, be slow at `/slow`, and answer much at `/large`."""
    assert scope["type"] == "http"
    if scope["path"] == "/read":
        while (message := await receive())["type"] == "http.request" and message["more_body"]:
            pass
    if scope["path"] == "/slow":
        await asyncio.sleep(5 * SHORT[Phase.HEAD])
    body = LARGE if scope["path"] == "/large" else scope["path"].encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
