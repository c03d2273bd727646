"""Images that a graph reads: blobs, files of other hosts, and images that stand in the request itself."""

from collections.abc import Sequence
from functools import partial
from hashlib import sha256

from civitai_mock.domain.blob import KEY_PATTERN, etag_of
from civitai_mock.generation.work import InputImage
from civitai_mock.network.media import MAX_HEAD_BYTES
from civitai_mock.ports import InputFile
from civitai_mock.scheduler.executors.context import JobContext
from civitai_mock.scheduler.executors.inputs import (
    AIR_PREFIXES,
    DATA_PREFIX,
    content_of,
    decoded_base64,
    decoded_data_url,
    fetched_blob,
    signed_blob,
)
from civitai_mock.services.blob_drawing import OpenBlob
from civitai_mock.services.streams import one_chunk

IN_REQUEST = "an image of the request"


async def load_files(context: JobContext, images: Sequence[InputImage]) -> tuple[InputFile, ...]:
    """Return the images that a graph reads; for a provider that does not read files only those that are stored here."""
    files = [await _load_file(context, index, image) for index, image in enumerate(images)]
    return tuple(file for file in files if file is not None)


async def _load_file(context: JobContext, index: int, image: InputImage) -> InputFile | None:
    url, key = image.url or "", image.blob_key or ""
    if key and not KEY_PATTERN.fullmatch(key):
        return await _literal_file(context, image, key)
    opened = await context.open_blob(key) if key else await signed_blob(context, url)
    if opened is None:
        if not context.services.provider.reads_files:
            return None
        opened = await fetched_blob(context, index, url, limits=context.services.media_fetcher.limits)
    return await _checked_file(context, image, opened)


async def _literal_file(context: JobContext, image: InputImage, source: str) -> InputFile | None:
    """Return a file that stands in the request itself, or a drawing for an AIR; nobody draws what nobody reads."""
    if source.lower().startswith(AIR_PREFIXES):
        if not context.services.provider.reads_files:
            return None
        content = await context.services.artist.draw(source, seed=0)
    else:
        content = decoded_data_url(source) if source.startswith(DATA_PREFIX) else decoded_base64(source)
    limits = context.services.media_fetcher.limits
    limits.check_size(len(content), source=IN_REQUEST)
    header, _ = await limits.check_header(one_chunk(content[:MAX_HEAD_BYTES]), source=IN_REQUEST)
    digest = etag_of(sha256(content).hexdigest())
    return InputFile(name=image.name, content_type=header.content_type, digest=digest, read=partial(one_chunk, content))


async def _checked_file(context: JobContext, image: InputImage, opened: OpenBlob) -> InputFile:
    """Return the blob as a file of the type that its bytes have: nobody knows who stored it."""
    blob, limits = opened.blob, context.services.media_fetcher.limits
    source = f"the blob '{blob.key}'"
    limits.check_size(blob.size, source=source)
    head = b"".join([chunk async for chunk in content_of(opened, stop=min(blob.size, MAX_HEAD_BYTES))])
    header, _ = await limits.check_header(one_chunk(head), source=source)
    read = partial(content_of, opened, stop=blob.size)
    return InputFile(name=image.name, content_type=header.content_type, digest=blob.etag, read=read)
