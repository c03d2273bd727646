"""Serve v2's blobs: a redirect to a token for those who may see one, and the content to whoever has the token."""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.blob_reading import RequestReading
from civitai_mock.api.blobs import serve_blob
from civitai_mock.api.context import base_url, owner, use_cases
from civitai_mock.api.openapi import (
    DescribedRoute,
    Operation,
    choice_parameter,
    flag_parameter,
    path_parameter,
    text_parameter,
)
from civitai_mock.api.query_params import flag, optional
from civitai_mock.api.responses import JsonResponse
from civitai_mock.api.signed_requests import has_signature
from civitai_mock.api.silent_blobs import may_be_silent
from civitai_mock.api.v2.blob_documents import BlobRenderer
from civitai_mock.api.v2.blob_schemas import Blob
from civitai_mock.domain.blob import BlobLink
from civitai_mock.domain.errors import ForbiddenError, GoneError, InvalidRequestError, fault
from civitai_mock.domain.maturity import NsfwLevel
from civitai_mock.drawing.png import plain_png
from civitai_mock.services.blob_reading import expired_at
from civitai_mock.services.blob_tokens import BlockedToken, ContentToken
from civitai_mock.services.blob_urls import EXPIRED, EXPIRES, SIGNATURE, STREAMING_PATH, V2_BLOBS_PATH
from civitai_mock.services.blob_views import BLOCKED_PATH, CONTENT_PATH, BlobView

TAG, STREAMING_TAG = "Blobs", "StreamingBlobs"
BLOB_PATH = V2_BLOBS_PATH + "/{blobId}"
CONTENT_ROUTE, BLOCKED_ROUTE = (f"{path}/{{encryptedToken}}" for path in (CONTENT_PATH, BLOCKED_PATH))
STREAMING_ROUTE = STREAMING_PATH + "/{blobKey}"
LONGEST_FILENAME = 255
GREY = bytes((96, 96, 96))
# A redirect for ever would be kept by clients for longer than its token is good.
NOT_KEPT = {"cache-control": "no-store"}


@may_be_silent
async def get_blob(request: Request) -> Response:
    cases, link = use_cases(request), link_of(request)
    view = await _see(request, link)
    content = ContentToken(
        key=link.key,
        shown=link.shown,
        filename=_filename(request),
        is_download=flag(request, "download"),
    )
    path = cases.view_blobs.location(view, content, until=_until(request) if link.is_signed else None)
    location = urlsplit(base_url(request)).path + path
    headers = {"location": location, **NOT_KEPT, **level_headers(view)}
    return Response(status_code=HTTPStatus.MOVED_PERMANENTLY, headers=headers)


@may_be_silent
async def head_blob(request: Request) -> Response:
    view = await _see(request, link_of(request))
    return Response(status_code=HTTPStatus.NO_CONTENT, headers=level_headers(view))


async def _see(request: Request, link: BlobLink) -> BlobView:
    reading = RequestReading(request, BLOB_PATH, signed_at=link.signed_at, expired=EXPIRED)
    owner, most = owner_of_link(request, link), _most(request)
    return await use_cases(request).view_blobs.see(link, owner=owner, most=most, reading=reading)


@may_be_silent
async def get_content(request: Request) -> Response:
    cases = use_cases(request)
    try:
        token = cases.blob_tokens.read(request.path_params["encryptedToken"], ContentToken)
    except GoneError as error:
        raise InvalidRequestError(error.message) from error
    link = BlobLink(token.key, token.shown)
    reading = RequestReading(request, CONTENT_ROUTE, expired=EXPIRED)
    view, opened = await cases.view_blobs.open(link, owner=None, reading=reading)
    headers = {**level_headers(view), "x-content-type-options": "nosniff"}
    if token.filename or token.is_download:
        headers["content-disposition"] = content_disposition(token.filename or token.key, token.is_download)
    return await serve_blob(request, opened, headers=headers)


@may_be_silent
async def get_blocked(request: Request) -> Response:
    """Answer 403 with a placeholder of the blob's size, or to a bad token with a problem."""
    cases = use_cases(request)
    try:
        token = cases.blob_tokens.read(request.path_params["encryptedToken"], BlockedToken)
    except (InvalidRequestError, GoneError) as error:
        raise ForbiddenError(error.message) from error
    if token.key is not None:
        await cases.blob_access.get(
            token.key, owner=None, reading=RequestReading(request, BLOCKED_ROUTE, expired=EXPIRED)
        )
    headers = {"x-nsfw-level": token.level.upper(), "x-blocked-reason": token.reason, **NOT_KEPT}
    placeholder = plain_png(token.width, token.height, GREY)
    return Response(placeholder, status_code=HTTPStatus.FORBIDDEN, media_type="image/png", headers=headers)


async def refresh_blob(request: Request) -> Response:
    link = BlobLink(request.path_params["blobId"], is_signed=False)
    view = await use_cases(request).view_blobs.see(link, owner=owner(request))
    return JsonResponse(render_view(request, view))


@may_be_silent
async def get_streaming_blob(request: Request) -> Response:
    """Answer with the bytes at once: here a file is written as a whole, so that there is nothing to wait for."""
    link = link_of(request, path=STREAMING_PATH)
    reading = RequestReading(request, STREAMING_ROUTE, signed_at=link.signed_at, expired=EXPIRED)
    view, opened = await use_cases(request).view_blobs.open(link, owner=owner_of_link(request, link), reading=reading)
    return await serve_blob(request, opened, headers=level_headers(view))


def render_view(request: Request, view: BlobView) -> Mapping[str, object]:
    blob = view.blob
    renderer = BlobRenderer(urls=use_cases(request).workflow_blob_urls, base_url=base_url(request))
    return renderer.render(
        blob.key,
        content_type=blob.content_type,
        facts=blob.facts,
        blocked_reason=view.blocked_reason,
        expired_at=expired_at(blob),
    )


def link_of(request: Request, *, path: str = V2_BLOBS_PATH) -> BlobLink:
    """Return the blob that the request names; raise `ForbiddenError` for a signature that is wrong or has expired."""
    (blob_id,) = request.path_params.values()
    if not has_signature(request.scope):
        return BlobLink(blob_id, is_signed=False)
    return use_cases(request).workflow_blob_urls.check(
        blob_id, signature=optional(request, SIGNATURE) or "", expires=optional(request, EXPIRES) or "", path=path
    )


def owner_of_link(request: Request, link: BlobLink) -> str | None:
    """Return whose blobs the caller may read; nobody is asked who calls where the URL is signed."""
    return None if link.is_signed else owner(request)


def level_headers(view: BlobView) -> Mapping[str, str]:
    """Return the headers by which the website knows how mature a blob is (v2 contract, section 2)."""
    headers = {} if view.level is None else {"x-nsfw-level": view.level.upper()}
    return headers if view.blocked_reason is None else {**headers, "x-blocked-reason": view.blocked_reason}


def content_disposition(filename: str, is_download: bool) -> str:
    """Name a file for browsers, in any script (RFC 6266); what cannot be in a header is percent-encoded."""
    plain = "".join(
        letter if letter.isascii() and letter.isprintable() and letter not in '"\\%' else "_" for letter in filename
    )
    encoded = "" if plain == filename else f"; filename*=UTF-8''{quote(filename, safe='')}"
    return f'{"attachment" if is_download else "inline"}; filename="{plain}"{encoded}'


def _until(request: Request) -> datetime:
    """Return when the signed URL expires: no token that it leads to is good for longer."""
    return datetime.fromisoformat(optional(request, EXPIRES) or "")


def _filename(request: Request) -> str | None:
    name = optional(request, "filename")
    if name is not None and len(name) > LONGEST_FILENAME:
        raise fault("filename", f"filename must have at most {LONGEST_FILENAME} characters; found {len(name)}.")
    return name


def _most(request: Request) -> NsfwLevel | None:
    text = optional(request, "nsfwLevel")
    if text is None:
        return None
    try:
        level = NsfwLevel(text.lower())
    except ValueError as error:
        raise fault("nsfwLevel", f"The value '{text}' is not valid; expected one of {', '.join(NsfwLevel)}.") from error
    return None if level is NsfwLevel.NA else level


TOKEN = [path_parameter("encryptedToken")]
ROUTES = [
    DescribedRoute(
        BLOB_PATH,
        head_blob,
        method="HEAD",
        operation=Operation(
            id="HeadBlob",
            summary="See whether a blob is there, and how mature it is",
            tag=TAG,
            parameters=[path_parameter("blobId")],
            responses={204: None},
            problems=[401, 403, 404, 429],
        ),
    ),
    DescribedRoute(
        BLOB_PATH,
        get_blob,
        method="GET",
        is_hot=True,
        operation=Operation(
            id="GetBlob",
            summary="Be redirected to the content of a blob",
            tag=TAG,
            parameters=[
                path_parameter("blobId"),
                text_parameter("workflowId", required=False),
                choice_parameter("nsfwLevel", list(NsfwLevel)),
                text_parameter("filename", required=False),
                flag_parameter("download"),
            ],
            responses={301: None},
            problems=[400, 401, 403, 404, 429],
        ),
    ),
    DescribedRoute(
        CONTENT_ROUTE,
        get_content,
        method="GET",
        is_hot=True,
        operation=Operation(
            id="GetBlobContent",
            summary="Download a blob, or one range of it",
            tag=TAG,
            parameters=TOKEN,
            responses={200: bytes, 206: bytes, 304: None},
            problems=[400, 404, 416, 429],
        ),
    ),
    DescribedRoute(
        BLOCKED_ROUTE,
        get_blocked,
        method="GET",
        operation=Operation(
            id="GetBlockedContent",
            summary="See a placeholder for a blob that is withheld",
            tag=TAG,
            parameters=TOKEN,
            responses={},
            problems=[403, 429],
        ),
    ),
    DescribedRoute(
        BLOB_PATH + "/refresh",
        refresh_blob,
        method="POST",
        operation=Operation(
            id="RefreshBlob",
            summary="Get a blob with a new URL",
            tag=TAG,
            parameters=[path_parameter("blobId")],
            responses={200: Blob},
            problems=[401, 404, 429],
        ),
    ),
    DescribedRoute(
        STREAMING_ROUTE,
        get_streaming_blob,
        method="GET",
        operation=Operation(
            id="GetStreamingBlob",
            summary="Download a blob while it is written",
            tag=STREAMING_TAG,
            parameters=[path_parameter("blobKey")],
            responses={200: bytes},
            problems=[401, 403, 404, 429],
        ),
    ),
]
