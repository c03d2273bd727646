"""Run one prompt, node by node, to its end."""

import asyncio
from enum import StrEnum
from typing import Any

from civitai_mock.comfyui_standin import messages
from civitai_mock.comfyui_standin.execution.failures import NodeFailedError
from civitai_mock.comfyui_standin.execution.graph_links import is_link
from civitai_mock.comfyui_standin.execution.interrupt import PromptInterrupted
from civitai_mock.comfyui_standin.execution.node_cache import Made, NodeCache, UiOutput
from civitai_mock.comfyui_standin.execution.nodes import work_at
from civitai_mock.comfyui_standin.execution.order import RunOrder
from civitai_mock.comfyui_standin.execution.run_context import RunContext, RunningNode
from civitai_mock.comfyui_standin.prompt_stats import PromptFacts
from civitai_mock.comfyui_standin.state.queue import QueueItem, without_secrets
from civitai_mock.domain.json_types import Json, JsonObject


def call_of(node: RunningNode, item: QueueItem) -> JsonObject:
    """What came over a link is only named: the real one prints tensors here."""
    told: JsonObject = {}
    for name, value in node.inputs.items():
        if is_link(value):
            told[name] = [f"<{name}>"]
        elif name in node.definition.inputs:
            told[name] = [_told(value)]
    hidden: JsonObject = {name: [_told(_hidden(kind, node, item))] for name, kind in node.definition.hidden.items()}
    return {**told, **hidden}


def _hidden(kind: str, node: RunningNode, item: QueueItem) -> Any:
    match kind:
        case "PROMPT":
            return item.graph
        case "UNIQUE_ID":
            return node.id
        case "EXTRA_PNGINFO" if isinstance(item.extra_data, dict):
            return item.extra_data.get("extra_pnginfo")
    return None


def _told(value: Any) -> Json:
    return value if value is None or isinstance(value, str | int | float) else str(value)


class Ending(StrEnum):
    SUCCESS = "success"
    ERROR = "error"
    INTERRUPTED = "interrupted"


class DeadlyPromptError(Exception):
    """ComfyUI accepts such a prompt, and its worker thread dies of it."""


class PromptRun:
    """`last_node` is what a client that connects in the middle is told."""

    def __init__(self, *, scene: RunContext, cache: NodeCache, facts: PromptFacts) -> None:
        self.item = scene.item
        self.last_node: str | None = None
        self._scene = scene
        self._voice = scene.voice
        self._cache = cache
        self._facts = facts
        self._node: RunningNode | None = None
        self._executed: list[str] = []

    @property
    def client_id(self) -> str | None:
        return self._voice.client_id

    async def run(self) -> Ending:
        """What goes wrong ends this prompt and no other.

        While the fault `mortal` is on, raise `DeadlyPromptError` for what ComfyUI's worker dies of: all that goes
        wrong before there is a node at work.
        """
        self._facts.started += 1
        try:
            check_extra_data(self.item.extra_data)
            self._voice.record("execution_start", {})
            await self._through(self._opened())
        except PromptInterrupted:
            self._voice.record("execution_interrupted", self._stopped(), for_everybody=True)
            return Ending.INTERRUPTED
        except Exception as error:
            failure = NodeFailedError.of(error)
            if self._node is None and failure is not error and self._scene.workshop.faults.now.mortal:
                raise DeadlyPromptError(str(error)) from error
            self._voice.record("execution_error", self._failed(failure))
            return Ending.ERROR
        finally:
            self.last_node = None
            self._scene.images.stop()
        self._voice.record("execution_success", {})
        return Ending.SUCCESS

    def _opened(self) -> RunOrder:
        self._cache.open(self.item.graph)
        cached: list[Json] = [node_id for node_id in self.item.graph if self._cache.get(node_id)]
        self._voice.record("execution_cached", {"nodes": cached})
        return self._order()

    def _order(self) -> RunOrder:
        definitions = self._scene.workshop.definitions
        return RunOrder(
            self.item.graph,
            self.item.outputs,
            is_cached=lambda node_id: self._cache.get(node_id) is not None,
            is_output=lambda node_id: definitions[self.item.graph[node_id]["class_type"]].is_output,
        )

    async def _through(self, order: RunOrder) -> None:
        while (node_id := order.take()) is not None:
            self._node = self._scene.node(node_id)
            await self._pass(self._node)
            order.done(node_id)
            await asyncio.sleep(0)  # thousands of nodes that are cached hold up nobody else

    def _stopped(self) -> JsonObject:
        """Return the message of an interruption, without a node if none had begun."""
        node_id, node_type = (self._node.id, self._node.class_type) if self._node else (None, None)
        return {"node_id": node_id, "node_type": node_type, "executed": [*self._executed]}

    def _failed(self, failure: NodeFailedError) -> JsonObject:
        node = self._node
        return {
            **self._stopped(),
            "exception_message": failure.message,
            "exception_type": failure.type,
            "traceback": [f"  in {node.class_type}\n"] if node else [],
            "current_inputs": call_of(node, self.item) if node and failure.inputs_known else {},
            "current_outputs": [*self.item.graph],
        }

    async def _pass(self, node: RunningNode) -> None:
        board, voice = self._scene.board, self._voice
        made = self._cache.get(node.id)
        if made is None:
            voice.tell(board.start(node.id))
            self.last_node = node.id if voice.client_id is not None else None
            voice.tell_client(messages.executing(voice.prompt_id, node.id))
            await self._make(node)
            self._executed.append(node.id)
        else:
            voice.tell_client(messages.executed(voice.prompt_id, node.id, made.ui.output if made.ui else None))
        voice.tell(board.finish(node.id))

    async def _make(self, node: RunningNode) -> None:
        shown = await work_at(self._scene, node)
        self._facts.nodes_run += 1
        if shown:
            self._voice.tell_client(messages.executed(self._voice.prompt_id, node.id, shown))
        self._cache.put(node.id, Made(UiOutput(output=shown, meta=_meta(node.id)) if shown else None))

    def history_entry(self, ending: Ending) -> JsonObject:
        """With what every node of the graph has to show, also after an error."""
        shown = self._cache.shown(self.item.graph)
        item = self.item._replace(extra_data=without_secrets(self.item.extra_data))
        is_success = ending is Ending.SUCCESS
        status: JsonObject = {
            "status_str": "success" if is_success else "error",
            "completed": is_success,
            "messages": self._voice.recorded,
        }
        return {
            "prompt": item.wire,
            "outputs": {node_id: ui.output for node_id, ui in shown.items()},
            "status": status,
            "meta": {node_id: ui.meta for node_id, ui in shown.items()},
        }


def check_extra_data(extra_data: object) -> None:
    """ComfyUI looks into it for a client id, and looks a client up by it, before it begins."""
    if extra_data is None:
        raise TypeError("argument of type 'NoneType' is not iterable")
    client_id = extra_data.get("client_id") if isinstance(extra_data, dict) else None
    if isinstance(client_id, list | dict):
        raise TypeError(f"unhashable type: '{type(client_id).__name__}'")


def _meta(node_id: str) -> JsonObject:
    return {"node_id": node_id, "display_node": node_id, "parent_node": None, "real_node_id": node_id}
