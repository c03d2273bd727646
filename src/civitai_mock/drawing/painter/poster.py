"""A picture as a poster: the scene in a margin of paper, with its caption below."""

from collections.abc import Iterator
from dataclasses import astuple, dataclass

import numpy as np

from civitai_mock.drawing.painter.canvas import TONES, Canvas, Tones
from civitai_mock.drawing.painter.caption import caption_of
from civitai_mock.drawing.painter.dice import Dice
from civitai_mock.drawing.painter.scenes import SCENES
from civitai_mock.drawing.painter.style import Style, colours, style_of
from civitai_mock.generation.graph_reader.output_images import OutputImages

PAPER_COLOURS = 16
SMALLEST_WITH_CAPTION = 256
MOST_PIXELS = 1536 * 1536  # larger pictures repeat each drawn pixel
BAND = 32
RGB = np.dtype("V3")  # three bytes as one thing, which is looked up much faster
AS_ABOVE = 2  # PNG's filter for lines that are given by their difference to the one above
PAPER_TONES = np.array([TONES + (tone * PAPER_COLOURS // 256) for tone in range(256)], np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Poster:
    """`pixels` are numbers of colours; the picture shows each of them `zoom` times across and down."""

    width: int
    height: int
    zoom: int
    pixels: Tones
    colours: bytes

    def scanlines(self) -> Iterator[memoryview]:
        """Yield rows as PNG wants them, each after its filter byte; few at a time, each time in the same place."""
        table = np.frombuffer(self.colours, RGB)
        lines = np.zeros((BAND, self.zoom, 1 + RGB.itemsize * self.width), np.uint8)
        lines[:, 1:, 0] = AS_ABOVE
        for first in range(0, len(self.pixels), BAND):
            drawn = self.pixels[first : first + BAND].repeat(self.zoom, axis=1)[:, : self.width]
            lines[: len(drawn), 0, 1:] = np.take(table, drawn).view(np.uint8)
            whole = lines[: len(drawn)].reshape(-1, lines.shape[2])
            yield whole[: self.height - first * self.zoom].data


def paint(series: OutputImages, index: int) -> Poster:
    """The same for the same facts; `index` counts within the series."""
    batch, place = series.batch, series.batch.first + index
    zoom = _zoom(batch.width, batch.height)
    width, height = -(-batch.width // zoom), -(-batch.height // zoom)
    strokes, finish = _dice(series, place)
    style = style_of(series.main, finish=finish, scenes=tuple(SCENES))
    sheet = np.full((height, width), TONES, np.uint8)
    art = _framed(sheet, series, place)
    SCENES[style.scene](Canvas(art), strokes)
    return Poster(width=batch.width, height=batch.height, zoom=zoom, pixels=sheet, colours=_colours(style))


def _dice(series: OutputImages, place: int) -> tuple[Dice, Dice]:
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


def _framed(sheet: Tones, series: OutputImages, place: int) -> Tones:
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


def _colours(style: Style) -> bytes:
    paper = colours(style.paper, PAPER_COLOURS)
    return colours(style.art, TONES).tobytes() + (paper if style.dark_paper else paper[::-1]).tobytes()
