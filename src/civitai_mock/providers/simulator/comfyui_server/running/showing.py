"""Output nodes: what they make, and what history then tells of it."""

from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.drawing.outputs import images
from civitai_mock.drawing.outputs.makers import files_of
from civitai_mock.drawing.outputs.output_context import OutputContext
from civitai_mock.generation.graph import Link
from civitai_mock.generation.graph_reader.outputs import OUTPUTS, OutputNode
from civitai_mock.providers.simulator.comfyui_server.running.scene import Node, Scene
from civitai_mock.providers.simulator.comfyui_server.running.values import told_value, value_at

ANIMATIONS = frozenset({"SaveAnimatedPNG", "SaveWEBM", "SaveVideo"})
ANIMATED_IF_SEVERAL = "SaveAnimatedWEBP"
PREFIX_INPUTS = ("filename_prefix", "prefix")
PICTURE_TYPES = frozenset({"IMAGE", "MASK"})


async def show(scene: Scene, node: Node) -> JsonObject:
    """Nothing of a node that only makes files of models."""
    output = OUTPUTS.get(node.class_type) or _of_other_pack(node)
    if output is None:
        return {}
    if output.key == "text":
        return {"text": [told_value(scene, Link.of(node.inputs.get(output.input)), node.inputs.get(output.input))]}
    if output.key == "result":
        return {"result": [node.inputs.get(output.input), node.inputs.get("camera_info")]}
    return await _kept(scene, node, output)


async def _kept(scene: Scene, node: Node, output: OutputNode) -> JsonObject:
    making = OutputContext(
        pictures=scene.pictures, node_id=node.id, texts=scene.darkroom.texts(scene.item), input=output.input
    )
    files = files_of(making) if node.class_type in OUTPUTS else images.pictures(making)
    given = next((node.inputs[name] for name in PREFIX_INPUTS if name in node.inputs), None)
    prefix = value_at(scene, link) if (link := Link.of(given)) else given
    kept: list[Json] = [*await scene.darkroom.keep(making, output, files, scene.interrupt, prefix=prefix)]
    if not output.key:
        return {}
    told: JsonObject = {output.key: kept}
    if node.class_type in ANIMATIONS:
        return {**told, "animated": [True]}
    if node.class_type == ANIMATED_IF_SEVERAL:
        return {**told, "animated": [making.frame.count != 1]}
    return told


def _of_other_pack(node: Node) -> OutputNode | None:
    """Take an output node that is not ComfyUI's own to save the pictures that it is given."""
    names = (entry.name for entry in node.definition.inputs.values() if entry.type in PICTURE_TYPES)
    name = next((name for name in names if Link.of(node.inputs.get(name))), None)
    return None if name is None else OutputNode(input=name, suffix="png", key="images", each=True)
