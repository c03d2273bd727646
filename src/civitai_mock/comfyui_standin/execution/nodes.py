"""Run one node: load an image, sample in steps, save and show, or just take its time."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TypeAlias

from civitai_mock.comfyui_standin import messages
from civitai_mock.comfyui_standin.execution.failures import OUT_OF_MEMORY, Inspection, NodeFailedError
from civitai_mock.comfyui_standin.execution.output_nodes import show
from civitai_mock.comfyui_standin.execution.run_context import RunContext, RunningNode
from civitai_mock.comfyui_standin.messages import JPEG, PNG, PreviewFrame
from civitai_mock.comfyui_standin.state.files import ROOT
from civitai_mock.comfyui_standin.state.images import is_image, preview_jpeg
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.drawing.outputs import images
from civitai_mock.drawing.outputs.output_context import OutputContext
from civitai_mock.generation.comfyui_facts import SAMPLER_CLASSES, STREAMING_CLASS
from civitai_mock.generation.graph import Link
from civitai_mock.generation.graph_reader.nodes import Nodes
from civitai_mock.generation.graph_reader.samplers import steps_of

DEFAULT_STEPS = 20


IMAGE_OUTPUTS = frozenset({"SaveImage", "PreviewImage", STREAMING_CLASS})
NO_TEXTS: Mapping[str, str] = {}


def step_count(nodes: Nodes, node_id: str) -> int:
    """Return the steps of a sampler, and a usual number of them where the graph does not tell."""
    steps = steps_of(nodes, node_id)
    return DEFAULT_STEPS if steps is None else steps


async def sample(scene: RunContext, node: RunningNode) -> JsonObject:
    """With a preview at each step if the server was started so."""
    options = scene.workshop.options
    steps = step_count(scene.images.nodes, node.id)
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
    outputs = (output for output in item.outputs if node.id in scene.images.nodes.upstream(output))
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
    STREAMING_CLASS: stream,
    **dict.fromkeys(SAMPLER_CLASSES, sample),
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
