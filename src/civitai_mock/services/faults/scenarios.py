"""Scenarios of a namespace: in which state each is, over all processes, and which of their rules fires.

States are counters of the store: a move is one conditional write, so that each is made once, whoever makes it.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import partial

import structlog

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import InvalidRequestError, TransientError
from civitai_mock.domain.fault_presets import Target
from civitai_mock.domain.faults.choice import Choice, Look, Missed, first_failed
from civitai_mock.domain.faults.conditions import FaultSubject
from civitai_mock.domain.faults.rules import FaultRule, needs_of_requests
from civitai_mock.domain.faults.scenarios import Scenario, ScenarioState, parse_scenario
from civitai_mock.domain.json_types import Json, JsonObject, as_object
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.ports import NamespaceStore
from civitai_mock.services.threads import MANY_CHARACTERS, in_thread_if_large

LIFE, SCENARIO = "life", "scenario"

logger = structlog.stdlib.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredScenario:
    """Is a scenario with what its state goes by: it begins anew with each of its lives, which have different names."""

    scenario: Scenario
    life: str

    @property
    def key(self) -> str:
        """Return the name of the counter that its state is."""
        return f"scenarios/{self.scenario.name}/{self.life}"

    def document(self) -> JsonObject:
        """Return what is stored."""
        return {LIFE: self.life, SCENARIO: dict(self.scenario.document)}


FileScenarios = Mapping[str, StoredScenario]  # those that every namespace has at first, by name


def parse_stored_scenario(document: Json, *, name: str) -> StoredScenario:
    """Read what `StoredScenario.document` returns; raise `ValueError` or `InvalidRequestError` for anything else."""
    life = as_object(document).get(LIFE)
    if not isinstance(life, str):
        raise ValueError("a scenario is stored with the name of its life")
    return StoredScenario(scenario=parse_scenario(as_object(document).get(SCENARIO), name=name), life=life)


def scenarios_of(documents: Json, of_file: FileScenarios) -> Mapping[str, StoredScenario]:
    """Return the scenarios of a namespace, by their names; what is null in its document was deleted there."""
    found = dict(of_file)
    for name, document in as_object(documents).items():
        found.pop(name, None)
        if document is not None:
            try:
                found[name] = parse_stored_scenario(document, name=name)
            except (InvalidRequestError, ValueError) as error:
                logger.warning("scenario not known", scenario=name, error=str(error))
    return found


class ObeyedScenarios:
    """Are the scenarios that hold at one time: in the order of their names the first that matches fires."""

    def __init__(self, scenarios: Mapping[str, StoredScenario], *, store: NamespaceStore, epoch: Epoch) -> None:
        self.hooks = frozenset(hook for each in scenarios.values() for hook in each.scenario.hooks)
        self.rules = [state.rule for each in scenarios.values() for state in each.scenario.states.values()]
        self.needs_of_requests = needs_of_requests(self.rules)
        self._scenarios = [each for _, each in sorted(scenarios.items())]
        self._store = store
        self._epoch = epoch

    async def choose(
        self, subject: FaultSubject, choice: Choice, *, now: datetime, about: Target | None = None
    ) -> Choice:
        """Return what fires where no rule does, as `choice` says; while the store is away, nothing.

        With `about` only states are looked at whose presets are about that, of scenarios that have not moved before.
        """
        moved = {look.rule.id.rpartition("/")[0] for look in choice.looks if look.failed is None}
        of_hook = [each for each in self._scenarios if subject.hook in each.scenario.hooks]
        scenarios = [
            each
            for each in of_hook
            if each.scenario.name not in moved and (about is None or each.scenario.has_about(about))
        ]
        looks = list(choice.looks)
        try:
            numbers = await self._store.counted(self._epoch.number, [each.key for each in scenarios])
            for each in scenarios:
                rule = await self._take(each, numbers.get(each.key, 0), subject, now, looks, about)
                if rule is not None:
                    return Choice(rule, tuple(looks))
        except TransientError:
            looks += [Look(_start_of(each).rule, Missed.STORE) for each in scenarios]
        return Choice(None, tuple(looks))

    async def _take(
        self,
        stored: StoredScenario,
        number: int,
        subject: FaultSubject,
        now: datetime,
        looks: list[Look],
        about: Target | None,
    ) -> FaultRule | None:
        """Return what fires in a scenario whose state is kept as `number`, and move on to the next state."""
        while True:
            state = stored.scenario.states[stored.scenario.state_of(number)]
            if state.does_nothing or subject.hook not in state.rule.hooks:
                return None
            if about is not None and about not in state.rule.needs:
                return None
            size = subject.prompt_length if state.rule.match.has_pattern else 0
            look = partial(first_failed, state.rule, subject, now)
            failed = await in_thread_if_large(look, size=size, large=MANY_CHARACTERS, threads=None)
            if failed is None and state.next is not None:
                after = stored.scenario.number_of(state.next)
                if not await self._store.swap_count(self._epoch.number, stored.key, number, after):
                    number = await self._number_of(stored)  # as somebody else has moved it meanwhile
                    continue
            looks.append(Look(state.rule, failed))
            return None if failed is not None or state.rule.action.only_looks else state.rule

    async def _number_of(self, stored: StoredScenario) -> int:
        return (await self._store.counted(self._epoch.number, [stored.key])).get(stored.key, 0)


def _start_of(stored: StoredScenario) -> ScenarioState:
    return stored.scenario.states[stored.scenario.start]
