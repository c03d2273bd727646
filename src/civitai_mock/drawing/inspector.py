"""Threads that look into files that callers sent."""

from functools import partial
from typing import BinaryIO, Self

from civitai_mock.domain.blob import BlobFacts
from civitai_mock.drawing.threads import DrawingThreads

INSPECTORS = 2


class MediaInspector:
    """Implements `FileInspector` in a few threads of its own, so that nobody who asks for a drawing waits for them."""

    def __init__(self, *, max_pixels: int) -> None:
        self._max_pixels = max_pixels
        self._threads = DrawingThreads(INSPECTORS)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._threads.aclose()

    async def inspect(self, file: BinaryIO, content_type: str) -> BlobFacts:
        # Imported at the first file, as Pillow and PyAV would double the time to the server's first answer.
        from civitai_mock.drawing.inspection import inspect  # noqa: PLC0415

        return await self._threads.run(partial(inspect, file, content_type, max_pixels=self._max_pixels))
