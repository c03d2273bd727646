"""Serve archives of blobs to whoever has the token of one."""

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.blob_reading import RequestReading
from civitai_mock.api.context import use_cases
from civitai_mock.api.openapi import DescribedRoute, Operation
from civitai_mock.api.responses import StreamedResponse
from civitai_mock.api.v2.blobs import TAG, TOKEN, content_disposition
from civitai_mock.services.blob_views import ARCHIVE_PATH

ARCHIVE_ROUTE = ARCHIVE_PATH + "/{encryptedToken}"


async def get_archive(request: Request) -> Response:
    reading = RequestReading(request, ARCHIVE_ROUTE, by_url=False)
    archive = await use_cases(request).archives.open(request.path_params["encryptedToken"], reading=reading)
    headers = {
        "content-disposition": content_disposition(archive.file_name, is_download=True),
        "cache-control": "private",
    }
    if request.method == "HEAD":
        return Response(headers=headers, media_type=archive.content_type)
    return StreamedResponse(archive.content(), headers=headers, media_type=archive.content_type)


ROUTES = [
    DescribedRoute(
        ARCHIVE_ROUTE,
        get_archive,
        method="GET",
        operation=Operation(
            id="GetBlobArchive",
            summary="Download several blobs as one file",
            tag=TAG,
            parameters=TOKEN,
            responses={200: bytes},
            problems=[400, 410, 429],
        ),
    ),
]
