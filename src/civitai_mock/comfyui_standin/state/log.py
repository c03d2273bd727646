"""The log of a server: the lines that it prints, and the clients that get each new line as a message."""

from collections import deque
from collections.abc import Callable, Hashable
from datetime import datetime

from civitai_mock.comfyui_standin import messages
from civitai_mock.comfyui_standin.socket_hub import SocketHub
from civitai_mock.domain.json_types import JsonObject

MAX_ENTRIES = 300


class ServerLog:
    """Keeps the latest lines of one life of the server; `subscribers` are client ids."""

    def __init__(self, *, hub: SocketHub, now: Callable[[], datetime]) -> None:
        self.entries: deque[JsonObject] = deque(maxlen=MAX_ENTRIES)
        self.subscribers: set[Hashable] = set()
        self._hub = hub
        self._now = now

    def write(self, line: str) -> None:
        entry: JsonObject = {"t": self._now().replace(tzinfo=None).isoformat(), "m": f"{line}\n"}
        self.entries.append(entry)
        if self.subscribers:
            self._send(entry)

    @property
    def text(self) -> str:
        return "".join(f"{entry['t']} - {entry['m']}" for entry in self.entries)

    def _send(self, entry: JsonObject) -> None:
        """Send an entry to the subscribers that are connected, and forget the others."""
        self.subscribers.intersection_update(self._hub.client_ids)
        for client_id in self._hub.client_ids:
            if client_id in self.subscribers:
                self._hub.send_about_prompt(messages.logs(entry), client_id)
