"""The canvas of the painter: smooth fields, discs, boxes and hills, drawn as numbers of tones.

Smooth fields are computed at the corners of a coarse grid, then enlarged in whole numbers. Only the coarse part is
floating point, in doubles, so that a last-bit difference between two machines hardly ever reaches a pixel.
"""

from collections.abc import Callable, Iterator
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.drawing.painter.seeded_random import SeededRandom

BAND = 32  # rows that are painted at once, so that what they need stays in the processor's cache
FINE_BITS, COARSE_BITS = 2, 3  # binary logarithms of the side of a cell, in pixels
FINE_UP_TO = 640
FULL_BITS = 15
FULL = 2**FULL_BITS - 1
TONES = 240  # a canvas stores the numbers of tones
OPAQUE = 128  # full coverage of a pixel; also the number of parts of a pixel that edges are measured in
SHADE_BITS = 14
MAX_UNITS = 8  # of the longer side
TURN = 2 * np.pi

Corners: TypeAlias = NDArray[np.float64]
Field: TypeAlias = NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Holds corner positions in units, with 0 in the middle.

    A unit is the shorter side, or more for a very long picture.
    """

    width: int
    height: int
    unit: int
    cell_bits: int
    x: Corners
    y: Corners

    @classmethod
    def over(cls, width: int, height: int) -> Self:
        unit = max(min(width, height), max(width, height) // MAX_UNITS)
        bits = FINE_BITS if unit <= FINE_UP_TO else COARSE_BITS
        x, y = (((np.arange(((side - 1) >> bits) + 2) << bits) - side / 2) / unit for side in (width, height))
        return cls(width=width, height=height, unit=unit, cell_bits=bits, x=x[None, :], y=y[:, None])

    def enlarge(self, corners: Corners) -> Iterator[Field]:
        """Turn 0.0-1.0 at the corners into 0-FULL at every pixel, on straight lines; yield bands of BAND rows."""
        bits, cell = self.cell_bits, 1 << self.cell_bits
        part = np.arange(cell, dtype=np.int32)
        values = (np.clip(corners, 0.0, 1.0) * FULL).astype(np.int32)
        wide = values[:, :-1, None] * (cell - part) + values[:, 1:, None] * part
        rows = wide.reshape(len(values), -1)[:, : self.width] >> bits
        upper, rise = rows[:-1, None], (rows[1:] - rows[:-1])[:, None]
        for first in range(0, len(upper), BAND >> bits):
            cells = slice(first, first + (BAND >> bits))
            tall = (upper[cells] << bits) + rise[cells] * part[:, None]
            yield tall.reshape(-1, self.width)[: self.height - (first << bits)] >> bits


def waves(random: SeededRandom, x: Corners, y: Corners, *, frequency: float, count: int = 4) -> Corners:
    """Return a sum of plane waves in random directions, about -1 to 1; `frequency` counts waves along a unit."""
    total = np.zeros(np.broadcast_shapes(x.shape, y.shape))
    for _ in range(count):
        angle, speed = random.between(0, TURN), frequency * random.between(0.6, 1.4) * TURN
        total += np.sin(np.cos(angle) * speed * x + np.sin(angle) * speed * y + random.between(0, TURN))
    scaled: Corners = total / np.sqrt(2 * count)
    return scaled


def stretch(corners: Corners) -> Corners:
    """Stretch a field to 0.0-1.0."""
    low, high = corners.min(), corners.max()
    stretched: Corners = (corners - low) / max(high - low, 1e-9)
    return stretched


Tones: TypeAlias = NDArray[np.uint8]
Line: TypeAlias = NDArray[np.float64]
# Returns tone numbers and coverage at these rows (a column of numbers) and columns (a row of numbers).
Brush: TypeAlias = Callable[[Field, Field], tuple[Field | int, Field | int]]


class Canvas:
    """Paints on an array of tone numbers; positions and lengths are in units, with 0 in the middle."""

    def __init__(self, tones: Tones) -> None:
        self._tones = tones
        self.grid = grid = Grid.over(tones.shape[1], tones.shape[0])
        self.right, self.bottom = grid.width / grid.unit / 2, grid.height / grid.unit / 2

    def tiles(self, rows: int) -> Iterator[Self]:
        """Yield square windows onto this canvas, row by row; those at the far ends may be cut off."""
        side = -(-self.grid.unit // rows)
        for top in range(0, self.grid.height, side):
            for left in range(0, self.grid.width, side):
                yield type(self)(self._tones[top : top + side, left : left + side])

    def columns(self) -> Line:
        """Return the position of every pixel of a row."""
        return (np.arange(self.grid.width) + 0.5) / self.grid.unit - self.right

    def fill_plain(self, tone: float) -> None:
        self._tones[:] = _number(tone)

    def fill_smooth(self, corners: Corners) -> None:
        """Cover all with a smooth field of tones."""
        for index, band in enumerate(self.grid.enlarge(corners)):
            self._tones[index * BAND : (index + 1) * BAND] = band * TONES >> FULL_BITS

    def fill_terraces(self, corners: Corners, tones: Line) -> None:
        """Cover all with a smooth field, 0.0 to 1.0, seen through a table of FULL + 1 tones."""
        table = (np.clip(tones, 0, 1) * (TONES - 1)).astype(np.uint8)
        for index, band in enumerate(self.grid.enlarge(corners)):
            self._tones[index * BAND : (index + 1) * BAND] = table[band]

    def paint_below(self, crest: Line, *, tone: float, deep_tone: float, reach: float) -> None:
        """Cover what lies below a line over the columns; within `reach` the tone turns to the deep one."""
        line = ((crest + self.bottom) * self.grid.unit * OPAQUE).astype(np.int32)
        highest, lowest = int(line.min()) // OPAQUE, int(line.max()) // OPAQUE + 1
        last = max(int(reach * self.grid.unit), 1) * OPAQUE
        near, deep = _number(tone), _number(deep_tone)
        slope = (deep - near) * 2**SHADE_BITS // last

        def brush(down: Field, _: Field) -> tuple[Field, Field | int]:
            depth = down * OPAQUE - line
            cover = OPAQUE if down[0, 0] > lowest else np.clip(depth, 0, OPAQUE)
            return near + (np.clip(depth, 0, last) * slope >> SHADE_BITS), cover

        end = lowest + last // OPAQUE + 1
        self._paint(0, highest, self.grid.width, end, brush)
        self._tones[max(end, 0) :] = deep

    def paint_disc(self, x: float, y: float, radius: float, *, tone: float, far_tone: float | None = None) -> None:
        """Paint a disc; with `far_tone` it is a sphere in a light from the upper left."""
        unit = self.grid.unit
        cx, cy, r = int((x + self.right) * unit), int((y + self.bottom) * unit), max(int(radius * unit), 1)
        near, far = _number(tone), _number(tone if far_tone is None else far_tone)

        def brush(down: Field, across: Field) -> tuple[Field | int, Field]:
            across, down = across - cx, down - cy
            cover = (r * r - across * across - down * down) * (OPAQUE // 2) // r + OPAQUE // 2
            shade = near if near == far else _sphere(across, down, r, near, far)
            return shade, np.clip(cover, 0, OPAQUE)

        self._paint(cx - r - 1, cy - r - 1, cx + r + 2, cy + r + 2, brush)

    def paint_box(self, left: float, top: float, right: float, bottom: float, *, tone: float) -> None:
        """Paint a plain rectangle."""
        x = [max(int((edge + self.right) * self.grid.unit), 0) for edge in (left, right)]
        y = [max(int((edge + self.bottom) * self.grid.unit), 0) for edge in (top, bottom)]
        self._tones[y[0] : y[1], x[0] : x[1]] = _number(tone)

    def _paint(self, left: int, top: int, right: int, bottom: int, brush: Brush) -> None:
        """Paint with a brush, band by band."""
        left, right = max(left, 0), min(right, self.grid.width)
        across = np.arange(left, max(left, right), dtype=np.int32)[None, :]
        bottom = min(bottom, self.grid.height)
        for first in range(max(top, 0), bottom, BAND):
            part = self._tones[first : min(first + BAND, bottom), left : left + across.size]
            shade, cover = brush(np.arange(first, first + len(part), dtype=np.int32)[:, None], across)
            before = part.astype(np.int32)
            part[:] = shade if isinstance(cover, int) else before + ((shade - before) * cover >> 7)


def _number(tone: float) -> int:
    return round(min(max(tone, 0.0), 1.0) * (TONES - 1))


def _sphere(across: Field, down: Field, radius: int, near: int, far: int) -> Field:
    """Shade a sphere: it is lightest at two fifths of the radius, darkest at the far edge."""
    light = radius * 2 // 5
    distance = (across + light) ** 2 + (down + light) ** 2
    farthest = (radius + 2 + int(light * 1.4143)) ** 2
    return near + (distance >> 6) * (far - near) // ((farthest >> 6) + 1)
