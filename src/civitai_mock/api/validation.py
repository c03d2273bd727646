"""Turn the faults that pydantic finds in a body into ours, by their path."""

from collections.abc import Mapping, Sequence

from pydantic import BeforeValidator, ValidationError
from pydantic_core import ErrorDetails

from civitai_mock.domain.errors import ROOT, InvalidRequestError, invalid

MAX_PATH_PARTS = 8
MESSAGES: Mapping[str, str] = {
    "missing": "This member is required.",
    "model_type": "Expected a JSON object.",
    "dict_type": "Expected a JSON object.",
    "list_type": "Expected a JSON array.",
    "recursion_loop": "This is nested too deeply.",
    "recursion_depth_exceeded": "This is nested too deeply.",
}


def from_validation(error: ValidationError, *, path: str) -> InvalidRequestError:
    """Turn a validation error into ours; the validated value stands at `path` in the request, which may be empty."""
    errors: dict[str, list[str]] = {}
    for detail in error.errors(include_url=False, include_input=False):
        errors.setdefault(_path(path, detail["loc"]), []).append(_message(detail))
    return invalid(errors)


def _path(start: str, parts: Sequence[int | str]) -> str:
    """Write a path like `params.steps` or `providers[0]`; a very long one is cut."""
    path = start
    for part in parts[:MAX_PATH_PARTS]:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path or ROOT


def _message(detail: ErrorDetails) -> str:
    if detail["type"] == "value_error":
        return str(detail["ctx"]["error"])
    return MESSAGES.get(detail["type"], detail["msg"])


def at_most(limit: int, things: str) -> BeforeValidator:
    """Return a check of how many members an object has, which comes before they are read one by one."""

    def check(value: object) -> object:
        if isinstance(value, dict) and len(value) > limit:
            raise ValueError(f"Expected at most {limit} {things}; found {len(value)}.")
        return value

    return BeforeValidator(check)
