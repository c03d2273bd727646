"""Read the query parameters of plain routes as ASP.NET does: their names are in any case."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache

from starlette.datastructures import QueryParams
from starlette.requests import Request

from civitai_mock.domain.errors import fault

MOST_SHOWN = 100
COMMON_QUERIES, LONGEST_COMMON = 256, 64
FLAGS: Mapping[str, bool] = {"true": True, "1": True, "false": False, "0": False}


def optional(request: Request, name: str) -> str | None:
    """Return the parameter, and the last one if it is repeated."""
    texts = _texts(request, name)
    return texts[-1] if texts else None


def flag(request: Request, name: str, *, default: bool = False) -> bool:
    """Return a boolean, which may be in any case; raise `InvalidRequestError` for anything else."""
    text = optional(request, name)
    if text is None:
        return default
    value = FLAGS.get(text.lower())
    if value is None:
        raise fault(name, f"The value '{text}' is not valid; expected true or false.")
    return value


def required(request: Request, name: str) -> str:
    """Return the parameter; raise `InvalidRequestError` if it is missing or empty."""
    text = optional(request, name)
    if not text:
        raise fault(name, f"The {name} field is required.")
    return text


def required_list(request: Request, name: str) -> Sequence[str]:
    """Return a parameter that may be repeated; raise `InvalidRequestError` if it is missing or empty."""
    texts = _texts(request, name)
    if not all(texts) or not texts:
        raise fault(name, f"The {name} field is required.")
    return texts


def count(request: Request, name: str, *, default: int, most: int, least: int = 1) -> int:
    """Return a number from `least` to `most`; raise `InvalidRequestError` for anything else."""
    text = optional(request, name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and least <= int(text) <= most):
        raise fault(name, f"The value '{text}' is not valid; expected a number from {least} to {most}.")
    return int(text)


def word(request: Request, name: str, words: Sequence[str]) -> str | None:
    """Return one of the words, in any case; raise `InvalidRequestError` for anything else."""
    text = optional(request, name)
    if text is None:
        return None
    found = next((each for each in words if each.lower() == text.lower()), None)
    if found is None:
        raise fault(name, f"The value '{text[:MOST_SHOWN]}' is not valid; expected one of {', '.join(words)}.")
    return found


def repeated(request: Request, name: str) -> Sequence[str]:
    """Return all values of a parameter that may be repeated."""
    return _texts(request, name)


def moment(request: Request, name: str) -> datetime | None:
    """Return an ISO 8601 date, taken as UTC if it has no offset; raise `InvalidRequestError` for anything else."""
    text = optional(request, name)
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text.replace(" ", "+"))  # a '+' that was not percent-encoded
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise fault(name, f"The value '{text}' is not valid; expected a date like 2026-01-31T12:00:00Z.") from error


def _texts(request: Request, name: str) -> Sequence[str]:
    query: bytes = request.scope["query_string"]
    if not query:
        return ()
    parameters = _common(query) if len(query) <= LONGEST_COMMON else _parameters(query)
    return parameters.get(name.lower(), ())


def _parameters(query: bytes) -> Mapping[str, Sequence[str]]:
    """Return the values by the names of parameters, in lower case."""
    parameters: dict[str, list[str]] = {}
    for name, text in QueryParams(query).multi_items():
        parameters.setdefault(name.lower(), []).append(text)
    return parameters


_common = lru_cache(COMMON_QUERIES)(_parameters)  # as most requests have no query, or one of a few flags
