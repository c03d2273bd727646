"""Check graphs as a stock ComfyUI would, by the facts about its nodes that are in tests/data."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.support.paths import DATA

NODES: Mapping[str, Any] = json.loads((DATA / "comfyui_nodes.json").read_text("utf-8"))["nodes"]
# Nodes of packs that people add: comfyui_controlnet_aux, the WAS Node Suite and rembg-comfyui-node.
CUSTOM_NODES: Mapping[str, Any] = json.loads((DATA / "comfyui_custom_nodes.json").read_text("utf-8"))["nodes"]
EVERY_NODE: Mapping[str, Any] = {**NODES, **CUSTOM_NODES}
LITERAL_TYPES = {"INT", "FLOAT", "STRING", "ENUM"}


def faults(graph: Mapping[str, Any], nodes: Mapping[str, Any] = NODES) -> list[str]:
    """List everything that is wrong, each with the node and the input it is about; nothing for a good graph."""
    unknown = [
        f"{node_id}: unknown class {_class(node)}" for node_id, node in graph.items() if _class(node) not in nodes
    ]
    if unknown:
        return unknown
    found = [f"{node_id}.{fault}" for node_id in graph for fault in _input_faults(graph, node_id, nodes)]
    return found or [*_unreached(graph, nodes), *_cycles(graph)]


def links(node: Mapping[str, Any]) -> dict[str, tuple[str, int]]:
    """Return the inputs of a node that are links: to ComfyUI every list of two is one."""
    return {name: tuple(value) for name, value in node["inputs"].items() if _is_link(value)}


def _class(node: Mapping[str, Any]) -> str:
    return str(node.get("class_type"))


def _is_link(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2


def _input_faults(graph: Mapping[str, Any], node_id: str, nodes: Mapping[str, Any]) -> Iterator[str]:
    node, facts = graph[node_id], nodes[_class(graph[node_id])]
    inputs, known = node.get("inputs"), facts["required"] | facts["optional"]
    if not isinstance(inputs, dict):
        yield "inputs: missing"
        return
    yield from (f"{name}: required input is missing" for name in facts["required"] if name not in inputs)
    yield from (f"{name}: unknown input" for name in inputs if name not in known)
    for name in inputs.keys() & known.keys():
        fault = _value_fault(inputs[name], known[name], graph, nodes)
        if fault:
            yield f"{name}: {fault}"


def _value_fault(
    value: Any, expected: Mapping[str, Any], graph: Mapping[str, Any], nodes: Mapping[str, Any]
) -> str | None:
    if _is_link(value):
        return _link_fault(value, expected["type"], graph, nodes)
    if expected["type"].startswith("FILE:"):
        return None if isinstance(value, str) and value.strip() else "expected a file name"
    if expected["type"] not in LITERAL_TYPES:
        return f"expected a link to {expected['type']}"
    return _literal_fault(value, expected)


def _link_fault(link: list[Any], expected: str, graph: Mapping[str, Any], nodes: Mapping[str, Any]) -> str | None:
    node_id, output = link
    if node_id not in graph:
        return f"link to absent node {node_id}"
    outputs = nodes[_class(graph[node_id])]["outputs"]
    if not isinstance(output, int) or not 0 <= output < len(outputs):
        return f"{node_id} has no output {output}"
    return None if outputs[output] == expected else f"expected {expected}, linked to {outputs[output]}"


def _literal_fault(value: Any, expected: Mapping[str, Any]) -> str | None:
    match expected["type"]:
        case "STRING":
            return None if isinstance(value, str) else "expected a text"
        case "ENUM":
            return None if value in expected["options"] else f"{value!r} is not an option"
        case "INT":
            fits = isinstance(value, int)
        case _:
            fits = isinstance(value, int | float)
    if not fits or isinstance(value, bool):
        return f"{value!r} is not of type {expected['type']}"
    return None if expected["min"] <= value <= expected["max"] else f"{value} is out of range"


def _unreached(graph: Mapping[str, Any], nodes: Mapping[str, Any]) -> list[str]:
    reached: set[str] = set()
    waiting = [node_id for node_id, node in graph.items() if nodes[_class(node)]["output_node"]]
    if not waiting:
        return ["graph: no output node"]
    while waiting:
        node_id = waiting.pop()
        if node_id not in reached:
            reached.add(node_id)
            waiting += [target for target, _ in links(graph[node_id]).values()]
    return [f"{node_id}: no output node needs it" for node_id in graph if node_id not in reached]


def _cycles(graph: Mapping[str, Any]) -> list[str]:
    """List the nodes that are left when all whose links are settled are taken away, again and again."""
    open_ids = set(graph)
    while settled := {one for one in open_ids if not {target for target, _ in links(graph[one]).values()} & open_ids}:
        open_ids -= settled
    return [f"{node_id}: part of a cycle" for node_id in graph if node_id in open_ids]
