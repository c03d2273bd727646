"""What whoever starts a stand-in may choose."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from civitai_mock.domain.json import ReadOnlyJson

COMFYUI_VERSION = "0.3.64"
MEBIBYTE = 1024 * 1024

# The pictures of an output node as PNG files, with some texts as chunks; called in a thread.
Draw: TypeAlias = Callable[[ReadOnlyJson, str, Mapping[str, str]], Sequence[bytes]]
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


REALISTIC = Durations(load=1.0, step=0.15, other=0.05, unload=0.05, history_lag=0.002)


@dataclass(frozen=True, slots=True, kw_only=True)
class StandinOptions:
    """`previews` is ComfyUI's --preview-method; `damage` is by model file name."""

    accept_any_model: bool = False
    previews: bool = False
    durations: Durations = field(default_factory=Durations)
    damage: Mapping[str, Damage] = field(default_factory=dict)
    max_pixels: int = 256_000_000  # in one node's hands, all pictures of a batch together
    max_upload_bytes: int = 100 * MEBIBYTE
    max_stored_bytes: int = 512 * MEBIBYTE
    max_history: int = 10_000
    directories: Directories = field(default_factory=Directories)
    multi_user: bool = False
