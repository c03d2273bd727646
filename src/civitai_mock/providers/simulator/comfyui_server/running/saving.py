"""Output nodes that make pictures: SaveImage, PreviewImage and SaveImageWebsocket."""

import json
import random
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from civitai_mock.domain.json import Json, JsonObject
from civitai_mock.ports import Clock
from civitai_mock.providers.simulator.comfyui_server.faults import FaultDesk
from civitai_mock.providers.simulator.comfyui_server.keeping.files import FileStore, Place
from civitai_mock.providers.simulator.comfyui_server.keeping.images import png_size
from civitai_mock.providers.simulator.comfyui_server.keeping.item import QueueItem
from civitai_mock.providers.simulator.comfyui_server.keeping.prefix import OutsideError, SaveName, expand
from civitai_mock.providers.simulator.comfyui_server.options import Draw
from civitai_mock.providers.simulator.comfyui_server.running.failures import NodeFailedError
from civitai_mock.providers.simulator.comfyui_server.running.interrupt import Interrupt

PREVIEW_PREFIX = "ComfyUI"


def _draw_suffix() -> str:
    return "_temp_" + "".join(random.choices(string.ascii_lowercase, k=5))


@dataclass(frozen=True, slots=True, kw_only=True)
class Darkroom:
    """Draws what an output node is to show, and keeps it."""

    clock: Clock
    draw: Draw
    files: FileStore
    faults: FaultDesk
    metadata: bool
    preview_suffix: str = field(default_factory=_draw_suffix)

    async def save(self, item: QueueItem, node_id: str, interrupt: Interrupt) -> JsonObject:
        """SaveImage: into the output folder, or `NodeFailedError`."""
        prefix = item.graph[node_id]["inputs"].get("filename_prefix", PREVIEW_PREFIX)
        pictures = await self.develop(item, node_id, self._texts(item), interrupt)
        return self._keep(pictures, str(prefix), folder="output")

    async def preview(self, item: QueueItem, node_id: str, interrupt: Interrupt) -> JsonObject:
        """PreviewImage: into the temp folder."""
        pictures = await self.develop(item, node_id, self._texts(item), interrupt)
        return self._keep(pictures, PREVIEW_PREFIX + self.preview_suffix, folder="temp")

    async def develop(
        self, item: QueueItem, node_id: str, texts: Mapping[str, str], interrupt: Interrupt
    ) -> Sequence[bytes]:
        """The pictures as PNG; drawn beside the event loop."""
        return await interrupt.in_thread(partial(self.draw, item.graph, node_id, texts))

    def _texts(self, item: QueueItem) -> Mapping[str, str]:
        """None with --disable-metadata."""
        texts = _texts(item)
        return texts if self.metadata else {}

    def _keep(self, pictures: Sequence[bytes], prefix: str, *, folder: str) -> JsonObject:
        if self.faults.now.disk_full:
            raise NodeFailedError("OSError", "[Errno 28] No space left on device")
        width, height = png_size(pictures[0])
        now = self.clock.now()
        try:
            name = SaveName.parse(expand(prefix, width=width, height=height, now=now), folder=folder)
        except OutsideError as error:
            raise NodeFailedError("Exception", str(error)) from error
        counter = name.next_counter(self.files.names(folder, name.subfolder))
        images: list[Json] = []
        for index, picture in enumerate(pictures):
            place = Place(folder, name.subfolder, name.file_name(counter + index, batch_index=index))
            self.files.put(place, picture, now=now)
            images.append({"filename": place.name, "subfolder": place.subfolder, "type": folder})
        return {"images": images}


def _texts(item: QueueItem) -> Mapping[str, str]:
    """The PNG's text chunks: the whole graph, and whatever the client added."""
    if not isinstance(item.extra_data, dict):
        kind = type(item.extra_data).__name__
        raise NodeFailedError("AttributeError", f"'{kind}' object has no attribute 'get'", inputs_known=False)
    added = item.extra_data.get("extra_pnginfo") or {}
    return {"prompt": json.dumps(item.graph), **{name: json.dumps(value) for name, value in added.items()}}
