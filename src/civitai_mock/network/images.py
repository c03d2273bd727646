"""ImageContent from elsewhere: what may come in, and how it is fetched."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

import httpx

from civitai_mock.domain.blob import Blob
from civitai_mock.domain.errors import ForbiddenError, JobError, TransientError
from civitai_mock.domain.images import BrokenImageError, ImageHeader, read_header
from civitai_mock.network.client import GuardedHttpClient, OutboundRequest, TooManyRedirectsError
from civitai_mock.network.trust import why

Keep = Callable[[AsyncIterator[bytes], str], Awaitable[Blob]]

LONGEST_HEAD = 1024 * 1024  # cameras put profiles and thumbnails before the size
CHUNK = 64 * 1024
MOST_AT_ONCE = 32
PASSING = frozenset({408, 425, 429})  # with all from 500 on
KINDS = "a PNG, JPEG, WebP, GIF or BMP file"
# Bytes as they are: their number counts, and nothing is unpacked.
GET = OutboundRequest(method="GET", headers={"Accept": "image/*", "Accept-Encoding": "identity"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageLimits:
    """Each is told with the setting that can change it."""

    max_bytes: int
    max_pixels: int

    def check_size(self, size: int, *, source: str) -> None:
        if size > self.max_bytes:
            raise JobError(
                f"The image of {source} is too large: more than {self.max_bytes} bytes; see IMAGE_MAX_BYTES."
            )

    async def look_at(self, chunks: AsyncIterator[bytes], *, source: str) -> tuple[ImageHeader, bytes]:
        """Read as much as tells what it is; raise `JobError` for what is no image, or has too many pixels."""
        header, head = await _head(chunks, source)
        if header.width * header.height > self.max_pixels:
            raise JobError(
                f"The image of {source} is too large: {header.width} x {header.height} are more than"
                f" {self.max_pixels} pixels; see IMAGE_MAX_PIXELS."
            )
        return header, head


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFetcher:
    """Waits no longer than `timeout` for all of an image. No message tells more of a URL than its host."""

    outbound: GuardedHttpClient
    limits: ImageLimits
    timeout: timedelta
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MOST_AT_ONCE), init=False)

    async def fetch(self, url: str, keep: Keep) -> Blob:
        """What `keep` made of the bytes and their type, which are an image as far as they say so themselves.

        Raise `JobError` for what would be the same next time, `TransientError` for what may pass.
        """
        source = f"the host '{_host_of(url)}'"
        async with self.room:
            try:
                async with asyncio.timeout(self.timeout.total_seconds()):
                    return await self._fetch(url, keep, source)
            except ForbiddenError as error:
                raise JobError(error.message) from error
            except TooManyRedirectsError as error:
                raise JobError(f"{source.capitalize()} redirects too often.") from error
            except httpx.InvalidURL as error:
                raise JobError(f"{source.capitalize()} leads to a URL that cannot be used.") from error
            except TimeoutError as error:
                seconds = self.timeout.total_seconds()
                raise TransientError(f"{source.capitalize()} took longer than {seconds:g} s for an image.") from error
            except (httpx.HTTPError, OSError) as error:
                raise TransientError(f"{source.capitalize()} gave no image: {why(error)}.") from error

    async def _fetch(self, url: str, keep: Keep, source: str) -> Blob:
        async with self.outbound.send(url, GET) as answer:
            _check_status(answer.status_code, source)
            self.limits.check_size(_announced(answer), source=source)
            async with aclosing(self._bounded(answer, source)) as chunks:
                header, head = await self.limits.look_at(chunks, source=source)
                return await keep(_chain(head, chunks), header.content_type)

    async def _bounded(self, answer: httpx.Response, source: str) -> AsyncGenerator[bytes, None]:
        size = 0
        async for chunk in answer.aiter_raw(CHUNK):
            size += len(chunk)
            self.limits.check_size(size, source=source)
            yield chunk


async def _head(chunks: AsyncIterator[bytes], source: str) -> tuple[ImageHeader, bytes]:
    head = b""
    try:
        async for chunk in chunks:
            head += chunk
            header = read_header(head)
            if header is not None:
                return header, head
            if len(head) > LONGEST_HEAD:
                break
    except BrokenImageError as error:
        raise JobError(f"What came from {source} is not {KINDS}.") from error
    raise JobError(f"What came from {source} is not {KINDS}.")


async def _chain(head: bytes, others: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield head
    async for chunk in others:
        yield chunk


def _check_status(status: int, source: str) -> None:
    if status == httpx.codes.OK:
        return
    message = f"{source.capitalize()} answered {status} in the place of an image."
    if status in PASSING or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise TransientError(message)
    raise JobError(message)


def _announced(answer: httpx.Response) -> int:
    """0 for a body of unknown length."""
    length = answer.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else 0


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
