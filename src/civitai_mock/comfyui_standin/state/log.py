"""What the server prints, and who wants to read along."""

from collections import deque
from collections.abc import Callable, Hashable
from datetime import datetime
from typing import TypeAlias

from civitai_mock.domain.json_types import JsonObject

CAPACITY = 300

Entry: TypeAlias = JsonObject


class ServerLog:
    """The latest lines of one life; `heard` is called with each and those who asked for it."""

    def __init__(self, *, now: Callable[[], datetime], heard: Callable[[Entry, set[Hashable]], None]) -> None:
        self.entries: deque[Entry] = deque(maxlen=CAPACITY)
        self.subscribers: set[Hashable] = set()
        self._now = now
        self._heard = heard

    def write(self, line: str) -> None:
        entry: Entry = {"t": self._now().replace(tzinfo=None).isoformat(), "m": f"{line}\n"}
        self.entries.append(entry)
        if self.subscribers:
            self._heard(entry, self.subscribers)

    @property
    def text(self) -> str:
        return "".join(f"{entry['t']} - {entry['m']}" for entry in self.entries)
