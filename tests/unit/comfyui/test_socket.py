"""The socket to one server is opened again, whatever the server does with it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

from structlog.testing import capture_logs
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from civitai_mock.clock import SeededIds, VirtualClock
from civitai_mock.providers.comfyui.address import parse_servers
from civitai_mock.providers.comfyui.options import ComfyOptions, WorkerDependencies
from civitai_mock.providers.comfyui.protocol.messages import Message, Started, Succeeded
from civitai_mock.providers.comfyui.transport.connection_errors import explain_socket_status
from civitai_mock.providers.comfyui.transport.socket import ComfySocket
from civitai_mock.services.tracing import TRACEPARENT
from tests.support.comfyui import until
from tests.support.dates import START

SECRET = "Bearer x"


class SocketBench:
    """Notes who connects to a server, and what a client socket hears."""

    def __init__(self) -> None:
        self.connections: list[ServerConnection] = []
        self.hellos: list[str | bytes] = []
        self.heard: list[Message] = []
        self.changes = 0
        self.broken = False
        self.clock = VirtualClock(START)
        self.port = 0

    def client(self, credentials: str = "") -> ComfySocket:
        (server,) = parse_servers(f"http://{credentials}127.0.0.1:{self.port}/prefix")
        return ComfySocket(
            server,
            dependencies=WorkerDependencies(
                clock=self.clock, ids=SeededIds(), options=ComfyOptions(authorization=SECRET)
            ),
            on_message=self._take,
            on_change=self._count_change,
            is_server_up=lambda: True,
        )

    async def accept(self, connection: ServerConnection) -> None:
        self.connections.append(connection)
        self.hellos.append(await connection.recv())
        await connection.wait_closed()

    async def say(self, kind: str) -> None:
        await self.connections[-1].send(json.dumps({"type": kind, "data": {"prompt_id": "p"}}))

    async def pausing(self) -> float:
        """Wait until the client waits for its next try; return for how many seconds."""
        await until(lambda: len(self.clock._timers) == 1)
        return (self.clock._timers[0][0] - self.clock.now()).total_seconds()

    def client_ids(self) -> list[str]:
        requests = [connection.request for connection in self.connections]
        return [parse_qs(urlsplit(request.path).query)["clientId"][0] for request in requests if request]

    def _take(self, message: Message) -> None:
        if self.broken:
            raise ZeroDivisionError
        self.heard.append(message)

    def _count_change(self) -> None:
        self.changes += 1


@asynccontextmanager
async def connected(credentials: str = "") -> AsyncIterator[tuple[SocketBench, ComfySocket]]:
    bench = SocketBench()
    async with serve(bench.accept, "127.0.0.1", 0) as server:
        bench.port = next(iter(server.sockets)).getsockname()[1]
        client = bench.client(credentials)
        running = asyncio.create_task(client.run())
        await until(lambda: len(bench.hellos) == 1)
        try:
            yield bench, client
        finally:
            running.cancel()
            await asyncio.wait([running])


async def test_it_greets_first_and_goes_to_the_prefix_with_its_authorization_and_without_an_origin() -> None:
    async with connected() as (bench, client):
        request = bench.connections[0].request
        assert request is not None
        assert request.path == f"/prefix/ws?clientId={client.client_id}"
        assert request.headers["Authorization"] == SECRET
        assert "Origin" not in request.headers
        assert TRACEPARENT.fullmatch(request.headers["traceparent"])
        assert json.loads(bench.hellos[0])["type"] == "feature_flags"


async def test_credentials_in_the_address_go_instead_of_those_for_all_servers() -> None:
    async with connected("me:secret@") as (bench, _):
        request = bench.connections[0].request
        assert request is not None
        assert request.headers.get_all("Authorization") == ["Basic bWU6c2VjcmV0"]


async def test_what_is_said_is_heard_and_junk_is_not() -> None:
    async with connected() as (bench, _):
        await bench.connections[0].send("junk")
        await bench.say("execution_start")
        await bench.connections[0].send(b"junk")
        await bench.say("execution_success")
        await until(lambda: len(bench.heard) == 2)
        assert bench.heard == [Started("p"), Succeeded("p")]


async def test_a_dropped_socket_is_opened_again_under_another_client_id() -> None:
    async with connected() as (bench, client):
        bench.connections[0].transport.abort()
        await bench.pausing()
        assert client.client_id is None
        bench.clock.advance(1)
        await until(lambda: len(bench.hellos) == 2)
        before, after = bench.client_ids()
        assert before != after
        assert client.client_id == after
        assert bench.changes == 3


async def test_a_socket_that_was_closed_in_good_order_is_opened_again() -> None:
    async with connected() as (bench, client):
        await bench.connections[0].close()
        await bench.pausing()
        assert client.client_id is None
        bench.clock.advance(1)
        await until(lambda: len(bench.hellos) == 2)


async def test_a_server_that_is_known_to_be_there_is_not_waited_for() -> None:
    async with connected() as (bench, client):
        bench.connections[0].transport.abort()
        await until(lambda: client.client_id is None)
        client.connect_now()
        await until(lambda: len(bench.hellos) == 2)


async def test_a_server_that_refuses_is_tried_again_after_pauses_that_grow() -> None:
    bench = SocketBench()
    async with serve(bench.accept, "127.0.0.1", 0) as server:
        bench.port = next(iter(server.sockets)).getsockname()[1]
    client = bench.client()
    running = asyncio.create_task(client.run())
    for pause in (0.5, 1.0, 2.0):
        assert pause / 2 <= await bench.pausing() <= pause
        bench.clock.advance(pause)
    running.cancel()
    await asyncio.wait([running])
    assert client.client_id is None


async def test_an_error_of_our_own_costs_a_connection_and_not_the_socket() -> None:
    """An error that came out of `run` would end the loops of all other servers as well."""
    async with connected() as (bench, client):
        bench.broken = True
        await bench.say("execution_start")
        await bench.pausing()
        assert client.client_id is None
        bench.broken = False
        bench.clock.advance(1)
        await until(lambda: len(bench.hellos) == 2)
        await bench.say("execution_success")
        await until(lambda: bench.heard == [Succeeded("p")])


async def test_a_proxy_that_hands_on_no_websockets_is_warned_of_once() -> None:
    """Everything else works there, but no steps are reported."""
    bench = SocketBench()
    async with serve(bench.accept, "127.0.0.1", 0, process_request=_refuse) as server:
        bench.port = next(iter(server.sockets)).getsockname()[1]
        with capture_logs() as logs:
            running = asyncio.create_task(bench.client().run())
            for _ in range(3):
                bench.clock.advance(await bench.pausing())
            await bench.pausing()
            running.cancel()
            await asyncio.wait([running])
    told = [(log["event"], log["reason"]) for log in logs if log["log_level"] == "warning"]
    assert told == [("socket away", explain_socket_status(404))]


def _refuse(connection: ServerConnection, _: Request) -> Response:
    return connection.respond(404, "no sockets here")
