"""Write into a PNG file, while it goes by, how its image was made."""

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
    """Before the pixels, where it is known which texts a file has; anything odd passes as it is.

    No more is held back than the beginning of one chunk.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._missing = dict(texts)
        self._pending = b""
        self._begun = False
        self._to_pass = 0
        self._finished = not texts

    def feed(self, data: bytes) -> bytes:
        """What can go on by now."""
        if self._finished:
            return data
        self._pending += data
        parts = []
        while part := self._next():
            parts.append(part)
        if self._finished:
            parts.append(self.rest())
        return b"".join(parts)

    def rest(self) -> bytes:
        """What was held back."""
        rest, self._pending = self._pending, b""
        return rest

    def _next(self) -> bytes:
        """Nothing while more has to be seen."""
        if self._finished:
            return b""
        if self._to_pass:
            return self._take(self._to_pass)
        return self._chunk() if self._begun else self._signature()

    def _signature(self) -> bytes:
        if len(self._pending) < len(SIGNATURE) and SIGNATURE.startswith(self._pending):
            return b""
        self._begun = self._pending.startswith(SIGNATURE)
        self._finished = not self._begun
        return b"" if self._finished else self._take(len(SIGNATURE))

    def _chunk(self) -> bytes:
        if len(self._pending) < HEADER_SIZE:
            return b""
        length, kind = int.from_bytes(self._pending[:4], "big"), self._pending[4:HEADER_SIZE]
        if kind in END_OF_TEXTS:
            self._finished = True
            return b"".join(text_chunk(keyword, text) for keyword, text in self._missing.items())
        if kind in TEXT_KINDS:
            seen = self._pending[HEADER_SIZE : HEADER_SIZE + min(length, LONGEST_KEYWORD + 1)]
            if len(seen) < min(length, LONGEST_KEYWORD + 1):
                return b""
            self._missing.pop(seen.partition(b"\0")[0].decode("latin-1"), None)
        self._to_pass = HEADER_SIZE + length + CHECKSUM_SIZE
        return self._take(self._to_pass)

    def _take(self, most: int) -> bytes:
        part, self._pending = self._pending[:most], self._pending[most:]
        self._to_pass = max(self._to_pass - len(part), 0)
        return part


def image_texts(graph: ReadOnlyJson, node_id: str) -> Mapping[str, str]:
    """By keyword, from the graph that was run; no parameters for an image that no sampler had a part in."""
    if not graph:
        return {}
    nodes = Nodes(graph)
    series = read_output(nodes, Link(node_id, 0), ImageBatches(nodes)) if node_id in nodes else None
    told = {PARAMETERS_KEYWORD: infotext(series)} if series is not None and series.passes else {}
    return {GRAPH_KEYWORD: json.dumps(graph), **told}


async def with_texts(content: AsyncIterator[bytes], texts: Mapping[str, str]) -> AsyncIterator[bytes]:
    """A PNG file with those of `texts` that it has not; of any other file the bytes as they are."""
    inserter = TextInserter(texts)
    async for data in content:
        if part := inserter.feed(data):
            yield part
    if rest := inserter.rest():
        yield rest
