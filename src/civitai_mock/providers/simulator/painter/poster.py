"""A picture as a poster: the scene in a margin of paper, with its caption below."""

from collections.abc import Iterator
from dataclasses import astuple, dataclass

import numpy as np

from civitai_mock.generation.reading.facts import Series
from civitai_mock.providers.simulator.painter.canvas import TONES, Canvas, Tones
from civitai_mock.providers.simulator.painter.caption import caption_of
from civitai_mock.providers.simulator.painter.dice import Dice
from civitai_mock.providers.simulator.painter.mood import Mood, mood_of
from civitai_mock.providers.simulator.painter.palette import colours
from civitai_mock.providers.simulator.painter.scenes import SCENES

PAPER_COLOURS = 16
SMALLEST_WITH_CAPTION = 256
MOST_PIXELS = 2048 * 2048  # larger pictures repeat each drawn pixel
BAND = 32
PAPER_TONES = np.array([TONES + (tone * PAPER_COLOURS // 256) for tone in range(256)], np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Poster:
    """`pixels` are numbers of colours; the picture shows each of them `zoom` times across and down."""

    width: int
    height: int
    zoom: int
    pixels: Tones
    colours: bytes

    def scanlines(self) -> Iterator[bytes]:
        """As PNG wants them, each after its filter byte; few at a time, however large the picture."""
        for first in range(0, len(self.pixels), BAND):
            drawn = self.pixels[first : first + BAND]
            if self.zoom > 1:
                drawn = drawn.repeat(self.zoom, axis=1)[:, : self.width].repeat(self.zoom, axis=0)
            lines = np.zeros((min(len(drawn), self.height - first * self.zoom), self.width + 1), np.uint8)
            lines[:, 1:] = drawn[: len(lines)]
            yield lines.tobytes()


def paint(series: Series, index: int) -> Poster:
    """The same for the same facts; `index` counts within the series."""
    frame, place = series.frame, series.frame.first + index
    zoom = _zoom(frame.width, frame.height)
    width, height = -(-frame.width // zoom), -(-frame.height // zoom)
    strokes, finish = _dice(series, place)
    mood = mood_of(series.main, finish=finish, scenes=tuple(SCENES))
    sheet = np.full((height, width), TONES, np.uint8)
    art = _framed(sheet, series, place)
    SCENES[mood.scene](Canvas(art), strokes)
    return Poster(width=frame.width, height=frame.height, zoom=zoom, pixels=sheet, colours=_colours(mood))


def _dice(series: Series, place: int) -> tuple[Dice, Dice]:
    """What decides the composition, and what changes its colours a little: settings of the sampler."""
    noise = [
        (one.seed, one.prompt_text, one.negative_text, one.model, *map(astuple, one.loras)) for one in series.passes
    ]
    settings = [
        (one.steps, one.cfg, one.guidance, one.denoise, one.sampler, one.noise_schedule) for one in series.passes
    ]
    return Dice(noise, place, series.source), Dice(noise, place, series.source, settings)


def _zoom(width: int, height: int) -> int:
    zoom = 1
    while (width // zoom) * (height // zoom) > MOST_PIXELS:
        zoom += 1
    return zoom


def _framed(sheet: Tones, series: Series, place: int) -> Tones:
    """Print the caption on a sheet of paper; the answer is the part that is left for art."""
    height, width = sheet.shape
    shorter = min(width, height)
    if shorter < SMALLEST_WITH_CAPTION:
        return sheet
    margin = round(shorter * 0.035)
    caption = caption_of(series, place, width=width - 2 * margin, shorter=shorter)
    top = height - caption.height - margin // 2
    sheet[top : top + caption.height, margin : width - margin] = PAPER_TONES[caption.printed()]
    return sheet[margin : top - margin // 2, margin : width - margin]


def _colours(mood: Mood) -> bytes:
    paper = colours(mood.paper, PAPER_COLOURS)
    return colours(mood.art, TONES).tobytes() + (paper if mood.dark_paper else paper[::-1]).tobytes()
