"""What GET /system_stats tells; anything of it may be told otherwise."""

from collections.abc import Mapping, Sequence
from typing import Any

from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.providers.simulator.comfyui_server import COMFYUI_VERSION

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
SHAPE = 'Send what is to change as GET /system_stats answers it: {"system": {"comfyui_version": "0.3.75"}}.'


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
        raise InvalidRequestError(f"There are system and devices, nothing else. {SHAPE}")
    system, devices = document.get("system", {}), document.get("devices")
    if not isinstance(system, dict):
        raise InvalidRequestError(f"system must be an object. {SHAPE}")
    for name, value in _odd(system):
        raise InvalidRequestError(f"system.{name} must be like {SYSTEM[name]!r}; found {value!r}.")
    if devices is not None and not (isinstance(devices, list) and all(isinstance(each, dict) for each in devices)):
        raise InvalidRequestError(f"devices must be a list of objects. {SHAPE}")
    return system, devices


def _odd(system: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return the known members that have another type; later versions have more members."""
    return [(name, value) for name, value in system.items() if name in SYSTEM and type(value) is not type(SYSTEM[name])]
