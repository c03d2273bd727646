"""Turn what users of A1111 write in prompt texts (square brackets, BREAK, tags) into ComfyUI's notation."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import field
from functools import partial, reduce

from civitai_mock.domain.dataclass import dataclass

STEP = 1.1
LEAST_WEIGHT, MOST_WEIGHT = 0.001, 1e6
DEEPEST = 64  # ComfyUI reads each bracket by a call within the last one's, and ends the job where those have an end
SIGN = re.compile(r"\\[()\[\]]|[()\[\]|:]")
ROUND = re.compile(r"\\[()]|[()]")
NUMBER = re.compile(r"\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)\s*")
SOMETHING = re.compile(r"\S")
ESCAPES = ("\\[", "\\]")
SYNTAX = ("<", "[", "]", "BREAK")  # one of which is in every text that is not left as it is
OPENING, CLOSING = ("", "(", "[", ","), ("", ")", "]", ",")
TAG = re.compile(r"<(?:lora|lyco|hypernet):[^<>]*>", re.IGNORECASE)
BREAK = re.compile(r"\bBREAK\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoredTag:
    """Is a tag that changes nothing, with the reason."""

    tag: str
    reason: str


def comfyui_text(prompt_text: str) -> str:
    """Turn a text into ComfyUI's notation; one without any of A1111's own syntax comes out as it is.

    Tags are removed, whether or not they can be applied. `BREAK`, which begins a new chunk of tokens in A1111, only
    separates.
    """
    if not any(sign in prompt_text for sign in SYNTAX):  # most texts: a tenth of the time
        return shallow(prompt_text)
    pieces = BREAK.split(reduce(_rejoined, TAG.split(prompt_text)))
    return shallow(_without_square_brackets(reduce(partial(_rejoined, gap=", "), pieces)))


def shallow(text: str) -> str:
    """Drop the pairs of round brackets that are more than `DEEPEST` deep, where weights have no effect any more."""
    if text.count("(") <= DEEPEST:
        return text
    edits, open_at = [], list[int]()
    for found in ROUND.finditer(text):
        if found[0] == "(":
            open_at.append(found.start())
        elif found[0] == ")" and open_at:
            pair = open_at.pop(), found.start()
            if len(open_at) >= DEEPEST:
                edits += [Edit(at, at + 1, "") for at in pair]
    return _edited(text, edits)


def _rejoined(left: str, right: str, *, gap: str | None = None) -> str:
    """Join two texts with no more blanks and commas than one would write; `gap` stands where neither has a comma."""
    start, end = left.rstrip(), right.lstrip()
    if end.startswith(",") and not start.endswith(","):
        gap, end = ", ", end[1:].lstrip()
    elif start.endswith(","):
        gap, start, end = ", ", start[:-1].rstrip(), end.removeprefix(",").lstrip()
    elif gap is None:
        gap = left[len(start) :] or right[: len(right) - len(end)]
    apart = start[-1:] not in OPENING and end[:1] not in CLOSING
    return f"{start}{gap}{end}" if apart else start + end


@dataclass(slots=True)
class Opening:
    """Is an opening bracket that may yet be closed; `colon` is the last one that stands directly in it."""

    sign: str
    at: int
    colon: int | None = None
    alternates: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Is a pair of brackets; `weight_at` is where its weight begins, if it has one."""

    start: int
    stop: int
    is_square: bool
    weight_at: int | None
    alternates: bool

    @property
    def is_editing(self) -> bool:
        return self.is_square and (self.alternates or self.weight_at is not None)

    def factor(self, text: str) -> float:
        if self.is_square:
            return 1 / STEP
        return STEP if self.weight_at is None else float(text[self.weight_at : self.stop])


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """Is the weight that applies up to `stop`; it is `lowered` within square brackets."""

    stop: int
    weight: float = 1.0
    lowered: bool = False


@dataclass(frozen=True, slots=True)
class Edit:
    """Puts `text` in the place of what stands from `start` to `stop`."""

    start: int
    stop: int
    text: str


@dataclass(slots=True)
class Brackets:
    """Finds the brackets of a text that belong together; others are left alone."""

    pairs: list[Pair] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    _open: list[Opening] = field(default_factory=list)

    def read(self, text: str) -> None:
        for found in SIGN.finditer(text):
            sign, at = found[0], found.start()
            if sign in {"(", "["}:
                self._open.append(Opening(sign, at))
            elif sign == ")":
                self._close_round(text, at)
            elif sign == "]":
                self._close_square(text, at)
            elif sign in ESCAPES:
                self.edits.append(Edit(at, at + 1, ""))
            elif self._open:
                self._mark(sign, at)

    def _close_round(self, text: str, at: int) -> None:
        """Close the last round bracket; square ones that were opened within it do not count."""
        while self._open:
            opening = self._open.pop()
            if opening.sign == "(":
                self.pairs.append(_pair(text, opening, at))
                return

    def _close_square(self, text: str, at: int) -> None:
        if self._open and self._open[-1].sign == "[":
            opening = self._open.pop()
            if SOMETHING.search(text, opening.at + 1, at):
                self.pairs.append(_pair(text, opening, at))

    def _mark(self, sign: str, at: int) -> None:
        if sign == "|":
            self._open[-1].alternates = True
        elif sign == ":":
            self._open[-1].colon = at


def _without_square_brackets(text: str) -> str:
    if "[" not in text:
        return text.replace("\\]", "]")
    brackets = Brackets()
    brackets.read(text)
    return _edited(text, [*brackets.edits, *_weighted(text, brackets.pairs)])


def _pair(text: str, opening: Opening, stop: int) -> Pair:
    colon = opening.colon
    has_weight = colon is not None and NUMBER.fullmatch(text, colon + 1, stop) is not None
    return Pair(
        start=opening.at,
        stop=stop,
        is_square=opening.sign == "[",
        weight_at=colon + 1 if colon is not None and has_weight else None,
        alternates=opening.alternates,
    )


def _weighted(text: str, pairs: Sequence[Pair]) -> Iterator[Edit]:
    levels, left_alone = [Level(stop=len(text))], -1
    for pair in sorted(pairs, key=lambda pair: pair.start):
        if pair.start < left_alone:
            continue
        if pair.is_editing:
            left_alone = pair.stop
            continue
        while levels[-1].stop < pair.start:
            levels.pop()
        outer = levels[-1]
        weight, lowered = outer.weight * pair.factor(text), outer.lowered or pair.is_square
        levels.append(Level(stop=pair.stop, weight=weight, lowered=lowered))
        yield from _edits(pair, levels[-1])


def _edits(pair: Pair, level: Level) -> Iterator[Edit]:
    if pair.is_square:
        yield Edit(pair.start, pair.start + 1, "(")
        yield Edit(pair.stop, pair.stop + 1, f":{_number(level.weight)})")
    elif pair.weight_at is not None and level.lowered:
        yield Edit(pair.weight_at, pair.stop, _number(level.weight))


def _number(weight: float) -> str:
    limited = min(max(weight, LEAST_WEIGHT), MOST_WEIGHT) if weight > 0 else max(weight, -MOST_WEIGHT)
    return f"{limited:.3f}".rstrip("0").rstrip(".")


def _edited(text: str, edits: Sequence[Edit]) -> str:
    parts, at = [], 0
    for edit in sorted(edits, key=lambda edit: edit.start):
        parts += [text[at : edit.start], edit.text]
        at = edit.stop
    return "".join([*parts, text[at:]])
