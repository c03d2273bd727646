"""Tables of a terminal: columns that stand below each other, whatever letters are in them."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import field

from civitai_mock.cli.control.output import JOINERS, Color, Output
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import Json

GAP, CUT = "  ", "…"
NARROWEST = 8  # a column that has less room is not cut further
WIDE, MARKS = frozenset("WF"), frozenset({"Mn", "Me"})
GOOD, BAD = frozenset({"Succeeded", "Delivered"}), frozenset({"Failed", "Expired", "Deleted", "Rejected"})
DATE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})\d*(Z|[+-]\d\d:\d\d)", re.ASCII)

Row = Sequence[Json]


@dataclass(kw_only=True)
class Table:
    """Prints rows page by page; columns only grow, so that pages of alike rows stand below each other.

    On a terminal the last column is cut at its right edge.
    """

    output: Output
    head: Sequence[str]
    _widths: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._widths = [len(name) for name in self.head]

    def print(self, pages: Iterable[Iterable[Row]]) -> None:
        is_first = True
        for page in pages:
            rows = [[self._cell(value) for value in row] for row in page]
            for row in rows:
                self._widths = [max(width, width_of(cell)) for width, cell in zip(self._widths, row, strict=True)]
            if is_first:
                self.output.line(self.output.colored(self._line(self.head), Color.HEAD))
            for row in rows:
                self.output.line(self._line(row))
            is_first = False
            if self.output.is_closed:
                return

    def _cell(self, value: Json) -> str:
        return "-" if value is None or value == "" else self.output.text(shown(value))

    def _line(self, cells: Sequence[str]) -> str:
        *others, last = cells
        start = "".join(self._padded(cell, width) + GAP for cell, width in zip(others, self._widths, strict=False))
        room = max(self.output.width - sum(width + len(GAP) for width in self._widths[:-1]), NARROWEST)
        return start + self._painted(cut(last, room, self.output.text(CUT)))

    def _padded(self, cell: str, width: int) -> str:
        return self._painted(cell) + " " * (width - width_of(cell))

    def _painted(self, cell: str) -> str:
        return self.output.colored(cell, Color.GOOD if cell in GOOD else Color.BAD if cell in BAD else Color.PLAIN)


def shown(value: Json) -> str:
    """Return a value as a person reads it: dates to the millisecond, numbers without what floats add to them."""
    match value:
        case True | False:
            return "yes" if value else "no"
        case float():
            return f"{value:.6f}".rstrip("0").rstrip(".")
        case str() if found := DATE.fullmatch(value):
            return found[1] + found[2]
        case dict():
            return ", ".join(f"{name}={shown(member)}" for name, member in value.items()) or "-"
        case list():
            return ", ".join(shown(item) for item in value) or "-"
        case _:
            return str(value)


def width_of(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return sum(_width_of(char) for char in text)


def _width_of(char: str) -> int:
    if char in JOINERS or unicodedata.category(char) in MARKS:
        return 0
    return 2 if unicodedata.east_asian_width(char) in WIDE else 1


def cut(text: str, room: int, mark: str) -> str:
    """Return a text that takes no more room, with a mark at its end if something is missing."""
    if width_of(text) <= room:
        return text
    taken, left = "", room - width_of(mark)
    for char in text:
        left -= _width_of(char)
        if left < 0:
            break
        taken += char
    return taken + mark
