"""What makes a node fail while it runs, in the words of the real thing."""

import math
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import structlog

from civitai_mock.comfyui_standin.execution.graph_links import AnyGraph, is_link
from civitai_mock.comfyui_standin.options import Damage
from civitai_mock.comfyui_standin.state.files import ROOT
from civitai_mock.comfyui_standin.validation.definitions import OUTPUT_FOLDERS, InputDefinition, Listing, NodeDefinition
from civitai_mock.comfyui_standin.validation.input_checks import exception_name
from civitai_mock.domain.json_types import Json
from civitai_mock.drawing.threads import ThreadFailedError

FUNCTIONS: Mapping[str, str] = {
    "KSampler": "sample",
    "KSamplerAdvanced": "sample",
    "CLIPTextEncode": "encode",
    "VAEDecode": "decode",
    "VAEEncode": "encode",
    "SaveImage": "save_images",
    "LoraLoader": "load_lora",
    "EmptyLatentImage": "generate",
}
# What comes of a literal in place of a link, by the type that is wanted.
MISFITS: Mapping[str, tuple[str, str]] = {
    "MODEL": ("AttributeError", "'{kind}' object has no attribute 'get_model_object'"),
    "CLIP": ("AttributeError", "'{kind}' object has no attribute 'tokenize'"),
    "VAE": ("AttributeError", "'{kind}' object has no attribute 'decode'"),
    "IMAGE": ("AttributeError", "'{kind}' object has no attribute 'shape'"),
    "LATENT": ("TypeError", "string indices must be integers, not 'str'"),
}
DAMAGES: Mapping[Damage, tuple[str, str]] = {
    Damage.CORRUPT: (
        "safetensors._safetensors_rust.SafetensorError",
        "Error while deserializing header: header too large",
    ),
    Damage.UNKNOWN_MODEL: ("RuntimeError", "ERROR: Could not detect model type of: {path}\n"),
}
NO_TEXT_ENCODER = (
    "ERROR: clip input is invalid: None\n\nIf the clip is from a checkpoint loader node your checkpoint does not"
    " contain a valid clip or text encoder model."
)
OUT_OF_MEMORY = ("torch.OutOfMemoryError", "Allocation on device ")
MOST_HOPS = 64
INNERMOST = 3  # calls that are told of a failure inside this server

logger = structlog.stdlib.get_logger()


class NodeFailedError(Exception):
    """`type` is an exception's name as ComfyUI prints it."""

    @classmethod
    def of(cls, error: Exception) -> "NodeFailedError":
        """What has gone wrong inside this server is told as if it had in ComfyUI, and logged."""
        if isinstance(error, cls):
            return error
        cause = error.cause if isinstance(error, ThreadFailedError) else error
        lines = traceback.format_exception(cause, limit=-INNERMOST)  # all of them, with values, would take seconds
        logger.warning("prompt failed", error=exception_name(cause), traceback="".join(lines))
        return cls(exception_name(cause), str(cause))

    def __init__(self, type_name: str, message: str, *, inputs_known: bool = True) -> None:
        super().__init__(message)
        self.type = type_name
        self.message = f"{message}\n"
        self.inputs_known = inputs_known


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """A node about to run, and what there is to hold it against."""

    graph: AnyGraph
    definition: NodeDefinition
    inputs: Mapping[str, Any]
    listing: Listing
    damage: Mapping[str, Damage]
    accept_any_model: bool
    max_pixels: int

    def check(self) -> None:
        """Raise `NodeFailedError` for what validation lets through and the node cannot use."""
        faults = (self._strangers(), self._misfits(), self._files(), self._text_encoder(), self._size())
        for failure in chain.from_iterable(faults):
            raise failure

    def _strangers(self) -> Iterator[NodeFailedError]:
        """Links to inputs that the node does not have are passed on all the same."""
        name = self.definition.name
        for stranger in self.inputs.keys() - self.definition.inputs.keys():
            if is_link(self.inputs[stranger]):
                function = f"{name}.{FUNCTIONS.get(name, 'execute')}()"
                yield NodeFailedError("TypeError", f"{function} got an unexpected keyword argument '{stranger}'")

    def _misfits(self) -> Iterator[NodeFailedError]:
        for entry, value in self._given():
            misfit = None if is_link(value) else MISFITS.get(entry.type or "")
            if misfit and (entry.required or value is not None):
                type_name, message = misfit
                yield NodeFailedError(type_name, message.format(kind=type(value).__name__))

    def _files(self) -> Iterator[NodeFailedError]:
        for entry, value in self._given():
            if entry.folder is None or not isinstance(value, str):
                continue
            is_open = self.accept_any_model or not entry.is_new_style or entry.folder in OUTPUT_FOLDERS
            if not is_open and value not in entry.options(self.listing):
                message = f"Model in folder '{entry.folder}' with filename '{value}' not found."
                yield NodeFailedError("FileNotFoundError", message)
            if self.damage.get(value) in DAMAGES:
                type_name, message = DAMAGES[self.damage[value]]
                yield NodeFailedError(type_name, message.format(path=f"{ROOT}/models/{entry.folder}/{value}"))

    def _text_encoder(self) -> Iterator[NodeFailedError]:
        if self.definition.name.startswith("CLIPTextEncode"):
            source = self._clip_file()
            if isinstance(source, str) and self.damage.get(source) is Damage.NO_TEXT_ENCODER:
                yield NodeFailedError("RuntimeError", NO_TEXT_ENCODER)

    def _size(self) -> Iterator[NodeFailedError]:
        width, height, count = (self.inputs.get(name, 1) for name in ("width", "height", "batch_size"))
        sides = [side for side in (width, height, count) if isinstance(side, int)]
        if math.prod(sides) > self.max_pixels:
            yield NodeFailedError(*OUT_OF_MEMORY)

    def _clip_file(self) -> Json:
        """The checkpoint that the text encoder comes from, through LoRA nodes and the like."""
        inputs = self.inputs
        for _ in range(MOST_HOPS):
            link = inputs.get("clip")
            if not is_link(link):
                break
            inputs = self.graph[link[0]]["inputs"]
        name: Json = inputs.get("ckpt_name")
        return name

    def _given(self) -> Iterator[tuple[InputDefinition, Any]]:
        entries = self.definition.inputs.items()
        return ((entry, self.inputs[name]) for name, entry in entries if name in self.inputs)
