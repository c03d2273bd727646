"""An installation of ComfyUI: its model files, its node packs, and what it reports about its system."""

import difflib
import posixpath
import re
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

from civitai_mock.comfyui_standin import COMFYUI_VERSION
from civitai_mock.comfyui_standin.options import ModelNames, StandinOptions
from civitai_mock.comfyui_standin.state.models import ANY_ENDING, ENDINGS, ModelFolders, current_name
from civitai_mock.comfyui_standin.validation.definitions import read_definitions
from civitai_mock.comfyui_standin.validation.node_packs import InstalledNodes, checked_object_info
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.json_types import Json, JsonObject

GIBIBYTE = 1024**3
SYSTEM: JsonObject = {
    "os": "posix",
    "ram_total": 32 * GIBIBYTE,
    "ram_free": 24 * GIBIBYTE,
    "comfyui_version": COMFYUI_VERSION,
    "required_frontend_version": "1.27.10",
    "installed_templates_version": "0.1.95",
    "required_templates_version": "0.1.95",
    "python_version": "3.11 (civitai-mock stand-in)",
    "pytorch_version": "0.0 (simulated)",
    "embedded_python": False,
}
GPU: JsonObject = {
    "name": "cuda:0 simulated",
    "type": "cuda",
    "index": 0,
    "vram_total": 24 * GIBIBYTE,
    "vram_free": 20 * GIBIBYTE,
    "torch_vram_total": 0,
    "torch_vram_free": 0,
}
CPU: JsonObject = {
    "name": "cpu",
    "type": "cpu",
    "index": None,
    "vram_total": 32 * GIBIBYTE,
    "vram_free": 24 * GIBIBYTE,
    "torch_vram_total": 32 * GIBIBYTE,
    "torch_vram_free": 24 * GIBIBYTE,
}
SYSTEM_SHAPE = 'Send what is to change, as GET /system_stats answers it: {"system": {"comfyui_version": "0.3.75"}}.'
FOLDER_NAME = re.compile(r"[\w.-]{1,100}")
MODELS_SHAPE = 'Send names by folder: {"checkpoints": ["v1-5-pruned-emaonly.safetensors"]}.'


class Installation:
    """Holds what is installed, by the options and since; wrong additions raise `InvalidRequestError`."""

    def __init__(self, *, models: ModelNames, options: StandinOptions, now: datetime) -> None:
        self.models = ModelFolders(initial=models, directories=options.directories, now=now)
        self.nodes = InstalledNodes(read_definitions(), options.packs)
        self.system = SystemStats(argv=options.argv, on_cpu=options.on_cpu, version=options.version)
        self._initial_object_info = options.object_info
        self.reset_nodes()
        self.reset_models()

    def add_models(self, document: Any) -> None:
        self.models.add(checked_models(document, known=self.models.folders))

    def replace_models(self, document: Any) -> None:
        self.models.replace(checked_models(document, known=self.models.folders))

    def reset_models(self) -> None:
        self.models.reset()
        for nodes in self._initial_object_info:
            self.models.add(self.nodes.model_names_in(nodes))

    def add_nodes(self, document: Any) -> None:
        """Add node packs, and the files that core nodes list: the answer of a real server has both."""
        nodes = checked_object_info(document)
        self.nodes.add(nodes)
        self.models.add(self.nodes.model_names_in(nodes))

    def replace_nodes(self, document: Any) -> None:
        nodes = checked_object_info(document)
        self.nodes.replace(nodes)
        self.models.add(self.nodes.model_names_in(nodes))

    def reset_nodes(self) -> None:
        self.nodes.replace({})
        for nodes in self._initial_object_info:
            self.nodes.add(nodes)


class SystemStats:
    """Answers GET /system_stats: the system as it was started, with what was changed since."""

    def __init__(self, *, argv: Sequence[str], on_cpu: bool, version: str) -> None:
        self._initial_system: JsonObject = {**SYSTEM, "comfyui_version": version, "argv": [*argv]}
        self._initial_devices: list[Json] = [CPU if on_cpu else GPU]
        self.reset()

    @property
    def wire(self) -> JsonObject:
        return {"system": {**self._initial_system, **self._changes}, "devices": self._devices}

    def change(self, document: Any) -> None:
        """Change some members; raise `InvalidRequestError` for what /system_stats would not answer."""
        self._apply(*_checked_system(document))

    def replace(self, document: Any) -> None:
        """Change some members, and take back earlier changes."""
        parts = _checked_system(document)
        self.reset()
        self._apply(*parts)

    def reset(self) -> None:
        self._changes: JsonObject = {}
        self._devices = self._initial_devices

    def _apply(self, system: JsonObject, devices: list[Json] | None) -> None:
        self._changes = {**self._changes, **system}
        self._devices = self._devices if devices is None else devices


def _checked_system(document: Any) -> tuple[JsonObject, list[Json] | None]:
    """Return `system` and `devices`; later versions than ours may have more members in `system`."""
    if not isinstance(document, dict) or not document.keys() <= {"system", "devices"}:
        raise InvalidRequestError(f"The body must be an object with system, devices or both. {SYSTEM_SHAPE}")
    system, devices = document.get("system", {}), document.get("devices")
    if not isinstance(system, dict):
        raise InvalidRequestError(f"system must be an object. {SYSTEM_SHAPE}")
    for name, value in system.items():
        if name in SYSTEM and type(value) is not type(SYSTEM[name]):
            raise InvalidRequestError(f"system.{name} must be like {SYSTEM[name]!r}; found {value!r}.")
    if devices is not None and not (isinstance(devices, list) and all(isinstance(each, dict) for each in devices)):
        raise InvalidRequestError(f"devices must be a list of objects. {SYSTEM_SHAPE}")
    return system, devices


def checked_models(document: Any, *, known: Collection[str]) -> ModelNames:
    """Return the names; raise `InvalidRequestError` for what ComfyUI would not list.

    A folder that ComfyUI does not have may be one of a node pack, unless its name looks like a typing error.
    """
    if not isinstance(document, dict):
        raise InvalidRequestError(f"Model files must be an object. {MODELS_SHAPE}")
    for folder, names in document.items():
        _check_folder(folder, known)
        if not isinstance(names, list):
            raise InvalidRequestError(f"{folder} must be a list of file names; found {names!r}. {MODELS_SHAPE}")
        for fault in _faults(folder, names):
            raise InvalidRequestError(fault)
    return document


def _check_folder(folder: str, known: Collection[str]) -> None:
    if current_name(folder) in known:
        return
    if near := difflib.get_close_matches(folder.lower(), known, n=1, cutoff=0.75):
        raise InvalidRequestError(f"Unknown folder of model files: {folder}. Did you mean {near[0]}?")
    if not FOLDER_NAME.fullmatch(folder) or folder.strip(".") == "":
        raise InvalidRequestError(
            f"A folder's name must have letters, digits, '_', '-' and '.' only; found {folder!r}."
        )


def _faults(folder: str, names: list[Any]) -> Iterator[str]:
    endings = ENDINGS.get(current_name(folder), ANY_ENDING)
    for name in names:
        if not isinstance(name, str) or not _is_inside(name):
            yield f"{folder} must have paths of files within the folder, such as sub/x.safetensors; found {name!r}."
        elif endings and posixpath.splitext(name)[1].lower() not in endings:
            listed = ", ".join(sorted(ending or "none" for ending in endings))
            yield f"{folder} must have files with one of the endings that ComfyUI lists: {listed}; found {name!r}."


def _is_inside(name: str) -> bool:
    parts = name.split("/")
    return "\0" not in name and not {"", ".", ".."} & set(parts)
