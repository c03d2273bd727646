"""Faults that a stand-in shows on command: lost messages, errors, a full disk, a worker that dies."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.json_types import Json, JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class StandinFaults:
    """Says what goes wrong. Booleans last until they are cleared; whole numbers count down, one for each time."""

    deaf: bool = False
    unannounced: bool = False
    duplicated: bool = False
    shuffled: bool = False
    stuck: bool = False
    foreign_prompt: bool = False
    hang: bool = False
    slow_seconds: float = 0.0
    prompt_errors: int = 0
    prompt_errors_after_queueing: int = 0
    lost_answers: int = 0
    half_images: int = 0
    missing_images: int = 0
    disk_full: bool = False
    mortal: bool = False
    failing_class: str = ""
    failing_times: int = 0
    failing_type: str = "RuntimeError"
    failing_message: str = "The stand-in was told to fail here."

    @property
    def wire(self) -> JsonObject:
        return {name: getattr(self, name) for name in FAULT_TYPES}


FAULT_TYPES: Mapping[str, type] = {field.name: type(field.default) for field in fields(StandinFaults)}
TYPE_NAMES: Mapping[type, str] = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
NO_FAULTS = StandinFaults()


class FaultControl:
    """Sets and clears faults; `current` has those that are on."""

    def __init__(self) -> None:
        self.current = NO_FAULTS
        self._changed = asyncio.Event()

    def set(self, **changes: Json) -> None:
        """Change some faults; raise `InvalidRequestError` for an unknown fault or a value of the wrong type."""
        checked: dict[str, Any] = {name: _checked(name, value) for name, value in changes.items()}
        self._replace(replace(self.current, **checked))

    def clear(self) -> None:
        self._replace(NO_FAULTS)

    def consume(self, name: str) -> bool:
        """Count a fault down, and tell whether it was on."""
        left: int = getattr(self.current, name)
        if left > 0:
            self.set(**{name: left - 1})
        return left > 0

    async def until(self, condition: Callable[[StandinFaults], bool]) -> None:
        while not condition(self.current):
            await self._changed.wait()

    def _replace(self, faults: StandinFaults) -> None:
        self.current = faults
        self._changed.set()
        self._changed = asyncio.Event()


def _checked(name: str, value: Json) -> "bool | float | str":
    kind = FAULT_TYPES.get(name)
    if kind is None:
        raise InvalidRequestError(f"Unknown fault '{name}'; the faults are {', '.join(FAULT_TYPES)}.")
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind or not isinstance(value, bool | int | float | str):
        raise InvalidRequestError(f"The fault '{name}' must be {TYPE_NAMES[kind]}; found {value!r}.")
    return value
