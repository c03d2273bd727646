"""Spheres in a soft light, before a field of stars."""

from civitai_mock.providers.simulator.painter.canvas import Canvas
from civitai_mock.providers.simulator.painter.dice import Dice
from civitai_mock.providers.simulator.painter.fields import waves


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
