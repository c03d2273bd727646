"""Run one node: load an image, sample in steps, save and show, or just take its time."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

from civitai_mock.comfyui_standin import messages
from civitai_mock.comfyui_standin.execution.failures import OUT_OF_MEMORY, Inspection, NodeFailedError
from civitai_mock.comfyui_standin.execution.graph_links import AnyGraph, is_link, needs
from civitai_mock.comfyui_standin.execution.output_nodes import show
from civitai_mock.comfyui_standin.execution.run_context import RunContext, RunningNode
from civitai_mock.comfyui_standin.messages import JPEG, PNG, PreviewFrame
from civitai_mock.comfyui_standin.state.files import ROOT
from civitai_mock.comfyui_standin.state.images import is_image, preview_jpeg
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.drawing.outputs import images
from civitai_mock.drawing.outputs.output_context import OutputContext
from civitai_mock.generation.graph import Link
from civitai_mock.generation.graph_reader.facts import steps_between

SAMPLERS = frozenset({"KSampler", "KSamplerAdvanced", "SamplerCustom", "SamplerCustomAdvanced"})
DEFAULT_STEPS = 20
MOST_HOPS = 32


def steps_of(graph: AnyGraph, node_id: str) -> int:
    """0 where there is nothing to denoise."""
    inputs = graph[node_id]["inputs"]
    if is_link(inputs.get("sigmas")):
        return _steps_of_sigmas(graph, inputs["sigmas"][0])
    steps = _whole(inputs.get("steps"))
    if "end_at_step" in inputs:
        return steps_between(_whole(inputs.get("start_at_step", 0)), _whole(inputs["end_at_step"]), of=steps)
    return 0 if inputs.get("denoise") == 0 else steps


def _steps_of_sigmas(graph: AnyGraph, node_id: str) -> int:
    """Of the nearest node above that counts steps."""
    for _ in range(MOST_HOPS):
        inputs = graph[node_id]["inputs"]
        if "steps" in inputs:
            return _whole(inputs["steps"])
        above = [value[0] for value in inputs.values() if is_link(value)]
        if not above:
            break
        node_id = above[0]
    return DEFAULT_STEPS


def _whole(value: Any) -> int:
    return int(value) if isinstance(value, int | float) else DEFAULT_STEPS


IMAGE_OUTPUTS = frozenset({"SaveImage", "PreviewImage", "SaveImageWebsocket"})
NO_TEXTS: Mapping[str, str] = {}


async def sample(scene: RunContext, node: RunningNode) -> JsonObject:
    """With a preview at each step if the server was started so."""
    options = scene.workshop.options
    steps = steps_of(scene.item.graph, node.id)
    sketch = await _sketch(scene, node) if options.previews and steps else None
    for step in range(1, steps + 1):
        await scene.workshop.pause(options.durations.step)
        scene.interrupt.check()
        content = await _coarse(scene, sketch, step / steps) if sketch else None
        _tell(scene, node, step, steps, _image(scene, node, JPEG, content) if content else None)
    return {}


async def stream(scene: RunContext, node: RunningNode) -> JsonObject:
    """Each whole image as a frame, without texts, and nothing to show in history."""
    await scene.workshop.pause(scene.workshop.options.durations.other)
    files = images.images(OutputContext(images=scene.images, node_id=node.id, texts=NO_TEXTS))
    for index, make in enumerate(files):
        content = await scene.interrupt.in_thread(make)
        _tell(scene, node, index, len(files), _image(scene, node, PNG, content))
    return {}


async def _coarse(scene: RunContext, sketch: bytes, share: float) -> bytes:
    side = scene.workshop.options.preview_side
    return await scene.interrupt.in_thread(partial(preview_jpeg, sketch, share=share, side=side))


async def _sketch(scene: RunContext, node: RunningNode) -> bytes:
    """The first image that this sampler works for, or else what it makes."""
    item = scene.item
    outputs = (output for output in item.outputs if node.id in needs(item.graph, output))
    shown = next((output for output in outputs if scene.node(output).class_type in IMAGE_OUTPUTS), None)
    link = Link(shown or node.id, 0)
    return await scene.interrupt.in_thread(partial(scene.images.png, link, 0, NO_TEXTS))


def _image(scene: RunContext, node: RunningNode, kind: int, content: bytes) -> PreviewFrame:
    return PreviewFrame(format=kind, content=content, metadata=messages.node_names(scene.item.prompt_id, node.id))


def _tell(scene: RunContext, node: RunningNode, value: int, most: int, image: PreviewFrame | None) -> None:
    """The image comes before `progress` for a client that knows metadata, and after it for others."""
    voice = scene.voice
    is_first = voice.client_knows_metadata
    voice.tell(scene.board.update(node.id, value, most))
    if image and is_first:
        voice.show(image)
    voice.tell(messages.progress(voice.prompt_id, node.id, value, most))
    if image and not is_first:
        voice.show(image)


PIXEL_TYPES = ("IMAGE", "MASK", "LATENT")  # an output may as well be a list of choices
IMAGE_LOADERS = frozenset({"LoadImage", "LoadImageMask", "LoadImageOutput"})

# What a node does, and what it then has to show in history.
Work: TypeAlias = Callable[[RunContext, RunningNode], Awaitable[JsonObject]]


async def work_at(scene: RunContext, node: RunningNode) -> JsonObject:
    """Raise `NodeFailedError` or `Interrupted`."""
    scene.interrupt.check()
    _inspect(scene, node)
    await _check_size(scene, node)
    return await WORKS.get(node.class_type, _show if node.definition.is_output else _take_time)(scene, node)


async def _take_time(scene: RunContext, node: RunningNode) -> JsonObject:
    durations = scene.workshop.options.durations
    reads_model = any(entry.folder for entry in node.definition.inputs.values())
    is_slow = reads_model and node.class_type not in IMAGE_LOADERS
    await scene.workshop.pause(durations.load if is_slow else durations.other)
    return {}


async def _load_image(scene: RunContext, node: RunningNode) -> JsonObject:
    name = str(node.inputs.get("image"))
    found = scene.workshop.files.named(name)
    path = f"{ROOT}/{found[0].folder}/{found[0].path}" if found else f"{ROOT}/input/{name}"
    if found is None:
        raise NodeFailedError("FileNotFoundError", f"[Errno 2] No such file or directory: '{path}'")
    if not is_image(found[1].content):
        raise NodeFailedError("PIL.UnidentifiedImageError", f"cannot identify image file '{path}'")
    return await _take_time(scene, node)


async def _show(scene: RunContext, node: RunningNode) -> JsonObject:
    await _take_time(scene, node)
    return await show(scene, node)


async def _check_size(scene: RunContext, node: RunningNode) -> None:
    """What a node gives out has to fit into memory."""
    for output, kind in enumerate(node.definition.outputs):
        if kind in PIXEL_TYPES:
            frame_at = partial(scene.images.frame, Link(node.id, output))
            frame = await scene.interrupt.in_thread(frame_at) if scene.images.reads_files else frame_at()
            if frame.width * frame.height * frame.count > scene.workshop.options.max_pixels:
                raise NodeFailedError(*OUT_OF_MEMORY)


# All other nodes only take their time, or show something if they are output nodes.
WORKS: Mapping[str, Work] = {
    "SaveImageWebsocket": stream,
    **dict.fromkeys(SAMPLERS, sample),
    **dict.fromkeys(IMAGE_LOADERS, _load_image),
}


def _inspect(scene: RunContext, node: RunningNode) -> None:
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
