"""What an installation of ComfyUI has of its own: model files, node packs, and what it says of its system."""

import difflib
import posixpath
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from civitai_mock.comfyui_standin import COMFYUI_VERSION
from civitai_mock.comfyui_standin.options import Models, StandinOptions
from civitai_mock.comfyui_standin.state.models import ANY_ENDING, ENDINGS, ModelFolders, current
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
SYSTEM_SHAPE = 'Send what is to change as GET /system_stats answers it: {"system": {"comfyui_version": "0.3.75"}}.'


class System:
    """Return the system as it was started, with what was told since."""

    def __init__(self, *, argv: Sequence[str], on_cpu: bool, version: str) -> None:
        self._start: JsonObject = {**SYSTEM, "comfyui_version": version, "argv": [*argv]}
        self._first_devices: list[Json] = [CPU if on_cpu else GPU]
        self.reset()

    @property
    def wire(self) -> JsonObject:
        return {"system": {**self._start, **self._told}, "devices": self._devices}

    def tell(self, document: Any) -> None:
        """Raise `InvalidRequestError` for what /system_stats would not answer."""
        self._take(*_parts(document))

    def replace(self, document: Any) -> None:
        """The same, in place of what was told before."""
        parts = _parts(document)
        self.reset()
        self._take(*parts)

    def reset(self) -> None:
        self._told: JsonObject = {}
        self._devices = self._first_devices

    def _take(self, system: JsonObject, devices: list[Json] | None) -> None:
        self._told = {**self._told, **system}
        self._devices = self._devices if devices is None else devices


def _parts(document: Any) -> tuple[JsonObject, list[Json] | None]:
    if not isinstance(document, dict) or not document.keys() <= {"system", "devices"}:
        raise InvalidRequestError(f"There are system and devices, nothing else. {SYSTEM_SHAPE}")
    system, devices = document.get("system", {}), document.get("devices")
    if not isinstance(system, dict):
        raise InvalidRequestError(f"system must be an object. {SYSTEM_SHAPE}")
    for name, value in _odd(system):
        raise InvalidRequestError(f"system.{name} must be like {SYSTEM[name]!r}; found {value!r}.")
    if devices is not None and not (isinstance(devices, list) and all(isinstance(each, dict) for each in devices)):
        raise InvalidRequestError(f"devices must be a list of objects. {SYSTEM_SHAPE}")
    return system, devices


def _odd(system: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return the known members that have another type; later versions have more members."""
    return [(name, value) for name, value in system.items() if name in SYSTEM and type(value) is not type(SYSTEM[name])]


FOLDER_NAME = re.compile(r"[\w.-]{1,100}")
MODELS_SHAPE = 'Send names by folder: {"checkpoints": ["v1-5-pruned-emaonly.safetensors"]}.'


def checked_models(document: Any, *, known: Collection[str]) -> Models:
    """Raise `InvalidRequestError`. A folder that ComfyUI does not have is one of a node pack."""
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


class Installation:
    """Told while it runs, and by the options it was started with; whatever is wrong raises `InvalidRequestError`."""

    def __init__(self, *, models: Models, options: StandinOptions, now: datetime) -> None:
        self.models = ModelFolders(given=models, directories=options.directories, now=now)
        self.nodes = InstalledNodes(read_definitions(), options.packs)
        self.system = System(argv=options.argv, on_cpu=options.on_cpu, version=options.version)
        self._started_with = options.object_info
        self.reset_nodes()
        self.reset_models()

    def tell_models(self, document: Any) -> None:
        self.models.tell(checked_models(document, known=self.models.names))

    def replace_models(self, document: Any) -> None:
        self.models.replace(checked_models(document, known=self.models.names))

    def reset_models(self) -> None:
        self.models.reset()
        for nodes in self._started_with:
            self.models.tell(self.nodes.files_in(nodes))

    def tell_nodes(self, document: Any) -> None:
        """Node packs, and the files that core nodes list: the answer of a real server tells of both."""
        nodes = checked_object_info(document)
        self.nodes.tell(nodes)
        self.models.tell(self.nodes.files_in(nodes))

    def replace_nodes(self, document: Any) -> None:
        nodes = checked_object_info(document)
        self.nodes.replace(nodes)
        self.models.tell(self.nodes.files_in(nodes))

    def reset_nodes(self) -> None:
        self.nodes.replace({})
        for nodes in self._started_with:
            self.nodes.tell(nodes)

    def tell_system(self, document: Any) -> None:
        self.system.tell(document)

    def replace_system(self, document: Any) -> None:
        self.system.replace(document)

    def reset_system(self) -> None:
        self.system.reset()
