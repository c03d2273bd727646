"""Which model files a server has: those that it was told of, and those in folders on disk."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from civitai_mock.comfyui_standin.options import Directories, ExtraFolder, Models
from civitai_mock.comfyui_standin.state.files import ROOT
from civitai_mock.domain.errors import InvalidRequestError

MODEL_ENDINGS = frozenset({".ckpt", ".pt", ".pt2", ".bin", ".pth", ".safetensors", ".pkl", ".sft"})
ANY_ENDING: frozenset[str] = frozenset()
NOT_LISTED = ".git"
# ComfyUI's older names of two folders.
LEGACY: Mapping[str, str] = {"unet": "diffusion_models", "clip": "text_encoders"}
# Folders by ComfyUI's names in its order, and where they are below its base directory.
PLACES: Mapping[str, Sequence[str]] = {
    "checkpoints": ("models/checkpoints",),
    "configs": ("models/configs",),
    "loras": ("models/loras",),
    "vae": ("models/vae",),
    "text_encoders": ("models/text_encoders", "models/clip"),
    "diffusion_models": ("models/unet", "models/diffusion_models"),
    "clip_vision": ("models/clip_vision",),
    "style_models": ("models/style_models",),
    "embeddings": ("models/embeddings",),
    "diffusers": ("models/diffusers",),
    "vae_approx": ("models/vae_approx",),
    "controlnet": ("models/controlnet", "models/t2i_adapter"),
    "gligen": ("models/gligen",),
    "upscale_models": ("models/upscale_models",),
    "custom_nodes": ("custom_nodes",),
    "hypernetworks": ("models/hypernetworks",),
    "photomaker": ("models/photomaker",),
    "classifiers": ("models/classifiers",),
    "model_patches": ("models/model_patches",),
    "audio_encoders": ("models/audio_encoders",),
}
# What graphs save below the output folder counts as well.
SAVED: Mapping[str, str] = {
    "checkpoints": "checkpoints",
    "text_encoders": "clip",
    "vae": "vae",
    "diffusion_models": "diffusion_models",
    "loras": "loras",
}
# Other endings than those of models; a folder that ComfyUI does not know by itself takes any.
ENDINGS: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(PLACES, MODEL_ENDINGS),
    "configs": frozenset({".yaml"}),
    "diffusers": frozenset({"folder"}),
    "custom_nodes": ANY_ENDING,
    "classifiers": frozenset({""}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """`path_index` tells in which of the folder's directories it is."""

    name: str
    path_index: int
    size: int
    modified: float
    created: float


class ModelFolders:
    """Looked at anew at each use, as ComfyUI looks at its disk."""

    def __init__(self, *, given: Models, directories: Directories, now: datetime) -> None:
        self._start = self._given = given
        self._told: dict[str, list[str]] = {}
        self._directories = directories
        self._started = now.timestamp()

    @property
    def names(self) -> list[str]:
        """All folders: ComfyUI's own first."""
        extra = [each.folder for each in self._directories.extra_models]
        return list(dict.fromkeys([*PLACES, *map(current, extra), *self._given, *self._told]))

    @property
    def told(self) -> Models:
        """Every file by its folder; folders without any are left out."""
        found = {folder: self.files(folder) for folder in self.names}
        return {folder: names for folder, names in found.items() if names}

    def tell(self, models: Models) -> None:
        """Some files are there from now on."""
        for folder, names in models.items():
            known = self._told.setdefault(current(folder), [])
            known += [name for name in names if name not in known]

    def reset(self) -> None:
        """Go back to what was there at the start."""
        self._given, self._told = self._start, {}

    def replace(self, models: Models) -> None:
        """These files are there, and none of those that were given or told before; what is on disk stays."""
        self._given, self._told = {}, {}
        self.tell(models)

    def files(self, folder: str) -> list[str]:
        """Sorted names, with the folders that they are in."""
        name = current(folder)
        on_disk = (file.name for file in self._on_disk(name))
        return sorted({*self._given.get(name, ()), *self._told.get(name, ()), *on_disk})

    def described(self, folder: str) -> list[ModelFile]:
        """Files with what a disk tells of them; one that was only told is empty, and as old as the server."""
        on_disk = list(self._on_disk(folder))
        there = {file.name for file in on_disk}
        plain = [
            ModelFile(name=name, path_index=0, size=0, modified=self._started, created=self._started)
            for name in self.files(folder)
            if name not in there
        ]
        return [*plain, *on_disk]

    def paths(self, folder: str) -> list[str]:
        """Where a server looks for a folder's files, also where there is nothing behind it."""
        name = current(folder)
        base = self._directories.base or PurePosixPath(ROOT)
        own = [base / place for place in PLACES.get(name, ())]
        if name in SAVED:
            own.append((self._directories.output or base / "output") / SAVED[name])
        extra = [each for each in self._directories.extra_models if current(each.folder) == name]
        first = [each.path for each in reversed(extra) if each.is_default]
        last = [each.path for each in extra if not each.is_default]
        return [str(path) for path in (*first, *own, *last)]

    def on_disk(self, folder: str, name: str) -> Path | None:
        """A file of a folder, if it is on disk; a name never leads out of its folder."""
        inside = os.path.relpath(f"/{name}", "/")
        paths = (directory / inside for _, directory in self._behind(folder))
        return next((path for path in paths if path.is_file()), None)

    def _on_disk(self, folder: str) -> Iterator[ModelFile]:
        known: set[str] = set()
        endings = ENDINGS.get(current(folder), ANY_ENDING)
        for index, directory in self._behind(folder):
            for path in _walk(directory):
                name = path.relative_to(directory).as_posix()
                if name not in known and (not endings or path.suffix.lower() in endings):
                    known.add(name)
                    yield _described(path, name, index)

    def _behind(self, folder: str) -> Iterator[tuple[int, Path]]:
        """The directories of a folder that are on this disk, with their places among all."""
        for index, path in enumerate(self.paths(folder)):
            if not path.startswith(f"{ROOT}/") and Path(path).is_dir():
                yield index, Path(path)


def _described(path: Path, name: str, index: int) -> ModelFile:
    facts = path.stat()
    return ModelFile(name=name, path_index=index, size=facts.st_size, modified=facts.st_mtime, created=facts.st_ctime)


def current(folder: str) -> str:
    """ComfyUI's present name of a folder."""
    return LEGACY.get(folder, folder)


def _walk(directory: Path) -> Iterator[Path]:
    for folder, subfolders, names in os.walk(directory, followlinks=True):
        subfolders[:] = sorted(name for name in subfolders if name != NOT_LISTED)
        yield from (path for name in sorted(names) if (path := Path(folder, name)).is_file())


def read_extra_paths(path: Path) -> Sequence[ExtraFolder]:
    """Raise `InvalidRequestError` for what is no such file, and `OSError` if it cannot be read."""
    try:
        document = yaml.safe_load(path.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidRequestError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict):
        raise InvalidRequestError(f"{path} must have sections with folders in them, such as `comfyui:`.")
    home = path.resolve().parent
    return [folder for name, section in document.items() for folder in _folders(f"{path}, {name}", section, home)]


def _folders(where: str, section: Any, home: Path) -> Iterator[ExtraFolder]:
    if section is None:
        return
    if not isinstance(section, dict):
        raise InvalidRequestError(
            f"{where} must have folders by their names, such as `checkpoints: models/checkpoints`."
        )
    base = home / _expanded(str(section["base_path"])) if "base_path" in section else home
    for folder, paths in _named(section).items():
        if not isinstance(paths, str):
            raise InvalidRequestError(f"{where}: {folder} must be a path, or one on each line; found {paths!r}.")
        for line in filter(None, map(str.strip, paths.split("\n"))):
            path = Path(os.path.normpath(base / line))
            yield ExtraFolder(folder=folder, path=path, is_default=bool(section.get("is_default")))


def _named(section: Mapping[Any, Any]) -> Mapping[str, Any]:
    return {str(name): value for name, value in section.items() if name not in {"base_path", "is_default"}}


def _expanded(path: str) -> str:
    return os.path.expandvars(Path(path).expanduser())
