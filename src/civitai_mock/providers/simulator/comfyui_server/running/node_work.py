"""One node at work."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TypeAlias

from civitai_mock.domain.json_types import JsonObject
from civitai_mock.generation.graph import Link
from civitai_mock.providers.simulator.comfyui_server.keeping.images import is_image
from civitai_mock.providers.simulator.comfyui_server.keeping.prefix import ROOT
from civitai_mock.providers.simulator.comfyui_server.running.failures import OUT_OF_MEMORY, Inspection, NodeFailedError
from civitai_mock.providers.simulator.comfyui_server.running.sampling import SAMPLERS
from civitai_mock.providers.simulator.comfyui_server.running.scene import Node, Scene
from civitai_mock.providers.simulator.comfyui_server.running.showing import show
from civitai_mock.providers.simulator.comfyui_server.running.steps import sample, stream

PIXEL_TYPES = ("IMAGE", "MASK", "LATENT")  # an output may as well be a list of choices
IMAGE_LOADERS = frozenset({"LoadImage", "LoadImageMask", "LoadImageOutput"})

# What a node does, and what it then has to show in history.
Work: TypeAlias = Callable[[Scene, Node], Awaitable[JsonObject]]


async def work_at(scene: Scene, node: Node) -> JsonObject:
    """Raise `NodeFailedError` or `Interrupted`."""
    scene.interrupt.check()
    _inspect(scene, node)
    await _check_size(scene, node)
    return await WORKS.get(node.class_type, _show if node.definition.is_output else _take_time)(scene, node)


async def _take_time(scene: Scene, node: Node) -> JsonObject:
    durations = scene.workshop.options.durations
    reads_model = any(entry.folder for entry in node.definition.inputs.values())
    is_slow = reads_model and node.class_type not in IMAGE_LOADERS
    await scene.workshop.pause(durations.load if is_slow else durations.other)
    return {}


async def _load_image(scene: Scene, node: Node) -> JsonObject:
    name = str(node.inputs.get("image"))
    found = scene.workshop.files.named(name)
    path = f"{ROOT}/{found[0].folder}/{found[0].path}" if found else f"{ROOT}/input/{name}"
    if found is None:
        raise NodeFailedError("FileNotFoundError", f"[Errno 2] No such file or directory: '{path}'")
    if not is_image(found[1].content):
        raise NodeFailedError("PIL.UnidentifiedImageError", f"cannot identify image file '{path}'")
    return await _take_time(scene, node)


async def _show(scene: Scene, node: Node) -> JsonObject:
    await _take_time(scene, node)
    return await show(scene, node)


async def _check_size(scene: Scene, node: Node) -> None:
    """What a node gives out has to fit into memory."""
    for output, kind in enumerate(node.definition.outputs):
        if kind in PIXEL_TYPES:
            frame_at = partial(scene.pictures.frame, Link(node.id, output))
            frame = await scene.interrupt.in_thread(frame_at) if scene.pictures.reads_files else frame_at()
            if frame.width * frame.height * frame.count > scene.workshop.options.max_pixels:
                raise NodeFailedError(*OUT_OF_MEMORY)


# All other nodes only take their time, or show something if they are output nodes.
WORKS: Mapping[str, Work] = {
    "SaveImageWebsocket": stream,
    **dict.fromkeys(SAMPLERS, sample),
    **dict.fromkeys(IMAGE_LOADERS, _load_image),
}


def _inspect(scene: Scene, node: Node) -> None:
    workshop = scene.workshop
    faults = workshop.faults.now
    if faults.failing_class == node.class_type and workshop.faults.strikes("failing_times"):
        raise NodeFailedError(faults.failing_type, faults.failing_message)
    Inspection(
        graph=scene.item.graph,
        definition=node.definition,
        inputs=node.inputs,
        listing=workshop.listing,
        damage=workshop.options.damage,
        accept_any_model=workshop.options.accept_any_model,
        max_pixels=workshop.options.max_pixels,
    ).check()
