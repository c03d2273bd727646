"""Run one node: load an image, sample in steps, save images, or just take its time."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TypeAlias

from civitai_mock.comfyui_standin import messages
from civitai_mock.comfyui_standin.execution.failures import NodeFailedError
from civitai_mock.comfyui_standin.execution.node_checks import OUT_OF_MEMORY, NodeCheck
from civitai_mock.comfyui_standin.execution.output_nodes import run_output_node
from civitai_mock.comfyui_standin.execution.run_context import RunContext, RunningNode
from civitai_mock.comfyui_standin.image_conversion import is_image, preview_jpeg
from civitai_mock.comfyui_standin.messages import JPEG, PNG, PreviewFrame
from civitai_mock.comfyui_standin.state.files import ROOT
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.drawing.outputs import images
from civitai_mock.drawing.outputs.output_context import OutputContext
from civitai_mock.generation.comfyui_facts import SAMPLER_CLASSES, STREAMING_CLASS
from civitai_mock.generation.graph import Link
from civitai_mock.generation.graph_reader.nodes import Nodes
from civitai_mock.generation.graph_reader.samplers import steps_of

IMAGE_LOADERS = frozenset({"LoadImage", "LoadImageMask", "LoadImageOutput"})
IMAGE_OUTPUTS = frozenset({"SaveImage", "PreviewImage", STREAMING_CLASS})
PIXEL_TYPES = ("IMAGE", "MASK", "LATENT")  # a tuple, as an output may be a list of choices, which cannot be hashed
NO_TEXTS: Mapping[str, str] = {}
DEFAULT_STEPS = 20

# Does the work of a node, and returns what the node then has to show in history.
NodeRunner: TypeAlias = Callable[[RunContext, RunningNode], Awaitable[JsonObject]]


async def run_node(context: RunContext, node: RunningNode) -> JsonObject:
    """Return what the node has to show; raise `NodeFailedError` or `PromptInterrupted`."""
    context.interrupt.check()
    _check_node(context, node)
    await _check_size(context, node)
    return await RUNNERS.get(node.class_type, _run_output if node.definition.is_output else _take_time)(context, node)


def _check_node(context: RunContext, node: RunningNode) -> None:
    state = context.state
    faults = state.faults.current
    if faults.failing_class == node.class_type and state.faults.consume("failing_times"):
        raise NodeFailedError(faults.failing_type, faults.failing_message)
    NodeCheck(
        graph=context.item.graph,
        definition=node.definition,
        inputs=node.inputs,
        list_folder=state.list_folder,
        damage=state.options.damage,
        accept_any_model=state.options.accept_any_model,
        max_pixels=state.options.max_pixels,
    ).run()


async def _check_size(context: RunContext, node: RunningNode) -> None:
    """Raise `NodeFailedError` for a result that does not fit into memory."""
    for output, kind in enumerate(node.definition.outputs):
        if kind in PIXEL_TYPES:
            batch_at = partial(context.images.batch, Link(node.id, output))
            batch = await context.interrupt.in_thread(batch_at) if context.images.reads_files else batch_at()
            if batch.width * batch.height * batch.count > context.state.options.max_pixels:
                raise NodeFailedError(*OUT_OF_MEMORY)


async def _take_time(context: RunContext, node: RunningNode) -> JsonObject:
    durations = context.state.options.durations
    reads_model = any(entry.folder for entry in node.definition.inputs.values())
    is_slow = reads_model and node.class_type not in IMAGE_LOADERS
    await context.state.pause(durations.load if is_slow else durations.other)
    return {}


async def _run_output(context: RunContext, node: RunningNode) -> JsonObject:
    await _take_time(context, node)
    return await run_output_node(context, node)


async def _load_image(context: RunContext, node: RunningNode) -> JsonObject:
    name = str(node.inputs.get("image"))
    found = context.state.files.find(name)
    path = f"{ROOT}/{found[0].folder}/{found[0].path}" if found else f"{ROOT}/input/{name}"
    if found is None:
        raise NodeFailedError("FileNotFoundError", f"[Errno 2] No such file or directory: '{path}'")
    if not is_image(found[1].content):
        raise NodeFailedError("PIL.UnidentifiedImageError", f"cannot identify image file '{path}'")
    return await _take_time(context, node)


async def _stream_images(context: RunContext, node: RunningNode) -> JsonObject:
    """Send each whole image as a frame, without texts; there is nothing to show in history."""
    await context.state.pause(context.state.options.durations.other)
    files = images.png_files(OutputContext(images=context.images, node_id=node.id, texts=NO_TEXTS))
    for index, make in enumerate(files):
        content = await context.interrupt.in_thread(make)
        _send_progress(context, node, index, len(files), _preview_frame(context, node, PNG, content))
    return {}


async def _sample(context: RunContext, node: RunningNode) -> JsonObject:
    """Report each step, with a preview if the server was started with previews."""
    options = context.state.options
    steps = step_count(context.images.nodes, node.id)
    image = await _draw_sampled_image(context, node) if options.previews and steps else None
    for step in range(1, steps + 1):
        await context.state.pause(options.durations.step)
        context.interrupt.check()
        preview = await _draw_preview(context, node, image, step / steps) if image else None
        _send_progress(context, node, step, steps, preview)
    return {}


# All other nodes only take their time, and make files or print values if they are output nodes.
RUNNERS: Mapping[str, NodeRunner] = {
    STREAMING_CLASS: _stream_images,
    **dict.fromkeys(SAMPLER_CLASSES, _sample),
    **dict.fromkeys(IMAGE_LOADERS, _load_image),
}


async def _draw_sampled_image(context: RunContext, node: RunningNode) -> bytes:
    """Draw the first image that this sampler works for, or else the sampler's own result."""
    item = context.item
    outputs = (output for output in item.outputs if node.id in context.images.nodes.upstream(output))
    saved = next((output for output in outputs if context.node(output).class_type in IMAGE_OUTPUTS), None)
    link = Link(saved or node.id, 0)
    return await context.interrupt.in_thread(partial(context.images.png, link, 0, NO_TEXTS))


async def _draw_preview(context: RunContext, node: RunningNode, image: bytes, share: float) -> PreviewFrame:
    draw = partial(preview_jpeg, image, share=share, side=context.state.options.preview_side)
    return _preview_frame(context, node, JPEG, await context.interrupt.in_thread(draw))


def _preview_frame(context: RunContext, node: RunningNode, image_format: int, content: bytes) -> PreviewFrame:
    metadata = messages.node_ids(context.item.prompt_id, node.id)
    return PreviewFrame(format=image_format, content=content, metadata=metadata)


def _send_progress(
    context: RunContext, node: RunningNode, value: int, maximum: int, preview: PreviewFrame | None
) -> None:
    """Send the preview before `progress` to a client that takes metadata, and after it to others."""
    sender = context.messages
    is_first = sender.client_takes_metadata
    sender.send(context.progress.update(node.id, value, maximum))
    if preview and is_first:
        sender.send_preview(preview)
    sender.send(messages.progress(sender.prompt_id, node.id, value, maximum))
    if preview and not is_first:
        sender.send_preview(preview)


def step_count(nodes: Nodes, node_id: str) -> int:
    """Return the steps of a sampler, or a usual number of them where the graph does not say it."""
    steps = steps_of(nodes, node_id)
    return DEFAULT_STEPS if steps is None else steps
