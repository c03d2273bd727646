"""What the nodes of a prompt share while they run: server state, messages to the client, progress."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from civitai_mock.comfyui_standin.execution.failures import Interrupt
from civitai_mock.comfyui_standin.execution.output_files import OutputWriter
from civitai_mock.comfyui_standin.messages import (
    AnyMessage,
    PreviewFrame,
    ProgressStateMessage,
    ServerMessage,
    milliseconds,
    node_ids,
)
from civitai_mock.comfyui_standin.socket_hub import SocketHub
from civitai_mock.comfyui_standin.state.queue import QueueItem
from civitai_mock.comfyui_standin.state.standin_state import StandinState
from civitai_mock.comfyui_standin.validation.definitions import NodeDefinition
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.drawing.pixels.graph_images import GraphImages


class PromptMessages:
    """Sends messages about one prompt to its client; some go to everybody if the prompt has no client."""

    def __init__(self, *, hub: SocketHub, prompt_id: str, client_id: str | None, now: Callable[[], datetime]) -> None:
        self.prompt_id = prompt_id
        self.client_id = client_id
        self.recorded: list[Json] = []
        self._hub = hub
        self._now = now

    def record(self, kind: str, fields: JsonObject, *, for_everybody: bool = False) -> None:
        """Send a milestone with its time, and keep it for the history."""
        stamped: JsonObject = {"prompt_id": self.prompt_id, **fields, "timestamp": milliseconds(self._now())}
        self.recorded.append([kind, stamped])
        if for_everybody:
            self.send(ServerMessage(kind, stamped))
        else:
            self.send_to_client(ServerMessage(kind, stamped))

    def send(self, message: AnyMessage) -> None:
        self._hub.send_about_prompt(message, self.client_id)

    def send_to_client(self, message: ServerMessage) -> None:
        if self.client_id is not None:
            self.send(message)

    def send_preview(self, preview: PreviewFrame) -> None:
        self._hub.send_preview(preview, self.client_id)

    @property
    def client_takes_metadata(self) -> bool:
        return self._hub.takes_metadata(self.client_id)


@dataclass(frozen=True, slots=True)
class NodeProgress:
    """Is a node's entry in the message `progress_state`."""

    value: float
    maximum: float
    state: str = "running"

    def wire(self, prompt_id: str, node_id: str) -> JsonObject:
        return {"value": self.value, "max": self.maximum, "state": self.state, **node_ids(prompt_id, node_id)}


CACHED = NodeProgress(0, 1)  # in whole numbers, unlike one that has started


class ProgressRegistry:
    """Tracks how far each node is; every change returns a message with all nodes touched so far.

    A node's entry is encoded only when it changes.
    """

    def __init__(self, prompt_id: str) -> None:
        self._prompt_id = prompt_id
        self._nodes: dict[str, NodeProgress] = {}
        self._encoded: dict[str, str] = {}

    def start(self, node_id: str) -> ProgressStateMessage:
        return self._set(node_id, NodeProgress(0.0, 1.0))

    def update(self, node_id: str, value: int, maximum: int) -> ProgressStateMessage:
        return self._set(node_id, NodeProgress(value, maximum))

    def finish(self, node_id: str) -> ProgressStateMessage:
        last = self._nodes.get(node_id, CACHED)
        return self._set(node_id, replace(last, value=last.maximum, state="finished"))

    def _set(self, node_id: str, progress: NodeProgress) -> ProgressStateMessage:
        self._nodes[node_id] = progress
        wire = progress.wire(self._prompt_id, node_id)
        self._encoded[node_id] = f"{json.dumps(node_id)}: {json.dumps(wire)}"
        return ProgressStateMessage(prompt_id=self._prompt_id, nodes=tuple(self._encoded.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """Is what every node of one running prompt works with."""

    state: StandinState
    output_writer: OutputWriter
    item: QueueItem
    images: GraphImages
    messages: PromptMessages
    progress: ProgressRegistry
    interrupt: Interrupt

    def node(self, node_id: str) -> "RunningNode":
        node = self.item.graph[node_id]
        definition = self.state.definitions[node["class_type"]]
        return RunningNode(id=node_id, definition=definition, inputs=node["inputs"])


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningNode:
    """Is an accepted node; its links are as they came."""

    id: str
    definition: NodeDefinition
    inputs: dict[str, Any]

    @property
    def class_type(self) -> str:
        return self.definition.name
