"""Patterns that users write, matched in time that grows with the text alone: none can hold a server up."""

from dataclasses import field
from typing import Protocol

from civitai_mock.domain.dataclass import dataclass

LONGEST_PATTERN = 1000
MEMORY = 1 << 20  # bytes that a compiled pattern may take; the slowest that was found takes 0.3 s for 20,000 characters


class Compiled(Protocol):
    """Is what RE2 makes of a pattern."""

    def search(self, text: bytes) -> object: ...


@dataclass(frozen=True, slots=True)
class LinearPattern:
    """Is a regular expression of RE2, which has neither back references nor looking around."""

    text: str
    compiled: Compiled = field(compare=False, repr=False)

    def is_in(self, text: str) -> bool:
        return self.compiled.search(text.encode(errors="surrogatepass")) is not None


def compile_pattern(text: str) -> LinearPattern:
    """Raise `ValueError` that says what is wrong with a pattern."""
    import re2  # noqa: PLC0415 - loaded for whoever uses a pattern

    if not 0 < len(text) <= LONGEST_PATTERN:
        raise ValueError(f"Expected a pattern of 1 to {LONGEST_PATTERN} characters.")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = MEMORY
    try:
        return LinearPattern(text, re2.compile(text.encode(), options))
    except UnicodeEncodeError as error:
        raise ValueError("Expected a pattern without halves of surrogate pairs.") from error
    except re2.error as error:
        raise ValueError(f"Expected a pattern that RE2 takes; {error.args[0].decode()}.") from error
