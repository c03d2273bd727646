"""Insert into a PNG stream the texts that say how its image was made: its graph and its parameters."""

import json
from collections.abc import AsyncIterator, Mapping

from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.domain.png import (
    CHECKSUM_SIZE,
    HEADER_SIZE,
    LONGEST_KEYWORD,
    SIGNATURE,
    TEXT_KINDS,
    text_chunk,
)
from civitai_mock.generation.comfyui_facts import GRAPH_KEYWORD
from civitai_mock.generation.graph import Link
from civitai_mock.generation.graph_reader.image_batches import ImageBatches
from civitai_mock.generation.graph_reader.infotext import (
    PARAMETERS_KEYWORD,
    infotext,
)
from civitai_mock.generation.graph_reader.nodes import Nodes
from civitai_mock.generation.graph_reader.output_images import read_output

END_OF_TEXTS = frozenset({b"IDAT", b"IEND"})


class TextInserter:
    """Inserts texts before the pixels, where it is known which texts a file has; anything odd passes as it is.

    It holds back no more than the beginning of one chunk.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._missing = dict(texts)
        self._pending = b""
        self._is_png = False
        self._bytes_to_pass = 0
        self._is_finished = not texts

    def feed(self, data: bytes) -> bytes:
        """Take in bytes, and return those that can go on by now."""
        if self._is_finished:
            return data
        self._pending += data
        parts = []
        while part := self._take_next():
            parts.append(part)
        if self._is_finished:
            parts.append(self.rest())
        return b"".join(parts)

    def rest(self) -> bytes:
        """Return what is held back; the stream has ended."""
        rest, self._pending = self._pending, b""
        return rest

    def _take_next(self) -> bytes:
        """Return the next bytes that can go on, or none while more must be seen first."""
        if self._is_finished:
            return b""
        if self._bytes_to_pass:
            return self._take(self._bytes_to_pass)
        return self._take_chunk() if self._is_png else self._take_signature()

    def _take_signature(self) -> bytes:
        if len(self._pending) < len(SIGNATURE) and SIGNATURE.startswith(self._pending):
            return b""
        self._is_png = self._pending.startswith(SIGNATURE)
        self._is_finished = not self._is_png
        return b"" if self._is_finished else self._take(len(SIGNATURE))

    def _take_chunk(self) -> bytes:
        if len(self._pending) < HEADER_SIZE:
            return b""
        length, kind = int.from_bytes(self._pending[:4], "big"), self._pending[4:HEADER_SIZE]
        if kind in END_OF_TEXTS:
            self._is_finished = True
            return b"".join(text_chunk(keyword, text) for keyword, text in self._missing.items())
        if kind in TEXT_KINDS:
            seen = self._pending[HEADER_SIZE : HEADER_SIZE + min(length, LONGEST_KEYWORD + 1)]
            if len(seen) < min(length, LONGEST_KEYWORD + 1):
                return b""
            self._missing.pop(seen.partition(b"\0")[0].decode("latin-1"), None)
        self._bytes_to_pass = HEADER_SIZE + length + CHECKSUM_SIZE
        return self._take(self._bytes_to_pass)

    def _take(self, most: int) -> bytes:
        part, self._pending = self._pending[:most], self._pending[most:]
        self._bytes_to_pass = max(self._bytes_to_pass - len(part), 0)
        return part


def image_texts(graph: ReadOnlyJson, node_id: str) -> Mapping[str, str]:
    """Return by keyword the texts for an image of the graph that was run; parameters only if a sampler made it."""
    if not graph:
        return {}
    nodes = Nodes(graph)
    images = read_output(nodes, Link(node_id, 0), ImageBatches(nodes)) if node_id in nodes else None
    made = {PARAMETERS_KEYWORD: infotext(images)} if images is not None and images.passes else {}
    return {GRAPH_KEYWORD: json.dumps(graph), **made}


async def with_texts(content: AsyncIterator[bytes], texts: Mapping[str, str]) -> AsyncIterator[bytes]:
    """Yield a PNG file with those of `texts` that it lacks, and any other file as it is."""
    inserter = TextInserter(texts)
    async for data in content:
        if part := inserter.feed(data):
            yield part
    if rest := inserter.rest():
        yield rest
