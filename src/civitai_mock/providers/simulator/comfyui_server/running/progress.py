"""How far each node of a running prompt is."""

from dataclasses import dataclass, replace

from civitai_mock.domain.json import JsonObject
from civitai_mock.providers.simulator.comfyui_server.talking.messages import Message, node_names


@dataclass(frozen=True, slots=True)
class NodeProgress:
    value: float
    most: float
    state: str = "running"

    def wire(self, prompt_id: str, node_id: str) -> JsonObject:
        return {"value": self.value, "max": self.most, "state": self.state, **node_names(prompt_id, node_id)}


CACHED = NodeProgress(0, 1)  # in whole numbers, unlike one that has started


class ProgressBoard:
    """Every change gives a message with all nodes touched so far."""

    def __init__(self, prompt_id: str) -> None:
        self._prompt_id = prompt_id
        self._nodes: dict[str, NodeProgress] = {}

    def start(self, node_id: str) -> Message:
        return self._set(node_id, NodeProgress(0.0, 1.0))

    def update(self, node_id: str, value: int, most: int) -> Message:
        return self._set(node_id, NodeProgress(value, most))

    def finish(self, node_id: str) -> Message:
        last = self._nodes.get(node_id, CACHED)
        return self._set(node_id, replace(last, value=last.most, state="finished"))

    def _set(self, node_id: str, progress: NodeProgress) -> Message:
        self._nodes[node_id] = progress
        nodes: JsonObject = {name: node.wire(self._prompt_id, name) for name, node in self._nodes.items()}
        return Message("progress_state", {"prompt_id": self._prompt_id, "nodes": nodes})
