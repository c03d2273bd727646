"""Lists of the control plane: `?cursor=&take=` in, `{items, next?}` out."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from starlette.requests import Request

from civitai_mock.api.openapi import count_parameter, text_parameter
from civitai_mock.api.query_params import count, optional
from civitai_mock.api.responses import JsonResponse
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import fault

T = TypeVar("T")

USUAL, MOST = 100, 1000
LONGEST = 4096
LIST_PARAMETERS = (text_parameter("cursor", required=False), count_parameter("take", default=USUAL, most=MOST))


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedPage:
    """Says how many items are asked for, and after which one, by a text that its list understands."""

    take: int
    after: str | None


def requested_page(request: Request) -> RequestedPage:
    """Return the page that a request asks for; raise `InvalidRequestError` for a cursor that no list gave out."""
    cursor = optional(request, "cursor")
    return RequestedPage(
        take=count(request, "take", default=USUAL, most=MOST), after=_decoded(cursor) if cursor else None
    )


def listing(
    items: Sequence[object], *, last: str | None = None, more: Mapping[str, object] | None = None
) -> JsonResponse:
    """Answer one page; `last` stands for its last item if there are more, and comes back as `after`.

    Beside the items stand `more` members.
    """
    body: dict[str, object] = {"items": items, **(more or {})}
    if last is not None:
        body["next"] = base64.urlsafe_b64encode(last.encode()).decode().rstrip("=")
    return JsonResponse(body)


def page_of(
    request: Request,
    items: Sequence[T],
    *,
    key: Callable[[T], str],
    render: Callable[[T], object],
    more: Mapping[str, object] | None = None,
) -> JsonResponse:
    """Answer one page of a list that is there as a whole, in the order of its keys, which differ from each other.

    After an item that has gone meanwhile, the list goes on where its key would stand. Beside it stand `more` members.
    """
    page = requested_page(request)
    ordered = sorted(items, key=key)
    left = ordered if page.after is None else [item for item in ordered if key(item) > page.after]
    shown = left[: page.take]
    last = key(shown[-1]) if len(left) > len(shown) else None
    return listing([render(item) for item in shown], last=last, more=more)


def invalid_cursor() -> Exception:
    """Return the error for a cursor that this list did not give out."""
    return fault("cursor", "The cursor is not one that this list gave out.")


def _decoded(cursor: str) -> str:
    try:
        if len(cursor) > LONGEST:
            raise invalid_cursor()
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise invalid_cursor() from error
