"""The caption under a picture: the prompt text, shortened, and the facts of how the picture was made."""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.drawing.painter.canvas import Tones
from civitai_mock.generation.graph_reader.infotext import file_stem
from civitai_mock.generation.graph_reader.output_images import OutputImages

Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont

MAX_CHARACTERS = 240
TITLE_LINES, FACT_LINES = 2, 3
BEYOND_ASCII = frozenset("\u00b7\u2026\u201c\u201d\u2018\u2019\u00ab\u00bb\u00b1")  # the bundled font has these, too
ELLIPSIS = "…"
NO_WORDS = "(no prompt text)"
FOREIGN_WORDS = "(prompt text: see the text chunks of this file)"
TITLE_INK, FACT_INK = 255, 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """Holds the lines of a caption, laid out for a width in pixels."""

    title: Sequence[str]
    facts: Sequence[str]
    title_size: int
    fact_size: int
    width: int

    @property
    def height(self) -> int:
        return len(self.title) * _leading(self.title_size) + len(self.facts) * _leading(self.fact_size)

    def print(self) -> Tones:
        """Return the caption as pixels, from 0 for paper to 255 for ink."""
        sheet = Image.new("L", (self.width, self.height))
        draw, top = ImageDraw.Draw(sheet), 0
        for lines, size, ink in ((self.title, self.title_size, TITLE_INK), (self.facts, self.fact_size, FACT_INK)):
            for line in lines:
                draw.text((0, top), line, fill=ink, font=_font(size))
                top += _leading(size)
        return np.asarray(sheet)


def lay_out_caption(output: OutputImages, index: int, *, width: int, shorter: int) -> Caption:
    """Lay a caption out for a strip of `width`; font sizes follow the picture's shorter side."""
    fact_size = max(10, round(4 + shorter * 0.0125))
    title_size = max(11, round(fact_size * 1.3))
    words = legible(output.main.prompt_text[:MAX_CHARACTERS]).split()
    return Caption(
        title=_lines(words, " ", _font(title_size), width, most=TITLE_LINES),
        facts=_lines(_facts(output, index), "  ·  ", _font(fact_size), width, most=FACT_LINES),
        title_size=title_size,
        fact_size=fact_size,
        width=width,
    )


def legible(words: str) -> str:
    """Replace each run of letters that the bundled font cannot print by an ellipsis."""
    letters: list[str] = []
    for letter in unicodedata.normalize("NFKD", " ".join(words.split())):
        if " " <= letter <= "~" or letter in BEYOND_ASCII:
            letters.append(letter)
        elif not unicodedata.combining(letter) and letters[-1:] != [ELLIPSIS]:
            letters.append(ELLIPSIS)
    printable = "".join(letters)
    if any(letter.isalnum() for letter in printable):
        return printable
    return FOREIGN_WORDS if printable else NO_WORDS


def _facts(output: OutputImages, index: int) -> Sequence[str]:
    main = output.main
    sampling = " ".join(part for part in (main.sampler, main.noise_schedule) if part)
    facts = [f"seed {main.seed}" + (f" #{index + 1}" if index else "")]
    facts += [f"{main.steps} steps"] if main.steps else []
    facts += [sampling] if sampling else []
    facts += [f"cfg {main.cfg:g}"] if main.cfg is not None else []
    facts += [f"guidance {main.guidance:g}"] if main.guidance is not None else []
    facts += [file_stem(main.model)] if main.model else []
    facts += [f"{len(main.loras)} LoRA"] if main.loras else []
    return [legible(fact[:MAX_CHARACTERS]) for fact in facts]


def _lines(pieces: Sequence[str], glue: str, font: Font, width: int, *, most: int) -> Sequence[str]:
    """Set pieces in lines, as many to a line as fit; what does not fit is cut off with an ellipsis."""
    lines: list[str] = []
    gap, room = font.getlength(glue), 0.0
    for piece in pieces:
        length = font.getlength(piece)
        if lines and gap + length <= room:
            lines[-1] += glue + piece
            room -= gap + length
        elif len(lines) < most:
            lines.append(piece)
            room = width - length
        else:
            lines[-1] += ELLIPSIS
            break
    return [_shortened(line, font, width) for line in lines]


def _shortened(line: str, font: Font, width: int) -> str:
    while font.getlength(line) > width and len(line) > 1:
        line = line[:-2] + ELLIPSIS
    return line


def _leading(size: int) -> int:
    return round(size * 1.4)


@lru_cache(maxsize=32)
def _font(size: int) -> Font:
    return ImageFont.load_default(size)
