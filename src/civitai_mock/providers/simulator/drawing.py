"""Draw the pictures of a series; blocking, for threads."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import TypeAlias

from civitai_mock.generation.graph_reader.facts import OutputImages
from civitai_mock.providers.simulator.png import RgbPicture, compressed, plain_scanlines, png


# One picture of a series as a PNG file, with these texts in it; blocking, for threads.
class Pictures(StrEnum):
    """`BLANK` is plain grey: for load tests of everything but the drawing."""

    DRAWN = "drawn"
    BLANK = "blank"


Draw: TypeAlias = Callable[[OutputImages, int, Mapping[str, str]], bytes]

GREY = bytes((128, 128, 128))
BLANKS_KEPT = 64


def draw_as(pictures: Pictures) -> Draw:
    return lambda series, index, texts: draw(series, index, texts=texts, pictures=pictures)


def draw(series: OutputImages, index: int, *, texts: Mapping[str, str], pictures: Pictures) -> bytes:
    """A PNG file, the same for the same facts; `index` counts within the series."""
    if pictures == Pictures.BLANK:
        return png(_blank(series.frame.width, series.frame.height), texts)
    return png(_painted(series, index), texts)


def _painted(series: OutputImages, index: int) -> RgbPicture:
    # Imported at the first picture: numpy and Pillow would double the time to the server's first answer.
    from civitai_mock.providers.simulator.painter.poster import paint  # noqa: PLC0415

    poster = paint(series, index)
    return RgbPicture(width=poster.width, height=poster.height, data=compressed(poster.scanlines()))


@lru_cache(maxsize=BLANKS_KEPT)
def _blank(width: int, height: int) -> RgbPicture:
    return RgbPicture(width=width, height=height, data=plain_scanlines(width, height, GREY))
