"""Layers of cut paper that follow a slow current."""

from civitai_mock.providers.simulator.painter.canvas import Canvas
from civitai_mock.providers.simulator.painter.dice import Dice
from civitai_mock.providers.simulator.painter.fields import spread, waves
from civitai_mock.providers.simulator.painter.scenes.paper import paper_layers


def currents(canvas: Canvas, dice: Dice) -> None:
    x, y = canvas.grid.x, canvas.grid.y
    bend = dice.between(0.12, 0.35)
    bent_x = x + bend * waves(dice, x, y, frequency=1.1)
    bent_y = y + bend * waves(dice, x, y, frequency=1.1)
    field = waves(dice, bent_x, bent_y, frequency=dice.between(0.5, 0.9))
    paper_layers(canvas, spread(field), count=dice.whole(7, 14), darkest=dice.between(0.03, 0.16))
