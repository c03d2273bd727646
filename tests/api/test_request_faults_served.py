"""Faults that only a real connection shows: resets, halves of bodies, and bodies that drip."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from civitai_mock.serving.connection import LIMITS, Connection, OpenConnections
from tests.support import v2_workflows as v2
from tests.support.served_app import BASE_URL, IMAGE, JOBS, Served, template

PATIENCE_SECONDS = 60
SUBMISSIONS = {"v1": (JOBS, template(), "jobId"), "v2": (v2.WORKFLOWS, v2.template(v2.image()), "id")}
both = pytest.mark.parametrize(("path", "body", "id_member"), SUBMISSIONS.values(), ids=SUBMISSIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Is the app behind a listening socket, as the server has it, and a way in beside that."""

    served: Served
    port: int
    connections: OpenConnections

    @asynccontextmanager
    async def asked(
        self, method: str, path: str, *, fault: str = "", body: Any = None, accept: str = "*/*"
    ) -> AsyncIterator[asyncio.StreamReader]:
        """Send a request, and yield what comes back."""
        content = b"" if body is None else json.dumps(body).encode()
        fixed = [f"{method} {path} HTTP/1.1", "Host: mock.test:3000", f"Accept: {accept}"]
        lines = [*fixed, f"Content-Length: {len(content)}"]
        head = [*lines, *([f"X-Mock-Fault: {fault}"] if fault else []), "", ""]
        async with asyncio.timeout(PATIENCE_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            try:
                writer.write("\r\n".join(head).encode() + content)
                yield reader
            finally:
                writer.transport.abort()

    async def answer(self, method: str, path: str, **request: Any) -> tuple[bytes, bytes]:
        """Return head and body of an answer whose connection is closed behind it."""
        async with self.asked(method, path, **request) as reader:
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            return head, body

    async def submit(self, path: str, body: Any, id_member: str) -> str:
        answer = await self.served.client.post(path, json=body)
        return f"{path}/{answer.json()[id_member]}"


@pytest.fixture
async def listening(served: Served) -> AsyncIterator[Listening]:
    config = uvicorn.Config(served.app, log_config=None, access_log=False, lifespan="off")
    config.load()
    connections = OpenConnections(limits=LIMITS)
    make = partial(Connection, config, ServerState(), {}, connections=connections)
    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0)
    try:
        yield Listening(served=served, port=server.sockets[0].getsockname()[1], connections=connections)
    finally:
        server.close()
        for connection in list(connections.http):
            connection.abort()


async def job_count(served: Served) -> int:
    return len((await served.client.get("/_mock/jobs")).json()["items"])


@both
async def test_reset_ends_a_connection_before_the_answer(
    listening: Listening, path: str, body: Any, id_member: str
) -> None:
    status = await listening.submit(path, body, id_member)
    async with listening.asked("GET", status, fault="reset") as reader:
        with pytest.raises(ConnectionResetError):
            await reader.read()
    async with listening.asked("POST", path, fault="reset", body=body) as reader:
        with pytest.raises(ConnectionResetError):
            await reader.read()
    assert await job_count(listening.served) == 1
    await until_in_time(lambda: not listening.connections.http)


@both
async def test_lost_answer_may_be_a_reset_after_all_was_done(
    listening: Listening, path: str, body: Any, id_member: str
) -> None:
    async with listening.asked("POST", path, fault="lost-answer; reset=true", body=body) as reader:
        with pytest.raises(ConnectionResetError):
            await reader.read()
    assert (id_member, await job_count(listening.served)) == (id_member, 1)


@both
async def test_half_body_is_half_of_its_content_length(
    listening: Listening, path: str, body: Any, id_member: str
) -> None:
    status = await listening.submit(path, body, id_member)
    whole = (await listening.served.client.get(status)).content
    head, half = await listening.answer("GET", status, fault="half-body")
    assert f"content-length: {len(whole)}".encode() in head
    assert b"x-mock-fault: half-body" in head
    assert half == whole[: len(whole) // 2]


async def test_half_of_a_large_blob_is_half_of_all_its_parts(listening: Listening) -> None:
    await listening.served.store_blob("A1")
    url = listening.served.blob_url("A1").removeprefix("http://mock.test:3000")
    head, half = await listening.answer("GET", url, fault="half-body")
    assert f"content-length: {len(IMAGE)}".encode() in head
    assert half == IMAGE[: len(IMAGE) // 2]


async def test_half_of_an_answer_of_unknown_length_never_ends(listening: Listening) -> None:
    head, part = await listening.answer("GET", v2.WORKFLOWS, fault="half-body", accept="application/zip")
    assert b"transfer-encoding: chunked" in head
    assert part
    assert not part.endswith(b"0\r\n\r\n")


async def test_an_answer_without_a_body_arrives_as_a_whole(listening: Listening) -> None:
    path = f"{JOBS}/{await listening.served.submit_one()}"
    for method, fault in (("HEAD", "half-body"), ("HEAD", "slow-drip"), ("DELETE", "half-body")):
        async with listening.asked(method, path, fault=fault) as reader:
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
    await until_in_time(lambda: not listening.connections.http)


@both
async def test_slow_drip_goes_on_at_once_when_the_server_stops(
    listening: Listening, path: str, body: Any, id_member: str
) -> None:
    status = await listening.submit(path, body, id_member)
    whole = (await listening.served.client.get(status)).content
    async with listening.asked("GET", status, fault="slow-drip") as reader:
        await reader.readuntil(b"\r\n\r\n")
        listening.served.clock.advance(1.0)
        first = await reader.readexactly(1)
        listening.served.application.begin_stop()
        assert first + await reader.readexactly(len(whole) - 1) == whole


@pytest.mark.parametrize("fault", ["slow-drip", "status-hang"])
async def test_nothing_is_held_for_a_caller_who_is_gone(listening: Listening, fault: str) -> None:
    status = await listening.submit(*SUBMISSIONS["v1"])
    held = listening.served.namespace.held_answers
    async with listening.asked("GET", status, fault=fault):
        await until_in_time(lambda: held.count == 1)
    await until_in_time(lambda: held.count == 0 and not listening.connections.http)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_silent_blob_ends_with_its_connection_or_its_caller(listening: Listening, method: str) -> None:
    served, held = listening.served, listening.served.namespace.held_answers
    await served.submit_one()
    url = served.blob_url((await served.finish()).slots[0].blob_key)
    path = url.removeprefix(BASE_URL)
    async with listening.asked(method, path, fault="blob-timeout; seconds=5") as reader:
        await until_in_time(lambda: held.count == 1)
        served.clock.advance(5)
        assert await reader.read() == b""
    async with listening.asked(method, path):  # which was decided for the blob
        await until_in_time(lambda: held.count == 1)
    await until_in_time(lambda: held.count == 0)


async def until_in_time(condition: Callable[[], bool]) -> None:
    """Wait for what the kernel does as well."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.001)
