"""What holds a connection, and how soon it is let go."""

import asyncio
from collections.abc import Mapping

import pytest

from civitai_mock.serving.connection import LIMITS, MAX_HEAD_BYTES, Phase
from tests.support.limited_server import LARGE, SHORT, LimitedServer, limited_server, until_true

GET, GET_LARGE = (f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for path in ("/get", "/large"))
CLOSE = b"connection: close"


def post(path: str, *, length: int, body: bytes = b"") -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode() + body


# What a client sends at once, what it goes on to drip, and how often it is answered before it is cut off.
HOLDERS: Mapping[str, tuple[bytes, bytes, int]] = {
    "silent": (b"", b"", 0),
    "empty lines": (b"", b"\r\n", 0),
    "a request line that never ends": (b"GET /", b"x", 0),
    "a header that never ends": (b"GET / HTTP/1.1\r\nHost: x", b"x", 0),
    "headers that never end": (b"GET / HTTP/1.1\r\nHost: x\r\n", b"x: y\r\n", 0),
    "idle after an answer": (GET, b"", 1),
    "another head that never ends": (GET + b"GET /", b"x", 1),
    "a body that is read and never ends": (post("/read", length=1_000_000), b"x", 0),
    "chunks that never end": (
        b"POST /read HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"1\r\nx\r\n",
        0,
    ),
    "trailers that never end": (
        b"POST /read HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
        b"x: y\r\n",
        0,
    ),
    "a body that nobody reads": (post("/early", length=1_000_000), b"x", 1),
    "a body with a GET": (b"GET /early HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n", b"x", 1),
    "a body that was not waited for": (
        b"POST /early HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1000000\r\n\r\n",
        b"",
        1,
    ),
    "another protocol": (b"GET /get HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n", b"x", 1),
    "a tunnel": (b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", b"x", 0),
    "an end that was asked for": (b"GET /get HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"x", 1),
}


@pytest.mark.parametrize("case", HOLDERS)
async def test_nobody_holds_a_connection(case: str) -> None:
    sent, dripped, answers = HOLDERS[case]
    async with limited_server() as server, server.connected() as peer:
        peer.send(sent)
        dripping = asyncio.create_task(peer.drip(dripped))
        received = await peer.everything()
        await server.empty()
        dripping.cancel()
    assert received.count(b"HTTP/1.1 200") == answers


@pytest.mark.parametrize("case", ["a body that nobody reads", "a body with a GET", "a body that was not waited for"])
async def test_an_answer_before_the_end_of_a_body_ends_the_connection_and_says_so(case: str) -> None:
    sent, _, _ = HOLDERS[case]
    async with limited_server() as server, server.connected() as peer:
        peer.send(sent)
        received = await peer.everything()
    assert CLOSE in received
    assert received.endswith(b"/early")


@pytest.mark.parametrize("parts", [1, 2])
async def test_a_body_that_arrives_keeps_its_connection(parts: int) -> None:
    async with limited_server(LIMITS) as server, server.connected() as peer:
        for _ in range(3):
            request = post("/read", length=10, body=bytes(10))
            peer.send(request[: len(request) if parts == 1 else -5])
            await asyncio.sleep(0.01)
            peer.send(request[len(request) if parts == 1 else -5 :])
            answer = await peer.reader.readuntil(b"/read")
            assert CLOSE not in answer


async def test_an_early_answer_reaches_a_client_that_sends_all_before_it_reads() -> None:
    """A connection that is closed with unread bytes is reset, and takes the answer with it."""
    async with limited_server(LIMITS) as server, server.connected() as peer:
        peer.send(post("/early", length=len(LARGE), body=LARGE))
        await peer.writer.drain()
        assert (await peer.everything()).endswith(b"/early")


@pytest.mark.parametrize("sent", [GET_LARGE, GET_LARGE * 50, GET_LARGE.replace(b"Host: x", b"Connection: close")])
async def test_an_answer_that_nobody_reads_is_given_up(sent: bytes) -> None:
    async with limited_server() as server, server.connected(take_at_once=1) as peer:
        peer.send(sent)
        await server.empty()


async def test_an_answer_that_is_read_slowly_arrives_whole() -> None:
    """Between any two looks nearly half a minute passes, and something was taken."""
    async with limited_server(LIMITS, sweeps=False) as server, server.connected() as peer:
        peer.send(GET_LARGE)
        await until_true(lambda: unsent(server) > 0)
        (connection,) = server.connections.http
        received, now = 0, asyncio.get_running_loop().time()
        while before := unsent(server):
            while unsent(server) == before:
                received += await peer.some()
            now += LIMITS[Phase.WRITING] - 1
            connection.check(now)
        while received < len(LARGE):
            received += await peer.some()


def unsent(server: LimitedServer) -> int:
    return sum(connection.transport.get_write_buffer_size() for connection in server.connections.http)


async def test_work_of_our_own_is_not_cut_off() -> None:
    async with limited_server() as server, server.connected() as peer:
        peer.send(GET.replace(b"/get", b"/slow"))
        assert (await peer.everything()).endswith(b"/slow")


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n" % (b"x" * 65_000), b"200"),
        (b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n" % (b"x" * 66_000), b"414"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nx: %s\r\n\r\n" % (b"x" * 90_000), b"200"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nx: %s\r\n\r\n" % (b"x" * MAX_HEAD_BYTES), b"431"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n%s\r\n" % (b"a:b\r\n" * MAX_HEAD_BYTES), b"431"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nx: %s" % (b"x" * 10_000_000), b"431"),
        (b"GET /%s" % (b"x" * 10_000_000), b"431"),
        (b"GARBAGE\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"400"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", b"400"),
        (b"POST /read HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n", b"400"),
    ],
    ids=lambda value: value[:40].decode("latin-1"),
)
async def test_a_head_that_cannot_be_read_or_is_too_large_is_refused(head: bytes, status: bytes) -> None:
    async with limited_server() as server, server.connected() as peer:
        peer.send(head)
        received = await peer.everything()
        await server.empty()
    assert received.startswith(b"HTTP/1.1 " + status)
    assert received.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("garbage", [b"GARBAGE\x00\r\n\r\n", b"GET /%s HTTP/1.1\r\n\r\n" % (b"x" * 66_000)])
async def test_garbage_behind_requests_takes_nothing_from_their_answers(garbage: bytes) -> None:
    async with limited_server() as server, server.connected() as peer:
        peer.send(GET + GET.replace(b"/get", b"/second") + garbage)
        received = await peer.everything()
    assert received.count(b"HTTP/1.1 200") == received.count(b"HTTP/1.1") == 2
    assert received.endswith(b"/second")


async def test_where_there_are_too_many_the_connection_that_is_idle_for_longest_is_ended() -> None:
    async with limited_server(LIMITS, most=2) as server, server.connected() as first, server.connected() as second:
        first.send(GET)
        assert await first.reader.readuntil(b"/get")
        async with server.connected() as third:
            assert await second.everything() == b""
            for peer in (third, first):
                peer.send(GET)
                assert await peer.reader.readuntil(b"/get")
        assert len(server.connections.http) <= 2


async def test_where_all_connections_are_busy_the_new_one_is_ended() -> None:
    async with limited_server(LIMITS, most=1) as server, server.connected() as busy:
        busy.send(GET.replace(b"/get", b"/slow"))
        await until_true(lambda: not server.connections.idle)
        async with server.connected() as late:
            assert await late.everything() == b""
        assert await busy.reader.readuntil(b"/slow")


async def test_a_thousand_silent_connections_keep_nobody_out() -> None:
    async with limited_server(LIMITS, most=50) as server:
        silent = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(1000)]
        async with server.connected() as peer:
            peer.send(GET)
            assert await peer.reader.readuntil(b"/get")
        assert len(server.connections.http) <= 50
        for _, writer in silent:
            writer.transport.abort()


def test_every_phase_that_waits_for_the_peer_has_a_limit_of_half_a_minute_at_most() -> None:
    """A body that is read has one in the app, which answers 408."""
    assert set(Phase) - set(LIMITS) == {Phase.ANSWER, Phase.BODY}
    assert max(LIMITS.values()) == 30
    assert set(SHORT) == set(Phase) - {Phase.ANSWER}
