"""extra_model_paths.yaml: more folders with model files, as ComfyUI reads it."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.providers.simulator.comfyui_server.options import ExtraFolder


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
