"""Colour ramps: RGB colours from dark to light, computed in OKLab so that lightness looks even."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from civitai_mock.domain.dataclass import dataclass

Numbers: TypeAlias = NDArray[np.float64]

# OKLab to the cube roots of cone responses, and those to linear sRGB (Ottosson 2020).
ROOTS = np.array(
    [[1, 0.3963377774, 0.2158037573], [1, -0.1055613458, -0.0638541728], [1, -0.0894841775, -1.2914855480]]
)
LINEAR = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)
STEPS = (1 / 16, 1 / 256)  # of the search for the largest chroma that can be shown
STEPS_TRIED = np.arange(17)[:, None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ColourRamp:
    """Leads from a dark to a light colour: hues are in degrees, lightness is 0-1; a screen may show less chroma."""

    dark_hue: float
    light_hue: float
    chroma: float
    darkest: float
    lightest: float


def rgb_colours(ramp: ColourRamp, count: int) -> NDArray[np.uint8]:
    """Return `count` RGB triples along the ramp, the darkest first."""
    part = np.linspace(0, 1, count)
    lightness = ramp.darkest + (ramp.lightest - ramp.darkest) * part
    hue = np.radians(ramp.dark_hue + (ramp.light_hue - ramp.dark_hue) * part)
    chroma = ramp.chroma * (1 - 0.75 * np.abs(2 * part - 0.9) ** 2.5)
    share = np.zeros(count)
    for step in STEPS:
        tried = np.minimum(share + step * STEPS_TRIED, 1)
        linear = _linear(lightness, chroma * tried, hue)
        share = np.where(np.all((linear >= 0) & (linear <= 1), axis=0), tried, share).max(axis=0)
    return _screen_rgb(_linear(lightness, chroma * share, hue)).T


def _linear(lightness: Numbers, chroma: Numbers, hue: Numbers) -> Numbers:
    lab = (lightness, chroma * np.cos(hue), chroma * np.sin(hue))
    return _mixed(LINEAR, tuple(root**3 for root in _mixed(ROOTS, lab)))


def _mixed(matrix: Numbers, rows: tuple[Numbers, ...]) -> Numbers:
    """Return a matrix product with a fixed order of additions, which is the same on every machine."""
    return np.stack([sum(weight * row for weight, row in zip(weights, rows, strict=True)) for weights in matrix])


def _screen_rgb(linear: Numbers) -> NDArray[np.uint8]:
    shown = np.clip(linear, 0, 1)
    curved = np.where(shown <= 0.0031308, 12.92 * shown, 1.055 * shown ** (1 / 2.4) - 0.055)
    return np.round(curved * 255).astype(np.uint8)
