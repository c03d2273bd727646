"""Paint a picture as a poster: the scene in a margin of paper, with its caption below."""

from collections.abc import Iterator
from dataclasses import astuple

import numpy as np
from numpy.typing import NDArray

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.drawing.painter.canvas import TONES, Canvas, Tones
from civitai_mock.drawing.painter.caption import lay_out_caption
from civitai_mock.drawing.painter.colour_ramp import rgb_colours
from civitai_mock.drawing.painter.scenes import SCENES
from civitai_mock.drawing.painter.seeded_random import SeededRandom
from civitai_mock.drawing.painter.style import Style, style_of
from civitai_mock.generation.graph_reader.output_images import OutputImages

PAPER_COLOURS = 16
MIN_SIDE_FOR_CAPTION = 256
MAX_PIXELS = 1536 * 1536  # larger pictures repeat each drawn pixel
BAND = 32
RGB = np.dtype("V3")  # three bytes as one item, which numpy looks up much faster
FILTER_UP = 2  # of PNG: a line is stored as its difference to the one above
PAPER_TONES = np.array([TONES + (tone * PAPER_COLOURS // 256) for tone in range(256)], np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Poster:
    """Holds a picture: `pixels` are numbers of colours, each of which it shows `zoom` times across and down."""

    width: int
    height: int
    zoom: int
    pixels: Tones
    colours: bytes

    def scanlines(self) -> Iterator[memoryview]:
        """Yield rows as PNG wants them, each after its filter byte; few at a time, each time in the same place."""
        table = np.frombuffer(self.colours, RGB)
        lines = np.zeros((BAND, self.zoom, 1 + RGB.itemsize * self.width), np.uint8)
        lines[:, 1:, 0] = FILTER_UP
        for first in range(0, len(self.pixels), BAND):
            drawn = self.pixels[first : first + BAND].repeat(self.zoom, axis=1)[:, : self.width]
            lines[: len(drawn), 0, 1:] = np.take(table, drawn).view(np.uint8)
            whole = lines[: len(drawn)].reshape(-1, lines.shape[2])
            yield whole[: self.height - first * self.zoom].data

    def rgb(self) -> NDArray[np.uint8]:
        """Return rows of pixels, for other formats."""
        table = np.frombuffer(self.colours, np.uint8).reshape(-1, 3)
        drawn = self.pixels.repeat(self.zoom, axis=0)[: self.height].repeat(self.zoom, axis=1)[:, : self.width]
        return np.take(table, drawn, axis=0)


def paint(output: OutputImages, index: int) -> Poster:
    """Paint one image of an output, always the same for the same facts; `index` counts within the output."""
    batch, place = output.batch, output.batch.first + index
    zoom = _zoom(batch.width, batch.height)
    width, height = -(-batch.width // zoom), -(-batch.height // zoom)
    strokes, finish = _random_numbers(output, place)
    style = style_of(output.main, finish=finish, scenes=tuple(SCENES))
    sheet = np.full((height, width), TONES, np.uint8)
    art = _framed(sheet, output, place)
    SCENES[style.scene](Canvas(art), strokes)
    return Poster(width=batch.width, height=batch.height, zoom=zoom, pixels=sheet, colours=_colours(style))


def _random_numbers(output: OutputImages, place: int) -> tuple[SeededRandom, SeededRandom]:
    """Return random numbers for the composition, and others for the finish, which also depends on the sampling."""
    noise = [
        (one.seed, one.prompt_text, one.negative_text, one.model, *map(astuple, one.loras)) for one in output.passes
    ]
    settings = [
        (one.steps, one.cfg, one.guidance, one.denoise, one.sampler, one.noise_schedule) for one in output.passes
    ]
    return SeededRandom(noise, place, output.source), SeededRandom(noise, place, output.source, settings)


def _zoom(width: int, height: int) -> int:
    zoom = 1
    while (width // zoom) * (height // zoom) > MAX_PIXELS:
        zoom += 1
    return zoom


def _framed(sheet: Tones, output: OutputImages, place: int) -> Tones:
    """Print the caption on a sheet of paper, and return the part of it that is left for the art."""
    height, width = sheet.shape
    shorter = min(width, height)
    if shorter < MIN_SIDE_FOR_CAPTION:
        return sheet
    margin = round(shorter * 0.035)
    caption = lay_out_caption(output, place, width=width - 2 * margin, shorter=shorter)
    top = height - caption.height - margin // 2
    sheet[top : top + caption.height, margin : width - margin] = PAPER_TONES[caption.print()]
    return sheet[margin : top - margin // 2, margin : width - margin]


def _colours(style: Style) -> bytes:
    paper = rgb_colours(style.paper, PAPER_COLOURS)
    return rgb_colours(style.art, TONES).tobytes() + (paper if style.dark_paper else paper[::-1]).tobytes()
