"""Run one prompt, node by node, to its end."""

import asyncio
from enum import StrEnum
from typing import Any

from civitai_mock.comfyui_standin import messages
from civitai_mock.comfyui_standin.execution.failures import NodeFailedError, PromptInterrupted
from civitai_mock.comfyui_standin.execution.graph import RunOrder, is_link
from civitai_mock.comfyui_standin.execution.node_cache import NodeCache, NodeResult, UiOutput
from civitai_mock.comfyui_standin.execution.nodes import run_node
from civitai_mock.comfyui_standin.execution.run_context import RunContext, RunningNode
from civitai_mock.comfyui_standin.state.prompt_stats import PromptFacts
from civitai_mock.comfyui_standin.state.queue import QueueItem, without_secrets
from civitai_mock.domain.json_types import Json, JsonObject


class RunOutcome(StrEnum):
    """Says how a run ended, in the words of GET /standin."""

    SUCCESS = "success"
    ERROR = "error"
    INTERRUPTED = "interrupted"


class DeadlyPromptError(Exception):
    """ComfyUI accepts such a prompt, and its worker thread dies of it."""


class PromptRun:
    """Runs one prompt; `last_node` is what a client that connects in the middle is sent."""

    def __init__(self, *, context: RunContext, cache: NodeCache, facts: PromptFacts) -> None:
        self.item = context.item
        self.last_node: str | None = None
        self._context = context
        self._messages = context.messages
        self._cache = cache
        self._facts = facts
        self._node: RunningNode | None = None
        self._executed: list[str] = []

    @property
    def client_id(self) -> str | None:
        return self._messages.client_id

    async def run(self) -> RunOutcome:
        """Run to the end; what goes wrong ends this prompt and no other.

        While the fault `mortal` is on, raise `DeadlyPromptError` for what ComfyUI's worker dies of: all that goes
        wrong before the first node begins.
        """
        self._facts.started += 1
        try:
            check_extra_data(self.item.extra_data)
            self._messages.record("execution_start", {})
            await self._run_nodes(self._open_cache())
        except PromptInterrupted:
            self._messages.record("execution_interrupted", self._stopped_fields(), for_everybody=True)
            return RunOutcome.INTERRUPTED
        except Exception as error:
            failure = NodeFailedError.of(error)
            if self._node is None and failure is not error and self._context.state.faults.current.mortal:
                raise DeadlyPromptError(str(error)) from error
            self._messages.record("execution_error", self._error_fields(failure))
            return RunOutcome.ERROR
        finally:
            self.last_node = None
            self._context.images.stop()
        self._messages.record("execution_success", {})
        return RunOutcome.SUCCESS

    def history_entry(self, outcome: RunOutcome) -> JsonObject:
        """Return the entry, with what every node of the graph has to show, also after an error."""
        ui_outputs = self._cache.ui_outputs(self.item.graph)
        item = self.item._replace(extra_data=without_secrets(self.item.extra_data))
        is_success = outcome is RunOutcome.SUCCESS
        status: JsonObject = {
            "status_str": "success" if is_success else "error",
            "completed": is_success,
            "messages": self._messages.recorded,
        }
        return {
            "prompt": item.wire,
            "outputs": {node_id: ui.output for node_id, ui in ui_outputs.items()},
            "status": status,
            "meta": {node_id: ui.meta for node_id, ui in ui_outputs.items()},
        }

    def _open_cache(self) -> RunOrder:
        graph, definitions = self.item.graph, self._context.state.definitions
        self._cache.open(graph)
        cached: list[Json] = [node_id for node_id in graph if self._cache.get(node_id)]
        self._messages.record("execution_cached", {"nodes": cached})
        return RunOrder(
            graph,
            self.item.outputs,
            is_cached=lambda node_id: self._cache.get(node_id) is not None,
            is_output=lambda node_id: definitions[graph[node_id]["class_type"]].is_output,
        )

    async def _run_nodes(self, order: RunOrder) -> None:
        while (node_id := order.take()) is not None:
            self._node = self._context.node(node_id)
            await self._run_or_reuse(self._node)
            order.mark_done(node_id)
            await asyncio.sleep(0)  # thousands of cached nodes hold up nobody else

    async def _run_or_reuse(self, node: RunningNode) -> None:
        progress, sender = self._context.progress, self._messages
        cached = self._cache.get(node.id)
        if cached is None:
            sender.send(progress.start(node.id))
            self.last_node = node.id if sender.client_id is not None else None
            sender.send_to_client(messages.executing(sender.prompt_id, node.id))
            await self._run(node)
            self._executed.append(node.id)
        else:
            output = cached.ui.output if cached.ui else None
            sender.send_to_client(messages.executed(sender.prompt_id, node.id, output))
        sender.send(progress.finish(node.id))

    async def _run(self, node: RunningNode) -> None:
        output = await run_node(self._context, node)
        self._facts.nodes_run += 1
        if output:
            self._messages.send_to_client(messages.executed(self._messages.prompt_id, node.id, output))
        self._cache.put(node.id, NodeResult(UiOutput(output=output, meta=_meta(node.id)) if output else None))

    def _stopped_fields(self) -> JsonObject:
        """Return the message of an interruption, without a node if none had begun."""
        node_id, node_type = (self._node.id, self._node.class_type) if self._node else (None, None)
        return {"node_id": node_id, "node_type": node_type, "executed": [*self._executed]}

    def _error_fields(self, failure: NodeFailedError) -> JsonObject:
        node = self._node
        return {
            **self._stopped_fields(),
            "exception_message": failure.message,
            "exception_type": failure.type,
            "traceback": [f"  in {node.class_type}\n"] if node else [],
            "current_inputs": current_inputs(node, self.item) if node and failure.inputs_known else {},
            "current_outputs": [*self.item.graph],
        }


def check_extra_data(extra_data: object) -> None:
    """Raise what ComfyUI raises when it looks for a client id before it begins."""
    if extra_data is None:
        raise TypeError("argument of type 'NoneType' is not iterable")
    client_id = extra_data.get("client_id") if isinstance(extra_data, dict) else None
    if isinstance(client_id, list | dict):
        raise TypeError(f"unhashable type: '{type(client_id).__name__}'")


def _meta(node_id: str) -> JsonObject:
    return {"node_id": node_id, "display_node": node_id, "parent_node": None, "real_node_id": node_id}


def current_inputs(node: RunningNode, item: QueueItem) -> JsonObject:
    """Return the inputs that `execution_error` shows; what came over a link, a tensor in ComfyUI, is only named."""
    shown: JsonObject = {}
    for name, value in node.inputs.items():
        if is_link(value):
            shown[name] = [f"<{name}>"]
        elif name in node.definition.inputs:
            shown[name] = [_json_value(value)]
    for name, kind in node.definition.hidden.items():
        shown[name] = [_json_value(_hidden_input(kind, node, item))]
    return shown


def _hidden_input(kind: str, node: RunningNode, item: QueueItem) -> Any:
    match kind:
        case "PROMPT":
            return item.graph
        case "UNIQUE_ID":
            return node.id
        case "EXTRA_PNGINFO" if isinstance(item.extra_data, dict):
            return item.extra_data.get("extra_pnginfo")
    return None


def _json_value(value: Any) -> Json:
    return value if value is None or isinstance(value, str | int | float) else str(value)
