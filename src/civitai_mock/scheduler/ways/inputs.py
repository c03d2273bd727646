"""Pictures that a graph reads, on their way from wherever they are to the provider."""

from collections.abc import AsyncIterator, Sequence
from functools import partial

from civitai_mock.domain.blob import Blob, blob_key
from civitai_mock.domain.errors import ForbiddenError, JobError, NotFoundError, TransientError
from civitai_mock.generation.work import InputImage
from civitai_mock.ports import BlobStore, InputFile
from civitai_mock.scheduler.pictures import LONGEST_HEAD
from civitai_mock.scheduler.ways.files import once
from civitai_mock.scheduler.work import Work


async def gather(work: Work, images: Sequence[InputImage]) -> tuple[InputFile, ...]:
    """What a provider that reads files gets; any other gets those that are stored here, and nothing is fetched."""
    files = [await _gathered(work, index, image) for index, image in enumerate(images)]
    return tuple(file for file in files if file is not None)


async def _gathered(work: Work, index: int, image: InputImage) -> InputFile | None:
    blob = await work.named_blob(image.blob_key) if image.blob_key else await _signed(work, image)
    if blob is None and not work.tools.provider.reads_files:
        return None
    return await _file(work, image, blob or await _fetched(work, index, image))


async def _signed(work: Work, image: InputImage) -> Blob | None:
    """Return the blob of a URL of ours that was good when the job came, whoever has it; no connection is needed."""
    try:
        key = work.tools.blob_urls.key_in(image.url or "", at=work.job.created_at)
        return None if key is None else await work.tools.own_blobs.get(key, owner=None)
    except (ForbiddenError, NotFoundError) as error:
        raise JobError(f"A picture cannot be had: {error.message}") from error


async def _fetched(work: Work, index: int, image: InputImage) -> Blob:
    """Once for a job: another claim of it finds what the first one stored."""
    key, blobs = blob_key(work.job.id, f"input/{index}"), work.tools.blobs

    async def keep(content: AsyncIterator[bytes], content_type: str) -> Blob:
        return await blobs.put(
            key, content, content_type=content_type, keep_until=work.job.keep_until, owner=work.job.issued_by
        )

    return await blobs.stat(key) or await work.tools.pictures.fetch(image.url or "", keep)


async def _file(work: Work, image: InputImage, blob: Blob) -> InputFile:
    """Of the type that its bytes have: nobody knows who stored it."""
    source, limits, blobs = f"the blob '{blob.key}'", work.tools.pictures.limits, work.tools.blobs
    limits.check_size(blob.size, source=source)
    head = b"".join([chunk async for chunk in _content(blobs, blob, stop=min(blob.size, LONGEST_HEAD))])
    header, _ = await limits.look_at(once(head), source=source)
    read = partial(_content, blobs, blob, stop=blob.size)
    return InputFile(name=image.name, content_type=header.content_type, digest=blob.etag, read=read)


async def _content(blobs: BlobStore, blob: Blob, *, stop: int) -> AsyncIterator[bytes]:
    """A blob that went since it was looked at is missed, or fetched again, the next time."""
    try:
        async for chunk in blobs.read(blob.key, start=0, stop=stop):
            yield chunk
    except NotFoundError as error:
        raise TransientError(error.message) from error
