"""Verify what was asked of a server: how often, and in which order, requests came that match."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Self

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.fault_presets import Hook
from civitai_mock.domain.faults.conditions import (
    AT_HOOKS,
    MATCH,
    OF_WORK,
    FaultSubject,
    Match,
    read_conditions,
    read_match,
)
from civitai_mock.domain.json_types import Json, JsonObject, ReadOnlyJson, as_list, as_number, as_text
from civitai_mock.domain.members import Members, read_members

COUNT, ORDER, WITHIN, LEAST, MOST = "count", "order", "within", "min", "max"
MOST_REQUESTS = 10**9
MOST_STEPS = 100
LONGEST_WITHIN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """Is what is expected: `least` to `most` requests that match, and some that match one after the other.

    `document` is what was sent.
    """

    match: Match
    least: int
    most: int | None
    order: Sequence[Match]
    within: timedelta
    document: JsonObject

    @property
    def routes(self) -> frozenset[str]:
        """Return the routes that are named."""
        return frozenset(match.route for match in (self.match, *self.order) if match.route is not None)

    @property
    def expected_count(self) -> Json:
        """Return how many requests are to match, as it was said; if nothing was, at least one."""
        said = self.document.get(COUNT)
        return {LEAST: self.least} if said is None else said

    @property
    def shown_count(self) -> str:
        """Return how many requests are to match, in words."""
        if self.least == self.most:
            return f"{self.least} requests"
        least = f"at least {self.least}" if self.least or self.most is None else ""
        most = "" if self.most is None else f"at most {self.most}"
        return f"{' and '.join(filter(None, (least, most)))} requests"

    @property
    def waits_to_the_end(self) -> bool:
        """Return whether only the end of the time shows that no request came too many."""
        return self.least == 0 and self.most is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Is a request of the journal; of one that is not whole, it is unknown what its body asked for."""

    id: str
    method: str
    path: str
    subject: FaultSubject
    is_whole: bool = True

    def matches(self, match: Match) -> bool | None:
        """Return whether it matches; None if that depends on what is unknown."""
        if self.is_whole or match.conditions.isdisjoint(OF_WORK):
            return match.first_failed(self.subject) is None
        known = replace(match, type=None, model=None, ecosystem=None, prompt=None, image_given=None)
        return None if known.first_failed(self.subject) is None else False


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Is what was found in a journal, or in several: how many requests match, and perhaps do.

    `steps` has the id of each request that matches in the order, or perhaps does, and the numbers of what it matches.
    The journal `is_whole` if none of its entries had to go.
    """

    count: int = 0
    unknown: int = 0
    steps: Sequence[tuple[str, frozenset[int]]] = ()
    unknown_steps: frozenset[int] = frozenset()
    is_whole: bool = True

    @classmethod
    def of_all(cls, findings: "Iterable[Findings]", *, is_whole: bool) -> Self:
        """Return what was found in several journals; `is_whole` says whether these are all."""
        found = list(findings)
        return cls(
            count=sum(each.count for each in found),
            unknown=sum(each.unknown for each in found),
            steps=sorted(step for each in found for step in each.steps),
            unknown_steps=frozenset().union(*(each.unknown_steps for each in found)),
            is_whole=is_whole and all(each.is_whole for each in found),
        )

    @classmethod
    def of(cls, document: ReadOnlyJson) -> Self:
        """Read what `document` returned, in this process or another one."""
        steps = [as_list(step) for step in as_list(document.get("steps"))]
        return cls(
            count=int(as_number(document.get("count")) or 0),
            unknown=int(as_number(document.get("unknown")) or 0),
            steps=[(as_text(seen_id), _numbers(numbers)) for seen_id, numbers in steps],
            unknown_steps=_numbers(document.get("unknownSteps")),
            is_whole=document.get("isWhole") is True,
        )

    def document(self) -> JsonObject:
        steps: list[Json] = [[seen_id, [*sorted(numbers)]] for seen_id, numbers in self.steps]
        return {
            "count": self.count,
            "unknown": self.unknown,
            "steps": steps,
            "unknownSteps": [*sorted(self.unknown_steps)],
            "isWhole": self.is_whole,
        }


def _numbers(value: Json) -> frozenset[int]:
    return frozenset(number for number in as_list(value) if isinstance(number, int))


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Says whether what was expected came; if not, `failed` is the match that too few requests met, by its name.

    `reached` is how many steps of the order were met, `last_id` the request that met the last one. What is missing
    `is_incomplete` if it may have come all the same.
    """

    expectation: Expectation
    count: int
    reached: int
    last_id: str | None
    fails_count: bool
    fails_order: bool
    is_incomplete: bool

    @property
    def passes(self) -> bool:
        return not (self.fails_count or self.fails_order)

    @property
    def is_final(self) -> bool:
        """Return whether no request to come can change it."""
        most = self.expectation.most
        if most is not None and self.count > most:
            return True
        return self.passes and not self.expectation.waits_to_the_end

    def cut_short(self) -> "Verdict":
        """Return what is left of it if nobody waited to the end: what only the end would have shown is unknown."""
        if self.is_final or not self.passes:
            return self
        return replace(self, fails_count=True, is_incomplete=True)

    @property
    def missed(self) -> tuple[str, Json]:
        """Return the match that is to be held against the nearest requests, by its name and as it was sent."""
        document = self.expectation.document
        if self.fails_count:
            return MATCH, document.get(MATCH)
        return f"{ORDER}[{self.reached}]", as_list(document.get(ORDER))[self.reached]


def parse_expectation(value: Json, *, routes: Collection[str] | None = None) -> Expectation:
    """Read what is expected; raise `InvalidRequestError` with the paths of all that is wrong.

    Without a count or an order, at least one request has to match.
    """

    def parse(members: Members) -> Expectation:
        match, order = read_match(members, routes=routes), _read_order(members, routes)
        _check(members, MATCH, match)
        least, most = _read_count(members)
        within = members.duration(WITHIN)
        if within is not None and within > LONGEST_WITHIN:
            members.note(WITHIN, f"Expected a duration of at most {LONGEST_WITHIN.total_seconds() / 60:g}m.")
        if least is None:
            least = 0 if most is not None or (order and MATCH not in members) else 1
        return Expectation(
            match=match,
            least=least,
            most=most,
            order=order,
            within=within or timedelta(0),
            document=value if isinstance(value, dict) else {},
        )

    return read_members(value, parse)


def parse_match(value: Json) -> Match:
    """Read one match, which was read before as a part of an expectation."""
    return read_members(value, lambda members: read_conditions(members, routes=None))


def _read_count(members: Members) -> tuple[int | None, int | None]:
    if not isinstance(members.value(COUNT), dict):
        exactly = members.whole(COUNT, least=0, most=MOST_REQUESTS)
        return exactly, exactly
    inner = members.inner(COUNT)
    if inner is None:
        return None, None
    least, most = (inner.whole(name, least=0, most=MOST_REQUESTS) for name in (LEAST, MOST))
    if not inner.names:
        inner.note("", f"Expected at least one of {LEAST}, {MOST}.")
    if least is not None and most is not None and least > most:
        inner.note(MOST, f"Expected at least {LEAST}, which is {least}; found {most}.")
    return least, most


def _read_order(members: Members, routes: Collection[str] | None) -> Sequence[Match]:
    steps = members.each(ORDER, most=MOST_STEPS)
    if steps is not None and not steps:
        members.note(ORDER, "Expected at least one match.")
    order = [read_conditions(step, routes=routes) for step in steps or ()]
    for number, match in enumerate(order):
        _check(members, f"{ORDER}[{number}]", match)
    return order


def _check(members: Members, name: str, match: Match) -> None:
    for condition in match.conditions - AT_HOOKS[Hook.REQUEST]:
        members.note(f"{name}.{condition}", "No request has this, so that none would ever match.")


def find(expectation: Expectation, requests: Iterable[Seen], *, is_whole: bool) -> Findings:
    """Return what is found of an expectation among requests, in the order in which they came."""
    count = unknown = 0
    steps: list[tuple[str, frozenset[int]]] = []
    unknown_steps: set[int] = set()
    for seen in requests:
        matches = seen.matches(expectation.match)
        count += matches is True
        unknown += matches is None
        met = {number: seen.matches(match) for number, match in enumerate(expectation.order)}
        if numbers := frozenset(number for number, holds in met.items() if holds):
            steps.append((seen.id, numbers))
        unknown_steps.update(number for number, holds in met.items() if holds is None)
    return Findings(
        count=count, unknown=unknown, steps=steps, unknown_steps=frozenset(unknown_steps), is_whole=is_whole
    )


def judge(expectation: Expectation, found: Findings) -> Verdict:
    """Return whether what was expected came; what may have come, or may be too much, does not pass."""
    least, most, count = expectation.least, expectation.most, found.count
    reached, last_id = 0, None
    for seen_id, numbers in found.steps:
        if reached in numbers:
            reached, last_id = reached + 1, seen_id
    fails_order = reached < len(expectation.order)
    may_be_more = not found.is_whole or found.unknown > 0
    is_too_much = most is not None and count > most
    may_be_too_much = most is not None and may_be_more and (not found.is_whole or count + found.unknown > most)
    may_suffice = not found.is_whole or count + found.unknown >= least
    may_be_in_order = not found.is_whole or reached in found.unknown_steps
    is_sure_to_fail = is_too_much or (count < least and not may_suffice) or (fails_order and not may_be_in_order)
    fails_count = is_too_much or count < least or may_be_too_much
    return Verdict(
        expectation=expectation,
        count=count,
        reached=reached,
        last_id=last_id,
        fails_count=fails_count,
        fails_order=fails_order,
        is_incomplete=(fails_count or fails_order) and not is_sure_to_fail,
    )
