"""A prompt in the queue."""

from typing import Any, NamedTuple

from civitai_mock.domain.json import Json


class QueueItem(NamedTuple):
    """ComfyUI's own tuple, compared member by member: two with equal number and id cannot be compared."""

    number: float
    prompt_id: str
    graph: dict[str, Any]
    extra_data: Any
    outputs: list[str]

    @property
    def wire(self) -> list[Json]:
        return [self.number, self.prompt_id, self.graph, self.extra_data, [*self.outputs]]
