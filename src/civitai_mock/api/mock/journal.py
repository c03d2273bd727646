"""The journal: which requests a namespace got and what it answered, and whether they are those that were expected."""

import asyncio
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.context import use_cases, while_connected
from civitai_mock.api.json_body import read_any
from civitai_mock.api.mock import CHANGE_PROBLEMS, CONTROL_TAG, READ_PROBLEMS
from civitai_mock.api.mock.changes import done
from civitai_mock.api.mock.lists import LIST_PARAMETERS, listing, requested_page
from civitai_mock.api.mock.routes import ControlRoute
from civitai_mock.api.mock.schemas import Expectation, JournalEntryList, NotYet, VerifiedRequests
from civitai_mock.api.openapi import Operation, flag_parameter, text_parameter
from civitai_mock.api.query_params import flag, optional
from civitai_mock.api.responses import JsonResponse
from civitai_mock.domain.errors import fault
from civitai_mock.domain.verification import parse_expectation
from civitai_mock.services.journal.questions import WantedEntries

PATH = "/journal"
STATUSES = range(100, 600)
FILTERS = [text_parameter(name, required=False) for name in ("id", "method", "status", "jobId", "fault")]


async def list_entries(request: Request) -> Response:
    page, wanted = requested_page(request), wanted_entries(request)
    read = use_cases(request).looking_in.read_journal
    found = await read.page(wanted, before=page.after, take=page.take)
    return listing(found.items, last=found.last, more={} if found.is_whole else {"incomplete": True})


def wanted_entries(request: Request) -> WantedEntries:
    """Return what a request says of the entries that it asks for."""
    return {
        "entry_id": optional(request, "id") or None,
        "method": optional(request, "method") or None,
        "status": _status(optional(request, "status")),
        "job_id": optional(request, "jobId") or None,
        "fault": optional(request, "fault") or None,
        "messages": flag(request, "messages", default=True),
    }


async def clear(request: Request) -> Response:
    return done(await use_cases(request).looking_in.read_journal.clear())


async def verify(request: Request) -> Response:
    expectation = await read_any(request, parse_expectation, if_empty={})
    if not expectation.routes <= request.app.plain_paths:
        routes = await asyncio.to_thread(request.app.described_paths)
        parse_expectation(expectation.document, routes=routes)
    verify = use_cases(request).looking_in.verify
    return JsonResponse({"count": await while_connected(request, partial(verify, expectation))})


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
            description=(
                "Those are requests to version 1 and 2, and for blobs. What is secret in them is not shown. `fault` is"
                " the id of a rule that hit them, or the preset of their own header `X-Mock-Fault`. Without their"
                " `messages`, which may be long, they have neither `request` nor `response`."
            ),
            tag=CONTROL_TAG,
            parameters=[*FILTERS, flag_parameter("messages", default=True), *LIST_PARAMETERS],
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
            responses={204: None, 200: NotYet},
            problems=[*CHANGE_PROBLEMS, 409],
        ),
    ),
    ControlRoute(
        "/verify",
        verify,
        method="POST",
        operation=Operation(
            id="verifyRequests",
            summary="Verify that requests came as they are expected, how often, and in which order",
            description=(
                "Without `count` and `order`, at least one has to match. With `within`, the answer waits for requests"
                " that are still to come, at most for 10 minutes. If the expected ones did not come, it is a 409 that"
                " has what was `expected` and the `actual` number, and the three `nearest` requests with their first"
                " difference. It is `incomplete` if others may have come that the journal has not any more."
            ),
            tag=CONTROL_TAG,
            body=[Expectation],
            responses={200: VerifiedRequests},
            problems=[*CHANGE_PROBLEMS, 409],
        ),
    ),
]
