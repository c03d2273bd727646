"""Nodes that work in steps: samplers, and SaveImageWebsocket picture by picture."""

from collections.abc import Mapping
from functools import partial

from civitai_mock.domain.json_types import JsonObject
from civitai_mock.drawing.outputs import images
from civitai_mock.drawing.outputs.output_context import OutputContext
from civitai_mock.generation.graph import Link
from civitai_mock.providers.simulator.comfyui_server.keeping.images import preview_jpeg
from civitai_mock.providers.simulator.comfyui_server.running.graph_links import needs
from civitai_mock.providers.simulator.comfyui_server.running.sampling import steps_of
from civitai_mock.providers.simulator.comfyui_server.running.scene import Node, Scene
from civitai_mock.providers.simulator.comfyui_server.talking import messages
from civitai_mock.providers.simulator.comfyui_server.talking.messages import JPEG, PNG, Picture

PICTURE_OUTPUTS = frozenset({"SaveImage", "PreviewImage", "SaveImageWebsocket"})
NO_TEXTS: Mapping[str, str] = {}


async def sample(scene: Scene, node: Node) -> JsonObject:
    """With a preview at each step if the server was started so."""
    options = scene.workshop.options
    steps = steps_of(scene.item.graph, node.id)
    sketch = await _sketch(scene, node) if options.previews and steps else None
    for step in range(1, steps + 1):
        await scene.workshop.pause(options.durations.step)
        scene.interrupt.check()
        content = await _coarse(scene, sketch, step / steps) if sketch else None
        _tell(scene, node, step, steps, _picture(scene, node, JPEG, content) if content else None)
    return {}


async def stream(scene: Scene, node: Node) -> JsonObject:
    """Each whole picture as a frame, without texts, and nothing to show in history."""
    await scene.workshop.pause(scene.workshop.options.durations.other)
    files = images.pictures(OutputContext(pictures=scene.pictures, node_id=node.id, texts=NO_TEXTS))
    for index, make in enumerate(files):
        content = await scene.interrupt.in_thread(make)
        _tell(scene, node, index, len(files), _picture(scene, node, PNG, content))
    return {}


async def _coarse(scene: Scene, sketch: bytes, share: float) -> bytes:
    side = scene.workshop.options.preview_side
    return await scene.interrupt.in_thread(partial(preview_jpeg, sketch, share=share, side=side))


async def _sketch(scene: Scene, node: Node) -> bytes:
    """The first picture that this sampler works for, or else what it makes."""
    item = scene.item
    outputs = (output for output in item.outputs if node.id in needs(item.graph, output))
    shown = next((output for output in outputs if scene.node(output).class_type in PICTURE_OUTPUTS), None)
    link = Link(shown or node.id, 0)
    return await scene.interrupt.in_thread(partial(scene.pictures.png, link, 0, NO_TEXTS))


def _picture(scene: Scene, node: Node, kind: int, content: bytes) -> Picture:
    return Picture(format=kind, content=content, metadata=messages.node_names(scene.item.prompt_id, node.id))


def _tell(scene: Scene, node: Node, value: int, most: int, picture: Picture | None) -> None:
    """The picture comes before `progress` for a client that knows metadata, and after it for others."""
    voice = scene.voice
    is_first = voice.client_knows_metadata
    voice.tell(scene.board.update(node.id, value, most))
    if picture and is_first:
        voice.show(picture)
    voice.tell(messages.progress(voice.prompt_id, node.id, value, most))
    if picture and not is_first:
        voice.show(picture)
