"""The routes about files of the folders input, output and temp: POST /upload/image and /upload/mask, GET /view."""

import asyncio
import json
import posixpath
from collections.abc import Mapping

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from civitai_mock.comfyui_standin.image_conversion import (
    NOT_AN_IMAGE,
    apply_mask,
    extract_alpha,
    extract_colours,
    reencode,
)
from civitai_mock.comfyui_standin.routes.responses import (
    UNKNOWN_TYPE,
    BrokenResponse,
    ComfyJsonResponse,
    empty,
    file_headers,
    file_response,
    server_error,
    standin_of,
)
from civitai_mock.comfyui_standin.state.files import (
    DEFAULT_FOLDER,
    FOLDERS,
    FilePlace,
    FileStore,
    StoredFile,
    digest_of,
    split_annotation,
)
from civitai_mock.domain.dataclass import dataclass

OVERWRITE = frozenset({"true", "1"})
# A browser saves these rather than runs them.
NEVER_SHOWN = frozenset({"text/html", "text/html-sandboxed", "application/xhtml+xml", "text/javascript", "text/css"})


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedImage:
    """Is an upload with `name` and `subfolder` as they came, which is how the answer repeats them."""

    folder: str
    subfolder: str
    name: str
    content: bytes
    overwrite: bool

    def place(self, name: str) -> FilePlace | None:
        """Return where a file of this name goes, or None if that is outside of the folder or the folder itself."""
        home = f"/{self.folder}"
        path = posixpath.normpath(posixpath.join(home, posixpath.normpath(self.subfolder), name))
        if not path.startswith(f"{home}/"):
            return None
        subfolder, last = posixpath.split(path.removeprefix(f"{home}/"))
        return FilePlace(self.folder, subfolder, last)

    def choose_name(self, files: FileStore) -> str:
        """Return its own name, the name of an equal file, or the first free `name (1).png`."""
        stem, suffix = posixpath.splitext(self.name)
        digest, name, number = digest_of(self.content), self.name, 0
        while not self.overwrite and (place := self.place(name)) and (existing := files.get(place)) is not None:
            if existing.digest == digest:
                break
            number += 1
            name = f"{stem} ({number}){suffix}"
        return name


async def upload_image(request: Request) -> Response:
    try:
        async with request.form() as form:
            upload = await _read_upload(form)
    except HTTPException:  # the body is not a form
        return server_error()
    return upload if isinstance(upload, Response) else _store(request, upload, upload.content)


async def upload_mask(request: Request) -> Response:
    """Store the original image with the transparency of the uploaded one."""
    try:
        async with request.form() as form:
            upload, reference_text = await _read_upload(form), str(form.get("original_ref"))
        if isinstance(upload, Response):
            return upload
        reference = json.loads(reference_text)
        if not isinstance(reference["filename"], str):
            return server_error()
        name, folder = split_annotation(reference["filename"])
        original = FilePlace(folder or reference.get("type", "output"), reference.get("subfolder", ""), name)
        file = standin_of(request).state.files.get(original)
        content = None
        if file is not None:
            content = await asyncio.to_thread(apply_mask, file.content, upload.content, upload.name)
    except (HTTPException, LookupError, TypeError, AttributeError, *NOT_AN_IMAGE):
        return server_error()
    return _store(request, upload, content)


async def _read_upload(form: FormData) -> UploadedImage | Response:
    """Return the file and where it is to go, or the answer that refuses it."""
    folder = form.get("type", DEFAULT_FOLDER)
    image = form.get("image")
    if folder not in FOLDERS or (isinstance(image, str) and image):
        return server_error()
    if not isinstance(image, UploadFile):
        return empty(400)
    if not image.filename:
        return server_error() if image.size else empty(400)
    name = image.filename.lstrip("\\/")
    if not name:
        return empty(400)
    return UploadedImage(
        folder=str(folder),
        subfolder=str(form.get("subfolder", "")),
        name=name,
        content=await image.read(),
        overwrite=form.get("overwrite") in OVERWRITE,
    )


def _store(request: Request, upload: UploadedImage, content: bytes | None) -> Response:
    """Store the content; without content nothing is stored, and the answer is the same, as in ComfyUI."""
    state = standin_of(request).state
    name = upload.choose_name(state.files)
    place = upload.place(name)
    if place is None:
        return server_error() if posixpath.normpath(upload.name) == "." else empty(400)
    if state.faults.current.disk_full or _is_unwritable(upload, place, state.files):
        return server_error()
    if content is not None:
        try:
            state.files.put(place, content, now=state.clock.now())
        except (OSError, ValueError):
            return server_error()
    return ComfyJsonResponse({"name": name, "subfolder": upload.subfolder, "type": upload.folder})


def _is_unwritable(upload: UploadedImage, place: FilePlace, files: FileStore) -> bool:
    """Tell whether the place is a folder, or in a missing folder that `name` has; that of `subfolder` is created."""
    folders = files.subfolders(place.folder)
    return place.path in folders or ("/" in upload.name and place.subfolder not in {"", *folders})


async def view(request: Request) -> Response:
    query = dict(reversed(request.query_params.multi_items()))  # the first of several values counts
    if "filename" not in query:
        return empty(404)
    place = _place(query)
    if isinstance(place, Response):
        return place
    standin = standin_of(request)
    file = None if standin.faults.consume("missing_images") else standin.state.files.get(place)
    if file is None:
        return empty(404)
    try:
        converted = await asyncio.to_thread(_converted_response, query, place, file)
    except NOT_AN_IMAGE:
        return server_error()
    return converted or _whole_response(request, place, file)


def _place(query: Mapping[str, str]) -> FilePlace | Response:
    """Return where the file is, or the answer that refuses to look there."""
    name, annotated = split_annotation(query["filename"])
    if not name or name.startswith("/") or ".." in name:
        return empty(400)
    folder = annotated or query.get("type", "output")
    if folder not in FOLDERS:
        return empty(400)
    home = f"/{folder}"
    path = posixpath.normpath(posixpath.join(home, query.get("subfolder", "")))
    if path != home and not path.startswith(f"{home}/"):
        return empty(403)
    return FilePlace(folder, path.removeprefix(home).lstrip("/"), posixpath.basename(name))


def _converted_response(query: Mapping[str, str], place: FilePlace, file: StoredFile) -> Response | None:
    """Return None if the file itself is wanted; blocks, so call it in a thread."""
    channel, headers = query.get("channel", ""), _headers(place)
    if "preview" in query:
        content, media_type = reencode(file.content, query["preview"], channel=channel)
        return Response(content, headers=headers, media_type=media_type)
    match channel:
        case "rgb":
            return Response(extract_colours(file.content), headers=headers, media_type="image/png")
        case "a":
            return Response(extract_alpha(file.content), headers=headers, media_type="image/png")
    return None


def _whole_response(request: Request, place: FilePlace, file: StoredFile) -> Response:
    headers = {**_headers(place), **file_headers(place.name, modified=file.modified)}
    if headers["content-type"] in NEVER_SHOWN:
        headers["content-type"] = UNKNOWN_TYPE
    if standin_of(request).faults.consume("half_images"):
        return BrokenResponse(file.content, share=0.5, headers=headers)
    return file_response(request, file.content, headers)


def _headers(place: FilePlace) -> dict[str, str]:
    """Return the file name as UTF-8 bytes, as ComfyUI sends it, though headers are Latin-1."""
    name = place.name.encode("utf-8", "surrogateescape").decode("latin-1")
    return {"content-disposition": f'filename="{name}"'}


ROUTES: list[BaseRoute] = [
    Route("/upload/image", upload_image, methods=["POST"]),
    Route("/upload/mask", upload_mask, methods=["POST"]),
    Route("/view", view, methods=["GET"]),
]
