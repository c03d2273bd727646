"""The journal: which requests a namespace got, and what it answered."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.context import use_cases
from civitai_mock.api.mock import CHANGE_PROBLEMS, CONTROL_TAG, READ_PROBLEMS
from civitai_mock.api.mock.lists import LIST_PARAMETERS, listing, requested_page
from civitai_mock.api.mock.routes import ControlRoute
from civitai_mock.api.mock.schemas import JournalEntryList
from civitai_mock.api.openapi import Operation, text_parameter
from civitai_mock.api.query_params import optional
from civitai_mock.domain.errors import fault
from civitai_mock.services.journal_reading import EntryFilter

PATH = "/journal"
STATUSES = range(100, 600)


async def list_entries(request: Request) -> Response:
    page = requested_page(request)
    wanted = EntryFilter(method=optional(request, "method") or None, status=_status(optional(request, "status")))
    found = await use_cases(request).looking_in.read_journal.page(wanted, before=page.after, take=page.take)
    return listing(found.items, last=found.last)


async def clear(request: Request) -> Response:
    await use_cases(request).looking_in.read_journal.clear()
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _status(text: str | None) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or not text.isascii() or int(text) not in STATUSES:
        raise fault("status", "Expected a status of HTTP, like 404.")
    return int(text)


ROUTES = [
    ControlRoute(
        PATH,
        list_entries,
        method="GET",
        operation=Operation(
            id="listJournal",
            summary="List the requests of a namespace, the youngest first, with their answers",
            description="Those are requests to version 1 and 2, and for blobs. What is secret in them is not shown.",
            tag=CONTROL_TAG,
            parameters=[
                text_parameter("method", required=False),
                text_parameter("status", required=False),
                *LIST_PARAMETERS,
            ],
            responses={200: JournalEntryList},
            problems=[*READ_PROBLEMS, 409],
        ),
    ),
    ControlRoute(
        PATH,
        clear,
        method="DELETE",
        operation=Operation(
            id="clearJournal",
            summary="Forget the requests of a namespace so far",
            tag=CONTROL_TAG,
            responses={204: None},
            problems=[*CHANGE_PROBLEMS, 409],
        ),
    ),
]
