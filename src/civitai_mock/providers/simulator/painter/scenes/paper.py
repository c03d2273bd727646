"""Sheets of cut paper on top of each other, the matter of several scenes."""

import numpy as np

from civitai_mock.providers.simulator.painter.canvas import Canvas
from civitai_mock.providers.simulator.painter.fields import FULL, Corners

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
