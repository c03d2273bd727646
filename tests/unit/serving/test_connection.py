"""What a connection writes, call by call."""

import asyncio
import weakref
from collections.abc import Callable, Mapping
from functools import partial

import pytest
import uvicorn
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.server import ServerState

from civitai_mock.api.context import while_connected
from civitai_mock.api.whole_answer import WHOLE_ANSWER
from civitai_mock.serving import transports
from civitai_mock.serving.connection import FEW_REQUESTS, LIMITS, Connection, OpenConnections
from civitai_mock.serving.transports import MAX_JOINED_BYTES
from tests.support.event_loop import settle

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
HELLO = [(b"content-length", b"5"), (b"x-trace-id", b"1")]
UNSAFE = (b"x", b"1\r\ny: 2")

# Requests whose answers need more than one write of a ready text: what is received, headers and body.
NOT_SENT_WHOLE: Mapping[str, tuple[bytes, list[tuple[bytes, bytes]], bytes]] = {
    "HEAD": (GET.replace(b"GET", b"HEAD"), HELLO, b"hello"),
    "the last": (GET.replace(b"Host", b"Connection: close\r\nHost"), HELLO, b"hello"),
    "of HTTP 1.0": (GET.replace(b"1.1", b"1.0"), HELLO, b"hello"),
    "others wait": (GET * 2, HELLO, b"hello"),
    "more of the body to come": (b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nx", HELLO, b"hello"),
    "large": (GET, [(b"content-length", b"%d" % (MAX_JOINED_BYTES + 1))], bytes(MAX_JOINED_BYTES + 1)),
    "of unknown length": (GET, HELLO[1:], b"hello"),
    "of another length": (GET, HELLO, b"hell"),
    "with a header that is two": (GET, [*HELLO, UNSAFE], b"hello"),
}


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

    def abort(self) -> None:
        self.is_closed = True

    def pause_reading(self) -> None:
        """Go on: what arrives is what a test says."""

    def resume_reading(self) -> None:
        """Do nothing, as reading never pauses."""

    def is_closing(self) -> bool:
        return self.is_closed


def open_connections(app: ASGIApp, number: int) -> list[tuple[Connection, RecordingTransport]]:
    config = uvicorn.Config(app, log_config=None, access_log=False, server_header=False, date_header=False)
    config.load()
    make = partial(Connection, config, ServerState(), {}, connections=OpenConnections(limits=LIMITS))
    opened = [(make(), RecordingTransport()) for _ in range(number)]
    for connection, transport in opened:
        connection.server_state.default_headers = [(b"date", b"now")]
        connection.connection_made(transport)
    return opened


def open_connection(app: ASGIApp) -> tuple[Connection, RecordingTransport]:
    (opened,) = open_connections(app, 1)
    return opened


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


class Waiting:
    """Waits for the end of its connection, and counts the requests for which it came."""

    def __init__(self) -> None:
        self.ended = 0
        self.go_on = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        await request.body()
        try:
            await while_connected(request, self._wait)
        except ClientDisconnect:
            self.ended += 1
            return
        await Response()(scope, receive, send)

    async def _wait(self, given_up: "asyncio.Future[None]") -> None:
        given_up.add_done_callback(lambda _: self.go_on.set())
        await self.go_on.wait()


LARGE = b"POST / HTTP/1.1\r\nContent-Length: 200000\r\n\r\n" + bytes(200_000)


@pytest.mark.parametrize("sent", [GET, LARGE])
async def test_whoever_waits_hears_that_the_caller_has_gone(sent: bytes) -> None:
    app = Waiting()
    connection, transport = open_connection(app)
    connection.data_received(sent)
    await settle()
    assert app.ended == 0
    connection.connection_lost(None)
    await settle()
    assert (app.ended, transport.writes) == (1, [])


async def test_whoever_waits_on_a_connection_that_is_closing_hears_it_at_once() -> None:
    app = Waiting()
    connection, transport = open_connection(app)
    connection.data_received(GET)
    transport.close()
    await settle()
    assert app.ended == 1


async def test_a_wait_that_is_over_leaves_nothing_behind_for_the_next_one() -> None:
    app = Waiting()
    app.go_on.set()
    connection, transport = open_connection(app)
    connection.data_received(GET)
    await settle()
    app.go_on.clear()
    connection.data_received(GET)
    await settle()
    assert (app.ended, len(transport.writes)) == (0, 1)
    connection.connection_lost(None)
    await settle()
    assert app.ended == 1


class Attached:
    """Is what an app leaves in the scope of a request."""


@pytest.mark.parametrize("sent", [GET, GET * 3, GET.replace(b"GET", b"HEAD")])
@pytest.mark.parametrize("whole", [True, False])
async def test_an_open_connection_holds_nothing_of_the_requests_that_are_answered(sent: bytes, whole: bool) -> None:
    left: list[weakref.ref[Attached]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["attached"] = attached = Attached()
        left.append(weakref.ref(attached))
        if not whole or not scope["extensions"][WHOLE_ANSWER]["send"](200, HELLO, b"hello"):
            await Response(b"hello")(scope, receive, send)

    connection, transport = open_connection(app)
    for _ in range(2):
        connection.data_received(sent)
        await settle()
    assert not transport.is_closed
    assert len(left) == 2 * sent.count(b"HTTP")
    assert not any(reference() for reference in left)


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


class WholeAnswer:
    """Answers as a whole if it is let, or else, or without `is_tried`, by messages; `sent` has what became of it."""

    def __init__(self, headers: list[tuple[bytes, bytes]], body: bytes, *, is_tried: bool = True) -> None:
        self.sent: list[bool] = []
        self._headers, self._body, self._is_tried = headers, body, is_tried

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        if self._is_tried:
            self.sent.append(scope["extensions"][WHOLE_ANSWER]["send"](200, self._headers, self._body))
            if self.sent[-1]:
                return
        await send({"type": "http.response.start", "status": 200, "headers": self._headers})
        await send({"type": "http.response.body", "body": self._body})


async def written(app: ASGIApp, received: bytes) -> bytes:
    connection, transport = open_connection(app)
    connection.data_received(received)
    await settle()
    return b"".join(transport.writes)


async def test_a_whole_answer_is_written_as_that_of_messages_and_so_is_the_next() -> None:
    whole = WholeAnswer(HELLO, b"hello")
    connection, transport = open_connection(whole)
    for answers in (1, 2):
        connection.data_received(GET)
        await settle()
        assert len(transport.writes) == answers
        assert transport.writes[-1] == await written(WholeAnswer(HELLO, b"hello", is_tried=False), GET)
    assert whole.sent == [True, True]


@pytest.mark.parametrize("case", NOT_SENT_WHOLE)
async def test_what_cannot_be_sent_whole_is_sent_by_messages(case: str) -> None:
    received, headers, body = NOT_SENT_WHOLE[case]
    whole = WholeAnswer(headers, body)
    assert await written(whole, received) == await written(WholeAnswer(headers, body, is_tried=False), received)
    assert whole.sent[0] is False


async def test_nothing_is_sent_whole_to_a_peer_that_takes_nothing_before_it_takes_more() -> None:
    whole = WholeAnswer(HELLO, b"hello")
    connection, transport = open_connection(whole)
    connection.data_received(GET)
    connection.pause_writing()
    await settle()
    assert whole.sent == [False]
    assert transport.writes == []
    connection.resume_writing()
    await settle()
    assert b"".join(transport.writes) == await written(whole, GET)


async def test_nothing_is_sent_whole_to_a_peer_that_is_gone() -> None:
    whole = WholeAnswer(HELLO, b"hello")
    connection, transport = open_connection(whole)
    connection.data_received(GET)
    connection.connection_lost(None)
    await settle()
    assert whole.sent == [False]
    assert transport.writes == []


async def test_an_answer_starts_no_timer() -> None:
    connection, _ = open_connection(WholeAnswer(HELLO, b"hello"))
    connection.data_received(GET)
    await settle()
    assert connection.cycle.response_complete
    assert connection.timeout_keep_alive_task is None


async def test_who_waits_for_the_end_of_a_request_hears_of_a_whole_answer() -> None:
    heard: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        waiting = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        await WholeAnswer(HELLO, b"hello")(scope, receive, send)
        heard.append(await waiting)

    assert (await written(app, GET)).endswith(b"hello")
    assert heard == [{"type": "http.disconnect"}]


class Batch:
    """Has `number` requests answered in one turn of the event loop, each on a connection of its own.

    `written` has how many answers had been written when each of them was ready; `act` is called after the last.
    """

    def __init__(self, number: int) -> None:
        self.written: list[int] = []
        self.opened = open_connections(self, number)
        self.act: Callable[[], object] = lambda: None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await WholeAnswer(HELLO, b"hello")(scope, receive, send)
        self.written.append(self.writes)
        if len(self.written) == len(self.opened):
            self.act()

    async def run(self) -> None:
        for connection, _ in self.opened:
            connection.data_received(GET)
        await settle()

    @property
    def writes(self) -> int:
        return sum(len(transport.writes) for _, transport in self.opened)


async def test_answers_that_are_ready_together_are_written_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transports, "LONGEST_HOLD_SECONDS", 60.0)
    batch = Batch(2 * FEW_REQUESTS)
    await batch.run()
    assert batch.written == [0] * 2 * FEW_REQUESTS
    assert [len(transport.writes) for _, transport in batch.opened] == [1] * 2 * FEW_REQUESTS
    assert len({tuple(transport.writes) for _, transport in batch.opened}) == 1


async def test_the_answers_of_few_requests_are_written_one_by_one() -> None:
    batch = Batch(FEW_REQUESTS)
    await batch.run()
    assert batch.written == list(range(1, FEW_REQUESTS + 1))


async def test_an_answer_is_not_held_for_long_by_those_that_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transports, "LONGEST_HOLD_SECONDS", 0.0)
    batch = Batch(2 * FEW_REQUESTS)
    await batch.run()
    assert batch.written == list(range(1, 2 * FEW_REQUESTS + 1))


# What can become of a connection, or of any other, while its answer is held.
AFTER_A_HELD_ANSWER: Mapping[str, Callable[[Connection], object]] = {
    "the next request": lambda connection: connection.data_received(GET),
    "the end of what the peer sends": lambda connection: connection.eof_received(),
    "the end of the server": lambda connection: connection.shutdown(),
    "too many connections": lambda connection: connection.abort(),
}


@pytest.mark.parametrize("event", AFTER_A_HELD_ANSWER)
async def test_what_is_held_is_written_before_anything_else_happens(
    event: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transports, "LONGEST_HOLD_SECONDS", 60.0)
    batch = Batch(2 * FEW_REQUESTS)
    connection, transport = batch.opened[0]
    seen: list[tuple[int, bool]] = []

    def act() -> None:
        before = (batch.writes, transport.is_closed)
        AFTER_A_HELD_ANSWER[event](connection)
        seen.extend([before, (batch.writes, len(transport.writes) == 1)])

    batch.act = act
    await batch.run()
    assert seen == [(0, False), (2 * FEW_REQUESTS, True)]


async def test_nothing_is_written_to_a_peer_that_has_gone_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transports, "LONGEST_HOLD_SECONDS", 60.0)
    batch = Batch(2 * FEW_REQUESTS)
    connection, transport = batch.opened[0]
    batch.act = partial(connection.connection_lost, None)
    await batch.run()
    assert transport.writes == []
    assert batch.writes == 2 * FEW_REQUESTS - 1
