"""Names of model files as somebody tells them, checked: a typing error must not become a folder that nobody reads."""

import difflib
import posixpath
import re
from collections.abc import Collection, Iterator
from typing import Any

from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.providers.simulator.comfyui_server.keeping.models import ANY_ENDING, ENDINGS, current
from civitai_mock.providers.simulator.comfyui_server.options import Models

FOLDER_NAME = re.compile(r"[\w.-]{1,100}")
SHAPE = 'Send names by folder: {"checkpoints": ["v1-5-pruned-emaonly.safetensors"]}.'


def checked_models(document: Any, *, known: Collection[str]) -> Models:
    """Raise `InvalidRequestError`. A folder that ComfyUI does not have is one of a node pack."""
    if not isinstance(document, dict):
        raise InvalidRequestError(f"Model files must be an object. {SHAPE}")
    for folder, names in document.items():
        _check_folder(folder, known)
        if not isinstance(names, list):
            raise InvalidRequestError(f"{folder} must be a list of file names; found {names!r}. {SHAPE}")
        for fault in _faults(folder, names):
            raise InvalidRequestError(fault)
    return document


def _check_folder(folder: str, known: Collection[str]) -> None:
    if current(folder) in known:
        return
    if near := difflib.get_close_matches(folder.lower(), known, n=1, cutoff=0.75):
        raise InvalidRequestError(f"There is no folder {folder} of model files. Is {near[0]} meant?")
    if not FOLDER_NAME.fullmatch(folder) or folder.strip(".") == "":
        raise InvalidRequestError(
            f"A folder's name must have letters, digits, '_', '-' and '.' only; found {folder!r}."
        )


def _faults(folder: str, names: list[Any]) -> Iterator[str]:
    endings = ENDINGS.get(current(folder), ANY_ENDING)
    for name in names:
        if not isinstance(name, str) or not _is_inside(name):
            yield f"{folder} must have paths of files within the folder, such as sub/x.safetensors; found {name!r}."
        elif endings and posixpath.splitext(name)[1].lower() not in endings:
            told = ", ".join(sorted(ending or "none" for ending in endings))
            yield f"ComfyUI lists files of {folder} only with one of the endings {told}; found {name!r}."


def _is_inside(name: str) -> bool:
    parts = name.split("/")
    return "\0" not in name and not {"", ".", ".."} & set(parts)
