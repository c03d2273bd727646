"""What a connection writes, call by call."""

import asyncio
from functools import partial

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.server import ServerState

from civitai_mock.serving.connection import LIMITS, Connection, OpenConnections
from civitai_mock.serving.transports import MAX_JOINED_BYTES
from tests.support.event_loop import settle

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class RecordingTransport(asyncio.Transport):
    """Keeps what is written; `is_closed` is true once it was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))

    def close(self) -> None:
        self.is_closed = True

    def pause_reading(self) -> None:
        """Go on: what arrives is what a test says."""

    def resume_reading(self) -> None:
        """Do nothing, as reading never pauses."""

    def is_closing(self) -> bool:
        return self.is_closed


def open_connection(app: ASGIApp) -> tuple[Connection, RecordingTransport]:
    config = uvicorn.Config(app, log_config=None, access_log=False, server_header=False, date_header=False)
    config.load()
    make = partial(Connection, config, ServerState(), {}, connections=OpenConnections(limits=LIMITS))
    connection, transport = make(), RecordingTransport()
    connection.connection_made(transport)
    return connection, transport


class Answer:
    """Answers `sizes` bytes, one piece of the body after the other; all but the first wait for `go_on`."""

    def __init__(self, *sizes: int) -> None:
        self.go_on = asyncio.Event()
        self._sizes = sizes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        headers = [(b"content-length", str(sum(self._sizes)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for index, size in enumerate(self._sizes, start=1):
            more = index < len(self._sizes)
            await send({"type": "http.response.body", "body": bytes(size), "more_body": more})
            if more:
                await self.go_on.wait()


async def test_an_answer_is_one_write() -> None:
    connection, transport = open_connection(Answer(1000))
    for answers in (1, 2):
        connection.data_received(GET)
        await settle()
        assert len(transport.writes) == answers
        assert transport.writes[-1].startswith(b"HTTP/1.1 200 OK\r\n")
        assert transport.writes[-1].endswith(b"\r\n\r\n" + bytes(1000))


async def test_requests_that_come_together_are_each_answered_whole() -> None:
    connection, transport = open_connection(Answer(10))
    connection.data_received(GET * 3)
    await settle()
    assert [write.partition(b" ")[0] for write in transport.writes] == [b"HTTP/1.1"] * 3


async def test_a_large_body_is_not_copied_to_its_head() -> None:
    connection, transport = open_connection(Answer(MAX_JOINED_BYTES + 1))
    connection.data_received(GET)
    await settle()
    assert [len(write) for write in transport.writes][1:] == [MAX_JOINED_BYTES + 1]


async def test_a_body_that_comes_later_holds_up_neither_the_head_nor_what_comes_before() -> None:
    answer = Answer(0, 5, 7)
    connection, transport = open_connection(answer)
    connection.data_received(GET)
    await settle()
    assert b"".join(transport.writes).endswith(b"\r\n\r\n")
    answer.go_on.set()
    await settle()
    assert b"".join(transport.writes).endswith(b"\r\n\r\n" + bytes(12))


async def test_an_answer_without_a_body_is_sent_before_the_connection_is_closed() -> None:
    connection, transport = open_connection(Answer(1000))
    connection.data_received(b"HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    await settle()
    assert transport.is_closed
    assert len(transport.writes) == 1
    assert transport.writes[0].endswith(b"\r\n\r\n")
