"""What is written into a picture about how it was made."""

import json
from collections.abc import AsyncIterator, Mapping

from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.generation.graph import Link
from civitai_mock.generation.graph_reader.image_batches import ImageBatches
from civitai_mock.generation.graph_reader.nodes import Nodes
from civitai_mock.generation.graph_reader.output_images import read_output
from civitai_mock.generation.graph_reader.png_metadata import GRAPH_CHUNK, PARAMETERS_CHUNK, parameters
from civitai_mock.providers.comfyui.protocol.png_texts import TextInserter


def picture_texts(graph: ReadOnlyJson, node_id: str) -> Mapping[str, str]:
    """By keyword, from the graph that was run; no parameters for a picture that no sampler had a part in."""
    if not graph:
        return {}
    nodes = Nodes(graph)
    series = read_output(nodes, Link(node_id, 0), ImageBatches(nodes)) if node_id in nodes else None
    told = {PARAMETERS_CHUNK: parameters(series)} if series is not None and series.passes else {}
    return {GRAPH_CHUNK: json.dumps(graph), **told}


async def with_texts(content: AsyncIterator[bytes], texts: Mapping[str, str]) -> AsyncIterator[bytes]:
    """A PNG file with those of `texts` that it has not; of any other file the bytes as they are."""
    inserter = TextInserter(texts)
    async for data in content:
        if part := inserter.feed(data):
            yield part
    if rest := inserter.rest():
        yield rest
