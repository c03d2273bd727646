"""Model files: their names by folder, and what is known of each."""

import asyncio
import io
import json
import posixpath
import struct
from pathlib import Path
from typing import Any

from PIL import Image
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from civitai_mock.comfyui_standin.routes.answers import JsonAnswer, empty, media_type_of, standin_of, trouble
from civitai_mock.comfyui_standin.state.images import NOT_AN_IMAGE
from civitai_mock.comfyui_standin.state.models import MODEL_ENDINGS, ModelFile
from civitai_mock.domain.json_types import JsonObject

NOT_SHOWN_TO_CLIENTS = frozenset({"configs", "custom_nodes"})
LONGEST_HEADER = 1024 * 1024


async def model_folders(request: Request) -> Response:
    return JsonAnswer(standin_of(request).workshop.models.names)


async def models(request: Request) -> Response:
    folder, there = request.path_params["folder"], standin_of(request).workshop.models
    return JsonAnswer(there.files(folder)) if folder in there.names else empty(404)


async def embeddings(request: Request) -> Response:
    """Names as they are written in prompt texts, without their endings."""
    names = standin_of(request).workshop.models.files("embeddings")
    return JsonAnswer([posixpath.splitext(name)[0] for name in names])


async def described_folders(request: Request) -> Response:
    there = standin_of(request).workshop.models
    names = [name for name in there.names if name not in NOT_SHOWN_TO_CLIENTS]
    return JsonAnswer([{"name": name, "folders": there.paths(name)} for name in names])


async def described_models(request: Request) -> Response:
    """Only what ends like a model, whatever the folder, and nothing hidden."""
    folder, there = request.path_params["folder"], standin_of(request).workshop.models
    if folder not in there.names:
        return empty(404)
    return JsonAnswer([_wire(file) for file in there.described(folder) if _is_shown(file.name)])


def _is_shown(name: str) -> bool:
    is_hidden = any(part.startswith(".") for part in name.split("/"))
    return not is_hidden and posixpath.splitext(name)[1].lower() in MODEL_ENDINGS


def _wire(file: ModelFile) -> JsonObject:
    return {
        "name": file.name,
        "pathIndex": file.path_index,
        "modified": file.modified,
        "created": file.created,
        "size": file.size,
    }


async def model_preview(request: Request) -> Response:
    """The image beside a model file, as WebP."""
    folder, there = request.path_params["folder"], standin_of(request).workshop.models
    try:
        index = int(request.path_params["index"])
        if folder not in there.names:
            return empty(404)
        directory = Path(there.paths(folder)[index])
    except (ValueError, IndexError):
        return trouble()
    name = request.path_params["name"]
    file = there.on_disk(folder, name)
    image = _image_beside(file) if file and file.is_relative_to(directory) else None
    if image is None:
        return empty(404)
    try:
        return Response(await asyncio.to_thread(_webp, image), media_type="image/webp")
    except NOT_AN_IMAGE:
        return empty(404)


def _image_beside(file: Path) -> Path | None:
    """`name.png` or `name.preview.png`, whatever its kind."""
    stems = {file.stem, f"{file.stem}.preview"}
    beside = sorted(path for path in file.parent.iterdir() if path.stem in stems)
    return next((path for path in beside if media_type_of(path.name).startswith("image/")), None)


def _webp(path: Path) -> bytes:
    buffer = io.BytesIO()
    with Image.open(path) as image:
        image.save(buffer, format="WEBP")
    return buffer.getvalue()


async def metadata(request: Request) -> Response:
    """What a safetensors file says about itself; one that was only told, or not written to its end, says nothing."""
    name = request.query_params.get("filename", "")
    file = standin_of(request).workshop.models.on_disk(request.path_params["folder"], name)
    if file is None or not name.endswith(".safetensors"):
        return empty(404)
    try:
        header = await asyncio.to_thread(_header, file)
    except (ValueError, struct.error):
        return trouble()
    told = header.get("__metadata__") if header is not None else None
    return empty(404) if told is None else JsonAnswer(told)


def _header(path: Path) -> Any:
    """The JSON at the start of a safetensors file, or None if it is too long."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        return json.loads(file.read(length)) if length <= LONGEST_HEADER else None


ROUTES: list[BaseRoute] = [
    Route("/models", model_folders, methods=["GET"]),
    Route("/models/{folder:segment}", models, methods=["GET"]),
    Route("/embeddings", embeddings, methods=["GET"]),
    Route("/view_metadata/{folder:segment}", metadata, methods=["GET"]),
    Route("/experiment/models", described_folders, methods=["GET"]),
    Route("/experiment/models/{folder:segment}", described_models, methods=["GET"]),
    Route("/experiment/models/preview/{folder:segment}/{index:segment}/{name:path}", model_preview, methods=["GET"]),
]
