"""Collect what is wrong with a request, by the path of the member."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from civitai_mock.domain.errors import MOST_FAULTS, InvalidRequestError
from civitai_mock.domain.json_types import Json

# A place in a request: the place of what it is in, and its own name or number there. Most places are never written, so
# a path is only made of one for a fault.
Place: TypeAlias = "tuple[Place, str | int] | None"

TITLE = "One or more validation errors occurred."
ROOT = "$"
MOST_PARTS = 16
MOST_SHOWN = 100
MOST_WORDS_SHOWN = 50
TEMPLATE = "workflowTemplate"
KINDS: Mapping[type, str] = {
    dict: "an object",
    list: "an array",
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}


class Faults:
    """Holds the faults that were found so far; when there are enough of them it raises them."""

    def __init__(self, start: str = "") -> None:
        """Take the path of what is read, where that is a part of a request."""
        self._start = start
        self._errors: dict[str, list[str]] = {}

    def add(self, place: Place, message: str) -> None:
        self._add(self.path(place), message)

    def add_kind(self, place: Place, expected: str, found: Json) -> None:
        """Say that a value is JSON of another kind: such a body cannot be bound, and the path says so (capture)."""
        path = self.path(place)
        bound = path if path == ROOT else f"[{path[1:]}" if path.startswith("[") else f".{path}"
        message = f"The JSON value could not be converted: expected {expected}, found {KINDS[type(found)]}."
        self._add(path if path == ROOT else ROOT + bound, message)

    def path(self, place: Place) -> str:
        """Write a path like `steps[0].input.resolution`; a very long one is cut."""
        parts: list[str | int] = []
        while place is not None:
            place, part = place
            parts.append(part)
        path = self._start
        for part in parts[: -MOST_PARTS - 1 : -1]:
            if isinstance(part, int):
                path += f"[{part}]"
            else:
                path += f".{part[:MOST_SHOWN]}" if path else part[:MOST_SHOWN]
        return path or ROOT

    def check(self) -> None:
        """Raise `InvalidRequestError` if there are faults."""
        if self._errors:
            raise InvalidRequestError(TITLE, errors=self._errors)

    def _add(self, path: str, message: str) -> None:
        self._errors.setdefault(path, []).append(message)
        if len(self._errors) >= MOST_FAULTS or len(self._errors[path]) >= MOST_FAULTS:
            self.check()


def with_template(error: InvalidRequestError) -> InvalidRequestError:
    """Add that there is no template, as the real service does, where the body could not be bound."""
    if not any(path.startswith(ROOT) for path in error.errors):
        return error
    required = {TEMPLATE: ["The workflowTemplate field is required."]}
    return InvalidRequestError(error.message, errors=required | error.errors, **error.evidence)


def shown(words: Sequence[object]) -> str:
    """List words, or the first of them if there are very many."""
    text = ", ".join(str(word) for word in words[:MOST_WORDS_SHOWN])
    return f"{text}…" if len(words) > MOST_WORDS_SHOWN else text
