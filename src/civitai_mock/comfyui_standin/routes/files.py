"""POST /upload/image and /upload/mask, GET /view: files of the three folders."""

import asyncio
import json
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from civitai_mock.comfyui_standin.routes.answers import (
    UNKNOWN_TYPE,
    BrokenAnswer,
    JsonAnswer,
    empty,
    file_answer,
    file_headers,
    standin_of,
    trouble,
)
from civitai_mock.comfyui_standin.state import images
from civitai_mock.comfyui_standin.state.files import (
    DEFAULT_FOLDER,
    FOLDERS,
    FilePlace,
    FileStore,
    StoredFile,
    digest_of,
    split_annotation,
)

OVERWRITE = frozenset({"true", "1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedImage:
    """`name` and `subfolder` are as they came, and told so; `place` is what they mean."""

    folder: str
    subfolder: str
    name: str
    content: bytes
    overwrite: bool

    def place(self, name: str) -> FilePlace | None:
        """None for what leads out of the folder, or is the folder itself."""
        home = f"/{self.folder}"
        path = posixpath.normpath(posixpath.join(home, posixpath.normpath(self.subfolder), name))
        if not path.startswith(f"{home}/"):
            return None
        subfolder, last = posixpath.split(path.removeprefix(f"{home}/"))
        return FilePlace(self.folder, subfolder, last)

    def chosen(self, files: FileStore) -> str:
        """Its own name, that of an equal file, or the first free `name (1).png`."""
        stem, suffix = posixpath.splitext(self.name)
        digest, name, number = digest_of(self.content), self.name, 0
        while not self.overwrite and (place := self.place(name)) and (there := files.get(place)) is not None:
            if there.digest == digest:
                break
            number += 1
            name = f"{stem} ({number}){suffix}"
        return name


async def upload_image(request: Request) -> Response:
    try:
        async with request.form() as form:
            upload = await _read(form)
    except HTTPException:  # no form
        return trouble()
    return upload if isinstance(upload, Response) else _store(request, upload, upload.content)


async def upload_mask(request: Request) -> Response:
    """The original image with the transparency of the uploaded one."""
    try:
        async with request.form() as form:
            upload, told = await _read(form), str(form.get("original_ref"))
        if isinstance(upload, Response):
            return upload
        reference = json.loads(told)
        if not isinstance(reference["filename"], str):
            return trouble()
        name, folder = split_annotation(reference["filename"])
        original = FilePlace(folder or reference.get("type", "output"), reference.get("subfolder", ""), name)
        file = standin_of(request).workshop.files.get(original)
        masked = asyncio.to_thread(images.with_alpha_of, file.content, upload.content, upload.name) if file else None
        content = await masked if masked else None
    except (HTTPException, LookupError, TypeError, AttributeError, *images.NOT_AN_IMAGE):
        return trouble()
    return _store(request, upload, content)


async def _read(form: FormData) -> UploadedImage | Response:
    """The file and where it is to go, or why it may not."""
    folder = form.get("type", DEFAULT_FOLDER)
    image = form.get("image")
    if folder not in FOLDERS or (isinstance(image, str) and image):
        return trouble()
    if not isinstance(image, UploadFile):
        return empty(400)
    if not image.filename:
        return trouble() if image.size else empty(400)
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
    """Without content there is nothing to keep, and ComfyUI does not say so."""
    workshop = standin_of(request).workshop
    name = upload.chosen(workshop.files)
    place = upload.place(name)
    if place is None:
        return trouble() if posixpath.normpath(upload.name) == "." else empty(400)
    if workshop.faults.now.disk_full or _is_nowhere(upload, place, workshop.files):
        return trouble()
    if content is not None:
        try:
            workshop.files.put(place, content, now=workshop.clock.now())
        except (OSError, ValueError):
            return trouble()
    return JsonAnswer({"name": name, "subfolder": upload.subfolder, "type": upload.folder})


def _is_nowhere(upload: UploadedImage, place: FilePlace, files: FileStore) -> bool:
    """A folder within the name has to be there already; that of `subfolder` is made. A folder is no file."""
    folders = files.subfolders(place.folder)
    return place.path in folders or ("/" in upload.name and place.subfolder not in {"", *folders})


# A browser saves these rather than runs them.
NEVER_SHOWN = frozenset({"text/html", "text/html-sandboxed", "application/xhtml+xml", "text/javascript", "text/css"})


async def view(request: Request) -> Response:
    query = dict(reversed(request.query_params.multi_items()))  # of a name that comes twice the first counts
    if "filename" not in query:
        return empty(404)
    place = _place(query)
    if isinstance(place, Response):
        return place
    standin = standin_of(request)
    file = None if standin.faults.strikes("missing_images") else standin.workshop.files.get(place)
    if file is None:
        return empty(404)
    try:
        made = await asyncio.to_thread(_transformed, query, place, file)
    except images.NOT_AN_IMAGE:
        return trouble()
    return made or _whole(request, place, file)


def _place(query: Mapping[str, str]) -> FilePlace | Response:
    """Where the file is, or why nobody may look there."""
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


def _transformed(query: Mapping[str, str], place: FilePlace, file: StoredFile) -> Response | None:
    """None if the file itself is wanted; blocking, for a thread."""
    channel, headers = query.get("channel", ""), _headers(place)
    if "preview" in query:
        content, media_type = images.reencoded(file.content, query["preview"], channel=channel)
        return Response(content, headers=headers, media_type=media_type)
    match channel:
        case "rgb":
            return Response(images.colours_only(file.content), headers=headers, media_type="image/png")
        case "a":
            return Response(images.alpha_only(file.content), headers=headers, media_type="image/png")
    return None


def _whole(request: Request, place: FilePlace, file: StoredFile) -> Response:
    headers = {**_headers(place), **file_headers(place.name, modified=file.modified)}
    if headers["content-type"] in NEVER_SHOWN:
        headers["content-type"] = UNKNOWN_TYPE
    if standin_of(request).faults.strikes("half_images"):
        return BrokenAnswer(file.content, share=0.5, headers=headers)
    return file_answer(request, file.content, headers)


def _headers(place: FilePlace) -> dict[str, str]:
    """The name as the bytes of its UTF-8, as ComfyUI sends it; a header's own coding is Latin-1."""
    name = place.name.encode("utf-8", "surrogateescape").decode("latin-1")
    return {"content-disposition": f'filename="{name}"'}


ROUTES: list[BaseRoute] = [
    Route("/upload/image", upload_image, methods=["POST"]),
    Route("/upload/mask", upload_mask, methods=["POST"]),
    Route("/view", view, methods=["GET"]),
]
