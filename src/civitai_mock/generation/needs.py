"""What a server has to have to be of use for an ecosystem."""

from collections.abc import Mapping

from civitai_mock.generation.draft import Draft
from civitai_mock.generation.ecosystem import Ecosystem
from civitai_mock.generation.ecosystems import ECOSYSTEMS
from civitai_mock.generation.graph import Graph
from civitai_mock.generation.skeleton import Skeleton
from civitai_mock.generation.work import FileRole, GraphWork


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
    draft = Draft(skeleton)
    _, given = skeleton.slots["model"]
    draft.fill("model", models[given].name)
    return draft.graph()
