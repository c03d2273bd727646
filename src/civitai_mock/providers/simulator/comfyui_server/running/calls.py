"""What a node was called with, as an error tells it."""

from typing import Any

from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.providers.simulator.comfyui_server.keeping.item import QueueItem
from civitai_mock.providers.simulator.comfyui_server.running.graph_links import is_link
from civitai_mock.providers.simulator.comfyui_server.running.scene import Node


def call_of(node: Node, item: QueueItem) -> JsonObject:
    """What came over a link is only named: the real one prints tensors here."""
    told: JsonObject = {}
    for name, value in node.inputs.items():
        if is_link(value):
            told[name] = [f"<{name}>"]
        elif name in node.definition.inputs:
            told[name] = [_told(value)]
    hidden: JsonObject = {name: [_told(_hidden(kind, node, item))] for name, kind in node.definition.hidden.items()}
    return {**told, **hidden}


def _hidden(kind: str, node: Node, item: QueueItem) -> Any:
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
