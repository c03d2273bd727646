"""Rules of faults for a stand-in, in the words of the control plane: each stands for one of its own faults."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from itertools import count

from civitai_mock.comfyui_standin.faults import NO_FAULTS, FaultControl
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.delays import FixedDelay
from civitai_mock.domain.errors import NotFoundError, fault
from civitai_mock.domain.faults.actions import (
    Answer,
    BlobState,
    Broken,
    CallbackMishap,
    DelayAnswer,
    Effect,
    FailJob,
    PresetEffect,
    PresetWord,
    StickJob,
)
from civitai_mock.domain.faults.conditions import Condition
from civitai_mock.domain.faults.rules import FaultRule, parse_rule
from civitai_mock.domain.json_types import Json, JsonObject

ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)  # no rule of a stand-in ends by itself
ALWAYS = 10**9
PROMPT, VIEW, SOCKET = "/prompt", "/view", "/ws"
SAMPLER = "KSampler"
WRONG_STATUS = 500
KNOWN = "status 500, reset, halfBody, delay, fail, stick, lost, duplicate, reorder, drop and the preset stream-deaf"
# What counts down how often it happens, by the word of its action, with the route that it is about.
COUNTED: Mapping[str, tuple[str, str]] = {
    Broken.RESET: ("lost_answers", PROMPT),
    Broken.HALF_BODY: ("half_images", VIEW),
    BlobState.LOST: ("missing_images", VIEW),
}
# What becomes of messages.
LASTING: Mapping[str, str] = {
    CallbackMishap.DUPLICATE: "duplicated",
    CallbackMishap.REORDER: "shuffled",
    CallbackMishap.DROP: "unannounced",
}
SCOPE = ("probability", "after", "every", "forSeconds", "until", "enabled")


@dataclass(frozen=True, slots=True, kw_only=True)
class StandinRule:
    """Is a rule as it was sent, and what it sets of the stand-in's faults; `counter` is the one that counts down."""

    rule: FaultRule
    changes: Mapping[str, Json]
    counter: str | None
    route: str | None

    @property
    def times(self) -> int:
        return self.rule.scope.times or ALWAYS


class StandinRules:
    """Keeps rules in their order; what one sets of the stand-in's faults, the next one may set anew."""

    def __init__(self, control: FaultControl) -> None:
        self._control = control
        self._rules: dict[str, StandinRule] = {}
        self._numbers = count(1)

    def add(self, document: Json) -> JsonObject:
        """Set what a rule says; raise `InvalidRequestError` for one that no stand-in can obey."""
        rule = parse_rule(document, rule_id=f"fault-{next(self._numbers)}", set_at=ANY_TIME)
        found = _standin_rule(rule)
        self._control.set(**found.changes)
        self._rules[rule.id] = found
        return self._shown(found)

    def items(self) -> Sequence[JsonObject]:
        return [self._shown(rule) for rule in self._rules.values()]

    def get(self, rule_id: str) -> JsonObject:
        """Return a rule; raise `NotFoundError` if there is none with this id."""
        return self._shown(self._found(rule_id))

    def remove(self, rule_id: str) -> None:
        """Take back what a rule has set; raise `NotFoundError` if there is none with this id."""
        rule = self._found(rule_id)
        self._control.set(**{name: getattr(NO_FAULTS, name) for name in rule.changes})
        del self._rules[rule_id]

    def clear(self) -> None:
        """Clear all faults, also those that no rule has set."""
        self._rules.clear()
        self._control.clear()

    def _found(self, rule_id: str) -> StandinRule:
        rule = self._rules.get(rule_id)
        if rule is None:
            raise NotFoundError(f"There is no rule '{rule_id[:100]}'.")
        return rule

    def _shown(self, found: StandinRule) -> JsonObject:
        shown: JsonObject = {"id": found.rule.id, **found.rule.document}
        if found.counter is not None:
            left = min(int(getattr(self._control.current, found.counter)), found.times)
            shown["hits"] = found.times - left
            if found.rule.scope.times is not None:
                shown["left"] = left
        return shown


def _standin_rule(rule: FaultRule) -> StandinRule:
    unknown = next((name for name in SCOPE if name in rule.document), None)
    if unknown is not None:
        raise fault(unknown, f"A stand-in takes no {unknown}; how often a rule fires is said by times.")
    effects = rule.action.effects
    found = _read_effect(rule, effects[0]) if len(effects) == 1 else None
    if found is None:
        raise fault("action", f"A stand-in has no such fault; it has {KNOWN}.")
    others = rule.match.conditions - {Condition.ROUTE}
    if others or rule.match.route not in {None, found.route}:
        name = next(iter(others), Condition.ROUTE)
        raise fault(
            f"match.{name}", f"A stand-in matches the route {found.route} alone." if found.route else "No match."
        )
    if found.counter is None and rule.scope.times is not None:
        raise fault("times", "This lasts until its rule is removed.")
    return found


def _read_effect(rule: FaultRule, effect: Effect) -> StandinRule | None:
    """Return what an effect sets of the stand-in's own faults; None if there is nothing like it."""
    match effect:
        case Answer(status=status) if status == WRONG_STATUS:
            return _counted(rule, "prompt_errors", PROMPT)
        case DelayAnswer(FixedDelay() as delay):
            return _lasting(rule, "slow_seconds", delay.duration.total_seconds())
        case StickJob():
            return _lasting(rule, "stuck", True)
        case PresetEffect(PresetWord.DEAF):
            return _lasting(rule, "deaf", True, route=SOCKET)
        case FailJob():
            return _failing(rule, effect)
    return _read_word(rule, effect) if isinstance(effect, StrEnum) else None


def _read_word(rule: FaultRule, word: StrEnum) -> StandinRule | None:
    if word in COUNTED:
        return _counted(rule, *COUNTED[word])
    return _lasting(rule, LASTING[word], True, route=SOCKET) if word in LASTING else None


def _counted(rule: FaultRule, name: str, route: str) -> StandinRule:
    return StandinRule(rule=rule, changes={name: rule.scope.times or ALWAYS}, counter=name, route=route)


def _lasting(rule: FaultRule, name: str, value: Json, *, route: str | None = None) -> StandinRule:
    return StandinRule(rule=rule, changes={name: value}, counter=None, route=route)


def _failing(rule: FaultRule, effect: FailJob) -> StandinRule:
    """Have the nodes of a class fail; a class that is not said is that of samplers."""
    changes: JsonObject = {
        "failing_class": effect.class_type or SAMPLER,
        "failing_times": rule.scope.times or ALWAYS,
        "failing_type": effect.error or NO_FAULTS.failing_type,
        "failing_message": effect.message or NO_FAULTS.failing_message,
    }
    return StandinRule(rule=rule, changes=changes, counter="failing_times", route=None)
