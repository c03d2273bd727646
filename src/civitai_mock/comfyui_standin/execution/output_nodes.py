"""Run output nodes: the files that they make, the values that they print, and what history tells of them."""

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from civitai_mock.comfyui_standin.execution.run_context import RunContext, RunningNode
from civitai_mock.domain.images import LATENT_CELL
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.drawing.outputs import images
from civitai_mock.drawing.outputs.makers import files_of
from civitai_mock.drawing.outputs.output_context import OutputContext
from civitai_mock.generation.graph import Link
from civitai_mock.generation.graph_reader.outputs import OUTPUTS, OutputNode

MOST_HOPS = 64
LONGEST = 1_000_000
MOST_REPLACED = 10_000_000

Values: TypeAlias = Mapping[str, Any]


def told_value(scene: RunContext, link: Link | None, literal: Json) -> str:
    """Print as PreviewAny does: texts as they are, numbers, JSON, and else what Python's str() gives."""
    value = literal if link is None else value_at(scene, link)
    if value is None:
        return "None" if link is None else _printed(scene, link)
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, bool | int | float) else json.dumps(value)


def value_at(scene: RunContext, link: Link) -> Json:
    """None for what is neither a text nor a number; what several nodes use is worked out once."""
    return _ValuesOf(scene).at(link, hops=0)


class _ValuesOf:
    def __init__(self, scene: RunContext) -> None:
        self._scene = scene
        self._known: dict[Link, Json] = {}

    def at(self, link: Link, *, hops: int) -> Json:
        if link not in self._known:
            self._known[link] = self._worked_out(link, hops) if hops <= MOST_HOPS else None
        return self._known[link]

    def _worked_out(self, link: Link, hops: int) -> Json:
        node = self._scene.node(link.node_id)
        if node.class_type.startswith("Primitive"):
            return self._given(node.inputs.get("value"), hops)
        if node.class_type == "GetImageSize":
            return self._scene.images.frame(link).measure(link.output)
        rule = TEXT_NODES.get(node.class_type)
        if rule is None:
            return None
        value = rule({name: self._given(given, hops) for name, given in node.inputs.items()})
        return value[:LONGEST] if isinstance(value, str) else value

    def _given(self, value: Json, hops: int) -> Json:
        link = Link.of(value)
        return value if link is None else self.at(link, hops=hops + 1)


def _printed(scene: RunContext, link: Link) -> str:
    """What the real one holds here are tensors and objects."""
    outputs = scene.node(link.node_id).definition.outputs
    kind = outputs[link.output] if 0 <= link.output < len(outputs) else "*"
    frame = scene.images.frame(link)
    match kind:
        case "IMAGE":
            return f"tensor([...], size=({frame.count}, {frame.height}, {frame.width}, 3))"
        case "MASK":
            return f"tensor([...], size=({frame.count}, {frame.height}, {frame.width}))"
        case "LATENT":
            cells = f"{frame.height // LATENT_CELL}, {frame.width // LATENT_CELL}"
            return f"{{'samples': tensor([...], size=({frame.count}, 4, {cells}))}}"
    return f"<{kind} object>"


def _text(given: Values, name: str) -> str:
    value = given.get(name)
    return value if isinstance(value, str) else ""


def _whole(given: Values, name: str) -> int:
    value = given.get(name)
    return int(value) if isinstance(value, int | float) else 0


def _cased(words: str, mode: str) -> str:
    match mode:
        case "UPPERCASE":
            return words.upper()
        case "lowercase":
            return words.lower()
        case "Capitalize":
            return words.capitalize()
        case "Title Case":
            return words.title()
    return words


def _trimmed(words: str, mode: str) -> str:
    match mode:
        case "Left":
            return words.lstrip()
        case "Right":
            return words.rstrip()
    return words.strip()


def _contains(given: Values) -> bool:
    words, part = _text(given, "string"), _text(given, "substring")
    is_exact = given.get("case_sensitive") is not False
    return part in words if is_exact else part.lower() in words.lower()


def _compares(given: Values) -> bool:
    one, other = _text(given, "string_a"), _text(given, "string_b")
    if given.get("case_sensitive") is False:
        one, other = one.lower(), other.lower()
    match _text(given, "mode"):
        case "Starts With":
            return one.startswith(other)
        case "Ends With":
            return one.endswith(other)
    return one == other


def _replaced(given: Values) -> str:
    words, old, new = (_text(given, name) for name in ("string", "find", "replace"))
    if words.count(old) * len(new) > MOST_REPLACED:
        raise MemoryError("the text would be too long")
    return words.replace(old, new)


def _joined(given: Values) -> str:
    return _text(given, "delimiter").join((_text(given, "string_a"), _text(given, "string_b")))


TEXT_NODES: Mapping[str, Callable[[Values], Json]] = {
    "CaseConverter": lambda given: _cased(_text(given, "string"), _text(given, "mode")),
    "StringCompare": _compares,
    "StringConcatenate": _joined,
    "StringContains": _contains,
    "StringLength": lambda given: len(_text(given, "string")),
    "StringReplace": _replaced,
    "StringSubstring": lambda given: _text(given, "string")[_whole(given, "start") : _whole(given, "end")],
    "StringTrim": lambda given: _trimmed(_text(given, "string"), _text(given, "mode")),
}


ANIMATIONS = frozenset({"SaveAnimatedPNG", "SaveWEBM", "SaveVideo"})
ANIMATED_IF_SEVERAL = "SaveAnimatedWEBP"
PREFIX_INPUTS = ("filename_prefix", "prefix")
IMAGE_TYPES = frozenset({"IMAGE", "MASK"})


async def show(scene: RunContext, node: RunningNode) -> JsonObject:
    """Nothing of a node that only makes files of models."""
    output = OUTPUTS.get(node.class_type) or _of_other_pack(node)
    if output is None:
        return {}
    if output.key == "text":
        return {"text": [told_value(scene, Link.of(node.inputs.get(output.input)), node.inputs.get(output.input))]}
    if output.key == "result":
        return {"result": [node.inputs.get(output.input), node.inputs.get("camera_info")]}
    return await _kept(scene, node, output)


async def _kept(scene: RunContext, node: RunningNode, output: OutputNode) -> JsonObject:
    making = OutputContext(
        images=scene.images, node_id=node.id, texts=scene.darkroom.texts(scene.item), input=output.input
    )
    files = files_of(making) if node.class_type in OUTPUTS else images.images(making)
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


def _of_other_pack(node: RunningNode) -> OutputNode | None:
    """Take an output node that is not ComfyUI's own to save the images that it is given."""
    names = (entry.name for entry in node.definition.inputs.values() if entry.type in IMAGE_TYPES)
    name = next((name for name in names if Link.of(node.inputs.get(name))), None)
    return None if name is None else OutputNode(input=name, suffix="png", key="images", each=True)
