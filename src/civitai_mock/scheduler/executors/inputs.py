"""Files that a job reads: blobs, our own URLs, URLs of other hosts, and files that stand in the request itself."""

import base64
import binascii
import re
from collections.abc import AsyncIterator
from functools import partial
from urllib.parse import unquote_to_bytes

import structlog

from civitai_mock.domain.blob import BlobLink, blob_key
from civitai_mock.domain.errors import (
    ForbiddenError,
    HostFailedError,
    HostRefusedError,
    JobError,
    NotFoundError,
    TransientError,
    UnreachableError,
)
from civitai_mock.domain.json_types import named_texts
from civitai_mock.generation.media import MediaInput
from civitai_mock.generation.work import DerivedWork, is_url
from civitai_mock.network.media import FileLimits
from civitai_mock.ports import LoadInput
from civitai_mock.scheduler.executors.context import JobContext
from civitai_mock.services.blob_drawing import OpenBlob
from civitai_mock.services.blob_reading import SpoiledInputError

logger = structlog.stdlib.get_logger()

AIR_PREFIXES = ("urn:air:", "air:")
DATA_PREFIX = "data:"
BLOB_KEY = re.compile(r"[0-9A-F]{64}|[A-Za-z0-9_-]{1,120}\.[A-Za-z0-9]{2,11}")  # v1's; v2's with their extension
STANDARD_ALPHABET = str.maketrans("-_", "+/")


async def signed_blob(context: JobContext, url: str) -> OpenBlob | None:
    """Return the blob of a URL of ours that was good when the job came, whoever has it; no connection is needed."""
    try:
        link = context.services.own_blob_links.find(url, at=context.job.created_at)
        if link is None:
            return None
        with context.reading(signed_at=link.signed_at) as reading:
            return await context.services.blob_access.open_link(link, owner=context.owner, reading=reading)
    except (ForbiddenError, NotFoundError) as error:
        raise JobError(f"Cannot load an input image: {error.message}") from error


async def check_own_urls(context: JobContext) -> None:
    """Raise `SpoiledInputError` for a URL of ours in the request whose blob has a fault.

    This is for work that is simulated without its inputs: nothing else of a URL matters to it.
    """
    for _, url in named_texts("", dict(context.job.spec)):
        if is_url(url) and (link := _signed_link(context, url)) is not None:
            with context.reading(signed_at=link.signed_at) as reading:
                await context.services.blob_access.meet(link.key, reading)


def _signed_link(context: JobContext, url: str) -> BlobLink | None:
    try:
        return context.services.own_blob_links.find(url, at=context.job.created_at)
    except (ForbiddenError, NotFoundError, ValueError):
        return None


async def fetched_blob(context: JobContext, index: int, url: str, *, limits: FileLimits) -> OpenBlob:
    """Fetch a file once for a job: another claim of it finds what the first one stored."""
    key, access = blob_key(context.job.id, f"input/{index}"), context.services.blob_access
    stored = await access.find(key, owner=None)
    store = partial(context.store_blob, key)
    fetched = stored or await context.services.media_fetcher.fetch(url, store, limits=limits)
    return await access.drawing.open(fetched)


async def content_of(opened: OpenBlob, *, stop: int) -> AsyncIterator[bytes]:
    """Raise `TransientError` for a blob that was deleted since: next time it is unknown, or fetched again."""
    try:
        async for chunk in opened.read(start=0, stop=stop):
            yield chunk
    except NotFoundError as error:
        raise TransientError(error.message) from error


async def find_input(context: JobContext, work: DerivedWork, index: int) -> LoadInput:
    """Return what loads an input of an operation; it is there already, fetched if need be.

    A drawing stands in for what an AIR names and, in simulation, for a file of a host that cannot be reached: tests
    run without a network. Raise `JobError` or `TransientError` for a file that the operation needs and cannot have.
    """
    source = work.inputs[index]
    try:
        return await _find(context, work, index)
    except (HostRefusedError, UnreachableError) as error:
        if not work.needs_inputs:
            return partial(_unknown, source)
        if context.services.provider.reads_files:
            raise
        logger.warning("a drawing stands in for an input", reason=error.message)
        return partial(_stand_in, context, work, source)
    except SpoiledInputError:
        raise
    except (JobError, HostFailedError):
        if work.needs_inputs:
            raise
        return partial(_unknown, source)


async def _find(context: JobContext, work: DerivedWork, index: int) -> LoadInput:
    source, limits = work.inputs[index], context.services.media_fetcher.media_limits
    if source.lower().startswith(AIR_PREFIXES):
        return partial(_stand_in, context, work, source)
    if source[: len(DATA_PREFIX)].lower() == DATA_PREFIX:
        return partial(_literal, decoded_data_url(source), limits)
    if is_url(source):
        opened = await signed_blob(context, source) or await fetched_blob(context, index, source, limits=limits)
    elif BLOB_KEY.fullmatch(source):
        opened = await context.open_blob(source)
    else:
        return partial(_literal, decoded_base64(source), limits)
    limits.check_size(opened.blob.size, source=f"the blob '{opened.blob.key}'")
    return partial(_read, opened, source)


def decoded_data_url(url: str) -> bytes:
    """Return the bytes of a data URL (RFC 2397); raise `JobError` for one that holds none."""
    head, comma, body = url.partition(",")
    if not comma:
        raise JobError("An input is not a data URL: it has no comma.")
    return decoded_base64(body) if head.lower().endswith(";base64") else unquote_to_bytes(body)


def decoded_base64(text: str) -> bytes:
    """Take either alphabet, with or without padding and line breaks."""
    plain = "".join(text.split()).translate(STANDARD_ALPHABET).rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise JobError("An input is neither a URL, nor the id of a blob, nor base64.") from error


async def _literal(content: bytes, limits: FileLimits) -> MediaInput:
    limits.check_size(len(content), source="the request")
    return MediaInput(source="", content=content)


async def _read(opened: OpenBlob, source: str) -> MediaInput:
    content = b"".join([chunk async for chunk in content_of(opened, stop=opened.blob.size)])
    return MediaInput(source=source, content=content)


async def _stand_in(context: JobContext, work: DerivedWork, source: str) -> MediaInput:
    from civitai_mock.generation.file_recipes import stand_in_recipe  # noqa: PLC0415 - not loaded at the start

    recipe = stand_in_recipe(work.operation.reads, source).showing(context.services.artist.image_content)
    content = await context.services.artist.draw_recipe(recipe, "")
    return MediaInput(source=source, content=content)


async def _unknown(source: str) -> MediaInput:
    return MediaInput(source=source)
