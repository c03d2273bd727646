"""Who is listening on WebSockets, and who gets which message."""

import asyncio
import uuid
from collections import deque
from collections.abc import Sequence
from typing import TypeAlias

from civitai_mock.comfyui_standin.faults import FaultControl
from civitai_mock.comfyui_standin.messages import PreviewFrame, Said, ServerMessage
from civitai_mock.comfyui_standin.options import MEBIBYTE

MOST_WAITING = 4_000
MOST_BYTES_WAITING = 256 * MEBIBYTE
PREVIEW_FLAG = "supports_preview_metadata"

Frame: TypeAlias = str | bytes


class SocketConnection:
    """One socket; `dropped` is set when it has to go without a word."""

    def __init__(self, sid: str) -> None:
        self.sid = sid
        self.flags: dict[str, object] = {}
        self.dropped = asyncio.Event()
        self.waiting: deque[Frame] = deque()
        self._bytes = 0
        self._arrived = asyncio.Event()

    def send(self, frame: Frame) -> None:
        """A client that reads too slowly is dropped rather than waited for."""
        if len(self.waiting) >= MOST_WAITING or self._bytes >= MOST_BYTES_WAITING:
            self.dropped.set()
            return
        self.waiting.append(frame)
        self._bytes += len(frame)
        self._arrived.set()

    async def next_frame(self) -> Frame:
        while not self.waiting:
            self._arrived.clear()
            await self._arrived.wait()
        frame = self.waiting.popleft()
        self._bytes -= len(frame)
        return frame


class Hub:
    """By client id, as ComfyUI keeps them: a second socket of the same id takes the first one's place."""

    def __init__(self, faults: FaultControl) -> None:
        self._faults = faults
        self._connections: dict[str, SocketConnection] = {}
        self._all: set[SocketConnection] = set()
        self._held: dict[str | None, Said] = {}

    @property
    def client_ids(self) -> list[str]:
        return list(self._connections)

    def connect(self, client_id: str) -> SocketConnection:
        connection = SocketConnection(client_id or uuid.uuid4().hex)
        self._connections[connection.sid] = connection
        self._all.add(connection)
        return connection

    def disconnect(self, connection: SocketConnection) -> None:
        """Takes whoever has the id out of the map, be it another socket by now, as ComfyUI does."""
        self._connections.pop(connection.sid, None)
        self._all.discard(connection)

    def drop_all(self) -> None:
        for connection in self._all:
            connection.dropped.set()

    def broadcast(self, message: ServerMessage) -> None:
        self._say(message, None)

    def greet(self, message: ServerMessage, connection: SocketConnection) -> None:
        """On the newest socket of its id, and about no prompt in particular."""
        self._say(message, connection.sid)

    def tell(self, message: Said, client_id: str | None) -> None:
        """About a prompt: to its client; to everybody if it has none."""
        faults = self._faults.now
        if faults.unannounced:
            return
        for each in self._reordered(message, client_id) if faults.shuffled else [message]:
            for _ in range(2 if faults.duplicated else 1):
                self._say(each, client_id)

    def show(self, image: PreviewFrame, client_id: str | None) -> None:
        if not self._faults.now.unannounced:
            frame = image.described if self.knows_metadata(client_id) else image.plain
            self._deliver(frame, self._receivers(client_id))

    def knows_metadata(self, client_id: str | None) -> bool:
        connection = self._connections.get(client_id) if client_id is not None else None
        return bool(connection and connection.flags.get(PREVIEW_FLAG))

    def _say(self, message: Said, client_id: str | None) -> None:
        """Written out only if somebody hears it."""
        if receivers := self._receivers(client_id):
            self._deliver(message.text, receivers)

    @staticmethod
    def _deliver(frame: Frame, receivers: Sequence[SocketConnection]) -> None:
        for connection in receivers:
            connection.send(frame)

    def _receivers(self, client_id: str | None) -> Sequence[SocketConnection]:
        if self._faults.now.deaf:
            return []
        if client_id is None:
            return list(self._connections.values())
        return [self._connections[client_id]] if client_id in self._connections else []

    def _reordered(self, message: Said, client_id: str | None) -> list[Said]:
        """Every second message before the one that it should follow; the last of a prompt is never held back."""
        held = self._held.pop(client_id, None)
        if held is not None:
            return [message, held]
        if message.ends_prompt:
            return [message]
        self._held[client_id] = message
        return []
