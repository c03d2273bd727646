"""Save a namespace as one zip, and restore one: its jobs, workflows, files, and all that was set for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, aclosing
from tempfile import SpooledTemporaryFile
from typing import IO

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.context import context, exchange
from civitai_mock.api.mock import CHANGE_PROBLEMS, CONTROL_TAG, READ_PROBLEMS
from civitai_mock.api.mock.changes import done
from civitai_mock.api.mock.routes import ControlRoute
from civitai_mock.api.mock.schemas import NotYet
from civitai_mock.api.openapi import Operation, path_parameter
from civitai_mock.api.responses import StreamedResponse
from civitai_mock.api.upload_body import upload_chunks
from civitai_mock.api.v2.blobs import content_disposition
from civitai_mock.domain.errors import ROOT, InvalidRequestError, fault
from civitai_mock.domain.namespaces import check_name
from civitai_mock.services.snapshots.files import file_errors
from civitai_mock.services.snapshots.use_cases import NamespaceSnapshots

PATH = "/namespaces/{ns}/snapshot"
ZIP = "application/zip"
CHUNK_BYTES = 1024 * 1024
IN_MEMORY_BYTES = 8 * 1024 * 1024  # what is larger goes into a temporary file


async def get_snapshot(request: Request) -> Response:
    name = _name(request)
    with ExitStack() as stack:
        file = stack.enter_context(SpooledTemporaryFile(IN_MEMORY_BYTES))
        await _snapshots(request).save(name, file)
        size = file.tell()
        stack.pop_all()  # as `_content` closes it
    headers = {
        "content-length": str(size),
        "content-disposition": content_disposition(f"{name}.zip", is_download=True),
    }
    return StreamedResponse(_content(file), headers=headers, media_type=ZIP)


async def put_snapshot(request: Request) -> Response:
    name, snapshots = _name(request), _snapshots(request)
    with SpooledTemporaryFile(IN_MEMORY_BYTES) as file:
        await _receive(request, file, most=snapshots.most_bytes)
        check = exchange(request).context.options.check_simulated
        return done(await snapshots.restore(name, file, check_simulated=check))


async def _receive(request: Request, file: IO[bytes], *, most: int) -> None:
    with context(request).bodies.held() as share:
        chunks = upload_chunks(request, share, most=most, too_large=_too_large)
        async with aclosing(chunks):
            async for chunk in chunks:
                with file_errors():
                    await asyncio.to_thread(file.write, chunk)


def _too_large(most: int) -> InvalidRequestError:
    return fault(ROOT, f"The snapshot is larger than {most} bytes; see SNAPSHOT_MAX_BYTES.")


async def _content(file: IO[bytes]) -> AsyncIterator[bytes]:
    """Yield what is in a file, and close it."""
    with file:
        file.seek(0)
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield chunk


def _name(request: Request) -> str:
    return check_name(request.path_params["ns"], field="ns")


def _snapshots(request: Request) -> NamespaceSnapshots:
    return exchange(request).context.namespaces.snapshots


ROUTES = [
    ControlRoute(
        PATH,
        get_snapshot,
        method="GET",
        operation=Operation(
            id="getSnapshot",
            summary="Save a namespace as one zip",
            tag=CONTROL_TAG,
            parameters=[path_parameter("ns")],
            responses={200: bytes},
            problems=[*READ_PROBLEMS, 404, 409],
            description="It has everything of the namespace but its journal and its tokens. Images stay undrawn.",
        ),
    ),
    ControlRoute(
        PATH,
        put_snapshot,
        method="PUT",
        operation=Operation(
            id="putSnapshot",
            summary="Make a namespace what a snapshot has, all of it or nothing",
            tag=CONTROL_TAG,
            parameters=[path_parameter("ns")],
            responses={204: None, 200: NotYet},
            problems=[*CHANGE_PROBLEMS, 409],
            takes_file=True,
            media_types=[ZIP],
            description="What was there before is gone, but for its tokens. Clocks go on from where they were.",
        ),
    ),
]
