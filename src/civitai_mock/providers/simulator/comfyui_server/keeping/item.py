"""A prompt in the queue."""

import uuid
from typing import Any, NamedTuple

from civitai_mock.domain.json_types import Json

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
