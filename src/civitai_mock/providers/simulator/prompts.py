"""The prompts that the simulator knows: all unfinished ones, and the last that ended."""

import asyncio
import heapq
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.generation.graph_reader.facts import OutputImages
from civitai_mock.ports import InputFile, Receipt


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prompt:
    """All that its files are made from, as often as they are asked for; `cancelled` is done when it was.

    `files` are those that the graph reads, by their names in it.
    """

    receipt: Receipt
    series: Sequence[OutputImages]
    graph_json: str
    extra_pnginfo: Mapping[str, str]
    files: Mapping[str, InputFile]
    facts: ReadOnlyJson
    ends_at: datetime
    cancelled: asyncio.Future[None]


class PromptMemory:
    """Forgets the prompts that ended first, while more than `most` have ended."""

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._prompts: dict[str, Prompt] = {}
        self._unfinished: list[tuple[datetime, int, Prompt]] = []
        self._ended: deque[Prompt] = deque()
        self._order = count()

    def get(self, prompt_id: str) -> Prompt | None:
        return self._prompts.get(prompt_id)

    def add(self, prompt: Prompt, *, now: datetime) -> None:
        """Takes the place of a prompt of the same id."""
        self._prompts[prompt.receipt.prompt_id] = prompt
        heapq.heappush(self._unfinished, (prompt.ends_at, next(self._order), prompt))
        while self._unfinished and self._unfinished[0][0] <= now:
            self._ended.append(heapq.heappop(self._unfinished)[2])
        while len(self._ended) > self._most:
            self._forget(self._ended.popleft())

    def _forget(self, prompt: Prompt) -> None:
        if self._prompts.get(prompt.receipt.prompt_id) is prompt:
            del self._prompts[prompt.receipt.prompt_id]
