"""Smooth fields: computed at the corners of a coarse grid, then enlarged in whole numbers.

Only the coarse part is floating point, in doubles, so that a last-bit difference between two machines has next to no
chance to reach a pixel.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from civitai_mock.providers.simulator.painter.dice import Dice

BAND = 32  # rows that are worked on at once; what they need stays in the processor's cache
FINE_BITS, COARSE_BITS = 2, 3  # of the side of a cell, in pixels
FINE_UP_TO = 640
FULL_BITS = 15
FULL = 2**FULL_BITS - 1
LONGEST = 8  # units
TURN = 2 * np.pi

Corners: TypeAlias = NDArray[np.float64]
Field: TypeAlias = NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Corner positions in units, with 0 in the middle; a unit is the shorter side, of a very long picture more."""

    width: int
    height: int
    unit: int
    cell_bits: int
    x: Corners
    y: Corners

    @classmethod
    def over(cls, width: int, height: int) -> Self:
        unit = max(min(width, height), max(width, height) // LONGEST)
        bits = FINE_BITS if unit <= FINE_UP_TO else COARSE_BITS
        x, y = (((np.arange(((side - 1) >> bits) + 2) << bits) - side / 2) / unit for side in (width, height))
        return cls(width=width, height=height, unit=unit, cell_bits=bits, x=x[None, :], y=y[:, None])

    def enlarge(self, corners: Corners) -> Iterator[Field]:
        """0.0-1.0 at the corners to 0-FULL at every pixel, straight lines between; in bands of BAND rows."""
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


def waves(dice: Dice, x: Corners, y: Corners, *, frequency: float, count: int = 4) -> Corners:
    """A sum of plane waves in random directions, about -1 to 1; `frequency` counts waves along a unit."""
    total = np.zeros(np.broadcast_shapes(x.shape, y.shape))
    for _ in range(count):
        angle, speed = dice.between(0, TURN), frequency * dice.between(0.6, 1.4) * TURN
        total += np.sin(np.cos(angle) * speed * x + np.sin(angle) * speed * y + dice.between(0, TURN))
    scaled: Corners = total / np.sqrt(2 * count)
    return scaled


def spread(corners: Corners) -> Corners:
    """Stretched to 0.0-1.0."""
    low, high = corners.min(), corners.max()
    stretched: Corners = (corners - low) / max(high - low, 1e-9)
    return stretched
