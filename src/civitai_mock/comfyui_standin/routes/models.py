"""The routes about model files: their names by folder, their details, previews and metadata."""

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

from civitai_mock.comfyui_standin.image_conversion import NOT_AN_IMAGE
from civitai_mock.comfyui_standin.routes.responses import (
    ComfyJsonResponse,
    empty,
    media_type_of,
    server_error,
    standin_of,
)
from civitai_mock.comfyui_standin.state.models import MODEL_ENDINGS, ModelFile
from civitai_mock.domain.json_types import JsonObject

UNLISTED_FOLDERS = frozenset({"configs", "custom_nodes"})
MAX_HEADER_BYTES = 1024 * 1024


async def list_folders(request: Request) -> Response:
    return ComfyJsonResponse(standin_of(request).state.models.folders)


async def list_names(request: Request) -> Response:
    folder, model_folders = request.path_params["folder"], standin_of(request).state.models
    return ComfyJsonResponse(model_folders.names_in(folder)) if folder in model_folders.folders else empty(404)


async def list_embeddings(request: Request) -> Response:
    """List embeddings as they are written in prompt texts, without their endings."""
    found = standin_of(request).state.models.names_in("embeddings")
    return ComfyJsonResponse([posixpath.splitext(name)[0] for name in found])


async def describe_folders(request: Request) -> Response:
    model_folders = standin_of(request).state.models
    listed = [name for name in model_folders.folders if name not in UNLISTED_FOLDERS]
    return ComfyJsonResponse([{"name": name, "folders": model_folders.directories_of(name)} for name in listed])


async def describe_files(request: Request) -> Response:
    """Describe files that end like a model, whatever the folder is, but no hidden ones."""
    folder, model_folders = request.path_params["folder"], standin_of(request).state.models
    if folder not in model_folders.folders:
        return empty(404)
    return ComfyJsonResponse([_wire(file) for file in model_folders.files_in(folder) if _is_listed(file.name)])


def _is_listed(name: str) -> bool:
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


async def get_preview(request: Request) -> Response:
    """Send the image beside a model file, as WebP."""
    folder, model_folders = request.path_params["folder"], standin_of(request).state.models
    try:
        index = int(request.path_params["index"])
        if folder not in model_folders.folders:
            return empty(404)
        directory = Path(model_folders.directories_of(folder)[index])
    except (ValueError, IndexError):
        return server_error()
    name = request.path_params["name"]
    file = model_folders.find_on_disk(folder, name)
    image = _image_beside(file) if file and file.is_relative_to(directory) else None
    if image is None:
        return empty(404)
    try:
        return Response(await asyncio.to_thread(_to_webp, image), media_type="image/webp")
    except NOT_AN_IMAGE:
        return empty(404)


def _image_beside(file: Path) -> Path | None:
    """Find an image `name.*` or `name.preview.*` of any format beside a model file."""
    stems = {file.stem, f"{file.stem}.preview"}
    beside = sorted(path for path in file.parent.iterdir() if path.stem in stems)
    return next((path for path in beside if media_type_of(path.name).startswith("image/")), None)


def _to_webp(path: Path) -> bytes:
    buffer = io.BytesIO()
    with Image.open(path) as image:
        image.save(buffer, format="WEBP")
    return buffer.getvalue()


async def get_metadata(request: Request) -> Response:
    """Send what a safetensors file on disk says about itself."""
    name = request.query_params.get("filename", "")
    file = standin_of(request).state.models.find_on_disk(request.path_params["folder"], name)
    if file is None or not name.endswith(".safetensors"):
        return empty(404)
    try:
        header = await asyncio.to_thread(_read_header, file)
    except (ValueError, struct.error):
        return server_error()
    found = header.get("__metadata__") if header is not None else None
    return empty(404) if found is None else ComfyJsonResponse(found)


def _read_header(path: Path) -> Any:
    """Return the JSON at the start of a safetensors file, or None if it is too long."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        return json.loads(file.read(length)) if length <= MAX_HEADER_BYTES else None


ROUTES: list[BaseRoute] = [
    Route("/models", list_folders, methods=["GET"]),
    Route("/models/{folder:segment}", list_names, methods=["GET"]),
    Route("/embeddings", list_embeddings, methods=["GET"]),
    Route("/view_metadata/{folder:segment}", get_metadata, methods=["GET"]),
    Route("/experiment/models", describe_folders, methods=["GET"]),
    Route("/experiment/models/{folder:segment}", describe_files, methods=["GET"]),
    Route("/experiment/models/preview/{folder:segment}/{index:segment}/{name:path}", get_preview, methods=["GET"]),
]
