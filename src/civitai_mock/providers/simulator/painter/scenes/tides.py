"""Rolling waves up to the horizon."""

import numpy as np

from civitai_mock.providers.simulator.painter.canvas import Canvas
from civitai_mock.providers.simulator.painter.dice import Dice
from civitai_mock.providers.simulator.painter.fields import TURN
from civitai_mock.providers.simulator.painter.scenes.sky import sky


def tides(canvas: Canvas, dice: Dice) -> None:
    sky(canvas, dice)
    count, x = dice.whole(8, 11), canvas.columns()
    horizon = dice.between(-0.35, -0.05) * canvas.bottom
    for index in range(count):
        nearness = index / (count - 1)
        base = horizon + (canvas.bottom * 0.92 - horizon) * nearness**1.4
        height, phase = 0.008 + 0.05 * nearness, x / (0.14 + 0.4 * nearness) * TURN + dice.between(0, TURN)
        swell = np.sin(phase + 0.6 * np.sin(phase)) + np.sin(x * TURN * dice.between(0.4, 0.9))
        tone = 0.88 - 0.27 * nearness if index % 2 else 0.58 - 0.5 * nearness
        canvas.below(base + height * swell, tone=tone, deep_tone=tone * 0.4, reach=0.03 + 0.12 * nearness)
