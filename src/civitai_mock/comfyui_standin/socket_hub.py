"""The connected WebSockets, and who gets which message."""

import asyncio
import uuid
from collections import deque
from collections.abc import Sequence
from typing import TypeAlias

from civitai_mock.comfyui_standin.faults import FaultControl
from civitai_mock.comfyui_standin.messages import AnyMessage, PreviewFrame, ServerMessage
from civitai_mock.comfyui_standin.options import MEBIBYTE

MAX_WAITING_FRAMES = 4_000
MAX_WAITING_BYTES = 256 * MEBIBYTE
PREVIEW_FLAG = "supports_preview_metadata"

Frame: TypeAlias = str | bytes


class SocketConnection:
    """Is one socket with its unsent frames; `dropped` is set when it must end without a close frame."""

    def __init__(self, sid: str) -> None:
        self.sid = sid
        self.flags: dict[str, object] = {}
        self.dropped = asyncio.Event()
        self.waiting: deque[Frame] = deque()
        self._bytes = 0
        self._arrived = asyncio.Event()

    def send(self, frame: Frame) -> None:
        """Queue a frame; a client that reads too slowly is dropped instead."""
        if len(self.waiting) >= MAX_WAITING_FRAMES or self._bytes >= MAX_WAITING_BYTES:
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


class SocketHub:
    """Holds connections by client id, as ComfyUI does: a second socket of the same id replaces the first."""

    def __init__(self, faults: FaultControl) -> None:
        self._faults = faults
        self._connections: dict[str, SocketConnection] = {}
        self._all: set[SocketConnection] = set()
        self._held_back: dict[str | None, AnyMessage] = {}

    @property
    def client_ids(self) -> list[str]:
        return list(self._connections)

    def connect(self, client_id: str) -> SocketConnection:
        connection = SocketConnection(client_id or uuid.uuid4().hex)
        self._connections[connection.sid] = connection
        self._all.add(connection)
        return connection

    def disconnect(self, connection: SocketConnection) -> None:
        """Remove whoever has the id, even if that is another socket by now, as ComfyUI does."""
        self._connections.pop(connection.sid, None)
        self._all.discard(connection)

    def drop_all(self) -> None:
        for connection in self._all:
            connection.dropped.set()

    def broadcast(self, message: ServerMessage) -> None:
        self.send(message, None)

    def send(self, message: AnyMessage, client_id: str | None) -> None:
        """Send to the newest socket of a client, or to everybody if `client_id` is None."""
        if receivers := self._receivers(client_id):  # a message that nobody receives is not encoded
            self._deliver(message.text, receivers)

    def send_about_prompt(self, message: AnyMessage, client_id: str | None) -> None:
        """Send as `send` does, with the faults that concern messages about prompts."""
        faults = self._faults.current
        if faults.unannounced:
            return
        for each in self._reordered(message, client_id) if faults.shuffled else [message]:
            for _ in range(2 if faults.duplicated else 1):
                self.send(each, client_id)

    def send_preview(self, preview: PreviewFrame, client_id: str | None) -> None:
        if not self._faults.current.unannounced:
            frame = preview.with_metadata if self.takes_metadata(client_id) else preview.plain
            self._deliver(frame, self._receivers(client_id))

    def takes_metadata(self, client_id: str | None) -> bool:
        """Tell whether the client said that it understands previews with metadata."""
        connection = self._connections.get(client_id) if client_id is not None else None
        return bool(connection and connection.flags.get(PREVIEW_FLAG))

    @staticmethod
    def _deliver(frame: Frame, receivers: Sequence[SocketConnection]) -> None:
        for connection in receivers:
            connection.send(frame)

    def _receivers(self, client_id: str | None) -> Sequence[SocketConnection]:
        if self._faults.current.deaf:
            return []
        if client_id is None:
            return list(self._connections.values())
        return [self._connections[client_id]] if client_id in self._connections else []

    def _reordered(self, message: AnyMessage, client_id: str | None) -> list[AnyMessage]:
        """Put every second message before the one that it should follow; the last of a prompt is never held back."""
        held_back = self._held_back.pop(client_id, None)
        if held_back is not None:
            return [message, held_back]
        if message.ends_prompt:
            return [message]
        self._held_back[client_id] = message
        return []
