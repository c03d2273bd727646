"""The load generator, against a server of a few lines."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.bench.load import Load, LoadError, LoadProcess, Plan, answer_in, message, run

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"


class _Server:
    """It answers each request with its path, cut in two; /refuse with 400, /hang-up and /wait not at all."""

    def __init__(self) -> None:
        self.port = 0
        self.connections = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while path := (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1]:
                if path == b"/hang-up":
                    break
                if path != b"/wait":
                    head = ANSWER.replace(b"200", b"400") if path == b"/refuse" else ANSWER
                    writer.write(head + path[:2])
                    await writer.drain()
                    await asyncio.sleep(0.001)
                    writer.write(path[2:5].ljust(3))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()


@contextmanager
def _serving() -> Iterator[_Server]:
    server, ready, loop = _Server(), threading.Event(), asyncio.new_event_loop()

    async def serve() -> None:
        listening = await asyncio.start_server(server.answer, "127.0.0.1", 0)
        server.port = listening.sockets[0].getsockname()[1]
        ready.set()
        await ended.wait()
        listening.close()

    ended = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(10)
        yield server
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


def _plan(server: _Server, *paths: str, requests: int = 1, connections: int = 1, patience: float = 10) -> Plan:
    return Plan(
        port=server.port,
        messages=[message("GET", path) for path in paths],
        requests=requests,
        connections=connections,
        keep_bodies=True,
        patience_seconds=patience,
    )


def test_messages_are_sent_in_turn_until_there_were_enough() -> None:
    with _serving() as server:
        load = run(_plan(server, "/aaaa", "/bbbb", requests=5))
    assert load.bodies == [b"/aaaa", b"/bbbb", b"/aaaa", b"/bbbb", b"/aaaa"]
    assert len(load.latencies) == 5
    assert load.per_second == pytest.approx(5 / load.seconds)


@pytest.mark.parametrize(("requests", "connections"), [(7, 3), (2, 5), (250, 250)])
def test_there_are_as_many_connections_as_asked_for_but_none_without_a_request(requests: int, connections: int) -> None:
    with _serving() as server:
        load = run(_plan(server, "/aaaa", requests=requests, connections=connections))
        assert server.connections == min(requests, connections)
    assert len(load.latencies) == requests


@pytest.mark.parametrize(
    ("path", "reason"), [("/refuse", "status 400: b'/refu'"), ("/hang-up", "the server hung up"), ("/wait", "0 of 1")]
)
def test_what_goes_wrong_ends_the_load(path: str, reason: str) -> None:
    with _serving() as server, pytest.raises(LoadError, match=reason):
        run(_plan(server, path, patience=0.2))


def test_a_server_that_is_not_there_is_an_error_of_the_load() -> None:
    with _serving() as server:
        plan = _plan(server, "/aaaa")
    with pytest.raises(LoadError):
        run(plan)


@pytest.mark.slow
def test_load_runs_in_another_process() -> None:
    with _serving() as server, LoadProcess() as load_process:
        assert load_process.run(_plan(server, "/aaaa", requests=3)).bodies == [b"/aaaa"] * 3
        with pytest.raises(LoadError, match="status 400"):
            load_process.run(_plan(server, "/refuse"))


@pytest.mark.parametrize(
    ("received", "answer"),
    [
        (b"HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\n{}", (202, b"{}")),
        (b"HTTP/1.1 202 Accepted\r\nCONTENT-LENGTH: 2\r\n\r\n{}", (202, b"{}")),
        (b"HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\n{", None),
        (b"HTTP/1.1 202 Accepted\r\ncontent-le", None),
        (b"HTTP/1.1 204 No Content\r\nx-trace-id: 1\r\n\r\n", (204, b"")),
        (b"", None),
    ],
)
def test_an_answer_is_there_when_all_of_it_is(received: bytes, answer: tuple[int, bytes] | None) -> None:
    assert answer_in(received) == answer


@pytest.mark.parametrize(("share", "latency"), [(0.5, 51), (0.99, 100), (1.0, 100), (0.0, 1)])
def test_a_percentile_is_a_latency_that_was_there(share: float, latency: float) -> None:
    assert Load(latencies=[float(number) for number in range(100, 0, -1)]).percentile(share) == latency
