"""The scenes by name; each draws on a canvas what its dice say."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from civitai_mock.providers.simulator.painter.canvas import Canvas
from civitai_mock.providers.simulator.painter.dice import Dice
from civitai_mock.providers.simulator.painter.scenes.bloom import bloom
from civitai_mock.providers.simulator.painter.scenes.currents import currents
from civitai_mock.providers.simulator.painter.scenes.planets import planets
from civitai_mock.providers.simulator.painter.scenes.ridges import ridges
from civitai_mock.providers.simulator.painter.scenes.skyline import skyline
from civitai_mock.providers.simulator.painter.scenes.tides import tides
from civitai_mock.providers.simulator.painter.scenes.tiles import tiles

Scene: TypeAlias = Callable[[Canvas, Dice], None]

SCENES: Mapping[str, Scene] = {
    "bloom": bloom,
    "currents": currents,
    "planets": planets,
    "ridges": ridges,
    "skyline": skyline,
    "tides": tides,
    "tiles": tiles,
}
