"""Faults of a request by where they are, in words of JSON rather than of Python."""

from collections.abc import Mapping, Sequence

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from civitai_mock.domain.errors import InvalidRequestError

ROOT = "$"
MAX_PATH_PARTS = 8
MESSAGES: Mapping[str, str] = {
    "missing": "This member is required.",
    "model_type": "Expected a JSON object.",
    "dict_type": "Expected a JSON object.",
    "list_type": "Expected a JSON array.",
    "recursion_loop": "This is nested too deeply.",
    "recursion_depth_exceeded": "This is nested too deeply.",
}


def invalid(errors: Mapping[str, Sequence[str]]) -> InvalidRequestError:
    return InvalidRequestError("One or more validation errors occurred.", errors=errors)


def fault(path: str, message: str) -> InvalidRequestError:
    """One fault at one place."""
    return invalid({path: [message]})


def from_validation(error: ValidationError, *, path: str) -> InvalidRequestError:
    """`path` is where the validated value stands in the request; nothing for the whole of it."""
    errors: dict[str, list[str]] = {}
    for detail in error.errors(include_url=False, include_input=False):
        errors.setdefault(_path(path, detail["loc"]), []).append(_message(detail))
    return invalid(errors)


def _path(start: str, parts: Sequence[int | str]) -> str:
    """`params.steps`, `providers[0]`; a very long one is cut."""
    path = start
    for part in parts[:MAX_PATH_PARTS]:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path or ROOT


def _message(detail: ErrorDetails) -> str:
    if detail["type"] == "value_error":
        return str(detail["ctx"]["error"])
    return MESSAGES.get(detail["type"], detail["msg"])
