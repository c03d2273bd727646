"""The scenes of the painter: each paints a composition on a canvas, which seeded random numbers decide."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from civitai_mock.drawing.painter.canvas import FULL, TURN, Canvas, Corners, Line, stretch, waves
from civitai_mock.drawing.painter.seeded_random import SeededRandom

LIGHTEST, SHADOW = 0.98, 0.1
STEEP = 1.4  # the part of its whole height that a field climbs in a unit where it is steep


def paper_layers(canvas: Canvas, field: Corners, *, count: int, darkest: float) -> None:
    """Paint sheets of paper, each of one tone, with the shadow of the next one and edges about a pixel wide."""
    height = np.arange(FULL + 1) * (count / (FULL + 1))
    sheet = np.floor(height)
    to_next = sheet + 1 - height
    step = (LIGHTEST - darkest) / (count - 1)
    shaded = darkest + step * sheet - SHADOW * np.exp(-6 * to_next)
    edge = np.clip(1 - to_next * canvas.grid.unit / (count * STEEP), 0, 1)
    canvas.fill_terraces(field, shaded * (1 - edge) + (darkest + step * (sheet + 1)) * edge)


def bloom(canvas: Canvas, random: SeededRandom) -> None:
    x = canvas.grid.x - random.between(-0.2, 0.2) * canvas.right
    y = canvas.grid.y - random.between(-0.2, 0.2) * canvas.bottom
    distance, angle = np.hypot(x, y), np.arctan2(y, x)
    petals, twist, swing = random.whole(5, 13), random.between(-5, 5), random.between(0.1, 0.24)
    outer = np.cos(petals * angle + 2 * twist * distance + random.between(0, TURN))
    inner = np.cos(petals * angle - 3 * twist * distance + random.between(0, TURN))
    shape = distance * (1 + swing * outer + swing / 2 * inner) + 0.03 * waves(random, x, y, frequency=1.5)
    paper_layers(canvas, 1 - stretch(shape) ** 0.75, count=random.whole(8, 13), darkest=0.04)


def currents(canvas: Canvas, random: SeededRandom) -> None:
    x, y = canvas.grid.x, canvas.grid.y
    bend = random.between(0.12, 0.35)
    bent_x = x + bend * waves(random, x, y, frequency=1.1)
    bent_y = y + bend * waves(random, x, y, frequency=1.1)
    field = waves(random, bent_x, bent_y, frequency=random.between(0.5, 0.9))
    paper_layers(canvas, stretch(field), count=random.whole(7, 14), darkest=random.between(0.03, 0.16))


def planets(canvas: Canvas, random: SeededRandom) -> None:
    x, y = canvas.grid.x, canvas.grid.y
    canvas.fill_smooth(
        0.3 + 0.2 * (y + random.between(-0.25, 0.25) * x) + 0.1 * waves(random, x, y, frequency=0.8, count=3)
    )
    for _ in range(random.whole(30, 60)):
        _body(canvas, random, random.between(0.001, 0.004), tone=random.between(0.6, 1), far_tone=None)
    large = [random.between(0.28, 0.4), random.between(0.14, 0.22)]
    small = sorted((random.between(0.03, 0.12) for _ in range(random.whole(4, 7))), reverse=True)
    for radius in large + small:
        _body(canvas, random, radius, tone=random.between(0.76, 1), far_tone=random.between(0, 0.18))


def _body(canvas: Canvas, random: SeededRandom, radius: float, *, tone: float, far_tone: float | None) -> None:
    x, y = random.between(-0.85, 0.85) * canvas.right, random.between(-0.85, 0.85) * canvas.bottom
    canvas.paint_disc(x, y, radius, tone=tone, far_tone=far_tone)


def sky(canvas: Canvas, random: SeededRandom) -> None:
    """Paint a sky that gets lighter towards the horizon and around its sun or moon."""
    x, y = canvas.grid.x, canvas.grid.y
    sun_x, sun_y = random.between(-0.6, 0.6) * canvas.right, random.between(-0.6, -0.2) * canvas.bottom
    glow = 1 / (1 + random.between(4, 8) * ((x - sun_x) ** 2 + (y - sun_y) ** 2))
    canvas.fill_smooth(0.34 + 0.3 * (y / canvas.bottom + 1) / 2 + 0.26 * glow)
    canvas.paint_disc(sun_x, sun_y, random.between(0.09, 0.18), tone=0.99, far_tone=0.86)


OCTAVES = 6


def ridges(canvas: Canvas, random: SeededRandom) -> None:
    sky(canvas, random)
    count, sharpness = random.whole(5, 7), random.between(0.1, 0.9)
    horizon = random.between(-0.1, 0.12) * canvas.bottom
    for index in range(count):
        nearness = index / (count - 1)
        base = horizon + (canvas.bottom * 0.85 - horizon) * nearness**1.2
        crest = base - _peaks(canvas, random, sharpness) * (0.18 - 0.1 * nearness)
        tone = 0.64 - 0.58 * nearness
        canvas.paint_below(crest, tone=tone, deep_tone=tone + 0.2 - 0.15 * nearness, reach=0.3)


def _peaks(canvas: Canvas, random: SeededRandom, sharpness: float) -> Line:
    """Return a skyline from soft hills to sharp peaks, as a sum of ever finer waves."""
    x = canvas.columns()
    total = np.zeros_like(x)
    for octave in range(OCTAVES):
        wave = np.sin(x * TURN * random.between(0.5, 0.9) * 2**octave + random.between(0, TURN))
        total += (0.35 + 0.2 * sharpness) ** octave * ((1 - sharpness) * wave + sharpness * (1 - 2 * np.abs(wave)))
    return total


STREETS = 4
FLOORS = 12
PITCH = 0.022  # units from window to window


def skyline(canvas: Canvas, random: SeededRandom) -> None:
    sky(canvas, random)
    for street in range(STREETS):
        ground = (0.28 * street - 0.1) * canvas.bottom
        left = -canvas.right - 0.05
        while left < canvas.right:
            width = random.between(0.07, 0.16)
            tone = 0.58 - 0.17 * street - random.between(0, 0.03)
            _building(canvas, random, left, ground - random.between(0.02, 0.34), width, tone=tone)
            left += width + random.pick((0, 0, 0.01))


def _building(canvas: Canvas, random: SeededRandom, left: float, top: float, width: float, *, tone: float) -> None:
    canvas.paint_box(left, top, left + width, canvas.bottom, tone=tone)
    if random.chance(0.25):
        canvas.paint_box(left + width * 0.45, top - 0.07, left + width * 0.5, top, tone=tone)
    for column in range(1, int(width / PITCH)):
        for floor in range(FLOORS):
            if random.chance(0.2):
                x, y = left + PITCH * (column - 0.4), top + PITCH * 1.4 * (floor + 0.6)
                canvas.paint_box(x, y, x + PITCH * 0.5, y + PITCH * 0.7, tone=tone + 0.42)


def tides(canvas: Canvas, random: SeededRandom) -> None:
    sky(canvas, random)
    count, x = random.whole(8, 11), canvas.columns()
    horizon = random.between(-0.35, -0.05) * canvas.bottom
    for index in range(count):
        nearness = index / (count - 1)
        base = horizon + (canvas.bottom * 0.92 - horizon) * nearness**1.4
        height, phase = 0.008 + 0.05 * nearness, x / (0.14 + 0.4 * nearness) * TURN + random.between(0, TURN)
        swell = np.sin(phase + 0.6 * np.sin(phase)) + np.sin(x * TURN * random.between(0.4, 0.9))
        tone = 0.88 - 0.27 * nearness if index % 2 else 0.58 - 0.5 * nearness
        canvas.paint_below(base + height * swell, tone=tone, deep_tone=tone * 0.4, reach=0.03 + 0.12 * nearness)


GLAZES = (0.05, 0.27, 0.49, 0.69, 0.85, 0.98)
CORNERS = ((-0.5, -0.5), (0.5, -0.5), (-0.5, 0.5), (0.5, 0.5))


def tiles(canvas: Canvas, random: SeededRandom) -> None:
    for tile in canvas.tiles(random.pick((3, 4, 5))):
        ground = random.pick(GLAZES)
        tile.fill_plain(ground)
        design = random.pick((_fan, _fan, _pair, _target))
        design(tile, random, [glaze for glaze in GLAZES if glaze != ground])


def _fan(tile: Canvas, random: SeededRandom, glazes: Sequence[float]) -> None:
    x, y = random.pick(CORNERS)
    for radius in random.pick(((1.0, 0.66, 0.33), (1.0, 0.5), (0.66, 0.33))):
        tile.paint_disc(x, y, radius, tone=random.pick(glazes))


def _pair(tile: Canvas, random: SeededRandom, glazes: Sequence[float]) -> None:
    x, y = random.pick(CORNERS)
    tone = random.pick(glazes)
    for sign in (1, -1):
        tile.paint_disc(sign * x, sign * y, 0.5, tone=tone)


def _target(tile: Canvas, random: SeededRandom, glazes: Sequence[float]) -> None:
    for radius in (0.42, 0.26, 0.1):
        tile.paint_disc(0, 0, radius, tone=random.pick(glazes))


Scene: TypeAlias = Callable[[Canvas, SeededRandom], None]

SCENES: Mapping[str, Scene] = {
    "bloom": bloom,
    "currents": currents,
    "planets": planets,
    "ridges": ridges,
    "skyline": skyline,
    "tides": tides,
    "tiles": tiles,
}
