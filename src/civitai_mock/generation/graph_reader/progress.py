"""Tell how much of the sampling of a graph is done."""

from collections.abc import Mapping
from itertools import islice

from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.generation.graph_reader.nodes import Nodes
from civitai_mock.generation.graph_reader.samplers import steps_of

MOST_SAMPLERS = 100  # each is looked for above each other


def fraction_done(graph: ReadOnlyJson, node_id: str, *, step: int, steps: int) -> float:
    """Return the fraction of sampling done (0 to 1).

    It is that of the whole graph if its samplers form a chain, so that those before this node are done, else that of
    this node.
    """
    own = min(max(step / steps, 0.0), 1.0) if steps > 0 else 0.0
    nodes = Nodes(graph)
    samplers = _samplers(nodes)
    if len(samplers) > MOST_SAMPLERS:
        return round(own, 4)
    before = {name: {*nodes.upstream(name)} & samplers.keys() - {name} for name in samplers}
    if node_id not in samplers or not _is_chain(before):
        return round(own, 4)
    samplers[node_id] = steps
    done = sum(samplers[name] for name in before[node_id])
    return round((done + own * steps) / max(sum(samplers.values()), 1), 4)


def _samplers(nodes: Nodes) -> dict[str, int]:
    """Return the steps of each sampler."""
    linked = ((name, link) for name in nodes if (link := _noise_levels(nodes, name)) is not None)
    noise_levels = dict(islice(linked, MOST_SAMPLERS + 1))
    schedulers = {node_id for link in noise_levels.values() for node_id in nodes.upstream(link)}
    plain = {name for name in nodes if "steps" in nodes.inputs(name)} - schedulers
    return {name: steps_of(nodes, name) or 0 for name in (*plain, *noise_levels)}


def _noise_levels(nodes: Nodes, name: str) -> str | None:
    return nodes.linked(name, ("sigmas",)) if "latent_image" in nodes.inputs(name) else None


def _is_chain(before: Mapping[str, set[str]]) -> bool:
    """Return whether each has another number of samplers above it, from none to all others."""
    return {len(above) for above in before.values()} == set(range(len(before)))
