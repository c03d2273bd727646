"""Operations on masks, which have one channel: 255 for what is masked, 0 for the rest."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageOps

from civitai_mock.drawing.pixels.colours import padded_image
from civitai_mock.drawing.pixels.node_images import NodeImages, Operation
from civitai_mock.drawing.pixels.scaling import scaled

Tones: TypeAlias = NDArray[np.uint8]
Shares: TypeAlias = NDArray[np.float64]

HALF = 128
Direction: TypeAlias = tuple[int, int]
DOWN, RIGHT, FALLING, RISING = (1, 0), (0, 1), (1, 1), (-1, 1)

LOGIC: Mapping[str, Callable[[Image.Image, Image.Image], Image.Image]] = {
    "multiply": ImageChops.multiply,
    "add": ImageChops.add,
    "subtract": ImageChops.subtract,
    "and": lambda one, other: ImageChops.darker(_bits(one), _bits(other)),
    "or": lambda one, other: ImageChops.lighter(_bits(one), _bits(other)),
    "xor": lambda one, other: ImageChops.difference(_bits(one), _bits(other)),
}


def _bits(mask: Image.Image) -> Image.Image:
    """Round each pixel to 0 or 255."""
    return mask.point(lambda value: 255 * (value >= HALF))


def _solid(node: NodeImages) -> Image.Image:
    """Round down, so that no threshold takes the value for more than it is."""
    return Image.new("L", node.size, int(255 * node.view.real("value", 1.0)))


def _inverted(node: NodeImages) -> Image.Image:
    return ImageOps.invert(node.mask("mask"))


def _shown(node: NodeImages) -> Image.Image:
    return Image.merge("RGB", [node.mask("mask")] * 3)


def _of_channel(node: NodeImages) -> Image.Image:
    image, channel = node.image("image"), node.view.text("channel")[:1].upper()
    return image.convert("RGBA").getchannel(channel if channel in {"R", "G", "B", "A"} else "R")


def _of_colour(node: NodeImages) -> Image.Image:
    colour = node.view.whole("color", 0)
    wanted = np.array([colour >> 16 & 255, colour >> 8 & 255, colour & 255])
    return _image(np.all(np.asarray(node.colours("image")) == wanted, axis=2) * np.uint8(255))


def _composed(node: NodeImages) -> Image.Image:
    mask, source = node.mask("destination").copy(), node.mask("source")
    x, y = node.view.whole("x", 0), node.view.whole("y", 0)
    box = (x, y, min(x + source.width, mask.width), min(y + source.height, mask.height))
    if box[0] >= box[2] or box[1] >= box[3]:
        return mask
    operation = LOGIC.get(node.view.text("operation"), ImageChops.multiply)
    mask.paste(operation(mask.crop(box), source.crop((0, 0, box[2] - x, box[3] - y))), box[:2])
    return mask


def _above(node: NodeImages) -> Image.Image:
    threshold = 255 * node.view.real("value", 0.5)
    return node.mask("mask").point(lambda value: 255 * (value > threshold))


def _grown(node: NodeImages) -> Image.Image:
    """Grow by squares, or by diamonds where corners are tapered; an `expand` below 0 shrinks."""
    expand = node.view.whole("expand", 0)
    tones = np.asarray(node.mask("mask"))
    tones = tones if expand >= 0 else 255 - tones
    is_tapered = node.view.nodes.value(node.view.node_id, "tapered_corners") is not False
    reach = min(abs(expand), sum(tones.shape))
    tones = _in_diamonds(tones, reach) if is_tapered else _spread(_spread(tones, reach, DOWN), reach, RIGHT)
    return _image(tones if expand >= 0 else 255 - tones)


def _in_diamonds(tones: Tones, reach: int) -> Tones:
    """Spread along both diagonals, which reaches every second pixel of a diamond, and then by a cross or two."""
    slanting = max((reach - 1) // 2, 0)
    padded = np.pad(tones, slanting)  # diagonals may lead through pixels outside of the image
    padded = _spread(_spread(padded, slanting, FALLING), slanting, RISING)
    for _ in range(reach - 2 * slanting):
        padded = np.maximum(_spread(padded, 1, DOWN), _spread(padded, 1, RIGHT))
    return padded[slanting : slanting + tones.shape[0], slanting : slanting + tones.shape[1]]


def _spread(tones: Tones, reach: int, direction: Direction) -> Tones:
    """Return the largest value within `reach`, along a direction and back, in steps that double."""
    done = 0
    while done < reach:
        step = min(done + 1, reach - done)
        there = _moved(tones, direction[0] * step, direction[1] * step)
        back = _moved(tones, -direction[0] * step, -direction[1] * step)
        tones = np.maximum(tones, np.maximum(there, back))
        done += step
    return tones


def _moved(tones: Tones, down: int, right: int) -> Tones:
    """Shift an image; what comes in from outside is 0."""
    (height, width), moved = tones.shape, np.zeros_like(tones)
    rows, columns = max(height - abs(down), 0), max(width - abs(right), 0)
    kept = tones[max(-down, 0) :, max(-right, 0) :][:rows, :columns]
    moved[max(down, 0) :, max(right, 0) :][:rows, :columns] = kept
    return moved


def _feathered(node: NodeImages) -> Image.Image:
    tones = np.asarray(node.mask("mask")).astype(np.float64)
    for axis, (low, high) in enumerate((("top", "bottom"), ("left", "right"))):
        shares = _shares(tones.shape[axis], node.view.whole(low, 0), node.view.whole(high, 0))
        tones = tones * (shares[:, None] if axis == 0 else shares[None, :])
    return _image(tones.astype(np.uint8))


def _shares(length: int, low: int, high: int) -> Shares:
    """Return factors that rise from either end; ComfyUI counts from the far end by -0, -1, -2…, and -0 is the first."""
    shares = np.ones(length)
    for reach, sign in ((min(low, length), 1), (min(high, length), -1)):
        steps = np.arange(reach)
        shares[sign * steps] *= (steps + 1) / max(reach, 1)
    return shares


def _padding_mask(node: NodeImages) -> Image.Image:
    """Mask what ImagePadForOutpaint adds, with a soft edge into what was there."""
    inner = node.view.batch("image")
    left, top, feather = node.view.whole("left", 0), node.view.whole("top", 0), node.view.whole("feathering", 40)
    mask = Image.new("L", node.size, 255)
    edge = Image.new("L", (inner.width, inner.height))
    if 0 < 2 * feather < min(inner.width, inner.height):
        far = max(node.size)
        ends = [
            (left, node.size[0] - left - inner.width, inner.width),
            (top, node.size[1] - top - inner.height, inner.height),
        ]
        across, down = (
            np.minimum(np.arange(side) if before else far, np.arange(side, 0, -1) if after else far)
            for before, after, side in ends
        )
        nearest = np.minimum(
            np.broadcast_to(across, inner.width)[None, :], np.broadcast_to(down, inner.height)[:, None]
        )
        edge = _image((255 * np.clip((feather - nearest) / feather, 0, 1) ** 2).astype(np.uint8))
    mask.paste(edge, (left, top))
    return mask


def _padded(node: NodeImages) -> Image.Image:
    return padded_image(node) if node.view.output == 0 else _padding_mask(node)


def _with_alpha(node: NodeImages) -> Image.Image:
    image = node.colours("image")
    image.putalpha(ImageOps.invert(scaled(node.mask("alpha"), image.size)))
    return image


def _split(node: NodeImages) -> Image.Image:
    image = node.image("image")
    return image.convert("RGB") if node.view.output == 0 else ImageOps.invert(image.convert("RGBA").getchannel("A"))


def _porter_duff(node: NodeImages) -> Image.Image:
    """Return the exact image of modes that show one of both; all other modes lay the source over the destination."""
    layers = []
    for name in ("destination", "source"):
        image = scaled(node.colours(name), node.size, method="bicubic", crop="center")
        image.putalpha(ImageOps.invert(scaled(node.mask(f"{name}_alpha"), node.size, method="bicubic", crop="center")))
        layers.append(image)
    mode = node.view.text("mode")
    image = layers[0] if mode == "DST" else layers[1] if mode == "SRC" else Image.alpha_composite(*layers)
    return image.convert("RGB") if node.view.output == 0 else ImageOps.invert(image.getchannel("A"))


def _image(tones: Tones) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(tones, np.uint8))


OPERATIONS: Mapping[str, Operation] = {
    "FeatherMask": _feathered,
    "GrowMask": _grown,
    "ImageColorToMask": _of_colour,
    "ImagePadForOutpaint": _padded,
    "ImageToMask": _of_channel,
    "InvertMask": _inverted,
    "JoinImageWithAlpha": _with_alpha,
    "MaskComposite": _composed,
    "MaskToImage": _shown,
    "PorterDuffImageComposite": _porter_duff,
    "SolidMask": _solid,
    "SplitImageWithAlpha": _split,
    "ThresholdMask": _above,
}
