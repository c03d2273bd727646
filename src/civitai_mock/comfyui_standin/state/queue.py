"""The prompt queue of a server, in ComfyUI's order, and the history of prompts that have ended."""

import asyncio
import heapq
import uuid
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any, NamedTuple

from civitai_mock.domain.json_types import Json, JsonObject

FIRST_NUMBER = -1e9
FOREIGN = "foreign_prompt"
SECRET_EXTRA_DATA = ("auth_token_comfy_org", "api_key_comfy_org")


class QueueItem(NamedTuple):
    """Is ComfyUI's own tuple for a prompt in the queue; items are sorted by number and id."""

    number: float
    prompt_id: str
    graph: dict[str, Any]
    extra_data: Any
    outputs: list[str]

    def __lt__(self, other: object) -> bool:
        return self.sort_key < other.sort_key if isinstance(other, QueueItem) else NotImplemented

    @property
    def sort_key(self) -> tuple[float, str]:
        return self.number, self.prompt_id

    @property
    def wire(self) -> list[Json]:
        return [self.number, self.prompt_id, self.graph, self.extra_data, [*self.outputs]]

    @property
    def is_foreign(self) -> bool:
        return isinstance(self.extra_data, dict) and bool(self.extra_data.get(FOREIGN))


def foreign_item() -> QueueItem:
    """Return a small prompt of somebody else, which goes before all that wait."""
    graph = {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
        "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
    }
    return QueueItem(FIRST_NUMBER, str(uuid.uuid4()), graph, {FOREIGN: True}, ["2"])


class PromptQueue:
    """Holds pending prompts and the running one; `on_change` is called at every change that ComfyUI broadcasts."""

    def __init__(self, *, on_change: Callable[[], None]) -> None:
        self.pending: list[QueueItem] = []
        self.running: QueueItem | None = None
        self._on_change = on_change
        self._flags: set[str] = set()
        self._wake = asyncio.Event()
        self._numbers_used = 0

    @property
    def remaining(self) -> int:
        return len(self.pending) + (self.running is not None)

    def next_number(self, *, front: bool) -> int:
        """Return a number; each request uses one up, even if it is refused later."""
        number = self._numbers_used
        self._numbers_used += 1
        return -number if front else number

    def put(self, item: QueueItem) -> None:
        """Add an item; raise TypeError after adding one that equals a pending one in number and id.

        ComfyUI then compares their graphs, and that comparison fails.
        """
        is_twin = any(item.sort_key == other.sort_key for other in self.pending)
        heapq.heappush(self.pending, item)
        if is_twin:
            raise TypeError("'<' not supported between instances of 'dict' and 'dict'")
        self._on_change()
        self._wake.set()

    async def take(self) -> QueueItem | None:
        """Wait for a prompt and return it, or None if there is only something to free.

        A request to free that came while no call was waiting does not end the next wait.
        """
        if not self.pending:
            self._wake.clear()
            await self._wake.wait()
        if not self.pending:
            return None
        self.running = heapq.heappop(self.pending)
        self._on_change()
        return self.running

    def finish(self) -> None:
        self.running = None

    def delete(self, prompt_id: object) -> None:
        """Delete the first pending prompt with this id; a running one stays."""
        for index, item in enumerate(self.pending):
            if item.prompt_id == prompt_id:
                del self.pending[index]
                heapq.heapify(self.pending)
                self._on_change()
                return

    def clear(self) -> None:
        self.pending = []
        self._on_change()

    def request_free(self, flag: str) -> None:
        self._flags.add(flag)
        self._wake.set()

    def take_flags(self) -> set[str]:
        flags, self._flags = self._flags, set()
        return flags


class History:
    """Holds entries by prompt id, the oldest first; a repeated id keeps its place and gets the new entry."""

    def __init__(self, *, limit: int) -> None:
        self._entries: dict[str, JsonObject] = {}
        self._limit = limit

    def add(self, prompt_id: str, entry: JsonObject) -> None:
        if len(self._entries) > self._limit:
            del self._entries[next(iter(self._entries))]
        self._entries[prompt_id] = entry

    def get(self, prompt_id: str) -> JsonObject:
        return {prompt_id: self._entries[prompt_id]} if prompt_id in self._entries else {}

    def page(self, *, limit: int | None, offset: int) -> Mapping[str, JsonObject]:
        """Return `limit` entries from `offset` on, or the last ones if `offset` is negative."""
        if offset < 0:
            offset = len(self._entries) - limit if limit is not None else 0
        start = max(offset, 0)
        stop = None if limit is None else start + max(limit, 0)
        return dict(islice(self._entries.items(), start, stop))

    def delete(self, prompt_ids: Iterable[str]) -> None:
        for prompt_id in prompt_ids:
            self._entries.pop(prompt_id, None)

    def clear(self) -> None:
        self._entries.clear()


def without_secrets(extra_data: object) -> object:
    """Remove the keys of paid services, which ComfyUI shows in the queue only."""
    if not isinstance(extra_data, dict):
        return extra_data
    return {name: value for name, value in extra_data.items() if name not in SECRET_EXTRA_DATA}
