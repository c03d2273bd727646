"""Fetch images, videos and sounds from hosts that callers name, within limits of bytes, pixels and time."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import field
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar, Protocol
from urllib.parse import urlsplit

from civitai_mock.domain.blob import Blob
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import ForbiddenError, HostFailedError, HostRefusedError, JobError, UnreachableError
from civitai_mock.domain.images import BrokenImageError, ImageHeader, read_header
from civitai_mock.domain.media import SNIFFED_BYTES, sniffed_type
from civitai_mock.network.client import GuardedHttpClient
from civitai_mock.network.outbound import (
    ConnectionFailedError,
    InvalidUrlError,
    OutboundRequest,
    TooManyRedirectsError,
)

if TYPE_CHECKING:
    import httpx

StoreFile = Callable[[AsyncIterator[bytes], str], Awaitable[Blob]]

MAX_HEAD_BYTES = 1024 * 1024  # cameras put profiles and thumbnails before the size
CHUNK_BYTES = 64 * 1024
MAX_AT_ONCE = 32
PASSING_STATUSES = frozenset({408, 425, 429})  # and all from 500 on
FILE_TYPES = "a PNG, JPEG, WebP, GIF or BMP file"


class FileLimits(Protocol):
    """Limits what a file may be. `noun` names such a file, `accept` is what its host is asked for."""

    noun: ClassVar[str]
    accept: ClassVar[str]

    def check_size(self, size: int, *, source: str) -> None:
        """Raise `JobError` for more bytes than a file may have."""
        ...

    async def check_type(self, chunks: AsyncIterator[bytes], *, source: str) -> tuple[str, bytes]:
        """Return the content type that the first bytes show, and the bytes that were read for it.

        Raise `JobError` for a file of another kind.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageLimits:
    """Limits the bytes and pixels of an image; messages name the setting that can change a limit."""

    noun: ClassVar[str] = "image"
    accept: ClassVar[str] = "image/*"

    max_bytes: int
    max_pixels: int

    def check_size(self, size: int, *, source: str) -> None:
        if size > self.max_bytes:
            raise JobError(
                f"The image of {source} is too large: more than {self.max_bytes} bytes; see IMAGE_MAX_BYTES."
            )

    async def check_header(self, chunks: AsyncIterator[bytes], *, source: str) -> tuple[ImageHeader, bytes]:
        """Return the image's header and the bytes that were read for it.

        Raise `JobError` for bytes that are not an image, or an image with too many pixels.
        """
        header, head = await _read_head(chunks, source)
        if header.width * header.height > self.max_pixels:
            raise JobError(
                f"The image of {source} is too large: {header.width} x {header.height} are more than"
                f" {self.max_pixels} pixels; see IMAGE_MAX_PIXELS."
            )
        return header, head

    async def check_type(self, chunks: AsyncIterator[bytes], *, source: str) -> tuple[str, bytes]:
        header, head = await self.check_header(chunks, source=source)
        return header.content_type, head


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaLimits:
    """Limits the bytes of a video, a sound or an image, and of an image also the pixels."""

    noun: ClassVar[str] = "file"
    accept: ClassVar[str] = "*/*"

    max_bytes: int
    images: ImageLimits

    def check_size(self, size: int, *, source: str) -> None:
        if size > self.max_bytes:
            raise JobError(f"The file of {source} is too large: more than {self.max_bytes} bytes; see MEDIA_MAX_BYTES.")

    async def check_type(self, chunks: AsyncIterator[bytes], *, source: str) -> tuple[str, bytes]:
        head = b""
        async for chunk in chunks:
            head += chunk
            if len(head) >= SNIFFED_BYTES:
                break
        content_type = sniffed_type(head)
        if content_type is None:
            raise JobError(f"What came from {source} is not an image, a video or a sound.")
        if content_type.startswith("image/"):
            header, head = await self.images.check_header(_chained(head, chunks), source=source)
            content_type = header.content_type
        return content_type, head


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaFetcher:
    """Fetches files, each within `timeout`. Messages name only the host of a URL, as the rest may hold a secret.

    Graphs read images (`limits`), other work any file that can be seen or heard (`media_limits`).
    """

    client: GuardedHttpClient
    limits: ImageLimits
    media_limits: MediaLimits
    timeout: timedelta
    semaphore: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_AT_ONCE), init=False)

    async def fetch(self, url: str, store: StoreFile, *, limits: FileLimits | None = None) -> Blob:
        """Fetch an image, or what `limits` say, and return the blob that `store` makes of its bytes and their type.

        Only the header of an image is checked. Raise `JobError` for errors that would come again the next time,
        `HostFailedError` for those that may pass.
        """
        limits = limits or self.limits
        source = f"the host '{_host_of(url)}'"
        async with self.semaphore:
            try:
                async with asyncio.timeout(self.timeout.total_seconds()):
                    return await self._fetch(url, store, source, limits)
            except ForbiddenError as error:
                raise HostRefusedError(error.message) from error
            except TooManyRedirectsError as error:
                raise JobError(f"{source.capitalize()} redirects too often.") from error
            except InvalidUrlError as error:
                raise JobError(f"{source.capitalize()} leads to a URL that cannot be used.") from error
            except TimeoutError as error:
                seconds = self.timeout.total_seconds()
                raise HostFailedError(
                    f"{source.capitalize()} took longer than {seconds:g} s for {_a(limits)}."
                ) from error
            except ConnectionFailedError as error:
                raise (HostFailedError if error.was_reached else UnreachableError)(
                    f"{source.capitalize()} gave no {limits.noun}: {error.message}."
                ) from error

    async def _fetch(self, url: str, store: StoreFile, source: str, limits: FileLimits) -> Blob:
        # The host is asked not to compress: the number of bytes on the wire counts, and nothing is unpacked here.
        request = OutboundRequest(method="GET", headers={"Accept": limits.accept, "Accept-Encoding": "identity"})
        async with self.client.send(url, request) as answer:
            _check_status(answer.status_code, source, limits)
            limits.check_size(_announced_length(answer), source=source)
            async with aclosing(_within(limits, answer, source)) as chunks:
                content_type, head = await limits.check_type(chunks, source=source)
                return await store(_chained(head, chunks), content_type)


async def _within(limits: FileLimits, answer: "httpx.Response", source: str) -> AsyncGenerator[bytes, None]:
    size = 0
    async for chunk in answer.aiter_raw(CHUNK_BYTES):
        size += len(chunk)
        limits.check_size(size, source=source)
        yield chunk


def _a(limits: FileLimits) -> str:
    return f"{'an' if limits.noun[0] in 'aeiou' else 'a'} {limits.noun}"


async def _read_head(chunks: AsyncIterator[bytes], source: str) -> tuple[ImageHeader, bytes]:
    head = b""
    try:
        async for chunk in chunks:
            head += chunk
            header = read_header(head)
            if header is not None:
                return header, head
            if len(head) > MAX_HEAD_BYTES:
                break
    except BrokenImageError as error:
        raise JobError(f"What came from {source} is not {FILE_TYPES}.") from error
    raise JobError(f"What came from {source} is not {FILE_TYPES}.")


async def _chained(head: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield head
    async for chunk in rest:
        yield chunk


def _check_status(status: int, source: str, limits: FileLimits) -> None:
    if status == HTTPStatus.OK:
        return
    message = f"{source.capitalize()} answered {status} instead of {_a(limits)}."
    if status in PASSING_STATUSES or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise HostFailedError(message)
    raise JobError(message)


def _announced_length(answer: "httpx.Response") -> int:
    """Return the length of the body as its head says; 0 if it is unknown."""
    length = answer.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else 0


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
