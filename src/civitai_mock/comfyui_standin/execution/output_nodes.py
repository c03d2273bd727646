"""Run output nodes: the files that they make, the values that they print, and what history shows of them."""

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from civitai_mock.comfyui_standin.execution.run_context import RunContext, RunningNode
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.drawing.outputs import images
from civitai_mock.drawing.outputs.output_context import OutputContext
from civitai_mock.drawing.outputs.output_files import files_of
from civitai_mock.generation.comfyui_facts import LATENT_CELL
from civitai_mock.generation.graph import Link
from civitai_mock.generation.graph_reader.outputs import OUTPUTS, OutputNode

ANIMATIONS = frozenset({"SaveAnimatedPNG", "SaveWEBM", "SaveVideo"})
ANIMATED_IF_SEVERAL = "SaveAnimatedWEBP"
PREFIX_INPUTS = ("filename_prefix", "prefix")
IMAGE_TYPES = frozenset({"IMAGE", "MASK"})
MAX_HOPS = 64
MAX_TEXT_LENGTH = 1_000_000
MAX_REPLACED_LENGTH = 10_000_000

InputValues: TypeAlias = Mapping[str, Any]


async def run_output_node(context: RunContext, node: RunningNode) -> JsonObject:
    """Return what history shows of the node: nothing if it only makes files of models."""
    output = OUTPUTS.get(node.class_type) or _output_of_other_pack(node)
    if output is None:
        return {}
    given = node.inputs.get(output.input)
    if output.key == "text":
        return {"text": [printed_value(context, Link.of(given), given)]}
    if output.key == "result":
        return {"result": [given, node.inputs.get("camera_info")]}
    return await _save_files(context, node, output)


async def _save_files(context: RunContext, node: RunningNode, output: OutputNode) -> JsonObject:
    texts = context.output_writer.texts(context.item)
    output_context = OutputContext(images=context.images, node_id=node.id, texts=texts, input=output.input)
    files = files_of(output_context) if node.class_type in OUTPUTS else images.png_files(output_context)
    given = next((node.inputs[name] for name in PREFIX_INPUTS if name in node.inputs), None)
    prefix = value_at(context, link) if (link := Link.of(given)) else given
    saved: list[Json] = [
        *await context.output_writer.save(output_context, output, files, context.interrupt, prefix=prefix)
    ]
    if not output.key:
        return {}
    shown: JsonObject = {output.key: saved}
    if node.class_type in ANIMATIONS:
        return {**shown, "animated": [True]}
    if node.class_type == ANIMATED_IF_SEVERAL:
        return {**shown, "animated": [output_context.batch.count != 1]}
    return shown


def _output_of_other_pack(node: RunningNode) -> OutputNode | None:
    """Assume that an output node which is not ComfyUI's own saves the images that it is given."""
    names = (entry.name for entry in node.definition.inputs.values() if entry.type in IMAGE_TYPES)
    name = next((name for name in names if Link.of(node.inputs.get(name))), None)
    return None if name is None else OutputNode(input=name, suffix="png", key="images", each=True)


def printed_value(context: RunContext, link: Link | None, literal: Json) -> str:
    """Print as PreviewAny does: texts as they are, numbers, JSON, and else what Python's str() gives."""
    value = literal if link is None else value_at(context, link)
    if value is None:
        return "None" if link is None else _print_object(context, link)
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, bool | int | float) else json.dumps(value)


def value_at(context: RunContext, link: Link) -> Json:
    """Return a text or number, None for anything else; what several nodes use is computed once."""
    return _ValueReader(context).value_at(link, hops=0)


class _ValueReader:
    """Computes values through links between nodes, each link once."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._known: dict[Link, Json] = {}

    def value_at(self, link: Link, *, hops: int) -> Json:
        if link not in self._known:
            self._known[link] = self._compute(link, hops) if hops <= MAX_HOPS else None
        return self._known[link]

    def _compute(self, link: Link, hops: int) -> Json:
        node = self._context.node(link.node_id)
        if node.class_type.startswith("Primitive"):
            return self._resolve(node.inputs.get("value"), hops)
        if node.class_type == "GetImageSize":
            return self._context.images.batch(link).measure(link.output)
        rule = TEXT_NODES.get(node.class_type)
        if rule is None:
            return None
        value = rule({name: self._resolve(given, hops) for name, given in node.inputs.items()})
        return value[:MAX_TEXT_LENGTH] if isinstance(value, str) else value

    def _resolve(self, value: Json, hops: int) -> Json:
        link = Link.of(value)
        return value if link is None else self.value_at(link, hops=hops + 1)


def _print_object(context: RunContext, link: Link) -> str:
    """Print a stand-in for the tensor or object that ComfyUI has here."""
    outputs = context.node(link.node_id).definition.outputs
    kind = outputs[link.output] if 0 <= link.output < len(outputs) else "*"
    batch = context.images.batch(link)
    match kind:
        case "IMAGE":
            return f"tensor([...], size=({batch.count}, {batch.height}, {batch.width}, 3))"
        case "MASK":
            return f"tensor([...], size=({batch.count}, {batch.height}, {batch.width}))"
        case "LATENT":
            cells = f"{batch.height // LATENT_CELL}, {batch.width // LATENT_CELL}"
            return f"{{'samples': tensor([...], size=({batch.count}, 4, {cells}))}}"
    return f"<{kind} object>"


def _text(given: InputValues, name: str) -> str:
    value = given.get(name)
    return value if isinstance(value, str) else ""


def _whole(given: InputValues, name: str) -> int:
    value = given.get(name)
    return int(value) if isinstance(value, int | float) else 0


def _change_case(words: str, mode: str) -> str:
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


def _trim(words: str, mode: str) -> str:
    match mode:
        case "Left":
            return words.lstrip()
        case "Right":
            return words.rstrip()
    return words.strip()


def _contains(given: InputValues) -> bool:
    words, part = _text(given, "string"), _text(given, "substring")
    is_exact = given.get("case_sensitive") is not False
    return part in words if is_exact else part.lower() in words.lower()


def _compare(given: InputValues) -> bool:
    one, other = _text(given, "string_a"), _text(given, "string_b")
    if given.get("case_sensitive") is False:
        one, other = one.lower(), other.lower()
    match _text(given, "mode"):
        case "Starts With":
            return one.startswith(other)
        case "Ends With":
            return one.endswith(other)
    return one == other


def _replace(given: InputValues) -> str:
    words, old, new = (_text(given, name) for name in ("string", "find", "replace"))
    if words.count(old) * len(new) > MAX_REPLACED_LENGTH:
        raise MemoryError("the text would be too long")
    return words.replace(old, new)


def _join(given: InputValues) -> str:
    return _text(given, "delimiter").join((_text(given, "string_a"), _text(given, "string_b")))


TEXT_NODES: Mapping[str, Callable[[InputValues], Json]] = {
    "CaseConverter": lambda given: _change_case(_text(given, "string"), _text(given, "mode")),
    "StringCompare": _compare,
    "StringConcatenate": _join,
    "StringContains": _contains,
    "StringLength": lambda given: len(_text(given, "string")),
    "StringReplace": _replace,
    "StringSubstring": lambda given: _text(given, "string")[_whole(given, "start") : _whole(given, "end")],
    "StringTrim": lambda given: _trim(_text(given, "string"), _text(given, "mode")),
}
