"""The journal as a HAR file (HTTP Archive 1.2), which the tools of browsers and many others read."""

from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.context import options, use_cases
from civitai_mock.api.mock import CONTROL_TAG, READ_PROBLEMS
from civitai_mock.api.mock.journal import FILTERS, wanted_entries
from civitai_mock.api.mock.lists import MOST
from civitai_mock.api.mock.routes import ControlRoute
from civitai_mock.api.mock.schemas import HarFile
from civitai_mock.api.openapi import Operation, count_parameter
from civitai_mock.api.query_params import count
from civitai_mock.api.responses import JsonResponse
from civitai_mock.domain.json_types import Json, JsonObject, as_number, as_object, as_text

USUAL_ENTRIES, MOST_ENTRIES = 1000, 10_000
UNKNOWN = -1  # of a size or a time, as the format has it
FILE_NAME = "civitai-mock.har"


async def export_har(request: Request) -> Response:
    wanted, take = wanted_entries(request), count(request, "take", default=USUAL_ENTRIES, most=MOST_ENTRIES)
    read, entries, before = use_cases(request).looking_in.read_journal, list[JsonObject](), None
    while len(entries) < take:
        page = await read.page(wanted, before=before, take=min(take - len(entries), MOST))
        entries += page.items
        before = page.last
        if before is None:
            break
    headers = {"content-disposition": f'attachment; filename="{FILE_NAME}"'}
    return JsonResponse(har_of(entries[::-1], version=options(request).version), headers=headers)


def har_of(entries: Sequence[JsonObject], *, version: str) -> JsonObject:
    """Return a HAR file of entries as the journal shows them, the oldest first, by this version of ours."""
    creator: JsonObject = {"name": "civitai-mock", "version": version}
    return {"log": {"version": "1.2", "creator": creator, "entries": [_entry(entry) for entry in entries]}}


def _entry(entry: JsonObject) -> JsonObject:
    milliseconds = as_number(entry["ms"]) or 0
    told = {name: entry[name] for name in ("id", "namespace", "traceId", "jobIds", "fault") if name in entry}
    return {
        "startedDateTime": entry["time"],
        "time": milliseconds,
        "request": _request(entry),
        "response": _response(entry),
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
        **{f"_{name}": value for name, value in told.items()},
    }


def _request(entry: JsonObject) -> JsonObject:
    message, path = as_object(entry["request"]), as_text(entry["path"])
    headers = as_object(message["headers"])
    text = _text(message)
    posted: JsonObject = {"mimeType": as_text(headers.get("content-type")), "text": text}
    return {
        "method": entry["method"],
        "url": f"http://{as_text(headers.get('host')) or 'localhost'}{path}",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(headers),
        "queryString": [
            {"name": name, "value": value} for name, value in parse_qsl(path.partition("?")[2], keep_blank_values=True)
        ],
        **({"postData": posted} if text else {}),
        "headersSize": UNKNOWN,
        "bodySize": _size(message, text),
    }


def _response(entry: JsonObject) -> JsonObject:
    message, status = as_object(entry["response"]), int(as_number(entry["status"]) or 0)
    headers, text = as_object(message["headers"]), _text(message)
    known = status in {each.value for each in HTTPStatus}
    return {
        "status": status,
        "statusText": HTTPStatus(status).phrase if known else "",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(headers),
        "content": {"size": _size(message, text), "mimeType": as_text(headers.get("content-type")), "text": text},
        "redirectURL": as_text(headers.get("location")),
        "headersSize": UNKNOWN,
        "bodySize": _size(message, text),
    }


def _pairs(headers: JsonObject) -> list[Json]:
    return [{"name": name, "value": value} for name, value in headers.items()]


def _text(message: JsonObject) -> str:
    """Return the body of a message as a text; that of a large or binary one was not kept."""
    if message["bodyIs"] == "json":
        return orjson.dumps(message["body"]).decode()
    return as_text(message["body"])


def _size(message: JsonObject, text: str) -> int:
    length = as_number(message.get("length"))
    return len(text.encode()) if length is None else int(length)


ROUTES = [
    ControlRoute(
        "/journal/har",
        export_har,
        method="GET",
        operation=Operation(
            id="exportJournal",
            summary="Export the requests of a namespace as a HAR file, the oldest first",
            description=(
                "It has the youngest `take` requests. What is secret is not shown, and large and binary bodies are left"
                " out. What the format has no place for begins with an underscore."
            ),
            tag=CONTROL_TAG,
            parameters=[*FILTERS, count_parameter("take", default=USUAL_ENTRIES, most=MOST_ENTRIES)],
            responses={200: HarFile},
            problems=[*READ_PROBLEMS, 409],
        ),
    )
]
