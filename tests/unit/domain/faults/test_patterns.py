"""Patterns: which are taken, and that none takes for ever."""

import subprocess
import sys
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from civitai_mock.domain.faults.patterns import LONGEST_PATTERN, compile_pattern

LONG = "a" * 20_000


@pytest.mark.parametrize(
    ("pattern", "text", "is_in"),
    [
        ("fox", "a quiet fox", True),
        ("^fox", "a quiet fox", False),
        ("(?i)FOX$", "a quiet fox", True),
        (r"\d{3} b\w+", "about 100 birds", True),
        ("fé+", "café", True),
        (".", "", False),
    ],
)
def test_a_pattern_is_found_anywhere_in_a_text(pattern: str, text: str, is_in: bool) -> None:
    assert compile_pattern(pattern).is_in(text) is is_in


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(.*)(.*)(.*)(.*)(.*)x$", "(?:a?){500}a{500}$"])
def test_no_pattern_hangs(pattern: str) -> None:
    """A backtracking matcher would not come back from most of these before the sun has gone out."""
    assert not compile_pattern(pattern).is_in(LONG + "b")


@pytest.mark.parametrize(
    ("pattern", "hint"),
    [
        ("", "of 1 to 1000 characters"),
        ("a" * (LONGEST_PATTERN + 1), "of 1 to 1000 characters"),
        ("(", "missing )"),
        ("(?=a)", "invalid perl operator"),
        (r"(a)\1", "invalid escape sequence"),
        ("a{1001}", "invalid repetition size"),
        (r"(\pL{30}){30}", "too large"),
        ("\ud800", "surrogate"),
    ],
)
def test_a_pattern_that_cannot_be_is_refused(pattern: str, hint: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match=hint.replace(")", r"\)")):
        compile_pattern(pattern)
    assert capfd.readouterr().err == ""


@given(pattern=st.text(alphabet="ab()[]*+?{}|^$.\\\ud800é1,", max_size=30), text=st.text(max_size=50))
@example(pattern="a", text="\ud800")
def test_whatever_is_written_is_a_pattern_or_is_refused(pattern: str, text: str) -> None:
    with suppress(ValueError):
        compiled = compile_pattern(pattern)
        assert compiled.is_in(text) in {True, False}


def test_the_matcher_is_loaded_for_whoever_uses_a_pattern() -> None:
    script = "import sys, civitai_mock.domain.faults.rules; sys.exit('re2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
