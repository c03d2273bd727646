"""The writer of output files: it draws the images of prompts and saves them in the output or the temp folder."""

import json
import random
import string
from collections.abc import Mapping, Sequence
from dataclasses import field

from civitai_mock.comfyui_standin.execution.failures import Interrupt, NodeFailedError
from civitai_mock.comfyui_standin.faults import FaultControl
from civitai_mock.comfyui_standin.state.files import FilePlace, FileStore, OutsideFolderError, SaveName, expand_prefix
from civitai_mock.comfyui_standin.state.queue import QueueItem
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import Json
from civitai_mock.drawing.drawn_images import Draw
from civitai_mock.drawing.outputs.output_context import Files, OutputContext
from civitai_mock.drawing.pixels.graph_images import GraphImages
from civitai_mock.generation.comfyui_facts import GRAPH_KEYWORD
from civitai_mock.generation.graph_reader.nodes import Nodes
from civitai_mock.generation.graph_reader.outputs import OutputNode
from civitai_mock.ports import Clock

DEFAULT_PREFIX = "ComfyUI"
SIZED_INPUTS = frozenset({"images", "mask", "video"})  # inputs whose size may stand in a prefix


def _random_suffix() -> str:
    return "_temp_" + "".join(random.choices(string.ascii_lowercase, k=5))


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputWriter:
    """Draws the images of prompts and saves them; `preview_suffix` is for the temp files of one start of the server."""

    clock: Clock
    draw: Draw
    files: FileStore
    faults: FaultControl
    metadata: bool
    preview_suffix: str = field(default_factory=_random_suffix)

    def images(self, graph: Mapping[str, Json]) -> GraphImages:
        return GraphImages(Nodes(graph), read=self._read, draw=self.draw)

    def texts(self, item: QueueItem) -> Mapping[str, str]:
        """Return what is written into files: the whole graph and what the client added, or nothing without metadata."""
        if not isinstance(item.extra_data, dict):
            kind = type(item.extra_data).__name__
            raise NodeFailedError("AttributeError", f"'{kind}' object has no attribute 'get'", inputs_known=False)
        added = item.extra_data.get("extra_pnginfo") or {}
        texts = {GRAPH_KEYWORD: json.dumps(item.graph), **{name: json.dumps(value) for name, value in added.items()}}
        return texts if self.metadata else {}

    async def save(
        self, context: OutputContext, output: OutputNode, files: Files, interrupt: Interrupt, *, prefix: Json
    ) -> Sequence[Json]:
        """Return history's entry for each file; raise `NodeFailedError` for a file that cannot be saved."""
        folder = "temp" if output.is_temp else "output"
        name = self._save_name(context, output, folder, self._complete_prefix(context, output, prefix))
        counter = name.next_counter(self.files.names(folder, name.subfolder))
        saved: list[Json] = []
        for index, make in enumerate(files):
            content = await interrupt.in_thread(make)
            if self.faults.current.disk_full:
                raise NodeFailedError("OSError", "[Errno 28] No space left on device")
            file_name = name.file_name(counter + index, batch_index=index, suffix=output.suffix)
            place = FilePlace(folder, name.subfolder, file_name)
            self.files.put(place, content, now=self.clock.now())
            saved.append({"filename": place.name, "subfolder": place.subfolder, "type": folder})
        return saved

    def _read(self, name: str) -> bytes | None:
        found = self.files.find(name)
        return found[1].content if found else None

    def _save_name(self, context: OutputContext, output: OutputNode, folder: str, prefix: str) -> SaveName:
        width, height = (context.batch.width, context.batch.height) if output.input in SIZED_INPUTS else (0, 0)
        expanded = expand_prefix(prefix, width=width, height=height, now=self.clock.now())
        try:
            return SaveName.parse(expanded, folder=folder)
        except OutsideFolderError as error:
            raise NodeFailedError("Exception", str(error)) from error

    def _complete_prefix(self, context: OutputContext, output: OutputNode, given: Json) -> str:
        steps = context.nodes.value(context.node_id, "steps") if output.input == "lora" else None
        prefix = DEFAULT_PREFIX if given is None else str(given)
        if output.is_temp:
            return prefix + self.preview_suffix
        return f"{prefix}_{steps}_steps" if isinstance(steps, int) else prefix
