"""How far each node of a running prompt is."""

import json
from dataclasses import dataclass, replace

from civitai_mock.domain.json_types import JsonObject
from civitai_mock.providers.simulator.comfyui_server.talking.messages import ProgressState, node_names


@dataclass(frozen=True, slots=True)
class NodeProgress:
    value: float
    most: float
    state: str = "running"

    def wire(self, prompt_id: str, node_id: str) -> JsonObject:
        return {"value": self.value, "max": self.most, "state": self.state, **node_names(prompt_id, node_id)}


CACHED = NodeProgress(0, 1)  # in whole numbers, unlike one that has started


class ProgressBoard:
    """Every change gives a message with all nodes touched so far; each is written out when it changes."""

    def __init__(self, prompt_id: str) -> None:
        self._prompt_id = prompt_id
        self._nodes: dict[str, NodeProgress] = {}
        self._written: dict[str, str] = {}

    def start(self, node_id: str) -> ProgressState:
        return self._set(node_id, NodeProgress(0.0, 1.0))

    def update(self, node_id: str, value: int, most: int) -> ProgressState:
        return self._set(node_id, NodeProgress(value, most))

    def finish(self, node_id: str) -> ProgressState:
        last = self._nodes.get(node_id, CACHED)
        return self._set(node_id, replace(last, value=last.most, state="finished"))

    def _set(self, node_id: str, progress: NodeProgress) -> ProgressState:
        self._nodes[node_id] = progress
        wire = progress.wire(self._prompt_id, node_id)
        self._written[node_id] = f"{json.dumps(node_id)}: {json.dumps(wire)}"
        return ProgressState(prompt_id=self._prompt_id, nodes=tuple(self._written.values()))
