"""Near misses: the requests that nearly met what was expected, and how each differs first."""

from collections.abc import Callable, Iterable, Sequence
from typing import Self, TypeAlias

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.faults.conditions import OF_WORK, Condition, Contains, FaultSubject, Match, TextCondition
from civitai_mock.domain.json_types import JsonObject, ReadOnlyJson, as_number, as_text
from civitai_mock.domain.verification import Seen

NEAREST = 3
LONGEST_SHOWN = 200
NONE = "none"

Hide: TypeAlias = Callable[[str, str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMiss:
    """Is a request that nearly matches: how many conditions it meets, and how it differs in the first it does not."""

    id: str
    method: str
    path: str
    met: int
    difference: str

    @classmethod
    def of(cls, document: ReadOnlyJson) -> Self:
        """Read what `document` returned, in this process or another one."""
        seen_id, method, path, difference = (
            as_text(document.get(name)) for name in ("id", "method", "path", "difference")
        )
        met = int(as_number(document.get("met")) or 0)
        return cls(id=seen_id, method=method, path=path, met=met, difference=difference)

    def shown(self) -> JsonObject:
        return {"id": self.id, "method": self.method, "path": self.path, "difference": self.difference}

    def document(self) -> JsonObject:
        return {**self.shown(), "met": self.met}


def nearest(found: Iterable[NearMiss]) -> Sequence[NearMiss]:
    """Return those that meet most conditions, the youngest first."""
    youngest_first = sorted(found, key=lambda each: each.id, reverse=True)
    return sorted(youngest_first, key=lambda each: each.met, reverse=True)[:NEAREST]


def near_misses(name: str, match: Match, requests: Iterable[Seen], *, hide: Hide) -> Sequence[NearMiss]:
    """Return the requests that are nearest to a match with this name; those that meet it are the nearest.

    `hide` returns the value of a member or header of this name without what is secret in it.
    """
    kept: list[NearMiss] = []
    for seen in requests:
        checks = list(match.checks(seen.subject))
        failed = next((condition for condition, holds in checks if not holds), None)
        met = sum(holds for _, holds in checks)
        least = kept[-1].met if len(kept) == NEAREST else -1
        if met >= least:
            difference = "it matches" if failed is None else _difference(name, match, failed, seen, hide)
            near = NearMiss(id=seen.id, method=seen.method, path=seen.path, met=met, difference=difference)
            kept = list(nearest([*kept, near]))
    return kept


def _difference(name: str, match: Match, failed: Condition, seen: Seen, hide: Hide) -> str:
    if not seen.is_whole and failed in OF_WORK:
        return f"{name}.{failed}: the body was too large to be kept"
    if failed is Condition.HEADER:
        headers = seen.subject.headers
        header, wanted = next((each, value) for each, value in match.headers.items() if headers.get(each) != value)
        found = _quoted(hide(header, headers[header])) if header in headers else NONE
        return f"{name}.{failed}.{header}: expected {_quoted(hide(header, wanted))}, found {found}"
    wanted, found = _sides(match, failed, seen.subject)
    return f"{name}.{failed}: expected {wanted}, found {hide(failed, found)}"


def _sides(match: Match, failed: Condition, subject: FaultSubject) -> tuple[str, str]:
    """Return what is asked for by a condition, and what there is instead."""
    sides: dict[Condition, tuple[str, str]] = {
        Condition.METHOD: (_quoted(match.method), _quoted(subject.method)),
        Condition.ROUTE: (_quoted(match.route), _quoted(subject.route)),
        Condition.TYPE: (_quoted(match.type), _listed(subject.types)),
        Condition.MODEL: (_quoted(match.model), _listed(subject.models)),
        Condition.ECOSYSTEM: (_quoted(match.ecosystem), _listed(subject.ecosystems)),
        Condition.PROMPT: (_text_condition(match.prompt), _listed(subject.prompts)),
        Condition.IMAGE_GIVEN: (str(match.image_given).lower(), str(subject.image_given or False).lower()),
    }
    return sides[failed]


def _text_condition(condition: TextCondition | None) -> str:
    if condition is None:
        return NONE
    return f"{'a text with' if isinstance(condition, Contains) else 'the pattern'} {_quoted(condition.text)}"


def _listed(texts: Sequence[str]) -> str:
    return ", ".join(map(_quoted, texts)) or NONE


def _quoted(text: str | None) -> str:
    if text is None:
        return NONE
    return f"'{text}'" if len(text) <= LONGEST_SHOWN else f"'{text[:LONGEST_SHOWN]}…'"
