"""The socket to one server, opened again whenever it drops."""

from collections.abc import Callable
from urllib.parse import urlsplit

import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from civitai_mock.network.trust import trusting, why
from civitai_mock.ports import Clock, Ids
from civitai_mock.providers.comfyui.address import ComfyServer
from civitai_mock.providers.comfyui.options import CA_SETTING, ComfyOptions
from civitai_mock.providers.comfyui.protocol.messages import HELLO, Message, Stream
from civitai_mock.providers.comfyui.transport.statuses import account_of_socket
from civitai_mock.providers.comfyui.transport.wake_up import WakeUp, pause_after

logger = structlog.stdlib.get_logger()

PING_SECONDS = 20.0  # idle sockets are cut by proxies, often after a minute
OPEN_SECONDS = 10.0
CLOSE_SECONDS = 1.0
MOST_FRAME_BYTES = 256 * 1024 * 1024  # SaveImageWebsocket sends whole images


class ComfySocket:
    """Each connection has a client id of its own.

    A server that sees an id twice goes mute on the new socket when it notices that the old one is gone.
    """

    def __init__(
        self,
        server: ComfyServer,
        *,
        clock: Clock,
        ids: Ids,
        options: ComfyOptions,
        hear: Callable[[Message], None],
        changed: Callable[[], None],
        is_there: Callable[[], bool],
    ) -> None:
        """`changed` is called when a connection opens or drops; `is_there` says whether the server answers HTTP."""
        self._is_there = is_there
        self._has_complained = False
        self.client_id: str | None = None
        self._server = server
        self._clock = clock
        self._ids = ids
        self._options = options
        self._hear = hear
        self._changed = changed
        self._bell = WakeUp(clock)

    def hurry(self) -> None:
        """The server is there: do not wait to connect."""
        if self.client_id is None:
            self._bell.ring()

    async def run(self) -> None:
        failures = 0
        while True:
            heard = await self._listen()
            failures = 1 if heard else failures + 1
            longest = self._options.longest_pause.total_seconds()
            await self._bell.wait(pause_after(failures, longest=longest, ids=self._ids))

    async def _listen(self) -> bool:
        """Until the connection drops; False if there never was one."""
        client_id = self._ids.uuid()
        try:
            async with self._connect(client_id) as connection:
                await connection.send(HELLO)
                self._open(client_id)
                await self._hear_all(connection)
        except (OSError, WebSocketException) as error:
            self._complain(error)
        except Exception:
            logger.exception("socket broke off", worker_id=self._server.id)
        finally:
            heard = self.client_id is not None
            self._open(None)
        return heard

    def _connect(self, client_id: str) -> connect:
        """What the address itself has of credentials comes first, as over HTTP."""
        address = urlsplit(self._server.ws_url)
        authorization = self._options.authorization if address.username is None else None
        return connect(
            f"{self._server.ws_url}?clientId={client_id}",
            ssl=(self._options.tls or trusting()) if address.scheme == "wss" else None,
            additional_headers={"Authorization": authorization} if authorization else None,
            compression=None,
            proxy=None,
            open_timeout=OPEN_SECONDS,
            close_timeout=CLOSE_SECONDS,
            ping_interval=PING_SECONDS,
            ping_timeout=PING_SECONDS,
            max_size=MOST_FRAME_BYTES,
        )

    async def _hear_all(self, connection: ClientConnection) -> None:
        stream = Stream()
        async for frame in connection:
            message = stream.read(frame)
            if message is not None:
                self._hear(message)

    def _complain(self, error: Exception) -> None:
        """Once until it opens, and only of a server that is there: a proxy before it may hand on no WebSockets."""
        if isinstance(error, InvalidStatus):
            reason = account_of_socket(error.response.status_code)
        else:
            reason = why(error, ca_setting=CA_SETTING)
        log = logger.warning if self._is_there() and not self._has_complained else logger.debug
        log("socket away", worker_id=self._server.id, reason=reason)
        self._has_complained = self._has_complained or self._is_there()

    def _open(self, client_id: str | None) -> None:
        if client_id != self.client_id:
            self.client_id = client_id
            self._has_complained = self._has_complained and client_id is None
            self._changed()
