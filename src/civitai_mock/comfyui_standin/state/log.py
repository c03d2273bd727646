"""The lines that a server prints, and the clients that subscribed to them."""

from collections import deque
from collections.abc import Callable, Hashable
from datetime import datetime

from civitai_mock.domain.json_types import JsonObject

MAX_ENTRIES = 300


class ServerLog:
    """Keeps the latest lines of one life; `on_entry` is called with each new one and the subscribers."""

    def __init__(self, *, now: Callable[[], datetime], on_entry: Callable[[JsonObject, set[Hashable]], None]) -> None:
        self.entries: deque[JsonObject] = deque(maxlen=MAX_ENTRIES)
        self.subscribers: set[Hashable] = set()
        self._now = now
        self._on_entry = on_entry

    def write(self, line: str) -> None:
        entry: JsonObject = {"t": self._now().replace(tzinfo=None).isoformat(), "m": f"{line}\n"}
        self.entries.append(entry)
        if self.subscribers:
            self._on_entry(entry, self.subscribers)

    @property
    def text(self) -> str:
        return "".join(f"{entry['t']} - {entry['m']}" for entry in self.entries)
