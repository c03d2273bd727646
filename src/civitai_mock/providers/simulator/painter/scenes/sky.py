"""An evening or morning sky, the ground of several scenes."""

from civitai_mock.providers.simulator.painter.canvas import Canvas
from civitai_mock.providers.simulator.painter.dice import Dice


def sky(canvas: Canvas, dice: Dice) -> None:
    """Lighter towards the horizon and around its sun or moon."""
    x, y = canvas.grid.x, canvas.grid.y
    sun_x, sun_y = dice.between(-0.6, 0.6) * canvas.right, dice.between(-0.6, -0.2) * canvas.bottom
    glow = 1 / (1 + dice.between(4, 8) * ((x - sun_x) ** 2 + (y - sun_y) ** 2))
    canvas.fill(0.34 + 0.3 * (y / canvas.bottom + 1) / 2 + 0.26 * glow)
    canvas.disc(sun_x, sun_y, dice.between(0.09, 0.18), tone=0.99, far_tone=0.86)
