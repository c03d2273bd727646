"""What the commands print: texts that no terminal obeys, JSON, and colors where somebody looks.

A reader that is gone (`| head`) ends nothing; a disk that is full is an error, as what was asked for is lost.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import TextIO
from unicodedata import category

from civitai_mock.domain.json_types import Json

PROGRAM = "civitai-mock"
JOINERS = "\u200c\u200d"  # parts of words and of emoji
OBEYED = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})  # categories: what no letter is drawn for
UNLIMITED = 1_000_000


class Color(StrEnum):
    """Names what a terminal may draw a text in."""

    HEAD = "1"
    GOOD = "32"
    BAD = "31"
    PLAIN = ""


class Output:
    """Writes to standard output; it `is_closed` once nobody reads it any more."""

    def __init__(self, stream: TextIO, *, width: int | None = None, has_colors: bool = False) -> None:
        self._bytes = stream.buffer
        self._encoding = stream.encoding or "utf-8"
        self.width = width or UNLIMITED
        self._has_colors = has_colors
        self.is_closed = False

    def text(self, value: object) -> str:
        """Return a text as it can be shown in one line, with escapes for all that a terminal would obey."""
        return _without_orders(str(value), _escaped).encode(self._encoding, "backslashreplace").decode(self._encoding)

    def colored(self, text: str, color: Color) -> str:
        return f"\x1b[{color}m{text}\x1b[0m" if self._has_colors and color else text

    def line(self, text: str = "") -> None:
        """Write a line that is made of what `text` and `colored` return."""
        self._write(f"{text}\n")

    def json(self, value: Json) -> None:
        self._write(f"{self._json(value)}\n")

    def json_array(self, pages: Iterable[Iterable[Json]]) -> None:
        """Write one array of what is on all pages, each as soon as it is there."""
        separator = "["
        for page in pages:
            for item in page:
                indented = self._json(item).replace("\n", "\n  ")
                self._write(f"{separator}\n  {indented}")
                separator = ","
            if self.is_closed:
                return
        self._write("[]\n" if separator == "[" else "\n]\n")

    def _json(self, value: Json) -> str:
        """Return JSON with the letters that the stream has; whatever a terminal would obey stands in strings."""
        has_all_letters = self._encoding.lower().startswith("utf")
        text = json.dumps(value, indent=2, ensure_ascii=not has_all_letters)
        return "\n".join(_without_orders(line, _escaped_in_json) for line in text.split("\n"))

    def _write(self, text: str) -> None:
        if self.is_closed:
            return
        try:
            self._bytes.write(text.encode(self._encoding, "backslashreplace"))
            self._bytes.flush()
        except BrokenPipeError:
            self.is_closed = True


def open_output() -> Output:
    """Return what writes to the standard output of this process."""
    stream, variables = sys.stdout, os.environ
    if not stream.isatty():
        return Output(stream)
    has_colors = not variables.get("NO_COLOR") and variables.get("TERM") != "dumb"
    return Output(stream, width=shutil.get_terminal_size().columns, has_colors=has_colors)


def complain(lines: Iterable[str]) -> None:
    """Write lines to standard error, if anybody reads that."""
    for line in lines:
        sys.stderr.write(f"{PROGRAM}: {_without_orders(line, _escaped)}\n")


def _without_orders(line: str, escaped: Callable[[str], str]) -> str:
    """Return a line without whatever a terminal obeys: control characters, and those that turn the direction."""
    if line.isprintable():
        return line
    return "".join(escaped(char) if char not in JOINERS and category(char) in OBEYED else char for char in line)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode()


def _escaped_in_json(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
