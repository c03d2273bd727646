"""Mountains or dunes, one behind the other, under a sun."""

import numpy as np

from civitai_mock.providers.simulator.painter.canvas import Canvas, Line
from civitai_mock.providers.simulator.painter.dice import Dice
from civitai_mock.providers.simulator.painter.fields import TURN
from civitai_mock.providers.simulator.painter.scenes.sky import sky

OCTAVES = 6


def ridges(canvas: Canvas, dice: Dice) -> None:
    sky(canvas, dice)
    count, sharpness = dice.whole(5, 7), dice.between(0.1, 0.9)
    horizon = dice.between(-0.1, 0.12) * canvas.bottom
    for index in range(count):
        nearness = index / (count - 1)
        base = horizon + (canvas.bottom * 0.85 - horizon) * nearness**1.2
        crest = base - _peaks(canvas, dice, sharpness) * (0.18 - 0.1 * nearness)
        tone = 0.64 - 0.58 * nearness
        canvas.below(crest, tone=tone, deep_tone=tone + 0.2 - 0.15 * nearness, reach=0.3)


def _peaks(canvas: Canvas, dice: Dice, sharpness: float) -> Line:
    """From soft hills to sharp peaks: a sum of ever finer waves."""
    x = canvas.columns()
    total = np.zeros_like(x)
    for octave in range(OCTAVES):
        wave = np.sin(x * TURN * dice.between(0.5, 0.9) * 2**octave + dice.between(0, TURN))
        total += (0.35 + 0.2 * sharpness) ** octave * ((1 - sharpness) * wave + sharpness * (1 - 2 * np.abs(wave)))
    return total
