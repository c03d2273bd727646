"""The registry of ecosystems, one adapter a file, beside its skeletons, and what each needs of a ComfyUI server."""

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
    """The adapter for a model, in any case of its AIR."""
    return ECOSYSTEMS.get((air.ecosystem or "").lower())


def is_model(air: Air) -> bool:
    """Whether it has to be of an ecosystem that is known here; upscalers, networks and so on go with several."""
    return (air.stated_type or CHECKPOINT) in MODEL_TYPES


def ecosystem_needs(skeletons: Mapping[str, Skeleton]) -> Mapping[str, GraphWork]:
    """By each name of an ecosystem, work that a server can do if it can do any of it: its model is a role, too."""
    return {name: _work(ecosystem, skeletons) for name, ecosystem in ECOSYSTEMS.items()}


def _work(ecosystem: Ecosystem, skeletons: Mapping[str, Skeleton]) -> GraphWork:
    models = {
        given: FileRole(name=f"{ecosystem.name} as {given}.safetensors", patterns=(pattern,))
        for given, pattern in ecosystem.model_files.items()
    }
    graph, *alternatives = [_graph(skeletons[name], models) for kind in ecosystem.kinds for name in kind.skeletons]
    return GraphWork(graph=graph, alternatives=tuple(alternatives), roles=(*ecosystem.roles, *models.values()))


def _graph(skeleton: Skeleton, models: Mapping[str, FileRole]) -> Graph:
    builder = GraphBuilder(skeleton)
    _, given = skeleton.slots["model"]
    builder.fill("model", models[given].name)
    return builder.build()
