"""Serve blobs under signed URLs, whole or one range of them (RFC 9110, section 14)."""

import re
from collections.abc import Mapping
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.blob_reading import RequestReading
from civitai_mock.api.context import use_cases
from civitai_mock.api.errors import RangeNotSatisfiableError
from civitai_mock.api.openapi import DescribedRoute, Operation, path_parameter, text_parameter
from civitai_mock.api.responses import StreamedResponse
from civitai_mock.api.silent_blobs import may_be_silent
from civitai_mock.domain.blob import Blob
from civitai_mock.services.blob_drawing import OpenBlob
from civitai_mock.services.blobs import BLOBS_PATH, DATE, EXPIRES, SIGNATURE
from civitai_mock.services.streams import chained

# Several ranges, and what is not a byte range, may be ignored: the answer is the whole blob then.
ONE_RANGE = re.compile(r"bytes=\s*(?P<first>\d{0,18})-(?P<last>\d{0,18})\s*", re.IGNORECASE | re.ASCII)


def parse_range(header: str | None, size: int) -> range | None:
    """Return the byte positions asked for, or None for all; raise `RangeNotSatisfiableError` if the blob has none."""
    match = ONE_RANGE.fullmatch(header) if header else None
    if match is None or not (match["first"] or match["last"]):
        return None
    if not match["first"]:
        asked = range(max(size - int(match["last"]), 0), size)
    elif match["last"] and int(match["last"]) < int(match["first"]):
        return None
    else:
        asked = range(int(match["first"]), min(int(match["last"] or size) + 1, size))
    if not asked:
        raise RangeNotSatisfiableError(f"The blob has {size} bytes.", size=size)
    return asked


def tag_matches(header: str, etag: str) -> bool:
    """Return whether If-None-Match has the tag: it is a list of tags, of which weak ones count too, or `*`."""
    tags = {tag.strip().removeprefix("W/") for tag in header.split(",")}
    return "*" in tags or f'"{etag}"' in tags


BLOB_PATH = BLOBS_PATH + "/{key}"
TAG = "Blobs"


@may_be_silent
async def get_blob(request: Request) -> Response:
    return await serve_blob(request, await _open_blob(request))


async def serve_blob(request: Request, opened: OpenBlob, *, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with the bytes, with one range of them, or to HEAD with the headers only; `headers` go with all of it."""
    blob = opened.blob
    common = _headers(blob) | dict(headers or {})
    if tag_matches(request.headers.get("if-none-match", ""), blob.etag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=common)
    if request.method == "HEAD":
        return Response(headers=common | {"content-length": str(blob.size)}, media_type=blob.content_type)
    return await _content(request, opened, common)


async def _open_blob(request: Request) -> OpenBlob:
    cases, key, query = use_cases(request), request.path_params["key"], request.query_params
    link = cases.blob_urls.check(
        key, date=query.get(DATE, ""), expires=query.get(EXPIRES, ""), signature=query.get(SIGNATURE, "")
    )
    reading = RequestReading(request, BLOB_PATH, signed_at=link.signed_at)
    return await cases.blob_access.open(key, owner=None, reading=reading)


async def _content(request: Request, opened: OpenBlob, headers: dict[str, str]) -> Response:
    blob, part = opened.blob, _part(request, opened.blob)
    status = HTTPStatus.OK if part is None else HTTPStatus.PARTIAL_CONTENT
    if part is not None:
        headers["content-range"] = f"bytes {part.start}-{part.stop - 1}/{blob.size}"
    positions = part or range(blob.size)
    chunks = opened.read(start=positions.start, stop=positions.stop)
    first = await anext(chunks, b"")  # before anything is sent, so that a blob that was just removed is still a 404
    if len(first) == len(positions):
        await anext(chunks, b"")  # so that the store closes what it opened
        return Response(first, status_code=status, headers=headers, media_type=blob.content_type)
    headers["content-length"] = str(len(positions))
    return StreamedResponse(chained(first, chunks), status_code=status, headers=headers, media_type=blob.content_type)


def _part(request: Request, blob: Blob) -> range | None:
    """Return the range asked for; with If-Range, only if the caller has a part of the same bytes."""
    condition = request.headers.get("if-range")
    if condition is not None and condition != _quoted(blob):
        return None
    return parse_range(request.headers.get("range"), blob.size)


def _headers(blob: Blob) -> dict[str, str]:
    return {"etag": _quoted(blob), "accept-ranges": "bytes", "cache-control": "private"}


def _quoted(blob: Blob) -> str:
    return f'"{blob.etag}"'


SIGNED = [path_parameter("key"), *(text_parameter(name) for name in (DATE, EXPIRES, SIGNATURE))]
ROUTES = [
    DescribedRoute(  # first, because a GET route of Starlette takes HEAD as well
        BLOB_PATH,
        get_blob,
        method="HEAD",
        operation=Operation(
            id="HeadSignedBlob",
            summary="See whether a blob is there",
            tag=TAG,
            parameters=SIGNED,
            responses={200: None, 304: None},
            problems=[403, 404],
        ),
    ),
    DescribedRoute(
        BLOB_PATH,
        get_blob,
        method="GET",
        is_hot=True,
        operation=Operation(
            id="GetSignedBlob",
            summary="Download a blob, or one range of it",
            tag=TAG,
            parameters=SIGNED,
            responses={200: bytes, 206: bytes, 304: None},
            problems=[403, 404, 416],
        ),
    ),
]
