"""Look at blobs: whatever was made for anybody, without a signature, and without being hit by a fault."""

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.blobs import serve_blob
from civitai_mock.api.context import use_cases
from civitai_mock.api.mock import CONTROL_TAG, READ_PROBLEMS
from civitai_mock.api.mock.routes import ControlRoute
from civitai_mock.api.openapi import Operation, path_parameter


async def get_blob(request: Request) -> Response:
    opened = await use_cases(request).blob_access.open(request.path_params["blobKey"], owner=None)
    return await serve_blob(request, opened, headers={"x-content-type-options": "nosniff"})


ROUTES = [
    ControlRoute(
        "/blobs/{blobKey}",
        get_blob,
        method="GET",
        operation=Operation(
            id="getMockBlob",
            summary="Get a blob, whosever it is",
            description="It is no request of an app: it is not in the journal, and no fault hits it.",
            tag=CONTROL_TAG,
            parameters=[path_parameter("blobKey")],
            responses={200: bytes, 206: bytes, 304: None},
            problems=[*READ_PROBLEMS, 404, 416],
        ),
    )
]
