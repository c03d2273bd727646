"""How many steps a sampler node takes, read from the graph."""

from typing import Any

from civitai_mock.generation.graph_reader.facts import steps_between
from civitai_mock.providers.simulator.comfyui_server.running.graph_links import AnyGraph, is_link

SAMPLERS = frozenset({"KSampler", "KSamplerAdvanced", "SamplerCustom", "SamplerCustomAdvanced"})
DEFAULT_STEPS = 20
MOST_HOPS = 32


def steps_of(graph: AnyGraph, node_id: str) -> int:
    """0 where there is nothing to denoise."""
    inputs = graph[node_id]["inputs"]
    if is_link(inputs.get("sigmas")):
        return _steps_of_sigmas(graph, inputs["sigmas"][0])
    steps = _whole(inputs.get("steps"))
    if "end_at_step" in inputs:
        return steps_between(_whole(inputs.get("start_at_step", 0)), _whole(inputs["end_at_step"]), of=steps)
    return 0 if inputs.get("denoise") == 0 else steps


def _steps_of_sigmas(graph: AnyGraph, node_id: str) -> int:
    """Of the nearest node above that counts steps."""
    for _ in range(MOST_HOPS):
        inputs = graph[node_id]["inputs"]
        if "steps" in inputs:
            return _whole(inputs["steps"])
        above = [value[0] for value in inputs.values() if is_link(value)]
        if not above:
            break
        node_id = above[0]
    return DEFAULT_STEPS


def _whole(value: Any) -> int:
    return int(value) if isinstance(value, int | float) else DEFAULT_STEPS
