"""A wall of tiles with rounds and part rounds on them."""

from collections.abc import Sequence

from civitai_mock.providers.simulator.painter.canvas import Canvas
from civitai_mock.providers.simulator.painter.dice import Dice

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
