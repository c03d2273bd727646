"""The pages of the documentation: their links, headings and fenced blocks."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.support.paths import ROOT

FENCE = re.compile(
    r"^(?:<!-- (?P<kind>file|answer|request|browser): (?P<subject>[^\n]*?) -->\n)?"
    r"```(?P<language>\w+)\n(?P<text>.*?)^```\n",
    re.MULTILINE | re.DOTALL,
)
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"(!?)\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """A fenced block; the comment above it says what it quotes (`file`) or what the server does with it."""

    language: str
    text: str
    kind: str
    subject: str


@dataclass(frozen=True)
class Page:
    path: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text("utf-8")

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @cached_property
    def fences(self) -> Sequence[Fence]:
        return [
            Fence(
                language=found["language"], text=found["text"], kind=found["kind"] or "", subject=found["subject"] or ""
            )
            for found in FENCE.finditer(self.text)
        ]

    @cached_property
    def prose(self) -> str:
        """Everything but the fenced blocks."""
        return FENCE.sub("", self.text)

    @property
    def code(self) -> Iterator[str]:
        """What stands between backticks in sentences and tables."""
        return (found[1] for found in CODE.finditer(self.prose))

    @property
    def links(self) -> Iterator[str]:
        return (found[2] for found in LINK.finditer(self.prose))

    @cached_property
    def anchors(self) -> Sequence[str]:
        """The anchors that GitHub gives to headings."""
        return [_slug(found[1]) for found in HEADING.finditer(self.prose)]

    def blocks(self, *languages: str) -> list[Fence]:
        return [fence for fence in self.fences if fence.language in languages]

    def between(self, mark: str) -> str:
        """The text between `<!-- mark: begin -->` and `<!-- mark: end -->`."""
        start, end = f"<!-- {mark}: begin -->\n", f"<!-- {mark}: end -->"
        return self.text.partition(start)[2].partition(end)[0]


def _slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", CODE.sub(r"\1", heading).lower()).replace(" ", "-")


def pages() -> list[Page]:
    """README, the pages at the top, and everything under `docs`."""
    tops = (ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"))
    return [Page(path) for path in (*tops, *sorted((ROOT / "docs").rglob("*.md")))]
