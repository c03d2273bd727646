"""Read the body of an upload as it comes: how much of it there may be, how slowly it may come, and what it may hold."""

import asyncio
from collections.abc import AsyncGenerator, Callable

from starlette.requests import ClientDisconnect, Request

from civitai_mock.api.body_budget import Share
from civitai_mock.api.context import exchange, options
from civitai_mock.api.errors import BodyTimeoutError, BodyTooLargeError

# Stores hold so much of a body before they write it: only that counts as memory that is taken.
HELD_BYTES = 8 * 1024 * 1024


def _too_large(most: int) -> Exception:
    return BodyTooLargeError(f"The file is larger than {most} bytes; see UPLOAD_MAX_BYTES.")


async def upload_chunks(
    request: Request, share: Share, *, most: int | None = None, too_large: Callable[[int], Exception] = _too_large
) -> AsyncGenerator[bytes, None]:
    """Yield the body in chunks; raise `BodyTimeoutError`, or `ClientDisconnect` if it breaks off.

    Raise what `too_large` makes for more than `most` bytes, which are UPLOAD_MAX_BYTES if nothing is said. Each part of
    MAX_BODY_BYTES has the time of a whole body. Only waiting for the caller takes time.
    """
    limits, current = options(request), exchange(request)
    most = limits.max_upload_bytes if most is None else most
    declared = current.header(b"content-length")
    if declared is not None and declared.isdecimal() and int(declared) > most:
        raise too_large(most)
    clock = asyncio.get_running_loop().time
    size, seconds = 0, limits.body_timeout.total_seconds()
    left, refilled_at = seconds, limits.max_body_bytes
    has_more = True
    while has_more:
        asked_at = clock()
        try:
            async with asyncio.timeout(left):
                message = await request.receive()
        except TimeoutError as error:
            raise BodyTimeoutError(f"The body did not arrive: a part of it took longer than {seconds:g} s.") from error
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        left -= clock() - asked_at
        chunk: bytes = message.get("body", b"")
        has_more = message.get("more_body", False)
        share.grow(min(len(chunk), max(HELD_BYTES - size, 0)))
        size += len(chunk)
        if size > most:
            raise too_large(most)
        if size >= refilled_at:
            left, refilled_at = seconds, size + limits.max_body_bytes
        current.body_size = size
        if chunk:
            yield chunk
