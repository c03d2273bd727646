"""The simulator's painter, for a stand-in that shall give pictures worth looking at."""

from collections.abc import Mapping, Sequence

from civitai_mock.domain.json import ReadOnlyJson
from civitai_mock.generation.graph import Link
from civitai_mock.generation.reading.frames import Frames
from civitai_mock.generation.reading.nodes import Nodes
from civitai_mock.generation.reading.series import read_one
from civitai_mock.providers.simulator.comfyui_server.options import Draw
from civitai_mock.providers.simulator.drawing import draw
from civitai_mock.providers.simulator.profile import Pictures


def artist(pictures: Pictures) -> Draw:
    """Reads the graph, and draws every picture that one of its nodes gives out or shows."""

    def draw_all(graph: ReadOnlyJson, node_id: str, texts: Mapping[str, str]) -> Sequence[bytes]:
        nodes = Nodes(graph)
        series = read_one(nodes, Link(node_id, 0), Frames(nodes))
        return [draw(series, index, texts=texts, pictures=pictures) for index in range(series.frame.count)]

    return draw_all
