"""Nodes that work in steps: samplers, and SaveImageWebsocket picture by picture."""

from collections.abc import Mapping
from functools import partial

from civitai_mock.domain.json import JsonObject
from civitai_mock.providers.simulator.comfyui_server.keeping.images import preview_jpeg
from civitai_mock.providers.simulator.comfyui_server.running.graph_links import needs
from civitai_mock.providers.simulator.comfyui_server.running.sampling import steps_of
from civitai_mock.providers.simulator.comfyui_server.running.scene import Node, Scene
from civitai_mock.providers.simulator.comfyui_server.talking import messages
from civitai_mock.providers.simulator.comfyui_server.talking.messages import JPEG, PNG, Picture

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
    pictures = await scene.darkroom.develop(scene.item, node.id, NO_TEXTS, scene.interrupt)
    for index, content in enumerate(pictures):
        _tell(scene, node, index, len(pictures), _picture(scene, node, PNG, content))
    return {}


async def _coarse(scene: Scene, sketch: bytes, share: float) -> bytes:
    side = scene.workshop.options.preview_side
    return await scene.interrupt.in_thread(partial(preview_jpeg, sketch, share=share, side=side))


async def _sketch(scene: Scene, node: Node) -> bytes | None:
    """The first picture that this sampler works for."""
    item = scene.item
    output = next((output for output in item.outputs if node.id in needs(item.graph, output)), None)
    pictures = await scene.darkroom.develop(item, output, NO_TEXTS, scene.interrupt) if output else []
    return pictures[0] if pictures else None


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
