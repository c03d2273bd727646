"""Scenarios: named states, in each of which a rule of faults holds; when it fires, another state has its turn.

"Fail twice, then succeed" are three states: two that fail what they match, and one in which nothing happens.
"""

from collections.abc import Collection, Mapping
from functools import cached_property

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.fault_presets import Hook, Target
from civitai_mock.domain.faults.rules import FaultRule, read_step
from civitai_mock.domain.json_types import Json, ReadOnlyJson, as_object
from civitai_mock.domain.members import Members, read_members
from civitai_mock.domain.namespaces import NAME
from civitai_mock.domain.nearest import unknown_name

START, STATES, NEXT, STATE = "start", "states", "next", "state"
MOST_STATES = 100
NAME_EXPECTED = "Expected a name of 1 to 64 letters, digits, '.', '_' and '-'."


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioState:
    """Is a state: what holds in it, and which state comes next once that has fired; it stays if none does."""

    rule: FaultRule
    next: str | None

    @property
    def does_nothing(self) -> bool:
        return self.rule.action.only_looks and self.next is None


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Is a scenario, with its states in their order; `document` is what was sent."""

    name: str
    start: str
    states: Mapping[str, ScenarioState]
    document: ReadOnlyJson

    @cached_property
    def hooks(self) -> frozenset[Hook]:
        """Return where any of its states takes hold."""
        return frozenset(hook for state in self.states.values() if not state.does_nothing for hook in state.rule.hooks)

    def has_about(self, target: Target) -> bool:
        """Return whether the preset of any of its states is about something."""
        return any(target in state.rule.needs for state in self.states.values())

    def state_of(self, number: int) -> str:
        """Return the state that a store keeps as a number; 0 is that in which the scenario begins."""
        return list(self.states)[number - 1] if 0 < number <= len(self.states) else self.start

    def number_of(self, state: str) -> int:
        """Return the number of a state; raise `ValueError` for an unknown one."""
        return list(self.states).index(state) + 1

    def unknown_state(self, state: str) -> str:
        """Return the message about a state that this does not have."""
        return unknown_name("state", state, self.states)


def parse_scenario(value: Json, *, name: str, routes: Collection[str] | None = None) -> Scenario:
    """Read a scenario; raise `InvalidRequestError` with the paths of all that is wrong.

    `routes` are the paths that a match may name, if they are to be checked.
    """

    def parse(members: Members) -> Scenario:
        start = members.required(START, members.text(START)) or ""
        states = _read_states(members, name, as_object(as_object(value).get(STATES)), routes)
        if start and states and start not in states:
            members.note(START, unknown_name("state", start, states))
        return Scenario(name=name, start=start, states=states, document=as_object(value))

    return read_members(value, parse)


def _read_states(
    members: Members, scenario: str, documents: ReadOnlyJson, routes: Collection[str] | None
) -> Mapping[str, ScenarioState]:
    inner = members.required(STATES, members.inner(STATES))
    if inner is None:
        return {}
    if not 0 < len(inner.names) <= MOST_STATES:
        inner.note("", f"Expected 1 to {MOST_STATES} states.")
    states = {}
    for name in inner.names:
        found = inner.required(name, inner.inner(name))
        if not NAME.fullmatch(name):
            inner.note(name[:100], NAME_EXPECTED)
        elif found is not None:
            document = {key: part for key, part in as_object(documents[name]).items() if key != NEXT}
            rule = read_step(found, rule_id=f"{scenario}/{name}", document=document, routes=routes)
            states[name] = ScenarioState(rule=rule, next=_read_next(found, inner.names))
    return states


def _read_next(members: Members, states: Collection[str]) -> str | None:
    state = members.text(NEXT)
    if state is not None and state not in states:
        members.note(NEXT, unknown_name("state", state, states))
    return state
