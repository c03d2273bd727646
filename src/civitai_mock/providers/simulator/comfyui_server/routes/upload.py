"""POST /upload/image and /upload/mask."""

import asyncio
import json
import posixpath
from dataclasses import dataclass

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from civitai_mock.providers.simulator.comfyui_server.keeping import images
from civitai_mock.providers.simulator.comfyui_server.keeping.files import (
    DEFAULT_FOLDER,
    FOLDERS,
    FileStore,
    Place,
    digest_of,
    split_annotation,
)
from civitai_mock.providers.simulator.comfyui_server.routes.answers import JsonAnswer, empty, standin_of, trouble

OVERWRITE = frozenset({"true", "1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """`name` and `subfolder` are as they came, and told so; `place` is what they mean."""

    folder: str
    subfolder: str
    name: str
    content: bytes
    overwrite: bool

    def place(self, name: str) -> Place | None:
        """None for what leads out of the folder, or is the folder itself."""
        home = f"/{self.folder}"
        path = posixpath.normpath(posixpath.join(home, posixpath.normpath(self.subfolder), name))
        if not path.startswith(f"{home}/"):
            return None
        subfolder, last = posixpath.split(path.removeprefix(f"{home}/"))
        return Place(self.folder, subfolder, last)

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
    """The original picture with the transparency of the uploaded one."""
    try:
        async with request.form() as form:
            upload, told = await _read(form), str(form.get("original_ref"))
        if isinstance(upload, Response):
            return upload
        reference = json.loads(told)
        if not isinstance(reference["filename"], str):
            return trouble()
        name, folder = split_annotation(reference["filename"])
        original = Place(folder or reference.get("type", "output"), reference.get("subfolder", ""), name)
        file = standin_of(request).workshop.files.get(original)
        masked = asyncio.to_thread(images.with_alpha_of, file.content, upload.content, upload.name) if file else None
        content = await masked if masked else None
    except (HTTPException, LookupError, TypeError, AttributeError, *images.NOT_AN_IMAGE):
        return trouble()
    return _store(request, upload, content)


async def _read(form: FormData) -> Upload | Response:
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
    return Upload(
        folder=str(folder),
        subfolder=str(form.get("subfolder", "")),
        name=name,
        content=await image.read(),
        overwrite=form.get("overwrite") in OVERWRITE,
    )


def _store(request: Request, upload: Upload, content: bytes | None) -> Response:
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


def _is_nowhere(upload: Upload, place: Place, files: FileStore) -> bool:
    """A folder within the name has to be there already; that of `subfolder` is made. A folder is no file."""
    folders = files.subfolders(place.folder)
    return place.path in folders or ("/" in upload.name and place.subfolder not in {"", *folders})


ROUTES: list[BaseRoute] = [
    Route("/upload/image", upload_image, methods=["POST"]),
    Route("/upload/mask", upload_mask, methods=["POST"]),
]
