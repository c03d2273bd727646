"""What the nodes of one prompt share while they run."""

from dataclasses import dataclass
from typing import Any

from civitai_mock.drawing.pixels.graph_images import GraphImages
from civitai_mock.providers.simulator.comfyui_server.checking.definitions import NodeDefinition
from civitai_mock.providers.simulator.comfyui_server.keeping.item import QueueItem
from civitai_mock.providers.simulator.comfyui_server.running.interrupt import Interrupt
from civitai_mock.providers.simulator.comfyui_server.running.progress import ProgressBoard
from civitai_mock.providers.simulator.comfyui_server.running.saving import Darkroom
from civitai_mock.providers.simulator.comfyui_server.running.voice import Voice
from civitai_mock.providers.simulator.comfyui_server.running.workshop import Workshop


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    workshop: Workshop
    darkroom: Darkroom
    item: QueueItem
    pictures: GraphImages
    voice: Voice
    board: ProgressBoard
    interrupt: Interrupt

    def node(self, node_id: str) -> "Node":
        node = self.item.graph[node_id]
        definition = self.workshop.definitions[node["class_type"]]
        return Node(id=node_id, definition=definition, inputs=node["inputs"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """An accepted node, with its links as they came."""

    id: str
    definition: NodeDefinition
    inputs: dict[str, Any]

    @property
    def class_type(self) -> str:
        return self.definition.name
