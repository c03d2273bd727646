"""Read what a change of the control plane is sent: JSON objects, whose members are all known.

An unknown member is refused, with the nearest known name: a misspelt one must not silently do nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from starlette.requests import Request

from civitai_mock.api.json_body import read_any
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.members import MOST_SHOWN, Members, read_members
from civitai_mock.domain.nearest import did_you_mean

T = TypeVar("T")


async def read_change(request: Request, parse: Callable[[Members], T]) -> T:
    """Return what `parse` makes of the members of the body; no body counts as `{}`.

    Raise `InvalidRequestError` for all faults that `parse` noted, and for members that it has not asked for.
    """
    return await read_any(request, lambda body: read_members(body, parse), if_empty={})


def check_known(sent: Iterable[str], known: Sequence[str], *, what: str) -> None:
    """Raise `InvalidRequestError` for names in a query that are not known, in any case."""
    names = {name.lower() for name in known}
    errors: Mapping[str, Sequence[str]] = {
        name: [f"There is no {what} '{name[:MOST_SHOWN]}' here.{did_you_mean(name, known)}"]
        for name in sent
        if name.lower() not in names
    }
    if errors:
        raise InvalidRequestError(f"Unknown {what}.", errors=errors)
