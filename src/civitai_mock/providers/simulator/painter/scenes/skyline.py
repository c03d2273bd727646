"""Rows of buildings with a few lit windows."""

from civitai_mock.providers.simulator.painter.canvas import Canvas
from civitai_mock.providers.simulator.painter.dice import Dice
from civitai_mock.providers.simulator.painter.scenes.sky import sky

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
