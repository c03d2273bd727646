"""A prompt in the queue."""

from typing import Any, NamedTuple

from civitai_mock.domain.json import Json


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
