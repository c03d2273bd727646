"""Listen to the WebSocket of one ComfyUI server, and open it again whenever it drops."""

from collections.abc import Callable
from urllib.parse import urlsplit

import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from civitai_mock.network.tls import make_tls_context
from civitai_mock.providers.comfyui.address import ComfyServer
from civitai_mock.providers.comfyui.options import WorkerDependencies
from civitai_mock.providers.comfyui.protocol.messages import FEATURE_FLAGS, Message, MessageStream
from civitai_mock.providers.comfyui.transport.connection_errors import explain_error, explain_socket_status
from civitai_mock.providers.comfyui.wake_up import WakeUp, backoff_seconds
from civitai_mock.services.tracing import TRACEPARENT_HEADER, new_trace_id

logger = structlog.stdlib.get_logger()

PING_SECONDS = 20.0  # idle sockets are cut by proxies, often after a minute
OPEN_SECONDS = 10.0
CLOSE_SECONDS = 1.0
MOST_FRAME_BYTES = 256 * 1024 * 1024  # SaveImageWebsocket sends whole images


class ComfySocket:
    """Keeps one connection open, each time under a new client id.

    A server that sees an id twice goes mute on the new socket when it notices that the old one is gone.
    """

    def __init__(
        self,
        server: ComfyServer,
        *,
        dependencies: WorkerDependencies,
        on_message: Callable[[Message], None],
        on_change: Callable[[], None],
        is_server_up: Callable[[], bool],
    ) -> None:
        """`on_change` is called when a connection opens or drops; `is_server_up` says whether HTTP is answered."""
        self.client_id: str | None = None  # of the connection that is open
        self._server = server
        self._ids = dependencies.ids
        self._options = dependencies.options
        self._on_message = on_message
        self._on_change = on_change
        self._is_server_up = is_server_up
        self._wake_up = WakeUp(dependencies.clock)
        self._has_warned = False

    def connect_now(self) -> None:
        """Do not wait for the next try: the server is up."""
        if self.client_id is None:
            self._wake_up.notify()

    async def run(self) -> None:
        failures = 0
        while True:
            was_open = await self._listen()
            failures = 1 if was_open else failures + 1
            longest = self._options.longest_backoff.total_seconds()
            await self._wake_up.wait(backoff_seconds(failures, longest=longest, ids=self._ids))

    async def _listen(self) -> bool:
        """Listen until the connection drops; return False if it never opened."""
        client_id = self._ids.uuid()
        try:
            async with self._connect(client_id) as connection:
                await connection.send(FEATURE_FLAGS)
                self._set_client_id(client_id)
                await self._read_all(connection)
        except (OSError, WebSocketException) as error:
            self._log_failure(error)
        except Exception:
            logger.exception("socket broke off", worker_id=self._server.id)
        finally:
            was_open = self.client_id is not None
            self._set_client_id(None)
        return was_open

    def _connect(self, client_id: str) -> connect:
        """Connect; credentials in the address itself go before those for all servers, as over HTTP."""
        address = urlsplit(self._server.ws_url)
        authorization = self._options.authorization if address.username is None else None
        headers = {TRACEPARENT_HEADER: new_trace_id()}  # a trace of its own, as it is for prompts of many jobs
        return connect(
            f"{self._server.ws_url}?clientId={client_id}",
            ssl=(self._options.tls or make_tls_context()) if address.scheme == "wss" else None,
            additional_headers=headers | ({"Authorization": authorization} if authorization else {}),
            compression=None,
            proxy=None,
            open_timeout=OPEN_SECONDS,
            close_timeout=CLOSE_SECONDS,
            ping_interval=PING_SECONDS,
            ping_timeout=PING_SECONDS,
            max_size=MOST_FRAME_BYTES,
        )

    async def _read_all(self, connection: ClientConnection) -> None:
        stream = MessageStream()
        async for frame in connection:
            message = stream.read(frame)
            if message is not None:
                self._on_message(message)

    def _log_failure(self, error: Exception) -> None:
        """Warn once until it opens, and only if the server is up: a proxy before it may hand on no WebSockets."""
        if isinstance(error, InvalidStatus):
            reason = explain_socket_status(error.response.status_code)
        else:
            reason = explain_error(error)
        log = logger.warning if self._is_server_up() and not self._has_warned else logger.debug
        log("socket away", worker_id=self._server.id, reason=reason)
        self._has_warned = self._has_warned or self._is_server_up()

    def _set_client_id(self, client_id: str | None) -> None:
        if client_id != self.client_id:
            self.client_id = client_id
            self._has_warned = self._has_warned and client_id is None
            self._on_change()
