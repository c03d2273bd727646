"""Draw graphs of any core nodes that fit together, with one or two output nodes at their ends."""

from typing import Any

from hypothesis import strategies as st

from civitai_mock.comfyui_standin.validation.definitions import InputDefinition, NodeDefinition, read_definitions
from tests.support.comfy_graphs import Graph, node
from tests.support.pixel_graphs import FILES
from tests.support.standin import MODELS

LITERALS = frozenset({"INT", "FLOAT", "BOOLEAN", "STRING", "COMBO", "*"})


def _literal(draw: st.DrawFn, entry: InputDefinition) -> Any:
    if entry.folder == "input":
        return draw(st.sampled_from(list(FILES)))
    choices = entry.options(lambda folder: MODELS.get(folder, ()))
    if choices:
        return draw(st.sampled_from(choices))
    low, high = entry.extra.get("min"), entry.extra.get("max")
    match entry.type:
        case "INT":
            ends = [low if isinstance(low, int) else 0, high if isinstance(high, int) else 4096, 1, 7, 64]
            return draw(st.sampled_from(ends))
        case "FLOAT":
            return draw(st.sampled_from([low if low is not None else 0.0, 1.0, high if high is not None else 1e9]))
        case "BOOLEAN":
            return draw(st.booleans())
    return draw(st.sampled_from(["", "x", "a/b", "2"]))


@st.composite
def core_graphs(draw: st.DrawFn) -> Graph:
    definitions = read_definitions()
    graph: Graph = {}
    made: dict[str, list[list[Any]]] = {}

    def add(definition: NodeDefinition) -> None:
        node_id, inputs = str(len(graph)), dict[str, Any]()
        for entry in definition.inputs.values():
            links = made.get(entry.type or "", [])
            if links and (entry.required or draw(st.booleans())):
                inputs[entry.name] = draw(st.sampled_from(links))
            elif entry.required:
                inputs[entry.name] = _literal(draw, entry)
        graph[node_id] = node(definition.name, **inputs)
        for output, kind in enumerate(definition.outputs):
            made.setdefault(str(kind), []).append([node_id, output])

    def fits(definition: NodeDefinition) -> bool:
        wanted = {entry.type for entry in definition.inputs.values() if entry.required and entry.type}
        return all(kind in LITERALS or kind in made for kind in wanted)

    for start in ("CheckpointLoaderSimple", "LoadImage", "EmptyLatentImage", "EmptyAudio"):
        add(definitions[start])
    for _ in range(draw(st.integers(1, 6))):
        fitting = [name for name, each in definitions.items() if not each.is_output and fits(each)]
        add(definitions[draw(st.sampled_from(sorted(fitting)))])
    for _ in range(draw(st.integers(1, 2))):
        fitting = [name for name, each in definitions.items() if each.is_output and fits(each)]
        add(definitions[draw(st.sampled_from(sorted(fitting)))])
    return graph
