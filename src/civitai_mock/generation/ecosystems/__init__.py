"""The registry of ecosystems: each has a module and its skeletons, and needs files of a ComfyUI server."""

from collections.abc import Mapping

from civitai_mock.domain.air import Air
from civitai_mock.generation.ecosystems.ecosystem import CHECKPOINT, Ecosystem
from civitai_mock.generation.ecosystems.flux1 import FLUX1
from civitai_mock.generation.ecosystems.sd1 import SD1
from civitai_mock.generation.ecosystems.sdxl import SDXL
from civitai_mock.generation.graph import Graph, Skeleton
from civitai_mock.generation.graph_builder import GraphBuilder
from civitai_mock.generation.work import FileRole, GraphWork

ADAPTERS = (SD1, SDXL, FLUX1)

ECOSYSTEMS: Mapping[str, Ecosystem] = {
    name: adapter for adapter in ADAPTERS for name in (adapter.name, *adapter.aliases)
}
MODEL_TYPES = frozenset[str]().union(*(adapter.model_types for adapter in ADAPTERS))


def find_ecosystem(air: Air) -> Ecosystem | None:
    """Return the ecosystem of a model, in any case of its AIR."""
    return ECOSYSTEMS.get((air.ecosystem or "").lower())


def is_model(air: Air) -> bool:
    """Return whether an AIR names a model, which has an ecosystem; upscalers, networks and so on go with several."""
    return (air.stated_type or CHECKPOINT) in MODEL_TYPES


def ecosystem_needs(skeletons: Mapping[str, Skeleton]) -> Mapping[str, GraphWork]:
    """Return, by each name of an ecosystem, work that a server can do if it can do any of that ecosystem.

    The model of the graph is a role, too.
    """
    return {name: _work(ecosystem, skeletons) for name, ecosystem in ECOSYSTEMS.items()}


def _work(ecosystem: Ecosystem, skeletons: Mapping[str, Skeleton]) -> GraphWork:
    models = {
        input_name: FileRole(name=f"{ecosystem.name} as {input_name}.safetensors", patterns=(pattern,))
        for input_name, pattern in ecosystem.model_files.items()
    }
    graph, *alternatives = [_graph(skeletons[name], models) for kind in ecosystem.kinds for name in kind.skeletons]
    return GraphWork(graph=graph, alternatives=tuple(alternatives), roles=(*ecosystem.roles, *models.values()))


def _graph(skeleton: Skeleton, models: Mapping[str, FileRole]) -> Graph:
    builder = GraphBuilder(skeleton)
    _, input_name = skeleton.slots["model"]
    builder.fill("model", models[input_name].name)
    return builder.build()
