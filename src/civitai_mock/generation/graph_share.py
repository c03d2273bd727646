"""How much of a graph's sampling is done."""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from civitai_mock.domain.json import Json, ReadOnlyJson

Inputs: TypeAlias = Mapping[str, Json]


def share_done(graph: ReadOnlyJson, node_id: str, *, step: int, steps: int) -> float:
    """0 to 1: of all samplers if they follow on one another, so that those before this node are done; else of it."""
    own = min(max(step / steps, 0.0), 1.0) if steps > 0 else 0.0
    samplers = {name: _weight(_inputs(graph, name)) for name in graph if "steps" in _inputs(graph, name)}
    before = {name: _above(graph, name) & samplers.keys() for name in samplers}
    if node_id not in samplers or not _is_chain(before):
        return round(own, 4)
    samplers[node_id] = steps
    done = sum(samplers[name] for name in before[node_id])
    return round((done + own * steps) / max(sum(samplers.values()), 1), 4)


def _is_chain(before: Mapping[str, frozenset[str]]) -> bool:
    """Each has another number of samplers above it, from none to all others."""
    return {len(above) for above in before.values()} == set(range(len(before)))


def _weight(inputs: Inputs) -> int:
    """The steps that a sampler takes; an advanced one takes a part of them."""
    steps = _number(inputs.get("steps"), 0)
    first, last = _number(inputs.get("start_at_step"), 0), _number(inputs.get("end_at_step"), steps)
    return max(min(last, steps) - first, 0)


def _above(graph: ReadOnlyJson, node_id: str) -> frozenset[str]:
    seen: set[str] = set()
    waiting = [node_id]
    while waiting:
        new = set(_links(_inputs(graph, waiting.pop()))) - seen
        seen |= new
        waiting.extend(new)
    return frozenset(seen - {node_id})


def _links(inputs: Inputs) -> Iterator[str]:
    for value in inputs.values():
        if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str):
            yield value[0]


def _inputs(graph: ReadOnlyJson, node_id: str) -> Inputs:
    node = graph.get(node_id)
    inputs = node.get("inputs") if isinstance(node, dict) else None
    return inputs if isinstance(inputs, dict) else {}


def _number(value: Json, otherwise: int) -> int:
    return value if isinstance(value, int) else otherwise
