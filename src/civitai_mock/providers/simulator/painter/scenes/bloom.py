"""A flower of paper, seen from above."""

import numpy as np

from civitai_mock.providers.simulator.painter.canvas import Canvas
from civitai_mock.providers.simulator.painter.dice import Dice
from civitai_mock.providers.simulator.painter.fields import TURN, spread, waves
from civitai_mock.providers.simulator.painter.scenes.paper import paper_layers


def bloom(canvas: Canvas, dice: Dice) -> None:
    x = canvas.grid.x - dice.between(-0.2, 0.2) * canvas.right
    y = canvas.grid.y - dice.between(-0.2, 0.2) * canvas.bottom
    distance, angle = np.hypot(x, y), np.arctan2(y, x)
    petals, twist, swing = dice.whole(5, 13), dice.between(-5, 5), dice.between(0.1, 0.24)
    outer = np.cos(petals * angle + 2 * twist * distance + dice.between(0, TURN))
    inner = np.cos(petals * angle - 3 * twist * distance + dice.between(0, TURN))
    shape = distance * (1 + swing * outer + swing / 2 * inner) + 0.03 * waves(dice, x, y, frequency=1.5)
    paper_layers(canvas, 1 - spread(shape) ** 0.75, count=dice.whole(8, 13), darkest=0.04)
