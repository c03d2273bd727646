"""What ControlNets go by: edges, depth, normals, poses and so on of an image, roughly as their models see them."""

import colorsys
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from civitai_mock.drawing.media.perceptual_hash import perceptual_hash
from civitai_mock.drawing.painter.seeded_random import SeededRandom
from civitai_mock.drawing.transformers import depth, hard_edges, soft_edges
from civitai_mock.generation.operations import PreprocessImage

Preprocessor: TypeAlias = Callable[[Image.Image, PreprocessImage], Image.Image]

MOST_PIXELS = 4096 * 4096
CELL = 64  # that `resolution` is rounded to, as ControlNet's own tools do
COLOUR_BLOCKS, SHUFFLED_TILES, REGIONS = 64, 8, 12  # along the longer side; the last in all
# A person who stands, in parts of the height from the top and of half the width from the middle; limbs by their ends.
JOINTS = {
    "nose": (0.12, 0.0),
    "neck": (0.22, 0.0),
    **{f"{side} shoulder": (0.24, 0.2 * sign) for side, sign in (("right", -1), ("left", 1))},
    **{f"{side} elbow": (0.38, 0.3 * sign) for side, sign in (("right", -1), ("left", 1))},
    **{f"{side} wrist": (0.52, 0.34 * sign) for side, sign in (("right", -1), ("left", 1))},
    **{f"{side} hip": (0.54, 0.12 * sign) for side, sign in (("right", -1), ("left", 1))},
    **{f"{side} knee": (0.74, 0.14 * sign) for side, sign in (("right", -1), ("left", 1))},
    **{f"{side} ankle": (0.93, 0.15 * sign) for side, sign in (("right", -1), ("left", 1))},
}
LIMBS = [
    ("nose", "neck"),
    *[("neck", f"{side} {joint}") for side in ("right", "left") for joint in ("shoulder", "hip")],
    *[(f"{side} shoulder", f"{side} elbow") for side in ("right", "left")],
    *[(f"{side} elbow", f"{side} wrist") for side in ("right", "left")],
    *[(f"{side} hip", f"{side} knee") for side in ("right", "left")],
    *[(f"{side} knee", f"{side} ankle") for side in ("right", "left")],
]
BRIGHTEST_PERCENT = 3  # of soft edges, all of which become white: a few hard ones must not outshine the others
SWAY = 0.05  # how far a joint is moved by chance


def preprocess(image: Image.Image, operation: PreprocessImage) -> Image.Image:
    """Return what a preprocessor makes of an RGB image; of an unknown kind it is edges.

    New kinds come faster than this table grows, and most are for edges.
    """
    sized = _sized(image, operation.resolution)
    return PREPROCESSORS.get(operation.kind, _soft)(sized, operation).convert("RGB")


def _sized(image: Image.Image, resolution: int) -> Image.Image:
    """Scale an image so that its shorter side is `resolution`, or less for one that would be very long."""
    factor = min(resolution / min(image.size), (MOST_PIXELS / (image.width * image.height)) ** 0.5)
    width, height = (max(round(side * factor / CELL), 1) * CELL for side in image.size)
    return image.resize((width, height), Image.Resampling.LANCZOS)


def _canny(image: Image.Image, operation: PreprocessImage) -> Image.Image:
    return hard_edges(image, from_brightness=max(operation.threshold * 2 // 5, 1))


def _soft(image: Image.Image, _: PreprocessImage) -> Image.Image:
    return ImageOps.autocontrast(soft_edges(image), cutoff=(0, BRIGHTEST_PERCENT))


def _scribble(image: Image.Image, operation: PreprocessImage) -> Image.Image:
    """Draw thick lines."""
    return hard_edges(image, from_brightness=max(operation.threshold // 3, 1)).filter(ImageFilter.MaxFilter(5))


def _line_art(image: Image.Image, _: PreprocessImage) -> Image.Image:
    """Draw thin lines where a pixel is darker than what is around it."""
    grey = image.convert("L")
    around = np.asarray(grey.filter(ImageFilter.GaussianBlur(6)), np.int16)
    darker = np.clip((around - np.asarray(grey, np.int16)) * 8, 0, 255).astype(np.uint8)
    return Image.fromarray(darker)


def _binary(image: Image.Image, operation: PreprocessImage) -> Image.Image:
    return image.convert("L").point(lambda value: 255 * (value > operation.threshold))


def _depth(image: Image.Image, _: PreprocessImage) -> Image.Image:
    return depth(image)


def _normals(image: Image.Image, _: PreprocessImage) -> Image.Image:
    """Take the brightness for a height, and paint which way each point of that relief looks."""
    heights = np.asarray(image.convert("L").filter(ImageFilter.GaussianBlur(4)), np.float64) / 16
    down, across = np.gradient(heights)
    vectors = np.stack([-across, down, np.ones_like(heights)], axis=2)
    vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
    return Image.fromarray(((vectors + 1) * 127.5).astype(np.uint8))


def _pose(image: Image.Image, _: PreprocessImage) -> Image.Image:
    """Draw a person of coloured limbs; the image decides how it stands."""
    canvas = Image.new("RGB", image.size)
    places, pen = _joints(image), ImageDraw.Draw(canvas)
    width = max(min(image.size) // 64, 2)
    for index, (start, end) in enumerate(LIMBS):
        pen.line([places[start], places[end]], fill=_hue(index / len(LIMBS)), width=width)
    for index, (x, y) in enumerate(places.values()):
        pen.ellipse((x - width, y - width, x + width, y + width), fill=_hue(index / len(places)))
    return canvas


def _dense_pose(image: Image.Image, operation: PreprocessImage) -> Image.Image:
    """Draw thick limbs on the dark purple that stands for no person."""
    limbs = _pose(image, operation).filter(ImageFilter.MaxFilter(9))
    ground = Image.new("RGB", image.size, (68, 1, 84))
    ground.paste(limbs, mask=limbs.convert("L").point(lambda value: 255 * (value > 0)))
    return ground


def _face(image: Image.Image, _: PreprocessImage) -> Image.Image:
    """Draw the outlines of a face."""
    canvas = Image.new("RGB", image.size)
    (x, y), size, pen = _joints(image)["nose"], min(image.size) / 6, ImageDraw.Draw(canvas)
    line = max(min(image.size) // 128, 1)
    pen.ellipse((x - size * 0.8, y - size, x + size * 0.8, y + size), outline=(10, 200, 10), width=line)
    for side, colour in ((-1, (10, 200, 180)), (1, (180, 200, 10))):
        eye = x + side * size * 0.35
        pen.ellipse((eye - size * 0.15, y - size * 0.4, eye + size * 0.15, y - size * 0.2), outline=colour, width=line)
    pen.arc((x - size * 0.3, y + size * 0.2, x + size * 0.3, y + size * 0.6), 10, 170, fill=(10, 180, 10), width=line)
    return canvas


def _segments(image: Image.Image, _: PreprocessImage) -> Image.Image:
    """Paint each region of like colours in one colour of its own."""
    regions = image.filter(ImageFilter.MedianFilter(9)).quantize(REGIONS, method=Image.Quantize.MEDIANCUT)
    colours = [channel for index in range(REGIONS) for channel in _hue(index * 0.618 % 1)]
    regions.putpalette(colours)
    return regions


def _colours(image: Image.Image, _: PreprocessImage) -> Image.Image:
    """Paint squares of the average colour."""
    small = image.resize(_shrunk(image.size, COLOUR_BLOCKS), Image.Resampling.BOX)
    return small.resize(image.size, Image.Resampling.NEAREST)


def _tile(image: Image.Image, _: PreprocessImage) -> Image.Image:
    return image.reduce(8).resize(image.size, Image.Resampling.BICUBIC)


def _shuffle(image: Image.Image, operation: PreprocessImage) -> Image.Image:
    """Put parts of the image in the places of others."""
    side = max(max(image.size) // SHUFFLED_TILES, 1)
    corners = [(x, y) for y in range(0, image.height, side) for x in range(0, image.width, side)]
    random, left, canvas = SeededRandom("shuffle", operation.seed), list(corners), image.copy()
    for corner in corners:
        x, y = left.pop(random.whole(0, len(left) - 1))
        canvas.paste(image.crop((x, y, x + side, y + side)), corner)
    return canvas


def _joints(image: Image.Image) -> Mapping[str, tuple[float, float]]:
    random = SeededRandom("pose", perceptual_hash(image))
    half, height = min(image.width / 2, image.height * 0.6), image.height
    middle = image.width / 2
    return {
        name: (
            middle + (across + random.between(-SWAY, SWAY)) * half,
            (down + random.between(-SWAY, SWAY) / 2) * height,
        )
        for name, (down, across) in JOINTS.items()
    }


def _hue(part: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(part, 1, 1)
    return round(red * 255), round(green * 255), round(blue * 255)


def _shrunk(size: tuple[int, int], longer: int) -> tuple[int, int]:
    factor = min(longer / max(size), 1)
    return max(round(size[0] * factor), 1), max(round(size[1] * factor), 1)


FAMILIES: Mapping[Preprocessor, Sequence[str]] = {
    _canny: ("canny", "mlsd"),
    _soft: ("hed", "pidinet", "teed"),
    _scribble: ("fake-scribble", "scribble", "scribble-xdog", "scribble-pidinet"),
    _line_art: ("lineart-realistic", "lineart-standard", "lineart-anime", "lineart-manga", "anyline"),
    _binary: ("binary",),
    _depth: (
        *("depth-anything", "depth-anything-v2", "zoe-depth-anything", "zoe-depth", "midas-depth", "leres-depth"),
        "metric3d-depth",
    ),
    _normals: ("midas-normal", "bae-normal", "dsine-normal", "metric3d-normal"),
    _pose: ("openpose", "dwpose", "animal-pose"),
    _dense_pose: ("densepose",),
    _face: ("mediapipe-face",),
    _segments: ("oneformer-coco", "oneformer-ade20k", "uniformer"),
    _colours: ("color",),
    _shuffle: ("shuffle",),
    _tile: ("tile",),
}
PREPROCESSORS: Mapping[str, Preprocessor] = {kind: make for make, kinds in FAMILIES.items() for kind in kinds}
