"""The options of a stand-in, and the model files that it pretends to have unless it is told of others."""

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from PIL import Image

from civitai_mock.comfyui_standin import COMFYUI_VERSION
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.resource import Resource
from civitai_mock.generation.comfyui_facts import FOLDERS_OF_TYPES, MOST_PIXELS_IN_MEMORY
from civitai_mock.generation.control_nets.resources import BEST_KNOWN

MEBIBYTE = 1024 * 1024

# Model file names by ComfyUI's folder names; read anew at each use, as ComfyUI looks at its disk.
Models: TypeAlias = Mapping[str, Sequence[str]]


class Damage(StrEnum):
    """What is wrong with a model file that is there."""

    CORRUPT = "corrupt"
    UNKNOWN_MODEL = "unknown_model"
    NO_TEXT_ENCODER = "no_text_encoder"


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """Seconds of simulated work; `step` is for one sampler step, `unload` for POST /free."""

    load: float = 0.0
    step: float = 0.0
    other: float = 0.0
    unload: float = 0.0
    history_lag: float = 0.0  # from execution_success until the history entry


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraFolder:
    """One more directory for a folder of model files; a default one comes before ComfyUI's own."""

    folder: str
    path: Path
    is_default: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Directories:
    """What is on disk; the rest is in memory. `base` is ComfyUI's --base-directory, which has a folder `models`."""

    base: Path | None = None
    output: Path | None = None
    input: Path | None = None
    temp: Path | None = None
    extra_models: Sequence[ExtraFolder] = ()

    @property
    def files(self) -> Mapping[str, Path]:
        """Return the folders of input, output and temp that are on disk."""
        named = {"input": self.input, "output": self.output, "temp": self.temp}
        return {folder: path for folder, path in named.items() if path is not None}


class CacheKind(StrEnum):
    """What nodes made is kept for the next prompt: what the last graph made, what N nodes made, or nothing."""

    CLASSIC = "classic"
    LRU = "lru"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """`size` is for LRU."""

    kind: CacheKind = CacheKind.CLASSIC
    size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Packs:
    """Which nodes are loaded beside ComfyUI's own, by the modules they are from."""

    api_nodes: bool = True
    custom_nodes: bool = True
    whitelist: frozenset[str] = frozenset()

    def has(self, module: str) -> bool:
        kind, _, rest = module.partition(".")
        if kind == "custom_nodes":
            return self.custom_nodes or bool({rest, f"{rest}.py"} & self.whitelist)
        return self.api_nodes or kind != "comfy_api_nodes"


REALISTIC = Durations(load=1.0, step=0.15, other=0.05, unload=0.05, history_lag=0.002)


@dataclass(frozen=True, slots=True, kw_only=True)
class StandinOptions:
    """Holds ComfyUI's own options of these names, with its defaults; `damage` is by model file name."""

    accept_any_model: bool = False
    previews: bool = False  # --preview-method is something else than none
    preview_side: int = 512
    metadata: bool = True
    cache: Cache = field(default_factory=Cache)
    cors_origin: str | None = None
    compress: bool = False
    argv: tuple[str, ...] = ("main.py",)
    on_cpu: bool = False
    version: str = COMFYUI_VERSION
    packs: Packs = field(default_factory=Packs)
    object_info: Sequence[JsonObject] = ()
    durations: Durations = field(default_factory=Durations)
    damage: Mapping[str, Damage] = field(default_factory=dict)
    max_pixels: int = MOST_PIXELS_IN_MEMORY  # in one node's hands, all images of a batch together
    upload_mebibytes: float = 100
    max_stored_bytes: int = 512 * MEBIBYTE
    max_history: int = 10_000
    directories: Directories = field(default_factory=Directories)
    multi_user: bool = False

    @property
    def max_upload_bytes(self) -> int:
        return round(self.upload_mebibytes * MEBIBYTE)

    @property
    def told_upload_bytes(self) -> float:
        """Return it as /features tells it: a fraction stays one."""
        return self.upload_mebibytes * MEBIBYTE


# Files that ComfyUI itself comes with, for checkpoints that do not tell what they are.
CONFIGS = (
    "anything_v3.yaml",
    "v1-inference.yaml",
    "v1-inference_clip_skip_2.yaml",
    "v1-inference_clip_skip_2_fp16.yaml",
    "v1-inference_fp16.yaml",
    "v1-inpainting-inference.yaml",
    "v2-inference-v.yaml",
    "v2-inference-v_fp32.yaml",
    "v2-inference.yaml",
    "v2-inference_fp32.yaml",
    "v2-inpainting-inference.yaml",
)
BESIDE: Models = {
    "configs": CONFIGS,
    "text_encoders": ["clip_g.safetensors", "clip_l.safetensors", "t5xxl_fp8_e4m3fn.safetensors"],
    "vae": ["ae.safetensors"],
    "upscale_models": ["RealESRGAN_x4plus.pth"],
    "controlnet": [name for of_ecosystem in BEST_KNOWN.values() for name in of_ecosystem.values()],
}

EXAMPLE = "example.png"
EXAMPLE_SIZE = (768, 768)


def example_image() -> bytes:
    """Draw a stand-in for the image that every ComfyUI has in its input folder from the start."""
    buffer = io.BytesIO()
    Image.radial_gradient("L").resize(EXAMPLE_SIZE).convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


def pretended_models(resources: Iterable[Resource]) -> Models:
    """By ComfyUI's folder names; a resource of a type that ComfyUI has no folder for is left out."""
    found: dict[str, list[str]] = {folder: list(names) for folder, names in BESIDE.items()}
    for resource in resources:
        for folder in FOLDERS_OF_TYPES.get((resource.air.type or "").lower(), ()):
            found.setdefault(folder, []).append(resource.file_name or resource.air.model_path)
    return found
