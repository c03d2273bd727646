"""Conversion of image files: other formats, single channels, masks, and previews of work in progress."""

import io
from pathlib import PurePosixPath

from PIL import Image, UnidentifiedImageError

PREVIEW_SIDE = 512
COARSEST = 8
DEFAULT_QUALITY = 90
NOT_AN_IMAGE = (UnidentifiedImageError, OSError, ValueError, SyntaxError)


def is_image(content: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(content)) as image:
            image.verify()
    except NOT_AN_IMAGE:
        return False
    return True


def reencode(content: bytes, preview: str, *, channel: str) -> tuple[bytes, str]:
    """Return content and media type for GET /view with `preview=webp;90`; any format but jpeg is webp."""
    parts = preview.split(";")
    name = "jpeg" if parts[0] == "jpeg" and "a" not in channel else "webp"
    with Image.open(io.BytesIO(content)) as image:
        converted = image.convert("RGB") if name == "jpeg" or channel == "rgb" else image
        buffer = io.BytesIO()
        converted.save(buffer, format=name, quality=int(parts[-1]) if parts[-1].isdigit() else DEFAULT_QUALITY)
    return buffer.getvalue(), f"image/{name}"


def extract_colours(content: bytes) -> bytes:
    """Return a PNG without transparency and texts, for `channel=rgb`."""
    with Image.open(io.BytesIO(content)) as image:
        return _png(image.convert("RGB"))


def extract_alpha(content: bytes) -> bytes:
    """Return a PNG with the transparency on black, for `channel=a`; an image without transparency is opaque."""
    with Image.open(io.BytesIO(content)) as image:
        alpha = image.getchannel("A") if image.mode == "RGBA" else Image.new("L", image.size, 255)
        transparent = Image.new("RGBA", image.size)
    transparent.putalpha(alpha)
    return _png(transparent)


def apply_mask(content: bytes, mask: bytes, name: str) -> bytes:
    """Return the image with the mask's transparency, in the format of the file name, for POST /upload/mask.

    Raise `ValueError` for an unknown format, and `OSError` for a format without transparency.
    """
    with Image.open(io.BytesIO(content)) as image, Image.open(io.BytesIO(mask)) as cover:
        masked = image.convert("RGBA")
        masked.putalpha(cover.convert("RGBA").getchannel("A"))
    buffer = io.BytesIO()
    masked.save(buffer, format=_format_of(name))
    return buffer.getvalue()


def _format_of(name: str) -> str:
    kind = Image.registered_extensions().get(PurePosixPath(name).suffix.lower())
    if kind is None:
        raise ValueError(f"unknown file extension: {name}")
    return kind


def preview_jpeg(content: bytes, *, share: float, side: int = PREVIEW_SIDE) -> bytes:
    """Return a JPEG of the image with `share` of the steps done: coarse at first, `side` pixels on its longer side."""
    with Image.open(io.BytesIO(content)) as image:
        colours = image.convert("RGB")
    scale = side / max(colours.size)
    size = (max(round(colours.width * scale), 1), max(round(colours.height * scale), 1))
    detail = min(int(COARSEST + (side - COARSEST) * share**2), side)
    coarse = colours.resize((max(size[0] * detail // side, 1), max(size[1] * detail // side, 1)))
    buffer = io.BytesIO()
    coarse.resize(size).save(buffer, format="JPEG", quality=DEFAULT_QUALITY)
    return buffer.getvalue()


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()
