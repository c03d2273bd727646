"""Serve an app by uvicorn on sockets of our own, so that a port in use is one clear line."""

import asyncio
import socket
import ssl
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.supervisors import ChangeReload

from civitai_mock.domain.errors import ConflictError, InvalidRequestError
from civitai_mock.serving.admission import Admission
from civitai_mock.serving.connection import LIMITS, Connection, Limits, OpenConnections

if sys.platform != "win32":
    import resource

BACKLOG = 2048
HEARTBEATS = timedelta(seconds=15)  # of WebSockets that listen to events
READING_METHODS = frozenset({"GET", "HEAD"})  # they take little, and so need no admission
SHORTEST_DRAIN_SECONDS = 1
TICKS_OF_SWEEP = 10  # a tick of uvicorn is a tenth of a second
FEWEST_KEPT_FREE, MOST_KEPT_FREE = 48, 256


class Server(uvicorn.Server):
    """Calls `on_ready` once it listens; signals are left to whoever runs it, and calls `begin_stop`.

    Answers that are on their way have the grace time, as jobs have.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        grace: timedelta,
        on_ready: Callable[[], None],
        on_stop: Callable[[], None],
        limits: Limits = LIMITS,
        pings_every: timedelta | None = None,
    ) -> None:
        """Send pings to WebSockets, or none: ComfyUI does not, and its stand-in is served here, too."""
        self._admission = Admission()
        self._connections = OpenConnections(limits=limits, max_count=_max_connections())
        super().__init__(
            uvicorn.Config(
                partial(self._with_503_at_the_end, app),
                interface="asgi3",
                http=cast("type[Connection]", partial(Connection, connections=self._connections)),
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,  # it would believe anybody on this machine; see `TrustedProxies`
                timeout_graceful_shutdown=max(int(grace.total_seconds()), SHORTEST_DRAIN_SECONDS),
                ws=cast("type[asyncio.Protocol]", make_websocket),
                ws_ping_interval=None if pings_every is None else pings_every.total_seconds(),
            )
        )
        self._on_ready = on_ready
        self._on_stop = on_stop
        self._loop: asyncio.AbstractEventLoop | None = None

    def encrypt(self, *, keyfile: str, certfile: str) -> None:
        """Serve https; raise `InvalidRequestError` for files that do not make a certificate."""
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certfile, keyfile)
        except OSError as error:
            raise InvalidRequestError(
                f"no certificate in {certfile} and {keyfile}: {error.strerror or error}"
            ) from error
        self.config.ssl_keyfile, self.config.ssl_certfile = keyfile, certfile

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start; a lifespan that fails stops the server, not the process: whoever runs the server reports why."""
        self._loop = asyncio.get_running_loop()
        try:
            await super().startup(sockets)
        except SystemExit:
            self.should_exit = True
        if self.started:
            self._on_ready()

    async def on_tick(self, counter: int) -> bool:
        if counter % TICKS_OF_SWEEP == 0:
            self._connections.sweep()
        return await super().on_tick(counter)

    def begin_stop(self) -> None:
        """Begin to stop; a signal handler may call this.

        That runs between any two bytecodes of the event loop's own thread, so what is asyncio's has to be left to it.
        """
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._on_stop)
        self.should_exit = True

    async def _with_503_at_the_end(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 503 to a request that outlasts the grace time; uvicorn cancels it, and logs what comes of that."""
        try:
            if scope["type"] == "http" and scope["method"] not in READING_METHODS:
                await self._admission.admit()
            await app(scope, receive, send)
        except asyncio.CancelledError:
            if scope["type"] != "http" or not self.should_exit:
                raise
            with suppress(RuntimeError):  # the answer has begun
                headers = [(b"content-length", b"0"), (b"retry-after", b"1"), (b"connection", b"close")]
                await send({"type": "http.response.start", "status": 503, "headers": headers})
                await send({"type": "http.response.body"})

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals to whoever runs the server."""
        yield


def make_websocket(**parts: Any) -> asyncio.Protocol:
    """Make the connection that uvicorn would choose, and import it for the first one: 7 of 540 ms of a start."""
    from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol  # noqa: PLC0415 - as above

    return WebSocketsSansIOProtocol(**parts)


def _max_connections() -> int | None:
    """Return None for no limit; some descriptors are kept free for the store, blobs and connections to others."""
    if sys.platform == "win32":
        return None
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    kept_free = min(max(descriptors // 4, FEWEST_KEPT_FREE), MOST_KEPT_FREE)
    return None if descriptors == resource.RLIM_INFINITY else descriptors - kept_free


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; raise `ConflictError` if the address cannot be had."""
    try:
        family = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except (OSError, UnicodeError) as error:  # the second for a name that no host can have
        why = (error.strerror if isinstance(error, OSError) else None) or error
        raise ConflictError(f"cannot listen on {host} port {port}: {why}") from error


def serve_reloading(serve: Callable[[list[socket.socket] | None], None], listeners: list[socket.socket]) -> None:
    """Call `serve` with the listeners in a new process each time a source file changes (for development)."""
    ChangeReload(uvicorn.Config("", reload=True, log_config=None), target=serve, sockets=listeners).run()
