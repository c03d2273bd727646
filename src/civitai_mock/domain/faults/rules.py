"""Rules of faults: what is matched, what is done, and how often; read from JSON, or from a header for one request."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property

from civitai_mock.domain.clock_state import added
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import InvalidRequestError, fault, invalid
from civitai_mock.domain.fault_presets import (
    FaultPreset,
    Hook,
    ParamType,
    ParamValue,
    PresetParam,
    Target,
    fault_presets,
)
from civitai_mock.domain.faults.actions import (
    LOOK_AT_JOBS,
    LOOK_AT_REQUESTS,
    NO_ACTION,
    Action,
    PresetEffect,
    PresetWord,
    read_action,
    read_preset_action,
)
from civitai_mock.domain.faults.conditions import AT_HOOKS, MATCH, Condition, Match, read_match
from civitai_mock.domain.json_types import Json, JsonObject, ReadOnlyJson, as_object
from civitai_mock.domain.members import Members, read_members
from civitai_mock.domain.nearest import did_you_mean

HEADER = "X-Mock-Fault"
LONGEST_HEADER = 2000
PRESET, PARAMS, ACTION, ENABLED = "preset", "params", "action", "enabled"
TERM = "term"  # the param of presets about a prompt
TOLD_BACK = ("id", "hits", "left", "lastHitAt")  # taken with a rule that was told, and not obeyed
NAMING = frozenset({PresetWord.EARLY_ACCESS})  # what says of which model it speaks
NEVER_OVER = datetime.min.replace(tzinfo=UTC)  # when rules of headers, which last for one request, are set
LONGEST_SECONDS = 10 * 365 * 24 * 3600
MOST_TIMES = 10**9
NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Says how often a rule fires: on each `every`-th match that comes `after` so many, so likely, so many `times`.

    `ends_at` is the first moment in which it does not fire any more.
    """

    probability: float = 1.0
    times: int | None = None
    after: int = 0
    every: int = 1
    ends_at: datetime | None = None

    @property
    def counts_matches(self) -> bool:
        """Return whether it matters how many matches there were."""
        return self.after > 0 or self.every > 1 or self.probability < 1

    def is_turn(self, seen: int) -> bool:
        """Return whether the match that is the `seen`-th one may fire, the first being 1."""
        return seen > self.after and (seen - self.after) % self.every == 0

    def is_spent(self, fired: int) -> bool:
        """Return whether a rule that has fired so many times does not fire once more."""
        return self.times is not None and fired >= self.times


@dataclass(frozen=True, kw_only=True)
class FaultRule:
    """Is a rule, by its id; that of a header has the name of its preset as id.

    A rule with a preset hits only what the preset is about. `document` is what was sent, without what is told back.
    """

    id: str
    match: Match
    action: Action
    preset: FaultPreset | None
    scope: Scope
    is_enabled: bool
    document: ReadOnlyJson

    @cached_property
    def hooks(self) -> frozenset[Hook]:
        """Return where this takes hold, with all its conditions."""
        return frozenset(hook for hook in self.action.hooks if _has_all(hook, self.match))

    @cached_property
    def needs(self) -> frozenset[Condition | Target]:
        """Return what has to be known of a subject to choose the rule, and to do what it says."""
        targets = () if self.preset is None else self.preset.fits
        names_model = any(isinstance(effect, PresetEffect) and effect.word in NAMING for effect in self.action.effects)
        return frozenset((*self.match.conditions, *targets, *([Condition.MODEL] if names_model else [])))

    def is_on(self, now: datetime) -> bool:
        """Return whether it may fire at this time, if it has not fired as often as it may."""
        return self.is_enabled and (self.scope.ends_at is None or now < self.scope.ends_at)

    def param(self, name: str) -> ParamValue | None:
        """Return a param of the preset, as it was sent or by default; None if it has none of this name."""
        param = None if self.preset is None else self.preset.params.get(name)
        sent = as_object(self.document.get(PARAMS)).get(name)
        return None if param is None else sent if param.takes(sent) else param.default


def parse_rule(value: Json, *, rule_id: str, set_at: datetime, routes: Collection[str] | None = None) -> FaultRule:
    """Read a rule; raise `InvalidRequestError` with the paths of all that is wrong.

    `routes` are the paths that a match may name, if they are to be checked: what was stored is not. The rule ends
    `forSeconds` after it was set.
    """

    def parse(members: Members) -> FaultRule:
        match = read_match(members, routes=routes)
        preset, action = _read_what(members)
        _check_conditions(members, match, action)
        return FaultRule(
            id=rule_id,
            match=match,
            action=action,
            preset=preset,
            scope=_read_scope(members, set_at),
            is_enabled=members.flag(ENABLED) is not False,
            document={name: member for name, member in as_object(value).items() if name not in TOLD_BACK},
        )

    return read_members(value, parse)


def read_step(
    members: Members, *, rule_id: str, document: ReadOnlyJson, routes: Collection[str] | None = None
) -> FaultRule:
    """Read what a state of a scenario has of a rule: what it matches and, unless it only looks, what it does.

    What only looks meets requests; or jobs, if it asks for their attempt.
    """
    match = read_match(members, routes=routes)
    preset, action = None, LOOK_AT_JOBS if Condition.ATTEMPT in match.conditions else LOOK_AT_REQUESTS
    if PRESET in members or ACTION in members:
        preset, action = _read_what(members)
    if preset is not None and not preset.is_available:
        members.note(PRESET, _not_available(preset))
    _check_conditions(members, match, action)
    return FaultRule(
        id=rule_id, match=match, action=action, preset=preset, scope=Scope(), is_enabled=True, document=document
    )


def parse_fault_header(text: str) -> FaultRule:
    """Read `blob-late; seconds=5`; raise `InvalidRequestError` at the header for anything else."""
    if len(text) > LONGEST_HEADER:
        raise fault(HEADER, f"Expected at most {LONGEST_HEADER} characters.")
    name, *rest = [part.strip() for part in text.split(";")]
    preset = fault_presets().get(name)
    if preset is None:
        raise fault(HEADER, _unknown_preset(name))
    params: dict[str, Json] = {}
    for part in rest:
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals:
            raise fault(HEADER, f"Expected '<preset>; name=value'; found '{part[:100]}'.")
        if key in params:
            raise fault(HEADER, f"'{key[:100]}' is there twice.")
        known = preset.params.get(key)
        params[key] = value if known is None else param_from_text(value, known)
    document: JsonObject = {PRESET: name, **({PARAMS: params} if params else {})}
    try:
        return parse_rule(document, rule_id=name, set_at=NEVER_OVER)
    except InvalidRequestError as error:
        raise invalid({HEADER: list(_of_header(error))}) from error


def _of_header(error: InvalidRequestError) -> Iterator[str]:
    """Yield what is wrong, each with the name of its param."""
    for path, messages in error.errors.items():
        name = path.removeprefix(f"{PARAMS}.") if path.startswith(f"{PARAMS}.") else ""
        yield from (f"{name}: {message}" if name else message for message in messages)


def check_available(rule: FaultRule, *, path: str = PRESET) -> None:
    """Raise `InvalidRequestError` for a rule whose preset nothing can do yet."""
    if rule.preset is not None and not rule.preset.is_available:
        raise fault(path, _not_available(rule.preset))


def _not_available(preset: FaultPreset) -> str:
    return f"The preset '{preset.name}' is not available yet; /_mock/presets tells which are."


def _read_what(members: Members) -> tuple[FaultPreset | None, Action]:
    kind = members.exactly_one(PRESET, ACTION)
    if kind == ACTION:
        return None, read_action(members, ACTION)
    if kind is None:
        return None, NO_ACTION
    name = members.text(PRESET)
    preset = None if name is None else fault_presets().get(name)
    if name is None or preset is None:
        members.value(PARAMS)  # which cannot be known
        if name is not None:
            members.note(PRESET, _unknown_preset(name))
        return None, NO_ACTION
    return preset, _filled_action(members, preset, _read_params(members, preset))


def _unknown_preset(name: str) -> str:
    return f"Unknown preset '{name[:100]}'; /_mock/presets lists all.{did_you_mean(name, fault_presets())}"


def _read_params(members: Members, preset: FaultPreset) -> Mapping[str, ParamValue]:
    inner = members.inner(PARAMS)
    if inner is None:
        return {}
    params: dict[str, ParamValue] = {}
    for name, param in preset.params.items():
        value = inner.value(name)
        if param.takes(value):
            params[name] = value
        elif value is not None:
            inner.note_expected(name, param.expected)
    return params


def _filled_action(members: Members, preset: FaultPreset, params: Mapping[str, ParamValue]) -> Action:
    """Return the action of a preset; params that do not go together are a fault of the params."""
    try:
        return read_members(preset.filled_action(params), lambda found: read_preset_action(found, hook=preset.hook))
    except InvalidRequestError as error:
        for messages in error.errors.values():
            for message in messages:
                members.note(PARAMS, message)
        return NO_ACTION


def _check_conditions(members: Members, match: Match, action: Action) -> None:
    """Note conditions that can never hold where the action takes hold."""
    hooks = " or ".join(sorted(action.hooks))
    never = [
        condition for condition in match.conditions if not any(condition in AT_HOOKS[hook] for hook in action.hooks)
    ]
    for condition in never:
        members.note(f"{MATCH}.{condition}", f"No {hooks} has this, so that the rule would never fire.")
    if not never and not any(_has_all(hook, match) for hook in action.hooks):
        members.note(MATCH, f"No {hooks} has all of this, so that the rule would never fire.")


def _read_scope(members: Members, set_at: datetime) -> Scope:
    probability = members.number("probability", least=0, most=1)
    lasts = members.number("forSeconds", least=0.001, most=LONGEST_SECONDS)
    until = members.date("until")
    ends = [moment for moment in (until, _later(set_at, lasts)) if moment is not None]
    for name in TOLD_BACK:
        members.value(name)
    return Scope(
        probability=1.0 if probability is None else probability,
        times=members.whole("times", least=1, most=MOST_TIMES),
        after=members.whole("after", least=0, most=MOST_TIMES) or 0,
        every=members.whole("every", least=1, most=MOST_TIMES) or 1,
        ends_at=min(ends, default=None),
    )


def _later(set_at: datetime, seconds: float | None) -> datetime | None:
    return None if seconds is None else added(set_at, timedelta(seconds=seconds))


def param_from_text(text: str, param: PresetParam) -> Json:
    """Return a param as it is meant by a text; one that is not of its type stays a text, and is refused as such."""
    if param.type is ParamType.BOOLEAN:
        return {"true": True, "false": False}.get(text.lower(), text)
    if param.type is ParamType.TEXT:
        return text
    if not NUMBER.fullmatch(text):
        return text
    return float(text) if "." in text else int(text)


def needs_of_requests(rules: Iterable[FaultRule]) -> frozenset[Condition | Target]:
    """Return what has to be known of a request to choose among rules."""
    return frozenset(need for rule in rules if Hook.REQUEST in rule.hooks for need in rule.needs)


def _has_all(hook: Hook, match: Match) -> bool:
    return match.conditions <= AT_HOOKS[hook]
