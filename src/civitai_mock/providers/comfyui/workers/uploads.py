"""Pictures on their way to one server."""

import asyncio
from collections.abc import Mapping, Sequence

from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.ports import InputFile
from civitai_mock.providers.comfyui.graphs.pictures import FOLDER, read_by, upload_name
from civitai_mock.providers.comfyui.transport.http import ComfyHttp


class UploadError(TransientError):
    """A server did not take a picture: another one may."""


class Uploads:
    """One file at a time, because each is in memory as a whole."""

    def __init__(self, http: ComfyHttp) -> None:
        self._http = http
        self._turn = asyncio.Lock()

    async def take(self, files: Sequence[InputFile], graph: ReadOnlyJson) -> Mapping[str, str]:
        """The server's names for the files that the graph reads, by the graph's own.

        They are sent each time: the server keeps equal bytes once, and may have lost what it was sent before.
        """
        return {file.name: await self._taken(file) for file in files if read_by(graph, file.name)}

    async def _taken(self, file: InputFile) -> str:
        async with self._turn:
            content = b"".join([chunk async for chunk in file.read()])
            return await self._send(file, content)

    async def _send(self, file: InputFile, content: bytes) -> str:
        try:
            return await self._http.upload(upload_name(file), content, content_type=file.content_type, subfolder=FOLDER)
        except TransientError as error:
            raise UploadError(error.message, **error.evidence) from error
