"""The prompts of a server: those that wait or run, in their order, and the history of those that have ended."""

import asyncio
import heapq
import uuid
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any, NamedTuple

from civitai_mock.domain.json_types import Json, JsonObject

FIRST = -1e9
FOREIGN = "foreign_prompt"


class QueueItem(NamedTuple):
    """ComfyUI's own tuple; it is sorted by number and id."""

    number: float
    prompt_id: str
    graph: dict[str, Any]
    extra_data: Any
    outputs: list[str]

    def __lt__(self, other: object) -> bool:
        return self.rank < other.rank if isinstance(other, QueueItem) else NotImplemented

    @property
    def rank(self) -> tuple[float, str]:
        return self.number, self.prompt_id

    @property
    def wire(self) -> list[Json]:
        return [self.number, self.prompt_id, self.graph, self.extra_data, [*self.outputs]]

    @property
    def is_foreign(self) -> bool:
        return isinstance(self.extra_data, dict) and bool(self.extra_data.get(FOREIGN))


def foreign_item() -> QueueItem:
    """A small graph of somebody else, which goes before whatever waits."""
    graph = {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
        "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
    }
    return QueueItem(FIRST, str(uuid.uuid4()), graph, {FOREIGN: True}, ["2"])


class PromptQueue:
    """`changed` is called at every change that ComfyUI broadcasts."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self.pending: list[QueueItem] = []
        self.running: QueueItem | None = None
        self._changed = changed
        self._flags: set[str] = set()
        self._woken = asyncio.Event()
        self._next_number = 0

    @property
    def remaining(self) -> int:
        return len(self.pending) + (self.running is not None)

    def draw_number(self, *, front: bool) -> int:
        """One per request, also for those that are refused then."""
        number = self._next_number
        self._next_number += 1
        return -number if front else number

    def put(self, item: QueueItem) -> None:
        """An item that equals a pending one in number and id is in the queue when the TypeError is raised.

        ComfyUI then compares their graphs, and that is what fails.
        """
        is_twin = any(item.rank == other.rank for other in self.pending)
        heapq.heappush(self.pending, item)
        if is_twin:
            raise TypeError("'<' not supported between instances of 'dict' and 'dict'")
        self._changed()
        self._woken.set()

    async def take(self) -> QueueItem | None:
        """Wait for a prompt; None if there is only something to free. A call that nobody waits for is not heard."""
        if not self.pending:
            self._woken.clear()
            await self._woken.wait()
        if not self.pending:
            return None
        self.running = heapq.heappop(self.pending)
        self._changed()
        return self.running

    def finished(self) -> None:
        self.running = None

    def delete(self, prompt_id: object) -> None:
        """The first pending one; running ones stay."""
        for place, item in enumerate(self.pending):
            if item.prompt_id == prompt_id:
                del self.pending[place]
                heapq.heapify(self.pending)
                self._changed()
                return

    def clear(self) -> None:
        self.pending = []
        self._changed()

    def ask_to_free(self, what: str) -> None:
        self._flags.add(what)
        self._woken.set()

    def take_flags(self) -> set[str]:
        flags, self._flags = self._flags, set()
        return flags


SECRET_EXTRA_DATA = ("auth_token_comfy_org", "api_key_comfy_org")


class History:
    """Oldest first; a prompt id that comes again keeps its place and gets the new entry."""

    def __init__(self, *, limit: int) -> None:
        self._entries: dict[str, JsonObject] = {}
        self._limit = limit

    def add(self, prompt_id: str, entry: JsonObject) -> None:
        if len(self._entries) > self._limit:
            del self._entries[next(iter(self._entries))]
        self._entries[prompt_id] = entry

    def of(self, prompt_id: str) -> JsonObject:
        return {prompt_id: self._entries[prompt_id]} if prompt_id in self._entries else {}

    def page(self, *, most: int | None, offset: int) -> Mapping[str, JsonObject]:
        """The last `most`, or from `offset` on if that is not negative."""
        if offset < 0:
            offset = len(self._entries) - most if most is not None else 0
        start = max(offset, 0)
        stop = None if most is None else start + max(most, 0)
        return dict(islice(self._entries.items(), start, stop))

    def delete(self, prompt_ids: Iterable[str]) -> None:
        for prompt_id in prompt_ids:
            self._entries.pop(prompt_id, None)

    def clear(self) -> None:
        self._entries.clear()


def without_secrets(extra_data: object) -> object:
    """Keys for paid nodes may be seen in the queue, and never after."""
    if not isinstance(extra_data, dict):
        return extra_data
    return {name: value for name, value in extra_data.items() if name not in SECRET_EXTRA_DATA}
