"""The options of a stand-in: those of ComfyUI that have an effect here, durations, and damaged model files."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from civitai_mock.comfyui_standin import COMFYUI_VERSION
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.generation.comfyui_facts import MOST_PIXELS_IN_MEMORY

MEBIBYTE = 1024 * 1024

# Names of model files by ComfyUI's folder names; read anew at each use, as ComfyUI reads its disk.
ModelNames: TypeAlias = Mapping[str, Sequence[str]]


class Damage(StrEnum):
    """Says what is wrong with a model file that exists."""

    CORRUPT = "corrupt"
    UNKNOWN_MODEL = "unknown_model"
    NO_TEXT_ENCODER = "no_text_encoder"


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """Gives the seconds of simulated work; `step` is for one sampler step, `unload` for POST /free."""

    load: float = 0.0
    step: float = 0.0
    other: float = 0.0
    unload: float = 0.0
    history_lag: float = 0.0  # from execution_success until the history entry


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraFolder:
    """Adds a directory to a folder of model files; a default one comes before ComfyUI's own."""

    folder: str
    path: Path
    is_default: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Directories:
    """Says which folders are on disk; the others are in memory.

    `base` is ComfyUI's --base-directory, which has a folder `models`.
    """

    base: Path | None = None
    output: Path | None = None
    input: Path | None = None
    temp: Path | None = None
    extra_models: Sequence[ExtraFolder] = ()

    @property
    def files(self) -> Mapping[str, Path]:
        """Return those of the folders input, output and temp that are on disk."""
        paths = {"input": self.input, "output": self.output, "temp": self.temp}
        return {folder: path for folder, path in paths.items() if path is not None}


class CacheKind(StrEnum):
    """Says what the node cache keeps for the next prompt: what the last graph made, what N nodes made, or nothing."""

    CLASSIC = "classic"
    LRU = "lru"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheOptions:
    """Says how the node cache works; `size` is for LRU."""

    kind: CacheKind = CacheKind.CLASSIC
    size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePackOptions:
    """Says which nodes are loaded beside ComfyUI's own, by the modules they are from."""

    api_nodes: bool = True
    custom_nodes: bool = True
    whitelist: frozenset[str] = frozenset()

    def includes(self, module: str) -> bool:
        kind, _, rest = module.partition(".")
        if kind == "custom_nodes":
            return self.custom_nodes or bool({rest, f"{rest}.py"} & self.whitelist)
        return self.api_nodes or kind != "comfy_api_nodes"


REALISTIC = Durations(load=1.0, step=0.15, other=0.05, unload=0.05, history_lag=0.002)


@dataclass(frozen=True, slots=True, kw_only=True)
class StandinOptions:
    """Holds ComfyUI's own options of these names, with its defaults; `damage` is by model file name."""

    accept_any_model: bool = False
    previews: bool = False  # --preview-method is not none
    preview_side: int = 512
    metadata: bool = True
    cache: CacheOptions = field(default_factory=CacheOptions)
    cors_origin: str | None = None
    compress: bool = False
    argv: tuple[str, ...] = ("main.py",)
    on_cpu: bool = False
    version: str = COMFYUI_VERSION
    packs: NodePackOptions = field(default_factory=NodePackOptions)
    object_info: Sequence[JsonObject] = ()
    durations: Durations = field(default_factory=Durations)
    damage: Mapping[str, Damage] = field(default_factory=dict)
    max_pixels: int = MOST_PIXELS_IN_MEMORY  # that one node can hold: all images of a batch together
    upload_mebibytes: float = 100
    max_stored_bytes: int = 512 * MEBIBYTE
    max_history: int = 10_000
    directories: Directories = field(default_factory=Directories)
    multi_user: bool = False

    @property
    def max_upload_bytes(self) -> int:
        return round(self.upload_mebibytes * MEBIBYTE)

    @property
    def reported_upload_bytes(self) -> float:
        """Return the limit as /features reports it, which may be a fraction."""
        return self.upload_mebibytes * MEBIBYTE
