"""Bytes of images: what a client may ask for instead of the file, and previews of work in progress."""

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


def reencoded(content: bytes, preview: str, *, channel: str) -> tuple[bytes, str]:
    """GET /view with `preview=webp;90`; any format but jpeg is webp."""
    parts = preview.split(";")
    name = "jpeg" if parts[0] == "jpeg" and "a" not in channel else "webp"
    with Image.open(io.BytesIO(content)) as image:
        shown = image.convert("RGB") if name == "jpeg" or channel == "rgb" else image
        buffer = io.BytesIO()
        shown.save(buffer, format=name, quality=int(parts[-1]) if parts[-1].isdigit() else DEFAULT_QUALITY)
    return buffer.getvalue(), f"image/{name}"


def colours_only(content: bytes) -> bytes:
    """`channel=rgb`: without transparency, and without the texts."""
    with Image.open(io.BytesIO(content)) as image:
        return _png(image.convert("RGB"))


def alpha_only(content: bytes) -> bytes:
    """`channel=a`: transparency on black; an image without any is opaque."""
    with Image.open(io.BytesIO(content)) as image:
        alpha = image.getchannel("A") if image.mode == "RGBA" else Image.new("L", image.size, 255)
        shown = Image.new("RGBA", image.size)
    shown.putalpha(alpha)
    return _png(shown)


def with_alpha_of(content: bytes, mask: bytes, name: str) -> bytes:
    """POST /upload/mask: the image with the mask's transparency, in the format that its name says.

    Raise `ValueError` for a name that says none, and `OSError` for a format without transparency.
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
    """Draw it as it looks with `share` of the steps done, `side` pixels on its longer side whatever its size."""
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
