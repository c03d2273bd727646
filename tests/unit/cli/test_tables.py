"""What the commands print, where somebody looks and where nobody does."""

import errno
import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from civitai_mock.cli.control.output import Color, Output, open_output
from civitai_mock.cli.control.tables import Table, cut, shown, width_of
from civitai_mock.domain.json_types import Json
from tests.support.table import table


class Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


def _stream(encoding: str = "utf-8") -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding)


def _printed(stream: io.TextIOWrapper) -> str:
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode(stream.encoding)


def _table(rows: Sequence[Sequence[Json]], *, width: int | None = None, has_colors: bool = False) -> list[str]:
    stream = _stream()
    Table(output=Output(stream, width=width, has_colors=has_colors), head=("a", "b")).print([rows])
    return _printed(stream).splitlines()


@table(
    ("text", "width"),
    [
        ("", 0),
        ("fox", 3),
        ("東京", 4),
        ("e\u0301", 1),
        ("\uff46", 2),
        ("🦊", 2),
        ("\u0645\u06cc\u200c\u062e", 3),
        ("né", 2),
    ],
)
def test_the_width_of_a_text_is_what_a_terminal_takes(text: str, width: int) -> None:
    assert width_of(text) == width


@pytest.mark.parametrize(
    ("text", "room", "left"),
    [
        ("a fox", 5, "a fox"),
        ("a fox", 4, "a f…"),
        ("東京タワー", 10, "東京タワー"),
        ("東京タワー", 6, "東京…"),
        ("", 0, ""),
    ],
)
def test_a_text_is_cut_to_its_room(text: str, room: int, left: str) -> None:
    assert cut(text, room, "…") == left


@table(
    ("value", "text"),
    [
        (0.9600000000000002, "0.96"),
        (7.0, "7"),
        (1e15, "1000000000000000"),
        (True, "yes"),
        ({"a": {"b": 1.5}, "c": []}, "a=b=1.5, c=-"),
        ("2026-11-26T19:56:06.3686890Z", "2026-11-26T19:56:06.368Z"),
        ("2026-11-26T19:56:18.487382+00:00", "2026-11-26T19:56:18.487+00:00"),
        ("about 2026-11-26T19:56:06.3686890Z", "about 2026-11-26T19:56:06.3686890Z"),
    ],
)
def test_a_value_is_shown_as_a_person_reads_it(value: Json, text: str) -> None:
    assert shown(value) == text


def test_columns_stand_below_each_other_whatever_letters_are_in_them() -> None:
    assert _table([["東京", "x"], ["abc", None], ["", 1.0]]) == ["a     b", "東京  x", "abc   -", "-     1"]


def test_on_a_terminal_the_last_column_is_cut_at_its_edge() -> None:
    assert _table([["one", "0123456789"]], width=14) == ["a    b", "one  01234567…"]
    assert _table([["one", "0123456789"]], width=1) == ["a    b", "one  0123456…"]


def test_colors_are_no_part_of_the_width() -> None:
    lines = _table([["Failed", "x"], ["Succeeded", "y"]], has_colors=True)
    assert lines == [
        "\x1b[1ma          b\x1b[0m",
        "\x1b[31mFailed\x1b[0m     x",
        "\x1b[32mSucceeded\x1b[0m  y",
    ]


@pytest.mark.parametrize(
    ("stream", "variables", "has_colors", "width"),
    [
        (Terminal, {}, True, 70),
        (Terminal, {"NO_COLOR": "1"}, False, 70),
        (Terminal, {"NO_COLOR": ""}, True, 70),
        (Terminal, {"TERM": "dumb"}, False, 70),
        (io.TextIOWrapper, {}, False, None),
    ],
)
def test_colors_and_edges_are_for_terminals(
    monkeypatch: pytest.MonkeyPatch,
    stream: type[io.TextIOWrapper],
    variables: dict[str, str],
    has_colors: bool,
    width: int | None,
) -> None:
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"COLUMNS": "70", **variables}.items():
        monkeypatch.setenv(name, value)
    opened = stream(io.BytesIO(), encoding="utf-8")
    monkeypatch.setattr(sys, "stdout", opened)
    output = open_output()
    output.line(output.colored("x", Color.HEAD))
    assert ("\x1b" in _printed(opened)) is has_colors
    assert output.width == width or (width is None and output.width > 10_000)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_json_stays_json_in_every_encoding(encoding: str) -> None:
    value: Json = {"é": "東京\x1b\x7f\u202e\U000e0001\ud800", "a": [1, None]}
    stream = _stream(encoding)
    Output(stream).json(value)
    assert json.loads(_printed(stream)) == value


def test_what_an_encoding_has_no_letters_for_is_escaped_and_stands_in_line() -> None:
    stream = _stream("ascii")
    Table(output=Output(stream), head=("a", "b")).print([[["é", "x"], ["abc", "y"]]])
    assert _printed(stream).splitlines() == ["a     b", "\\xe9  x", "abc   y"]


def test_after_the_reader_has_gone_no_more_pages_are_asked_for() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    asked: list[int] = []

    def pages() -> Iterator[list[Json]]:
        for page in range(3):
            asked.append(page)
            yield [{"page": page}]

    with io.TextIOWrapper(os.fdopen(writing, "wb", buffering=0)) as stream:
        output = Output(stream)
        output.json_array(pages())
        output.line("more")
    assert (asked, output.is_closed) == ([0], True)


def test_a_full_disk_is_no_reader_that_has_gone() -> None:
    with (
        io.TextIOWrapper(Path("/dev/full").open("wb", buffering=0)) as full,
        pytest.raises(OSError, match="No space left") as error,
    ):
        Output(full).line("x")
    assert error.value.errno == errno.ENOSPC
