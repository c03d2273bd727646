"""Previews of images: small ones, which are made when somebody asks for one, and kept as long as the image is."""

from dataclasses import field
from functools import partial
from hashlib import sha256

import structlog

from civitai_mock.domain.blob import PREVIEW, Blob, UndrawnBlob, blob_key, etag_of
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import JobError, NotDrawnError, TransientError
from civitai_mock.domain.media import MediaKind, kind_of
from civitai_mock.generation.media import PREVIEW_WIDTH, MadeFile, MediaInput
from civitai_mock.ports import Artist, BlobStore
from civitai_mock.services.blob_drawing import BlobDrawing, OpenBlob
from civitai_mock.services.shared_work import SharedWork
from civitai_mock.services.streams import in_chunks

logger = structlog.stdlib.get_logger()

# All bytes of an image are in memory while it is made smaller.
LARGEST_IMAGE = 64 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class BlobPreviews:
    """Opens previews; what is small already, or cannot be made smaller, is its own preview."""

    blobs: BlobStore
    drawing: BlobDrawing
    artist: Artist
    making: SharedWork[OpenBlob] = field(default_factory=lambda: SharedWork(name="making the preview"), init=False)

    async def aclose(self) -> None:
        await self.making.aclose()

    async def open(self, blob: Blob | UndrawnBlob) -> OpenBlob:
        """Return the preview of a blob; raise as opening the blob itself does."""
        opened = await self.drawing.open(blob)
        width = None if blob.facts is None else blob.facts.width
        is_small = width is not None and width <= PREVIEW_WIDTH
        if is_small or kind_of(blob.content_type) is not MediaKind.IMAGE or opened.blob.size > LARGEST_IMAGE:
            return opened
        key = preview_key(opened.blob)
        found = await self.blobs.stat(key)
        if isinstance(found, Blob):
            return OpenBlob(blob=found, read=partial(self.blobs.read, key))
        return await self.making.run(key, partial(self._make, opened, key))

    async def _make(self, opened: OpenBlob, key: str) -> OpenBlob:
        """Give out what the store cannot take, and make it again next time."""
        from civitai_mock.generation.operations import PreviewImage  # noqa: PLC0415 - not loaded at the start

        image = opened.blob
        try:
            (made,) = (await self.artist.derive(PreviewImage(), [partial(_load, opened)])).files
        except NotDrawnError:
            raise
        except JobError as error:
            logger.info("no preview", blob_key=image.key, reason=error.message)
            return opened
        try:
            stored = await self.blobs.put(
                key,
                in_chunks(made.content),
                content_type=made.content_type,
                keep_until=image.keep_until,
                owner=image.owner,
            )
        except TransientError as error:
            logger.warning("preview not kept", blob_key=image.key, reason=error.message)
            return _in_memory(image, key, made)
        return OpenBlob(blob=stored, read=partial(self.blobs.read, key))


def preview_key(blob: Blob) -> str:
    """Return the key of a blob's preview, which changes with its bytes."""
    return blob_key(f"{blob.key}/{blob.etag}", PREVIEW)


async def _load(opened: OpenBlob) -> MediaInput:
    content = b"".join([chunk async for chunk in opened.content()])
    return MediaInput(source=opened.blob.key, content=content)


def _in_memory(image: Blob, key: str, made: MadeFile) -> OpenBlob:
    blob = Blob(
        key=key,
        content_type=made.content_type,
        size=len(made.content),
        etag=etag_of(sha256(made.content).hexdigest()),
        keep_until=image.keep_until,
        owner=image.owner,
    )
    return OpenBlob(blob=blob, read=partial(in_chunks, made.content))
