"""Connections that are broken off on purpose, on real sockets."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from civitai_mock.api.broken_connection import break_off
from civitai_mock.serving.connection import LIMITS, Connection, OpenConnections
from tests.support.tls import CA_FILE, server_context

PATIENCE_SECONDS = 60
RESET, HALF = b"GET /reset", b"GET /half"
REST = b" HTTP/1.1\r\nHost: x\r\n\r\n"
UPLOAD = b"POST /half HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nbegin"


async def _break(scope: Scope, _: Receive, send: Send) -> None:
    assert scope["type"] == "http"
    if scope["path"] == "/reset":
        await break_off(scope, send, resets=True, has_begun=False)
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]})
    await send({"type": "http.response.body", "body": b"half.", "more_body": True})
    await break_off(scope, send, resets=False, has_begun=True)


def _own(config: uvicorn.Config) -> Callable[[], asyncio.Protocol]:
    return partial(Connection, config, ServerState(), {}, connections=OpenConnections(limits=LIMITS))


def _of_another_server(config: uvicorn.Config) -> Callable[[], asyncio.Protocol]:
    return partial(HttpToolsProtocol, config, ServerState(), {})


SERVERS: Mapping[str, tuple[Callable[[uvicorn.Config], Callable[[], asyncio.Protocol]], ssl.SSLContext | None]] = {
    "own": (_own, None),
    "own with TLS": (_own, server_context()),
    "another": (_of_another_server, None),
}


@asynccontextmanager
async def _served(kind: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Open a connection to a server whose app breaks it off."""
    make, context = SERVERS[kind]
    config = uvicorn.Config(_break, log_config=None, access_log=False)
    config.load()
    server = await asyncio.get_running_loop().create_server(make(config), "127.0.0.1", 0, ssl=context)
    trusting = None if context is None else ssl.create_default_context(cafile=CA_FILE)
    port = server.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            yield reader, writer
    finally:
        writer.transport.abort()
        server.close()


@pytest.mark.parametrize("kind", ["own", "own with TLS"])
async def test_a_reset_connection_says_nothing_and_ends_with_an_error(kind: str) -> None:
    async with _served(kind) as (reader, writer):
        writer.write(RESET + REST)
        with pytest.raises(ConnectionResetError):
            await reader.read()


@pytest.mark.parametrize("kind", SERVERS)
async def test_a_closed_connection_ends_after_what_was_sent(kind: str) -> None:
    async with _served(kind) as (reader, writer):
        writer.write(HALF + REST)
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        assert b"content-length: 10" in head
        assert body == b"half."


async def test_half_an_answer_arrives_although_its_request_goes_on() -> None:
    async with _served("own") as (reader, writer):
        writer.write(UPLOAD)
        assert (await reader.read()).endswith(b"half.")


@pytest.mark.parametrize(("kind", "request_count"), [("another", 1), ("own", 2)])
async def test_where_nothing_can_be_reset_an_answer_does_not_end(kind: str, request_count: int) -> None:
    async with _served(kind) as (reader, writer):
        writer.write((RESET + REST) * request_count)
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        assert b"content-length: 1" in head
        assert not body
