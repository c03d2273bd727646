"""What the nodes of a prompt share while they run: server state, messages, progress."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from civitai_mock.comfyui_standin.execution.interrupt import Interrupt
from civitai_mock.comfyui_standin.execution.output_files import OutputWriter
from civitai_mock.comfyui_standin.faults import FaultControl
from civitai_mock.comfyui_standin.messages import (
    PreviewFrame,
    ProgressState,
    Said,
    ServerMessage,
    milliseconds,
    node_names,
)
from civitai_mock.comfyui_standin.options import StandinOptions
from civitai_mock.comfyui_standin.prompt_stats import PromptStats
from civitai_mock.comfyui_standin.state.files import FileStore
from civitai_mock.comfyui_standin.state.installation import Installation
from civitai_mock.comfyui_standin.state.models import ModelFolders
from civitai_mock.comfyui_standin.state.queue import QueueItem
from civitai_mock.comfyui_standin.state.user_data import UserData
from civitai_mock.comfyui_standin.validation.definitions import Definitions, NodeDefinition
from civitai_mock.comfyui_standin.validation.input_checks import SELF_CHECKED
from civitai_mock.comfyui_standin.validation.validate import Rules
from civitai_mock.comfyui_standin.websockets import Hub
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.drawing.pixels.graph_images import GraphImages
from civitai_mock.drawing.png import Draw
from civitai_mock.generation.comfyui_facts import STREAMING_CLASS
from civitai_mock.ports import Clock

NEVER_THE_SAME = frozenset({STREAMING_CLASS})


@dataclass(frozen=True, slots=True, kw_only=True)
class StandinState:
    """What stays when the server is restarted."""

    clock: Clock
    installation: Installation
    draw: Draw
    options: StandinOptions
    faults: FaultControl
    files: FileStore
    ledger: PromptStats
    user_data: UserData

    @property
    def definitions(self) -> Definitions:
        return self.installation.nodes.all

    @property
    def models(self) -> ModelFolders:
        return self.installation.models

    @property
    def rules(self) -> Rules:
        return Rules(
            definitions=self.definitions,
            listing=self.listing,
            file_exists=lambda name: self.files.named(name) is not None,
            accept_any_model=self.options.accept_any_model,
        )

    def listing(self, folder: str) -> list[str]:
        """The names in one of ComfyUI's folders, as they are now."""
        match folder:
            case "input":
                return list(self.files.names("input"))
            case "input subfolders":
                return list(self.files.subfolders("input"))
            case "input 3d":
                folders = [name for name in self.files.subfolders("input") if name == "3d" or name.startswith("3d/")]
                return [f"{folder}/{name}" for folder in folders for name in self.files.names("input", folder)]
            case "output":
                return [f"{name} [output]" for name in self.files.names("output")]
        return self.models.files(folder)

    def darkroom(self) -> OutputWriter:
        metadata = self.options.metadata
        return OutputWriter(clock=self.clock, draw=self.draw, files=self.files, faults=self.faults, metadata=metadata)

    def change_mark(self, class_type: str, inputs: Mapping[str, Any]) -> str | None:
        """For the node cache: files count by their bytes, and some nodes are never the same twice."""
        if class_type in NEVER_THE_SAME:
            return None
        for checked, name in SELF_CHECKED:
            if checked == class_type:
                found = self.files.named(str(inputs.get(name)))
                return found[1].digest if found else None
        return ""

    async def pause(self, seconds: float) -> None:
        """Simulated work; without any, others get their turn."""
        await self.faults.until(lambda faults: not faults.stuck)
        await (self.clock.sleep(seconds) if seconds > 0 else asyncio.sleep(0))


class PromptMessages:
    """Speaks to the prompt's client; some things everybody hears if there is no client."""

    def __init__(self, *, hub: Hub, prompt_id: str, client_id: str | None, now: Callable[[], datetime]) -> None:
        self.prompt_id = prompt_id
        self.client_id = client_id
        self.recorded: list[Json] = []
        self._hub = hub
        self._now = now

    def record(self, kind: str, fields: JsonObject, *, for_everybody: bool = False) -> None:
        """A milestone: with its time, and into history."""
        stamped: JsonObject = {"prompt_id": self.prompt_id, **fields, "timestamp": milliseconds(self._now())}
        self.recorded.append([kind, stamped])
        if for_everybody:
            self.tell(ServerMessage(kind, stamped))
        else:
            self.tell_client(ServerMessage(kind, stamped))

    def tell(self, message: Said) -> None:
        self._hub.tell(message, self.client_id)

    def tell_client(self, message: ServerMessage) -> None:
        if self.client_id is not None:
            self.tell(message)

    def show(self, image: PreviewFrame) -> None:
        self._hub.show(image, self.client_id)

    @property
    def client_knows_metadata(self) -> bool:
        return self._hub.knows_metadata(self.client_id)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    workshop: StandinState
    darkroom: OutputWriter
    item: QueueItem
    images: GraphImages
    voice: PromptMessages
    board: ProgressBoard
    interrupt: Interrupt

    def node(self, node_id: str) -> "RunningNode":
        node = self.item.graph[node_id]
        definition = self.workshop.definitions[node["class_type"]]
        return RunningNode(id=node_id, definition=definition, inputs=node["inputs"])


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningNode:
    """An accepted node, with its links as they came."""

    id: str
    definition: NodeDefinition
    inputs: dict[str, Any]

    @property
    def class_type(self) -> str:
        return self.definition.name
