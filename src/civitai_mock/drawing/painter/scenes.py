"""The scenes that the painter draws, by name; each draws on a canvas what its dice say."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from civitai_mock.drawing.painter.canvas import FULL, TURN, Canvas, Corners, Line, spread, waves
from civitai_mock.drawing.painter.dice import Dice

LIGHTEST, SHADOW = 0.98, 0.1
STEEP = 1.4  # how much of its whole height a field climbs in a unit where it is steep


def paper_layers(canvas: Canvas, field: Corners, *, count: int, darkest: float) -> None:
    """A tone for each sheet, with the shadow that the next one throws on it, and edges about a pixel wide."""
    height = np.arange(FULL + 1) * (count / (FULL + 1))
    sheet = np.floor(height)
    to_next = sheet + 1 - height
    step = (LIGHTEST - darkest) / (count - 1)
    shaded = darkest + step * sheet - SHADOW * np.exp(-6 * to_next)
    edge = np.clip(1 - to_next * canvas.grid.unit / (count * STEEP), 0, 1)
    canvas.terraces(field, shaded * (1 - edge) + (darkest + step * (sheet + 1)) * edge)


def bloom(canvas: Canvas, dice: Dice) -> None:
    x = canvas.grid.x - dice.between(-0.2, 0.2) * canvas.right
    y = canvas.grid.y - dice.between(-0.2, 0.2) * canvas.bottom
    distance, angle = np.hypot(x, y), np.arctan2(y, x)
    petals, twist, swing = dice.whole(5, 13), dice.between(-5, 5), dice.between(0.1, 0.24)
    outer = np.cos(petals * angle + 2 * twist * distance + dice.between(0, TURN))
    inner = np.cos(petals * angle - 3 * twist * distance + dice.between(0, TURN))
    shape = distance * (1 + swing * outer + swing / 2 * inner) + 0.03 * waves(dice, x, y, frequency=1.5)
    paper_layers(canvas, 1 - spread(shape) ** 0.75, count=dice.whole(8, 13), darkest=0.04)


def currents(canvas: Canvas, dice: Dice) -> None:
    x, y = canvas.grid.x, canvas.grid.y
    bend = dice.between(0.12, 0.35)
    bent_x = x + bend * waves(dice, x, y, frequency=1.1)
    bent_y = y + bend * waves(dice, x, y, frequency=1.1)
    field = waves(dice, bent_x, bent_y, frequency=dice.between(0.5, 0.9))
    paper_layers(canvas, spread(field), count=dice.whole(7, 14), darkest=dice.between(0.03, 0.16))


def planets(canvas: Canvas, dice: Dice) -> None:
    x, y = canvas.grid.x, canvas.grid.y
    canvas.fill(0.3 + 0.2 * (y + dice.between(-0.25, 0.25) * x) + 0.1 * waves(dice, x, y, frequency=0.8, count=3))
    for _ in range(dice.whole(30, 60)):
        _body(canvas, dice, dice.between(0.001, 0.004), tone=dice.between(0.6, 1), far_tone=None)
    large = [dice.between(0.28, 0.4), dice.between(0.14, 0.22)]
    small = sorted((dice.between(0.03, 0.12) for _ in range(dice.whole(4, 7))), reverse=True)
    for radius in large + small:
        _body(canvas, dice, radius, tone=dice.between(0.76, 1), far_tone=dice.between(0, 0.18))


def _body(canvas: Canvas, dice: Dice, radius: float, *, tone: float, far_tone: float | None) -> None:
    x, y = dice.between(-0.85, 0.85) * canvas.right, dice.between(-0.85, 0.85) * canvas.bottom
    canvas.disc(x, y, radius, tone=tone, far_tone=far_tone)


def sky(canvas: Canvas, dice: Dice) -> None:
    """Lighter towards the horizon and around its sun or moon."""
    x, y = canvas.grid.x, canvas.grid.y
    sun_x, sun_y = dice.between(-0.6, 0.6) * canvas.right, dice.between(-0.6, -0.2) * canvas.bottom
    glow = 1 / (1 + dice.between(4, 8) * ((x - sun_x) ** 2 + (y - sun_y) ** 2))
    canvas.fill(0.34 + 0.3 * (y / canvas.bottom + 1) / 2 + 0.26 * glow)
    canvas.disc(sun_x, sun_y, dice.between(0.09, 0.18), tone=0.99, far_tone=0.86)


OCTAVES = 6


def ridges(canvas: Canvas, dice: Dice) -> None:
    sky(canvas, dice)
    count, sharpness = dice.whole(5, 7), dice.between(0.1, 0.9)
    horizon = dice.between(-0.1, 0.12) * canvas.bottom
    for index in range(count):
        nearness = index / (count - 1)
        base = horizon + (canvas.bottom * 0.85 - horizon) * nearness**1.2
        crest = base - _peaks(canvas, dice, sharpness) * (0.18 - 0.1 * nearness)
        tone = 0.64 - 0.58 * nearness
        canvas.below(crest, tone=tone, deep_tone=tone + 0.2 - 0.15 * nearness, reach=0.3)


def _peaks(canvas: Canvas, dice: Dice, sharpness: float) -> Line:
    """From soft hills to sharp peaks: a sum of ever finer waves."""
    x = canvas.columns()
    total = np.zeros_like(x)
    for octave in range(OCTAVES):
        wave = np.sin(x * TURN * dice.between(0.5, 0.9) * 2**octave + dice.between(0, TURN))
        total += (0.35 + 0.2 * sharpness) ** octave * ((1 - sharpness) * wave + sharpness * (1 - 2 * np.abs(wave)))
    return total


STREETS = 4
FLOORS = 12
PITCH = 0.022  # from window to window


def skyline(canvas: Canvas, dice: Dice) -> None:
    sky(canvas, dice)
    for street in range(STREETS):
        ground = (0.28 * street - 0.1) * canvas.bottom
        left = -canvas.right - 0.05
        while left < canvas.right:
            width = dice.between(0.07, 0.16)
            tone = 0.58 - 0.17 * street - dice.between(0, 0.03)
            _building(canvas, dice, left, ground - dice.between(0.02, 0.34), width, tone=tone)
            left += width + dice.pick((0, 0, 0.01))


def _building(canvas: Canvas, dice: Dice, left: float, top: float, width: float, *, tone: float) -> None:
    canvas.box(left, top, left + width, canvas.bottom, tone=tone)
    if dice.chance(0.25):
        canvas.box(left + width * 0.45, top - 0.07, left + width * 0.5, top, tone=tone)
    for column in range(1, int(width / PITCH)):
        for floor in range(FLOORS):
            if dice.chance(0.2):
                x, y = left + PITCH * (column - 0.4), top + PITCH * 1.4 * (floor + 0.6)
                canvas.box(x, y, x + PITCH * 0.5, y + PITCH * 0.7, tone=tone + 0.42)


def tides(canvas: Canvas, dice: Dice) -> None:
    sky(canvas, dice)
    count, x = dice.whole(8, 11), canvas.columns()
    horizon = dice.between(-0.35, -0.05) * canvas.bottom
    for index in range(count):
        nearness = index / (count - 1)
        base = horizon + (canvas.bottom * 0.92 - horizon) * nearness**1.4
        height, phase = 0.008 + 0.05 * nearness, x / (0.14 + 0.4 * nearness) * TURN + dice.between(0, TURN)
        swell = np.sin(phase + 0.6 * np.sin(phase)) + np.sin(x * TURN * dice.between(0.4, 0.9))
        tone = 0.88 - 0.27 * nearness if index % 2 else 0.58 - 0.5 * nearness
        canvas.below(base + height * swell, tone=tone, deep_tone=tone * 0.4, reach=0.03 + 0.12 * nearness)


GLAZES = (0.05, 0.27, 0.49, 0.69, 0.85, 0.98)
CORNERS = ((-0.5, -0.5), (0.5, -0.5), (-0.5, 0.5), (0.5, 0.5))


def tiles(canvas: Canvas, dice: Dice) -> None:
    for tile in canvas.tiles(dice.pick((3, 4, 5))):
        ground = dice.pick(GLAZES)
        tile.plain(ground)
        design = dice.pick((_fan, _fan, _pair, _target))
        design(tile, dice, [glaze for glaze in GLAZES if glaze != ground])


def _fan(tile: Canvas, dice: Dice, glazes: Sequence[float]) -> None:
    x, y = dice.pick(CORNERS)
    for radius in dice.pick(((1.0, 0.66, 0.33), (1.0, 0.5), (0.66, 0.33))):
        tile.disc(x, y, radius, tone=dice.pick(glazes))


def _pair(tile: Canvas, dice: Dice, glazes: Sequence[float]) -> None:
    x, y = dice.pick(CORNERS)
    tone = dice.pick(glazes)
    for sign in (1, -1):
        tile.disc(sign * x, sign * y, 0.5, tone=tone)


def _target(tile: Canvas, dice: Dice, glazes: Sequence[float]) -> None:
    for radius in (0.42, 0.26, 0.1):
        tile.disc(0, 0, radius, tone=dice.pick(glazes))


Scene: TypeAlias = Callable[[Canvas, Dice], None]

SCENES: Mapping[str, Scene] = {
    "bloom": bloom,
    "currents": currents,
    "planets": planets,
    "ridges": ridges,
    "skyline": skyline,
    "tides": tides,
    "tiles": tiles,
}
