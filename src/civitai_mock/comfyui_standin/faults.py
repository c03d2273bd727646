"""Misbehaviour on command."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.json_types import Json, JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class StandinFaults:
    """What is wrong now. Booleans last until they are lifted; whole numbers count down, one for each time."""

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
        return {name: getattr(self, name) for name in KINDS}


KINDS: Mapping[str, type] = {field.name: type(field.default) for field in fields(StandinFaults)}
NO_FAULTS = StandinFaults()


class FaultControl:
    """Where faults are ordered and lifted; waiting for one to be lifted holds nothing else up."""

    def __init__(self) -> None:
        self.now = NO_FAULTS
        self._changed = asyncio.Event()

    def order(self, **changes: Json) -> None:
        """Raise `InvalidRequestError` for a fault that there is not, or a value of the wrong type."""
        checked: dict[str, Any] = {name: _checked(name, value) for name, value in changes.items()}
        self._set(replace(self.now, **checked))

    def lift(self) -> None:
        """All of them."""
        self._set(NO_FAULTS)

    def strikes(self, name: str) -> bool:
        """True, once for each time that was ordered."""
        left: int = getattr(self.now, name)
        if left > 0:
            self.order(**{name: left - 1})
        return left > 0

    async def until(self, condition: Callable[[StandinFaults], bool]) -> None:
        while not condition(self.now):
            await self._changed.wait()

    def _set(self, faults: StandinFaults) -> None:
        self.now = faults
        self._changed.set()
        self._changed = asyncio.Event()


def _checked(name: str, value: Json) -> "bool | float | str":
    kind = KINDS.get(name)
    if kind is None:
        raise InvalidRequestError(f"There is no fault '{name}'; there are {', '.join(KINDS)}.")
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind or not isinstance(value, bool | int | float | str):
        raise InvalidRequestError(f"The fault '{name}' takes {kind.__name__}, not {type(value).__name__}.")
    return value
