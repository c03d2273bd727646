"""Take uploads: raw bytes, from whoever has a token or a URL that was signed for one."""

from contextlib import aclosing
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.context import base_url, caller, context, use_cases
from civitai_mock.api.openapi import DescribedRoute, Operation
from civitai_mock.api.query_params import optional
from civitai_mock.api.responses import JsonResponse
from civitai_mock.api.signed_requests import has_signature
from civitai_mock.api.upload_body import upload_chunks
from civitai_mock.api.v2.blob_documents import date_text
from civitai_mock.api.v2.blob_schemas import Blob, ConsumerBlobPresignResponse
from civitai_mock.api.v2.blobs import TAG, render_view
from civitai_mock.domain.errors import ForbiddenError, GoneError, InvalidRequestError
from civitai_mock.services.blob_tokens import UploadToken
from civitai_mock.services.blob_urls import SIGNATURE, V2_BLOBS_PATH, WRONG_SIGNATURE
from civitai_mock.services.blob_views import BlobView


async def get_upload_url(request: Request) -> Response:
    signed = use_cases(request).upload_blobs.signed_url(base_url=base_url(request), owner=caller(request).consumer)
    return JsonResponse({"uploadUrl": signed.url, "expiresAt": date_text(signed.expires_at)})


async def upload_blob(request: Request) -> Response:
    owner = _owner(request)
    with context(request).bodies.held() as share:
        async with aclosing(upload_chunks(request, share)) as chunks:
            blob = await use_cases(request).upload_blobs(
                chunks, declared_type=request.headers.get("content-type", ""), owner=owner
            )
    return JsonResponse(render_view(request, BlobView(blob=blob)), status_code=HTTPStatus.CREATED)


def _owner(request: Request) -> str:
    """Return whose the file will be: the caller's, or that of whoever had the URL signed."""
    if not has_signature(request.scope):
        return caller(request).consumer
    try:
        return use_cases(request).blob_tokens.read(optional(request, SIGNATURE) or "", UploadToken).owner
    except InvalidRequestError as error:
        raise ForbiddenError(WRONG_SIGNATURE) from error
    except GoneError as error:
        raise ForbiddenError("This URL has expired; ask for a new one.") from error


ROUTES = [
    DescribedRoute(
        f"{V2_BLOBS_PATH}/upload",
        get_upload_url,
        method="GET",
        is_hot=True,  # as the hot route of a blob would take `upload` for an id
        operation=Operation(
            id="GetConsumerBlobUploadUrl",
            summary="Get a URL to which a file can be sent without a token",
            tag=TAG,
            responses={200: ConsumerBlobPresignResponse},
            problems=[401, 429],
        ),
    ),
    DescribedRoute(
        V2_BLOBS_PATH,
        upload_blob,
        method="POST",
        operation=Operation(
            id="UploadConsumerBlob",
            summary="Send a file: an image, a video or a sound",
            tag=TAG,
            responses={201: Blob},
            problems=[400, 401, 403, 408, 413, 415, 422, 429, 503],
            takes_file=True,
        ),
    ),
]
