"""Transform images roughly as v1's ImageTransformers do, without their models."""

import io
from collections.abc import Callable, Mapping

from PIL import Image, ImageChops, ImageFilter, ImageOps

from civitai_mock.domain.errors import JobError

MAX_PIXELS = 4096 * 4096
EDGE_BRIGHTNESS = 40
SUBJECT_DIFFERENCE = 24


def transform(name: str, image: bytes) -> bytes:
    """Return a PNG file of the same size, RGB or RGBA; raise `JobError` if that cannot be done."""
    changed = TRANSFORMERS[name](_opened(image))
    file = io.BytesIO()
    converted = changed if changed.mode == "RGBA" else changed.convert("RGB")
    converted.save(file, "PNG", compress_level=1)
    return file.getvalue()


def _opened(content: bytes) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(content), formats=("PNG", "JPEG", "WEBP"))
        if image.width * image.height > MAX_PIXELS:
            raise JobError(
                f"The image is too large to be transformed: it has more than {MAX_PIXELS} pixels.",
                width=image.width,
                height=image.height,
            )
        return image.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise JobError("The file is not a readable PNG, JPEG or WebP image.", cause=str(error)) from error


def hard_edges(image: Image.Image, *, from_brightness: int = EDGE_BRIGHTNESS) -> Image.Image:
    """Draw hard white edges on black."""
    return _edges(image.filter(ImageFilter.GaussianBlur(1))).point(lambda value: 255 * (value > from_brightness))


def soft_edges(image: Image.Image) -> Image.Image:
    """Draw soft edges, the clearest of them white."""
    blur = ImageFilter.GaussianBlur(2)
    return ImageOps.autocontrast(_edges(image.filter(blur)).filter(blur))


def depth(image: Image.Image) -> Image.Image:
    """Take for near what is bright, or low in the image."""
    near = Image.linear_gradient("L").resize(image.size)
    return Image.blend(image.convert("L").filter(ImageFilter.GaussianBlur(6)), near, 0.6)


def _without_background(image: Image.Image) -> Image.Image:
    """Take for background all that has the colour of the first corner."""
    corner = Image.new("RGB", image.size, image.getpixel((0, 0)))
    differs = ImageChops.difference(image, corner).convert("L")
    image.putalpha(differs.point(lambda value: 255 * (value > SUBJECT_DIFFERENCE)))
    return image


def _edges(image: Image.Image) -> Image.Image:
    return image.convert("L").filter(ImageFilter.FIND_EDGES)


TRANSFORMERS: Mapping[str, Callable[[Image.Image], Image.Image]] = {
    "Canny": hard_edges,
    "DepthZoe": depth,
    "SoftedgePidinet": soft_edges,
    "Rembg": _without_background,
}
