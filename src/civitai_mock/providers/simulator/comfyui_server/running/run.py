"""One prompt on its way through its nodes."""

from enum import StrEnum

from civitai_mock.domain.json import Json, JsonObject
from civitai_mock.providers.simulator.comfyui_server.keeping.history import without_secrets
from civitai_mock.providers.simulator.comfyui_server.ledger import PromptFacts
from civitai_mock.providers.simulator.comfyui_server.running.cache import Made, NodeCache, UiOutput
from civitai_mock.providers.simulator.comfyui_server.running.calls import call_of
from civitai_mock.providers.simulator.comfyui_server.running.failures import NodeFailedError
from civitai_mock.providers.simulator.comfyui_server.running.node_work import work_at
from civitai_mock.providers.simulator.comfyui_server.running.order import RunOrder
from civitai_mock.providers.simulator.comfyui_server.running.scene import Interrupted, Node, Scene
from civitai_mock.providers.simulator.comfyui_server.talking import messages


class Ending(StrEnum):
    SUCCESS = "success"
    ERROR = "error"
    INTERRUPTED = "interrupted"


class Run:
    """`last_node` is what a client that connects in the middle is told."""

    def __init__(self, *, scene: Scene, cache: NodeCache, facts: PromptFacts) -> None:
        self.item = scene.item
        self.last_node: str | None = None
        self._scene = scene
        self._voice = scene.voice
        self._cache = cache
        self._facts = facts
        self._executed: list[str] = []

    @property
    def client_id(self) -> str | None:
        return self._voice.client_id

    async def run(self) -> Ending:
        """Raise for a graph that ComfyUI's worker would die of."""
        self._facts.started += 1
        self._voice.record("execution_start", {})
        self._cache.open(self.item.graph)
        cached: list[Json] = [node_id for node_id in self.item.graph if self._cache.get(node_id)]
        self._voice.record("execution_cached", {"nodes": cached})
        ending = await self._through(self._order())
        self.last_node = None
        return ending

    def _order(self) -> RunOrder:
        definitions = self._scene.workshop.definitions
        return RunOrder(
            self.item.graph,
            self.item.outputs,
            is_cached=lambda node_id: self._cache.get(node_id) is not None,
            is_output=lambda node_id: definitions[self.item.graph[node_id]["class_type"]].is_output,
        )

    async def _through(self, order: RunOrder) -> Ending:
        while (node_id := order.take()) is not None:
            node = self._scene.node(node_id)
            try:
                await self._pass(node)
            except NodeFailedError as failure:
                self._voice.record("execution_error", self._failed_at(node, failure))
                return Ending.ERROR
            except Interrupted:
                self._voice.record("execution_interrupted", self._stopped_at(node), for_everybody=True)
                return Ending.INTERRUPTED
            order.done(node_id)
        self._voice.record("execution_success", {})
        return Ending.SUCCESS

    def _stopped_at(self, node: Node) -> JsonObject:
        return {"node_id": node.id, "node_type": node.class_type, "executed": [*self._executed]}

    def _failed_at(self, node: Node, failure: NodeFailedError) -> JsonObject:
        return {
            **self._stopped_at(node),
            "exception_message": failure.message,
            "exception_type": failure.type,
            "traceback": [f"  in {node.class_type}\n"],
            "current_inputs": call_of(node, self.item) if failure.inputs_known else {},
            "current_outputs": [*self.item.graph],
        }

    async def _pass(self, node: Node) -> None:
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

    async def _make(self, node: Node) -> None:
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


def _meta(node_id: str) -> JsonObject:
    return {"node_id": node_id, "display_node": node_id, "parent_node": None, "real_node_id": node_id}
