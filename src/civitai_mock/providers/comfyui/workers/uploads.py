"""Upload the images that a graph reads to the server that is to run it."""

import asyncio
from collections.abc import Collection, Mapping, Sequence

from civitai_mock.domain.errors import JobError, TransientError
from civitai_mock.domain.json_types import Json, JsonObject, ReadOnlyJson, as_object
from civitai_mock.ports import InputFile
from civitai_mock.providers.comfyui.protocol.prompt_errors import NOT_IN_LIST, complaints_of
from civitai_mock.providers.comfyui.transport.http import ComfyHttp

FOLDER = "civitai-mock"
SUFFIXES = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "image/bmp": ".bmp",
}
COMPLAINTS_ABOUT_FILES = frozenset({"custom_validation_failed", NOT_IN_LIST})


class UploadError(TransientError):
    """Says that a server did not take an image: another one may."""


class Uploads:
    """Uploads one file at a time, because each is in memory as a whole."""

    def __init__(self, http: ComfyHttp) -> None:
        self._http = http
        self._lock = asyncio.Lock()

    async def upload(self, files: Sequence[InputFile], graph: ReadOnlyJson) -> Mapping[str, str]:
        """Upload the files that the graph reads; return the server's names for them by the graph's own.

        They are sent each time: the server keeps equal bytes once, and may have lost what it was sent before.
        """
        read = _texts_in(graph)
        return {file.name: await self._upload_one(file) for file in files if file.name in read}

    async def _upload_one(self, file: InputFile) -> str:
        """Name the file by its bytes, so that a server keeps equal ones once; servers know types by suffixes."""
        name = file.digest + SUFFIXES.get(file.content_type, "")
        async with self._lock:
            content = b"".join([chunk async for chunk in file.read()])
            try:
                return await self._http.upload(name, content, content_type=file.content_type, subfolder=FOLDER)
            except TransientError as error:
                raise UploadError(error.message, **error.evidence) from error


def with_uploaded_names(graph: ReadOnlyJson, names: Mapping[str, str]) -> JsonObject:
    """Replace the graph's names of images by the server's."""
    return {node_id: _with_uploaded_names(as_object(node), names) for node_id, node in graph.items()}


def has_lost_uploads(refusal: JobError, names: Collection[str]) -> bool:
    """Tell whether a server misses images that it took a moment ago: somebody has emptied its folder."""
    return any(
        complaint.get("type") in COMPLAINTS_ABOUT_FILES and any(name in str(complaint.get("details")) for name in names)
        for complaint in complaints_of(refusal)
    )


def _texts_in(graph: ReadOnlyJson) -> frozenset[str]:
    inputs = [as_object(as_object(node).get("inputs")) for node in graph.values()]
    return frozenset(value for given in inputs for value in given.values() if isinstance(value, str))


def _with_uploaded_names(node: JsonObject, names: Mapping[str, str]) -> JsonObject:
    inputs: dict[str, Json] = {
        key: names.get(value, value) if isinstance(value, str) else value
        for key, value in as_object(node.get("inputs")).items()
    }
    return {**node, "inputs": inputs}
