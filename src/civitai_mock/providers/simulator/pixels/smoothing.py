"""Blurring and sharpening with ComfyUI's kernel: a bell over the square from -1 to 1, whatever its radius is."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from civitai_mock.providers.simulator.pixels.look import Look

Tones: TypeAlias = NDArray[np.float32]

LARGEST_RADIUS = 31
SHARPENING = 10  # times alpha


def blurred(look: Look) -> Image.Image:
    image = look.picture("image")
    radius = min(look.sight.whole("blur_radius", 1), LARGEST_RADIUS)
    return _image(_smooth(_tones(image), radius, look.sight.real("sigma", 1.0)), image.mode)


def sharpened(look: Look) -> Image.Image:
    """What a blur would take away is added so many times."""
    image = look.picture("image")
    radius = min(look.sight.whole("sharpen_radius", 1), LARGEST_RADIUS)
    tones, strength = _tones(image), SHARPENING * look.sight.real("alpha", 1.0)
    return _image(tones + strength * (tones - _smooth(tones, radius, look.sight.real("sigma", 1.0))), image.mode)


def _smooth(tones: Tones, radius: int, sigma: float) -> Tones:
    """Along one axis and then the other; beyond the edge the picture is mirrored."""
    if radius < 1:
        return tones
    weights = np.exp(-(np.linspace(-1, 1, 2 * radius + 1) ** 2) / (2 * max(sigma, 0.01) ** 2))
    for axis in (0, 1):
        lines = np.moveaxis(tones, axis, 0)
        padded = np.pad(lines, [(radius, radius)] + [(0, 0)] * (tones.ndim - 1), mode="reflect")
        total = np.zeros_like(lines)
        for place, weight in enumerate(weights / weights.sum()):
            total += np.float32(weight) * padded[place : place + len(lines)]
        tones = np.moveaxis(total, 0, axis)
    return tones


def _tones(image: Image.Image) -> Tones:
    return np.asarray(image).astype(np.float32)


def _image(tones: Tones, mode: str) -> Image.Image:
    image = Image.fromarray(np.clip(tones, 0, 255).astype(np.uint8))
    return image if image.mode == mode else image.convert(mode)
