"""Which rule fires: the header's, else the first of the namespace, else the first of the server that matches.

One rule wins at each hook, and only for it the dice fall. Whoever asks counts matches and hits, wherever they are kept.
"""

from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.fault_presets import Target
from civitai_mock.domain.faults.conditions import MATCH, Contains, FaultSubject
from civitai_mock.domain.faults.rules import TERM, FaultRule

Dice: TypeAlias = Callable[[FaultRule, int], float]  # 0 to 1 for a rule and the number of its match
Now: TypeAlias = Callable[[FaultRule], datetime]  # the time by the clock that a rule goes by

NO_TURNS: Mapping[str, str] = {}


class Counted(StrEnum):
    """Names what is counted of a rule."""

    MATCHES = "matches"
    HITS = "hits"


class Missed(StrEnum):
    """Says why a rule did not fire, where no condition of its match failed."""

    ENABLED = "enabled"
    PRESET = "preset"  # what its preset is about is something else
    ENDED = "until"
    TIMES = "times"
    TURN = "every"
    PROBABILITY = "probability"
    STORE = "store"  # nobody could count


@dataclass(frozen=True, slots=True)
class Count:
    """Asks to add one to a counter of a rule, and for the sum."""

    rule: FaultRule
    counted: Counted


@dataclass(frozen=True, slots=True)
class Look:
    """Says of a rule that was looked at what failed first, like `match.method`; None for the one that fires."""

    rule: FaultRule
    failed: str | None


@dataclass(frozen=True, slots=True)
class Choice:
    """Is the rule that fires, if one does, and all that were looked at, in their order."""

    rule: FaultRule | None
    looks: tuple[Look, ...]

    @property
    def has_winner(self) -> bool:
        """Return whether a rule fires, or would have if the dice had fallen otherwise."""
        return self.rule is not None or any(look.failed == Missed.PROBABILITY for look in self.looks)

    def after(self, before: "Choice") -> "Choice":
        """Return the same with what was looked at before; what was looked at again stands in its old place."""
        return Choice(self.rule, tuple({look.rule.id: look for look in (*before.looks, *self.looks)}.values()))

    @property
    def turns(self) -> Mapping[str, str]:
        """Return, by the ids of rules that matched and whose turn it was not, why they did not fire."""
        return {look.rule.id: look.failed for look in self.looks if look.failed in {Missed.TURN, Missed.PROBABILITY}}


Choosing: TypeAlias = Generator[Count, int, Choice]


def choose(
    rules: Iterable[FaultRule],
    subject: FaultSubject,
    *,
    now: Now,
    dice: Dice,
    spent: Collection[str] = (),
    turns: Mapping[str, str] = NO_TURNS,
) -> Choosing:
    """Choose among rules in their order; yield what is to be counted, and return the choice.

    Rules that take hold elsewhere are not looked at. `spent` has the ids of rules that are known to have fired as often
    as they may. A rule that has, unknown to that, is found out when its hit is counted: the next one has its turn.
    `turns` say, by the ids of rules, why they did not fire when the same subject came to them before: each has one turn
    with it. Whoever cannot count throws `TransientError` in: then the rule pauses, as it may have fired as often as it
    may.
    """
    looks: list[Look] = []
    for rule in rules:
        if subject.hook not in rule.hooks:
            continue
        failed = first_failed(rule, subject, now(rule))
        if failed is None and rule.id in spent:
            failed = Missed.TIMES
        if failed is None:
            failed = turns.get(rule.id)
        if failed is None:
            failed = yield from _take_turn(rule, dice)
        looks.append(Look(rule, failed))
        if failed is None or failed == Missed.PROBABILITY:
            return Choice(rule if failed is None else None, tuple(looks))
    return Choice(None, tuple(looks))


def advance(choosing: Choosing, counted: int | TransientError | None) -> Count | Choice:
    """Go on with a choice, and return what is to be counted next, or the choice.

    What was `counted` last is None at the beginning, and the error where nobody could count.
    """
    try:
        if isinstance(counted, TransientError):
            return choosing.throw(counted)
        return next(choosing) if counted is None else choosing.send(counted)
    except StopIteration as end:
        choice: Choice = end.value
        return choice


def first_failed(rule: FaultRule, subject: FaultSubject, now: datetime) -> str | None:
    """Return what keeps a rule from a match, as the journal names it; None if it matches."""
    if not rule.is_enabled:
        return Missed.ENABLED
    if rule.scope.ends_at is not None and now >= rule.scope.ends_at:
        return Missed.ENDED
    if (condition := rule.match.first_failed(subject)) is not None:
        return f"{MATCH}.{condition}"
    return None if _is_about(rule, subject) else Missed.PRESET


def _is_about(rule: FaultRule, subject: FaultSubject) -> bool:
    """Return whether a request, or whatever is met, is what the preset of a rule is about."""
    preset = rule.preset
    if preset is None:
        return True
    fits = not preset.fits or any(_is_target(target, rule, subject) for target in preset.fits)
    return fits and preset.is_seen_in(subject.version)


def _is_target(target: Target, rule: FaultRule, subject: FaultSubject) -> bool:
    if target is not Target.PROMPT_WITH_TERM:
        return target in subject.targets
    term = Contains(str(rule.param(TERM)))
    return subject.method == "POST" and any(term.is_in(prompt) for prompt in subject.prompts)


def _take_turn(rule: FaultRule, dice: Dice) -> Generator[Count, int, Missed | None]:
    """Return why a rule that matches does not fire; None if it does."""
    try:
        return (yield from _count_turn(rule, dice))
    except TransientError:
        return Missed.STORE


def _count_turn(rule: FaultRule, dice: Dice) -> Generator[Count, int, Missed | None]:
    scope = rule.scope
    if scope.counts_matches:
        seen = yield Count(rule, Counted.MATCHES)
        if not scope.is_turn(seen):
            return Missed.TURN
        if dice(rule, seen) >= scope.probability:
            return Missed.PROBABILITY
    if scope.times is not None:
        hits = yield Count(rule, Counted.HITS)
        if scope.is_spent(hits - 1):
            return Missed.TIMES
    return None
