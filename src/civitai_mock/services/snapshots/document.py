"""What a snapshot has of the record of a namespace: all that was set for it, but for its tokens.

Tokens say which requests come into a namespace, so they stay with that, as at a reset.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from civitai_mock.domain.clock_setting import CLOCK, ClockSetting, stored_clock
from civitai_mock.domain.clock_state import FASTEST, SLOWEST, ClockMode, is_date
from civitai_mock.domain.errors import InvalidRequestError, fault
from civitai_mock.domain.json_types import Json, JsonObject, ReadOnlyJson, as_list
from civitai_mock.domain.money import read_balances
from civitai_mock.domain.namespaces import check_name
from civitai_mock.domain.nearest import unknown_name
from civitai_mock.domain.progress_modes import parse_progress_mode
from civitai_mock.services.balances import BALANCE
from civitai_mock.services.faults.edit_rules import LAST_RULE
from civitai_mock.services.faults.firing import SCENARIOS
from civitai_mock.services.faults.parsed_rules import PREFIX, parse_stored_rule
from civitai_mock.services.faults.scenarios import parse_stored_scenario
from civitai_mock.services.fleet.edit import check_stored_fleet
from civitai_mock.services.fleet_policy import FLEET
from civitai_mock.services.namespace_ids import SEED
from civitai_mock.services.namespaces import TOKENS
from civitai_mock.services.progress_policy import PAUSED, PROGRESS
from civitai_mock.services.rule_counters import RULES
from civitai_mock.services.snapshots.format import DOCUMENT
from civitai_mock.services.styles import STYLES, check_styles


def saved_document(document: ReadOnlyJson, *, now: datetime) -> JsonObject:
    """Return what is saved: a clock that goes on by itself is where it is `now`, in real time."""
    return _with_clock({name: value for name, value in document.items() if name != TOKENS}, now, goes_on=True)


def restored_document(document: ReadOnlyJson, *, tokens: Json, now: datetime) -> JsonObject:
    """Return what is set for a namespace after a restore: its clock goes on from where it was when it was saved."""
    restored = _with_clock(document, now, goes_on=False)
    return {**restored, TOKENS: tokens} if tokens else restored


def is_moved(document: ReadOnlyJson) -> bool:
    """Return whether something is set that takes time which can be moved."""
    return CLOCK in document or PROGRESS in document


def check_document(document: ReadOnlyJson) -> None:
    """Raise `InvalidRequestError` for a member that is unknown, or that has a value which cannot be set."""
    for name, value in document.items():
        if name not in CHECKS:
            raise fault(f"{DOCUMENT}.{name}", unknown_name("member", name, CHECKS))
        try:
            CHECKS[name](value)
        except InvalidRequestError as error:
            raise error.under(f"{DOCUMENT}.{name}") from error
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
            raise fault(f"{DOCUMENT}.{name}", "This is not a value that can be set.") from error


def _with_clock(document: ReadOnlyJson, now: datetime, *, goes_on: bool) -> JsonObject:
    """Return the document with its clock as it is `now`; no order to advance it is kept."""
    state = stored_clock(document.get(CLOCK)).state
    if state.mode is ClockMode.SCALED:
        state = replace(state, at=state.now(now) if goes_on else state.at, since=now)
    clock = ClockSetting(state=state).document()
    others = {name: value for name, value in document.items() if name != CLOCK}
    return others if clock is None else {**others, CLOCK: clock}


def _check_seed(value: Json) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("a seed is a whole number")


def _check_paused(value: Json) -> None:
    if value is not True:
        raise ValueError("a queue is paused, or nothing is said of it")


def _check_clock(value: Json) -> None:
    state = stored_clock(value).state
    zones = (state.at.tzinfo, state.since.tzinfo)
    if not isinstance(value, dict) or None in zones or not is_date(state.at) or not SLOWEST <= state.rate <= FASTEST:
        raise ValueError("a clock has dates with zones, and a rate")


MOST_RULE_NUMBER = 10**15


def _check_last_rule(value: Json) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= MOST_RULE_NUMBER:
        raise ValueError("the number of a rule is a whole one")


def _check_rules(value: Json) -> None:
    rules = [parse_stored_rule(document) for document in as_list(value)]
    ids = [f"{PREFIX}{number}" for number in sorted({rule.number for rule in rules}) if 0 < number <= MOST_RULE_NUMBER]
    if not rules or [rule.rule.id for rule in rules] != ids:
        raise ValueError("rules are in the order of their ids")


def _check_scenarios(value: Json) -> None:
    if not isinstance(value, dict):
        raise ValueError("scenarios are an object")
    for name, document in value.items():
        check_name(name, field=name)
        if document is not None:
            parse_stored_scenario(document, name=name)


CHECKS: Mapping[str, Callable[[Json], object]] = {
    SEED: _check_seed,
    CLOCK: _check_clock,
    PROGRESS: parse_progress_mode,
    PAUSED: _check_paused,
    BALANCE: read_balances,
    RULES: _check_rules,
    LAST_RULE: _check_last_rule,
    SCENARIOS: _check_scenarios,
    STYLES: check_styles,
    FLEET: check_stored_fleet,
}
