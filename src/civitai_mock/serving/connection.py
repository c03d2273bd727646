"""Limit HTTP connections, so that no client can hold them: each phase has a time limit, and their number has one."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import field
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HEADER_VALUE_RE, STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from civitai_mock.api.broken_connection import BREAK_OFF
from civitai_mock.api.disconnection import DISCONNECTION
from civitai_mock.api.whole_answer import WHOLE_ANSWER
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.serving.transports import (
    MAX_JOINED_BYTES,
    AnswerBatch,
    AnswerTransport,
    DrainingTransport,
    reset_at_end,
)

MAX_URL_BYTES = 65_535  # the parser's own limit; the token of 1000 jobs needs 52 kB
MAX_HEAD_BYTES = 96 * 1024
FEW_REQUESTS = 8  # whose answers are written one by one: with one connection, to hold them takes 20 µs more each


class Phase(StrEnum):
    """Says what a connection waits for."""

    REQUEST = "request"  # the first byte of the next request, or of the first
    HEAD = "head"
    BODY = "body"
    ANSWER = "answer"  # from this server
    WRITING = "writing"  # for the peer to take what it is sent
    DRAINING = "draining"  # for the end of a body whose request is answered already
    CLOSING = "closing"  # for the peer to take the last of it


Limits = Mapping[Phase, float]

LIMITS: Limits = {
    Phase.REQUEST: 30.0,
    Phase.HEAD: 30.0,
    Phase.WRITING: 30.0,
    Phase.DRAINING: 5.0,
    Phase.CLOSING: 30.0,
}
"""Seconds; the app itself limits the phases that are not here."""


@dataclass(slots=True, kw_only=True)
class OpenConnections:
    """Holds all connections of a server, at most `max_count` if that is not None.

    The first of `idle` has been idle for longest. `websockets` are those that became WebSockets, the oldest first: they
    may be silent for as long as they like. The `batch` has answers to all of them.
    """

    limits: Limits
    max_count: int | None = None
    http: dict["Connection", None] = field(default_factory=dict)
    idle: dict["Connection", None] = field(default_factory=dict)
    websockets: dict[asyncio.Transport, None] = field(default_factory=dict)
    batch: AnswerBatch = field(default_factory=AnswerBatch)

    def add(self, connection: "Connection") -> None:
        """Add a new one; where there are too many, end the one that has been idle for longest, which may be the new."""
        self.http[connection] = self.idle[connection] = None
        if self.max_count is not None and len(self.http) + len(self.websockets) > self.max_count:
            next(iter(self.idle)).abort()

    def upgrade(self, connection: "Connection") -> None:
        """Count it as a WebSocket; where more than half of all may be are, end the oldest."""
        self.remove(connection)
        self._forget_closed()
        self.websockets[connection.transport] = None
        if self.max_count is not None and len(self.websockets) > self.max_count // 2:
            oldest = next(iter(self.websockets))
            del self.websockets[oldest]
            oldest.abort()

    def _forget_closed(self) -> None:
        """Drop the WebSockets that are over, of which uvicorn gives no notice."""
        for transport in [transport for transport in self.websockets if transport.is_closing()]:
            del self.websockets[transport]

    def remove(self, connection: "Connection") -> None:
        self.http.pop(connection, None)
        self.idle.pop(connection, None)

    def sweep(self) -> None:
        """End what has been in one phase for too long; the server has to call this all the time."""
        self._forget_closed()
        now = asyncio.get_running_loop().time()
        for connection in list(self.http):
            connection.check(now)


class HeadTooLargeError(Exception):
    """Goes through the parser, which answers it with an error of its own: see `send_400_response`."""


class Connection(HttpToolsProtocol):
    """Is the connection of uvicorn that also knows its phase, which costs a request no more than a few assignments."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        connections: OpenConnections,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.is_draining = False
        self._connections = connections
        self._draining = DrainingTransport(self)
        self._answering = AnswerTransport(self)
        self._extensions: dict[str, dict[object, object]] = {
            WHOLE_ANSWER: {"send": self._send_whole},
            BREAK_OFF: {"call": self._break_off},
            DISCONNECTION: {"watch": self._watch_for_end},
        }
        self._has_had_request = self._in_head = False
        self._head_bytes = self._chunk_bytes = self._heads = 0
        self._may_keep_alive = True
        self._ignores_input = False
        self._ended: asyncio.Future[None] | None = None
        self._refusal = HTTPStatus.BAD_REQUEST
        self._seen: tuple[Phase, int, int] | None = None
        self._seen_at = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        super().connection_made(transport)
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.remove(self)
        if self._ended is not None and not self._ended.done() and not self.pipeline:
            self._ended.set_result(None)  # as uvicorn does: it tells the last request alone
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        self._connections.upgrade(self)
        super().handle_websocket_upgrade()

    def eof_received(self) -> None:
        """Write what is held before the transport closes itself."""
        self._connections.batch.write()

    def shutdown(self) -> None:
        self._connections.batch.write()
        self._may_keep_alive = False
        super().shutdown()

    def check(self, now: float) -> None:
        """End the connection if nothing changed for as long as its phase may take."""
        phase = self._phase()
        unsent = self.transport.get_write_buffer_size() if phase in {Phase.WRITING, Phase.CLOSING} else 0
        state = (phase, self._heads, unsent)
        if state != self._seen:
            self._seen, self._seen_at = state, now
        elif now - self._seen_at < self._connections.limits.get(phase, float("inf")):
            return
        elif phase in {Phase.WRITING, Phase.CLOSING}:
            self.abort()
        else:
            self.transport.close()

    def _phase(self) -> Phase:
        if self.transport.is_closing():
            return Phase.CLOSING
        if self.is_draining:
            return Phase.DRAINING
        if not self._is_busy():
            return Phase.HEAD if self._in_head else Phase.REQUEST
        if self.flow.write_paused:
            return Phase.WRITING
        return Phase.BODY if self.cycle.more_body else Phase.ANSWER

    def _is_busy(self) -> bool:
        return self._has_had_request and not self.cycle.response_complete

    def abort(self) -> None:
        """End the connection without waiting for the peer."""
        self._connections.batch.write()
        self._connections.remove(self)
        self.transport.abort()

    def drain(self) -> None:
        """Tell the peer that nothing more will be sent, and ignore what still arrives."""
        if not self._draining.is_closing():
            self.is_draining = True
            if self.transport.can_write_eof():  # not with TLS
                self.transport.write_eof()
            self.flow.resume_reading()

    def data_received(self, data: bytes) -> None:
        if self.is_draining or self._ignores_input:
            return
        self._connections.batch.write()
        self._chunk_bytes = len(data)
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        self._in_head = True
        self._head_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Let an answer that comes before the end of the body close the connection, and say so."""
        self._in_head = False
        self._check_head()
        self._heads += 1
        self._connections.idle.pop(self, None)
        before = self.cycle
        super().on_headers_complete()
        if self.cycle is not before:
            self._has_had_request = True
            self._may_keep_alive = self.cycle.keep_alive
            self.cycle.keep_alive = False
            self.cycle.transport = self._draining
            self.scope["extensions"] = self._extensions

    def on_message_complete(self) -> None:
        cycle = self.cycle
        if self._is_busy():
            cycle.keep_alive = self._may_keep_alive and not cycle.response_started
            cycle.transport = self._answering
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Do what uvicorn does, without a timer for each request: the sweep ends connections that are idle."""
        self._answering.end()
        if self.is_draining:
            return
        self.server_state.total_requests += 1
        if not self.transport.is_closing():
            self.flow.resume_reading()
            if self.pipeline:
                self._start_asgi_task(*self.pipeline.pop())
        if not self._is_busy():
            self._connections.idle[self] = None
            self._forget_request()

    def _forget_request(self) -> None:
        """Let go of the last request, with all that was made of it: 8 kB, for as long as nothing else is asked for."""
        self.scope = self.cycle.scope = {}  # type: ignore[typeddict-item]  # nobody reads it before the next request
        self.headers = []

    def _send_whole(self, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes | memoryview) -> bool:
        """Send an answer in one write, unless something stands against it; see `SendWhole`.

        Measured: a GET of a finished job takes 42 µs, not 47, together with the timer that no request starts.
        """
        cycle = self.cycle
        if (
            self.pipeline  # the cycle is that of a later request then
            or cycle.response_started
            or cycle.disconnected
            or not cycle.keep_alive  # as before the end of the request's body
            or self.flow.write_paused
            or cycle.scope["method"] == "HEAD"
            or len(body) > MAX_JOINED_BYTES
            or (b"content-length", b"%d" % len(body)) not in headers
            or HEADER_VALUE_RE.search(b"".join([value for _, value in headers]))
        ):
            return False
        parts = [STATUS_LINE[status]]
        for name, value in (*self.server_state.default_headers, *headers):
            parts += (name, b": ", value, b"\r\n")
        cycle.response_started = cycle.response_complete = True
        answer = b"".join((*parts, b"\r\n", body))
        if len(self.tasks) > FEW_REQUESTS:
            self._connections.batch.add(self.transport, answer, loop=self.loop)
        else:
            self.transport.write(answer)
        cycle.message_event.set()
        cycle.on_response()
        return True

    def _break_off(self, resets: bool) -> bool:
        """End the connection before its answer is complete; see `BreakOff`."""
        cycle = self.cycle
        if self.pipeline or cycle.response_complete or cycle.disconnected:
            return False
        cycle.response_started = cycle.response_complete = True
        cycle.message_event.set()
        self._answering.end()
        if resets:
            reset_at_end(self.transport)
            self.abort()
        else:
            cycle.transport.close()
        return True

    def _watch_for_end(self) -> "asyncio.Future[None]":
        """Return what is done once the connection is lost; see `Watch`. Whoever reads nothing does not notice that."""
        self._ended = self.loop.create_future()
        if self.transport.is_closing():
            self._ended.set_result(None)
        elif not self.pipeline:
            self.flow.resume_reading()
        return self._ended

    def _check_head(self) -> None:
        """Measure the head only if it could be too large: what came in one piece may hold more than a head."""
        if self._head_bytes + self._chunk_bytes <= MAX_URL_BYTES:
            return
        if len(self.url) > MAX_URL_BYTES:
            self._refusal = HTTPStatus.REQUEST_URI_TOO_LONG
            raise HeadTooLargeError
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > MAX_HEAD_BYTES:
            self._refusal = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            raise HeadTooLargeError

    def send_400_response(self, msg: str) -> None:
        del msg
        self._refuse(self._refusal)

    def _refuse(self, status: HTTPStatus) -> None:
        """End the connection over what cannot be read, but not before the answers to what was read before."""
        if self._is_busy() and not self.cycle.more_body:
            self._ignores_input, self.cycle.keep_alive = True, False
            return
        if self._is_busy():
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if not (self._is_busy() and self.cycle.response_started):
            self.transport.write(_plain_answer(status))
        self.drain()


def _plain_answer(status: HTTPStatus) -> bytes:
    lines = (
        f"HTTP/1.1 {status.value} {status.phrase}",
        "content-type: text/plain; charset=utf-8",
        f"content-length: {len(status.phrase)}",
        "connection: close",
    )
    return "\r\n".join((*lines, "", status.phrase)).encode()
