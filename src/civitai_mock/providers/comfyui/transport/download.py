"""Fetch a picture's bytes, going on where a broken connection left off."""

from collections.abc import AsyncIterator

from civitai_mock.domain.errors import TransientError
from civitai_mock.generation.graph_reader.outputs import media_type_of
from civitai_mock.ports import Clock
from civitai_mock.providers.comfyui.protocol.messages import SavedFile
from civitai_mock.providers.comfyui.transport.http import ComfyHttp, FileGoneError

MOST_TRIES = 4
PAUSE_SECONDS = 0.05
PARTIAL = 206
# How a file of each type has to end: a server may hand out one that it has not finished writing.
ENDINGS = {"image/png": b"IEND\xaeB`\x82", "image/jpeg": b"\xff\xd9"}


async def download(http: ComfyHttp, file: SavedFile, clock: Clock) -> AsyncIterator[bytes]:
    """Raise `FileGoneError` for a file that is missing or cut short, `TransientError` for a server that is away."""
    size, tail, tries = 0, b"", 0
    while True:
        try:
            async with http.view(file, start=size) as response:
                skip = 0 if response.status_code == PARTIAL else size
                async for chunk in response.aiter_bytes():
                    fresh, skip = chunk[skip:], max(skip - len(chunk), 0)
                    size, tail = size + len(fresh), (tail + fresh)[-16:]
                    yield fresh
            break
        except FileGoneError:
            raise
        except TransientError:
            tries += 1
            if tries == MOST_TRIES:
                raise
        await clock.sleep(PAUSE_SECONDS * 2**tries)
    if not tail.endswith(ENDINGS.get(media_type_of(file.filename), b"")):
        raise FileGoneError(f"'{file.filename}' is cut short.")
