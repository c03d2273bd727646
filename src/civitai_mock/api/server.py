"""Run the app on a socket of our own, so that a port in use is one clear line."""

import asyncio
import socket
from collections.abc import Callable
from signal import SIGINT
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from civitai_mock.domain.errors import ConflictError

BACKLOG = 2048
DRAIN_SECONDS = 5
KEEP_ALIVE_SECONDS = 30


class Server(uvicorn.Server):
    """Says when it listens, and stops on the first SIGINT or SIGTERM with exit status 0."""

    def __init__(self, app: ASGIApp, *, on_ready: Callable[[], None], on_stop: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,  # it would believe anybody on this machine; see `TrustedProxies`
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=DRAIN_SECONDS,
                ws_ping_interval=None,  # ComfyUI sends none, and a stand-in for it is served here too
            )
        )
        self._on_ready = on_ready
        self._on_stop = on_stop
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """A lifespan that fails would end the process here; whoever runs the server tells why instead."""
        self._loop = asyncio.get_running_loop()
        try:
            await super().startup(sockets)
        except SystemExit:
            self.should_exit = True
        if self.started:
            self._on_ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> Any:
        """A second Ctrl-C does not wait for anybody.

        This runs between any two bytecodes of the event loop's own thread, so what is asyncio's has to be left to it.
        """
        del frame
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._on_stop)
        self.force_exit = self.should_exit and sig == SIGINT
        self.should_exit = True


def listen(host: str, port: int) -> socket.socket:
    """Raise `ConflictError` if the address cannot be had."""
    try:
        family = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise ConflictError(f"cannot listen on {host} port {port}: {error.strerror or error}") from error


def serve_reloading(factory: str, *, host: str, port: int) -> None:
    """For development: a new process each time a source file changes."""
    uvicorn.run(
        factory, factory=True, reload=True, host=host, port=port, log_config=None, access_log=False, proxy_headers=False
    )
