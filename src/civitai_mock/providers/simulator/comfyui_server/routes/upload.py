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
)
from civitai_mock.providers.simulator.comfyui_server.routes.answers import JsonAnswer, empty, standin_of, trouble

OVERWRITE = frozenset({"true", "1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    place: Place
    content: bytes
    overwrite: bool

    def chosen(self, files: FileStore) -> Place:
        """Its own name, that of an equal file, or the first free `name (1).png`."""
        stem, suffix = posixpath.splitext(self.place.name)
        digest, place, number = digest_of(self.content), self.place, 0
        while not self.overwrite and (there := files.get(place)) is not None and there.digest != digest:
            number += 1
            place = place._replace(name=f"{stem} ({number}){suffix}")
        return place


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
        original = Place(reference.get("type", "output"), reference.get("subfolder", ""), reference["filename"])
        file = standin_of(request).workshop.files.get(original)
        masked = asyncio.to_thread(images.with_alpha_of, file.content, upload.content) if file else None
        content = await masked if masked else None
    except (HTTPException, LookupError, TypeError, AttributeError, *images.NOT_AN_IMAGE):
        return trouble()
    return _store(request, upload, content)


async def _read(form: FormData) -> Upload | Response:
    """The file and where it is to go, or why it may not."""
    folder = str(form.get("type") or DEFAULT_FOLDER)
    if folder not in FOLDERS:
        return trouble()
    image = form.get("image")
    if not isinstance(image, UploadFile) or not image.filename:
        return empty(400)
    home = f"/{folder}"
    path = posixpath.normpath(posixpath.join(home, str(form.get("subfolder", "")), image.filename))
    if not path.startswith(f"{home}/"):
        return empty(400)
    subfolder, name = posixpath.split(path.removeprefix(f"{home}/"))
    overwrite = form.get("overwrite") in OVERWRITE
    return Upload(place=Place(folder, subfolder, name), content=await image.read(), overwrite=overwrite)


def _store(request: Request, upload: Upload, content: bytes | None) -> Response:
    """Without content there is nothing to keep, and ComfyUI does not say so."""
    workshop = standin_of(request).workshop
    if workshop.faults.now.disk_full:
        return trouble()
    place = upload.chosen(workshop.files)
    if content is not None:
        try:
            workshop.files.put(place, content, now=workshop.clock.now())
        except OSError:
            return trouble()
    return JsonAnswer({"name": place.name, "subfolder": place.subfolder, "type": place.folder})


ROUTES: list[BaseRoute] = [
    Route("/upload/image", upload_image, methods=["POST"]),
    Route("/upload/mask", upload_mask, methods=["POST"]),
]
