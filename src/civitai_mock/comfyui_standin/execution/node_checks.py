"""Checks of a node that is about to run: what validation lets through and the node cannot use."""

import math
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from civitai_mock.comfyui_standin.execution.failures import NodeFailedError
from civitai_mock.comfyui_standin.execution.graph import AcceptedGraph, is_link
from civitai_mock.comfyui_standin.options import Damage
from civitai_mock.comfyui_standin.state.files import ROOT
from civitai_mock.comfyui_standin.validation.definitions import (
    OUTPUT_FOLDERS,
    InputDefinition,
    ListFolder,
    NodeDefinition,
)
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import Json

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
# What a literal in place of a link raises, by the type that the input wants.
LITERAL_ERRORS: Mapping[str, tuple[str, str]] = {
    "MODEL": ("AttributeError", "'{kind}' object has no attribute 'get_model_object'"),
    "CLIP": ("AttributeError", "'{kind}' object has no attribute 'tokenize'"),
    "VAE": ("AttributeError", "'{kind}' object has no attribute 'decode'"),
    "IMAGE": ("AttributeError", "'{kind}' object has no attribute 'shape'"),
    "LATENT": ("TypeError", "string indices must be integers, not 'str'"),
}
DAMAGE_ERRORS: Mapping[Damage, tuple[str, str]] = {
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
MAX_HOPS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeCheck:
    """Compares one node that is about to run with its definition and with the model files."""

    graph: AcceptedGraph
    definition: NodeDefinition
    inputs: Mapping[str, Any]
    list_folder: ListFolder
    damage: Mapping[str, Damage]
    accept_any_model: bool
    max_pixels: int

    def run(self) -> None:
        """Raise the first `NodeFailedError` that is found, in ComfyUI's words."""
        failures = (
            self._unknown_inputs(),
            self._literals_for_links(),
            self._model_files(),
            self._text_encoder(),
            self._size(),
        )
        for failure in chain.from_iterable(failures):
            raise failure

    def _unknown_inputs(self) -> Iterator[NodeFailedError]:
        """ComfyUI passes a link to an input that the node does not have on to its function."""
        name = self.definition.name
        for unknown in self.inputs.keys() - self.definition.inputs.keys():
            if is_link(self.inputs[unknown]):
                function = f"{name}.{FUNCTIONS.get(name, 'execute')}()"
                yield NodeFailedError("TypeError", f"{function} got an unexpected keyword argument '{unknown}'")

    def _literals_for_links(self) -> Iterator[NodeFailedError]:
        for entry, value in self._given_inputs():
            error = None if is_link(value) else LITERAL_ERRORS.get(entry.type or "")
            if error and (entry.required or value is not None):
                type_name, message = error
                yield NodeFailedError(type_name, message.format(kind=type(value).__name__))

    def _model_files(self) -> Iterator[NodeFailedError]:
        for entry, value in self._given_inputs():
            if entry.folder is None or not isinstance(value, str):
                continue
            is_open = self.accept_any_model or not entry.is_new_style or entry.folder in OUTPUT_FOLDERS
            if not is_open and value not in entry.options(self.list_folder):
                message = f"Model in folder '{entry.folder}' with filename '{value}' not found."
                yield NodeFailedError("FileNotFoundError", message)
            if self.damage.get(value) in DAMAGE_ERRORS:
                type_name, message = DAMAGE_ERRORS[self.damage[value]]
                yield NodeFailedError(type_name, message.format(path=f"{ROOT}/models/{entry.folder}/{value}"))

    def _text_encoder(self) -> Iterator[NodeFailedError]:
        if self.definition.name.startswith("CLIPTextEncode"):
            checkpoint = self._checkpoint_of_clip()
            if isinstance(checkpoint, str) and self.damage.get(checkpoint) is Damage.NO_TEXT_ENCODER:
                yield NodeFailedError("RuntimeError", NO_TEXT_ENCODER)

    def _checkpoint_of_clip(self) -> Json:
        """Return the checkpoint that the text encoder comes from, through LoRA nodes and the like."""
        inputs = self.inputs
        for _ in range(MAX_HOPS):
            link = inputs.get("clip")
            if not is_link(link):
                break
            inputs = self.graph[link[0]]["inputs"]
        name: Json = inputs.get("ckpt_name")
        return name

    def _size(self) -> Iterator[NodeFailedError]:
        width, height, count = (self.inputs.get(name, 1) for name in ("width", "height", "batch_size"))
        sides = [side for side in (width, height, count) if isinstance(side, int)]
        if math.prod(sides) > self.max_pixels:
            yield NodeFailedError(*OUT_OF_MEMORY)

    def _given_inputs(self) -> Iterator[tuple[InputDefinition, Any]]:
        entries = self.definition.inputs.items()
        return ((entry, self.inputs[name]) for name, entry in entries if name in self.inputs)
