"""The model files of a server: names that were added, and files in folders on disk."""

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from civitai_mock.comfyui_standin.options import Directories, ExtraFolder, ModelNames
from civitai_mock.comfyui_standin.state.files import ROOT
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import InvalidRequestError

MODEL_ENDINGS = frozenset({".ckpt", ".pt", ".pt2", ".bin", ".pth", ".safetensors", ".pkl", ".sft"})
ANY_ENDING: frozenset[str] = frozenset()
UNLISTED_FOLDER = ".git"
# ComfyUI's older names of two folders.
LEGACY_NAMES: Mapping[str, str] = {"unet": "diffusion_models", "clip": "text_encoders"}
# ComfyUI's folders in its order, and their directories below its base directory.
OWN_DIRECTORIES: Mapping[str, Sequence[str]] = {
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
# Model files that graphs saved below the output folder count as well.
OUTPUT_SUBFOLDERS: Mapping[str, str] = {
    "checkpoints": "checkpoints",
    "text_encoders": "clip",
    "vae": "vae",
    "diffusion_models": "diffusion_models",
    "loras": "loras",
}
# Endings of the files that ComfyUI lists; a folder of a node pack takes any.
ENDINGS: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(OWN_DIRECTORIES, MODEL_ENDINGS),
    "configs": frozenset({".yaml"}),
    "diffusers": frozenset({"folder"}),
    "custom_nodes": ANY_ENDING,
    "classifiers": frozenset({""}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """Describes a file as its disk does; `path_index` says in which of the folder's directories it is."""

    name: str
    path_index: int
    size: int
    modified: float
    created: float


class ModelFolders:
    """Lists model files by ComfyUI's folders; directories are read anew at each use, as ComfyUI does."""

    def __init__(self, *, initial: ModelNames, directories: Directories, now: datetime) -> None:
        self._initial = self._kept = initial
        self._added: dict[str, list[str]] = {}
        self._directories = directories
        self._started = now.timestamp()

    @property
    def folders(self) -> list[str]:
        """Return the names of all folders, ComfyUI's own first."""
        extra = [each.folder for each in self._directories.extra_models]
        return list(dict.fromkeys([*OWN_DIRECTORIES, *map(current_name, extra), *self._kept, *self._added]))

    @property
    def all_names(self) -> ModelNames:
        """Return every file by its folder; folders without files are left out."""
        found = {folder: self.names_in(folder) for folder in self.folders}
        return {folder: names for folder, names in found.items() if names}

    def add(self, models: ModelNames) -> None:
        for folder, names in models.items():
            known = self._added.setdefault(current_name(folder), [])
            known += [name for name in names if name not in known]

    def replace(self, models: ModelNames) -> None:
        """Have these files in place of the initial and the added ones; what is on disk stays."""
        self._kept, self._added = {}, {}
        self.add(models)

    def reset(self) -> None:
        """Go back to the files of the start."""
        self._kept, self._added = self._initial, {}

    def names_in(self, folder: str) -> list[str]:
        """Return sorted names, with the subfolders that they are in."""
        name = current_name(folder)
        on_disk = (file.name for file in self._files_on_disk(name))
        return sorted({*self._kept.get(name, ()), *self._added.get(name, ()), *on_disk})

    def files_in(self, folder: str) -> list[ModelFile]:
        """Describe all files; one that is only a name is empty, and as old as the server."""
        on_disk = list(self._files_on_disk(folder))
        names_on_disk = {file.name for file in on_disk}
        only_names = [
            ModelFile(name=name, path_index=0, size=0, modified=self._started, created=self._started)
            for name in self.names_in(folder)
            if name not in names_on_disk
        ]
        return [*only_names, *on_disk]

    def directories_of(self, folder: str) -> list[str]:
        """Return the directories where a server looks for a folder's files, also those that do not exist."""
        name = current_name(folder)
        base = self._directories.base or PurePosixPath(ROOT)
        own = [base / directory for directory in OWN_DIRECTORIES.get(name, ())]
        if name in OUTPUT_SUBFOLDERS:
            own.append((self._directories.output or base / "output") / OUTPUT_SUBFOLDERS[name])
        extra = [each for each in self._directories.extra_models if current_name(each.folder) == name]
        first = [each.path for each in reversed(extra) if each.is_default]
        last = [each.path for each in extra if not each.is_default]
        return [str(path) for path in (*first, *own, *last)]

    def find_on_disk(self, folder: str, name: str) -> Path | None:
        """Return the path of a file that is on disk; a name never leads out of its folder."""
        inside = os.path.relpath(f"/{name}", "/")
        paths = (directory / inside for _, directory in self._existing_directories(folder))
        return next((path for path in paths if path.is_file()), None)

    def _files_on_disk(self, folder: str) -> Iterator[ModelFile]:
        known: set[str] = set()
        endings = ENDINGS.get(current_name(folder), ANY_ENDING)
        for index, directory in self._existing_directories(folder):
            for path in _files_below(directory):
                name = path.relative_to(directory).as_posix()
                if name not in known and (not endings or path.suffix.lower() in endings):
                    known.add(name)
                    yield _model_file(path, name, index)

    def _existing_directories(self, folder: str) -> Iterator[tuple[int, Path]]:
        """Yield the directories of a folder that are on this disk, with their index among all."""
        for index, path in enumerate(self.directories_of(folder)):
            if not path.startswith(f"{ROOT}/") and Path(path).is_dir():
                yield index, Path(path)


def current_name(folder: str) -> str:
    """Return ComfyUI's present name of a folder."""
    return LEGACY_NAMES.get(folder, folder)


def _files_below(directory: Path) -> Iterator[Path]:
    for folder, subfolders, names in os.walk(directory, followlinks=True):
        subfolders[:] = sorted(name for name in subfolders if name != UNLISTED_FOLDER)
        yield from (path for name in sorted(names) if (path := Path(folder, name)).is_file())


def _model_file(path: Path, name: str, index: int) -> ModelFile:
    stat = path.stat()
    return ModelFile(name=name, path_index=index, size=stat.st_size, modified=stat.st_mtime, created=stat.st_ctime)


def read_extra_paths(path: Path) -> Sequence[ExtraFolder]:
    """Read an extra_model_paths.yaml.

    Raise `InvalidRequestError` if the content is wrong, and `OSError` if the file cannot be read.
    """
    try:
        document = yaml.safe_load(path.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidRequestError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict):
        raise InvalidRequestError(f"{path} must have sections with folders in them, such as `comfyui:`.")
    home = path.resolve().parent
    return [folder for name, section in document.items() for folder in _extra_folders(f"{path}, {name}", section, home)]


def _extra_folders(where: str, section: Any, home: Path) -> Iterator[ExtraFolder]:
    if section is None:
        return
    if not isinstance(section, dict):
        raise InvalidRequestError(
            f"{where} must have folders by their names, such as `checkpoints: models/checkpoints`."
        )
    base = home / _expanded(str(section["base_path"])) if "base_path" in section else home
    for name, paths in section.items():
        if name in {"base_path", "is_default"}:
            continue
        if not isinstance(paths, str):
            raise InvalidRequestError(f"{where}: {name} must be a path, or one on each line; found {paths!r}.")
        for line in filter(None, map(str.strip, paths.split("\n"))):
            path = Path(os.path.normpath(base / line))
            yield ExtraFolder(folder=str(name), path=path, is_default=bool(section.get("is_default")))


def _expanded(path: str) -> str:
    return os.path.expandvars(Path(path).expanduser())
