"""Media files for tests, and readers of what was made."""

import io
from collections.abc import Sequence

import av
from PIL import Image

from civitai_mock.drawing.media.operations import derive
from civitai_mock.generation.media import Derived, MadeFile, MediaInput
from civitai_mock.generation.operations import Operation
from tests.support.pixel_graphs import gradient


def image_bytes(size: tuple[int, int] = (192, 320), fmt: str = "PNG", mode: str = "RGB", **options: object) -> bytes:
    """Return a file with an image in which no two pixels of a row are alike."""
    file = io.BytesIO()
    gradient(size, mode).save(file, fmt, **options)
    return file.getvalue()


def opened(content: bytes) -> Image.Image:
    """Return an image with its pixels; raise for a broken one."""
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def played(content: bytes) -> int:
    """Return how many frames a video has, or packets of sound a piece of audio; raise for a broken one."""
    with av.open(io.BytesIO(content), "r") as container:
        return sum(1 for _ in container.decode((container.streams.video or container.streams.audio)[0]))


def done(operation: Operation, *contents: bytes) -> Derived:
    return derive(operation, [MediaInput(source="an input", content=content) for content in contents])


def made(operation: Operation, *contents: bytes) -> MadeFile:
    """Return the only file that an operation makes."""
    (file,) = done(operation, *contents).files
    return file


def frames(content: bytes) -> Sequence[Image.Image]:
    image = Image.open(io.BytesIO(content))
    found = []
    for index in range(getattr(image, "n_frames", 1)):
        image.seek(index)
        found.append(image.convert("RGBA"))
    return found
