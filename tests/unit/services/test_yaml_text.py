"""YAML is read as JSON in another spelling, and each value has its line."""

from typing import Any

import pytest

from civitai_mock.services.yaml_text import MOST_BYTES, YamlError, parse_json, parse_yaml
from tests.support.table import table

TEXT = """\
# a comment
flaky:
  start: 'first'
  states:
    first: {next: second}
    second:
      times: [1, 2]
"""


def test_each_value_has_its_line() -> None:
    found = parse_yaml(TEXT.encode())
    states = {"first": {"next": "second"}, "second": {"times": [1, 2]}}
    assert found.value == {"flaky": {"start": "first", "states": states}}
    paths = ["flaky", "flaky.start", "flaky.states.first.next", "flaky.states.second", "flaky.states.second.times[1]"]
    assert [found.line_of(path) for path in paths] == [2, 3, 5, 6, 7]
    assert [found.line_of(path) for path in ("flaky.states.third.next", "other", "flaky.states.second.times[9]")] == [
        4,
        2,
        7,
    ]


@table(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("yes", "yes"),
        ("true", True),
        ("False", False),
        ("'true'", "true"),
        ("010", 10),
        ("-3", -3),
        ("1:30", "1:30"),
        ("1.5e3", 1500.0),
        (".5", 0.5),
        ("'5'", "5"),
        ("2026-01-31", "2026-01-31"),
        ("é", "é"),
        ("|\n  two\n  lines\n", "two\nlines\n"),
        ("[]", []),
        ("{}", {}),
    ],
)
def test_a_value_is_what_json_would_say(text: str, value: Any) -> None:
    found = parse_yaml(f"a: {text}".encode()).value
    assert found == {"a": value}
    assert isinstance(found, dict)
    assert type(found["a"]) is type(value)


@table(
    ("content", "line", "message"),
    [
        (b"a: 1\nb: [", 2, "expected node content"),
        (b"a: 1\na: 2", 2, "'a' is there twice"),
        (b"a: &x 1\nb: *x", 1, "Anchors and aliases"),
        (b"b: 1\na: !!python/object:os.system 1", 2, "Tags are not taken"),
        (b"a: ! 1", 1, "Tags are not taken"),
        (b"a: 1\n? [b]\n: 2", 2, "Expected a text as name"),
        (b"a: 1\n---\nb: 2", 2, "found another one"),
        (b"a:\n b: \xff", 2, "not UTF-8"),
        (b"[" * 1000, 1, "levels deep"),
        (b"a: \x00", 1, "not YAML"),
        (b"a" * (MOST_BYTES + 1), 1, "larger than"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(content: bytes, line: int, message: str) -> None:
    with pytest.raises(YamlError) as caught:
        parse_yaml(content)
    assert caught.value.line == line
    assert message in caught.value.message


def test_json_is_read_as_it_is_and_has_lines_too() -> None:
    found = parse_json(b'{\n\t"a": "x\\/y\\\\/",\n\n"b": {"c": [1.5e3, "\\ud83d\\ude00"]}}')
    assert found.value == {"a": "x/y\\/", "b": {"c": [1500.0, "\U0001f600"]}}
    assert (found.line_of("a"), found.line_of("b.c[1]")) == (2, 4)


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (b'{\n"a":}', 2, "Expecting value."),
        (b'{"a": 1,\n"a": 2}', 2, "'a' is there twice"),
        (b"a: 1", 1, "Expecting value."),
        (b"[" * 100_000, 1, "levels deep"),
    ],
)
def test_what_is_wrong_in_json_is_told_with_its_line(content: bytes, line: int, message: str) -> None:
    with pytest.raises(YamlError) as caught:
        parse_json(content)
    assert caught.value.line == line
    assert message in caught.value.message
