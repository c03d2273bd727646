"""Load files as ComfyUI does: images, latents and videos."""

import io
from collections.abc import Iterator, Sequence

from PIL import ExifTags, Image, ImageOps, ImageSequence

from civitai_mock.generation.comfyui_facts import LATENT_CELL, MOST_PIXELS_IN_MEMORY
from civitai_mock.generation.graph_reader.image_batches.batch import Loaded
from civitai_mock.generation.safetensors import tensor_shapes

NOT_AN_IMAGE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)
ONE_IMAGE_ONLY = frozenset({"MPO"})
PAGES = frozenset({"TIFF"})  # each of a size of its own
SIDEWAYS = frozenset({5, 6, 7, 8})  # EXIF orientations
SIXTEEN_BIT_FACTOR = 1 / 255  # ComfyUI's factor for images of 32-bit integers
MAX_IMAGES = 4096
LATENT = "latent_tensor"


def loaded_file(content: bytes) -> Loaded | None:
    """Return size and number of the images in a file; None for a file that a graph cannot load as images."""
    return loaded_image(content) or loaded_latent(content) or _loaded_video(content)


def loaded_image(content: bytes) -> Loaded | None:
    """Return the size after the rotation that EXIF asks for, and the number of images of that size."""
    try:
        with Image.open(io.BytesIO(content)) as image:
            width, height = image.size
            if image.getexif().get(ExifTags.Base.Orientation) in SIDEWAYS:
                width, height = height, width
            alpha = has_alpha(image)
            return Loaded(width=width, height=height, count=_count(image), has_alpha=alpha)
    except NOT_AN_IMAGE:
        return None


def loaded_latent(content: bytes) -> Loaded | None:
    match tensor_shapes(content).get(LATENT):
        case [int(count), _, int(height), int(width)]:
            return Loaded(width=width * LATENT_CELL, height=height * LATENT_CELL, count=count)
    return None


def images_of(content: bytes) -> Sequence[Image.Image]:
    """Return the images as RGB, or RGBA where there is transparency; only those of the first one's size."""
    if loaded_image(content) is None:
        return _video_frames(content)
    found: list[Image.Image] = []
    for image in _frames(content):
        eight_bits = _in_eight_bits(image)
        if not found or eight_bits.size == found[0].size:
            found.append(eight_bits.convert("RGBA" if has_alpha(eight_bits) else "RGB"))
    return found


def has_alpha(image: Image.Image) -> bool:
    return "A" in image.getbands() or (image.mode == "P" and "transparency" in image.info)


def _count(image: Image.Image) -> int:
    if image.format in ONE_IMAGE_ONLY:
        return 1
    count, size = min(getattr(image, "n_frames", 1), MAX_IMAGES), image.size
    if image.format not in PAGES:
        return count
    same = 0
    for index in range(count):
        image.seek(index)
        same += image.size == size
    return same


def _frames(content: bytes) -> Iterator[Image.Image]:
    with Image.open(io.BytesIO(content)) as image:
        is_single = image.format in ONE_IMAGE_ONLY
        for index, frame in enumerate(ImageSequence.Iterator(image)):
            if index and (is_single or index >= MAX_IMAGES):
                return
            yield ImageOps.exif_transpose(frame)


def _in_eight_bits(image: Image.Image) -> Image.Image:
    if not image.mode.startswith("I"):
        return image
    return image.convert("I").point(lambda value: value * SIXTEEN_BIT_FACTOR).convert("L")


def _loaded_video(content: bytes) -> Loaded | None:
    # PyAV is large: imported at the first file that is not an image, here and below.
    from civitai_mock.drawing.pixels.video_files import loaded_video  # noqa: PLC0415

    return loaded_video(content)


def _video_frames(content: bytes) -> Sequence[Image.Image]:
    from civitai_mock.drawing.pixels.video_files import frames_of  # noqa: PLC0415

    return frames_of(content, max_pixels=MOST_PIXELS_IN_MEMORY)
