"""Set scenarios for a namespace, tell in which state each is, and put it into another."""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import ConflictError, NotFoundError, fault
from civitai_mock.domain.faults.scenarios import STATE, Scenario
from civitai_mock.domain.json_types import JsonObject, ReadOnlyJson, as_object
from civitai_mock.domain.namespaces import NamespaceRecord
from civitai_mock.services.error_boundary import ErrorBoundary
from civitai_mock.services.faults.firing import SCENARIOS
from civitai_mock.services.faults.scenarios import FileScenarios, StoredScenario, scenarios_of
from civitai_mock.services.namespaces import ChangedNamespace, ManageNamespaces

MOST_BYTES = 2 * 1024 * 1024  # of all scenarios together: a document of MongoDB holds 16, with the rules


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownScenario:
    """Is a scenario in its state; `not_yet` names processes that have not confirmed a change in time."""

    scenario: Scenario
    state: str
    not_yet: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EditScenarios:
    """Changes the scenarios of a namespace; those `of_file` are there until they are replaced or deleted.

    Raise `NotFoundError` for an unknown one, and `ConflictError` for more than `most`, or too large ones.
    """

    manage: ManageNamespaces
    of_file: FileScenarios
    most: int

    async def all(self, namespace: str) -> Sequence[ShownScenario]:
        """Return all scenarios, by name."""
        record = await self.manage.get(namespace)
        stored = [each for _, each in sorted(self._of(record.document).items())]
        numbers = await self.manage.store.counted(record.epoch, [each.key for each in stored])
        return [_shown(each, numbers) for each in stored]

    async def get(self, namespace: str, name: str) -> ShownScenario:
        record = await self.manage.get(namespace)
        return await self._read(record, self._find(record.document, name))

    async def put(self, namespace: str, scenario: Scenario) -> ShownScenario:
        """Set a scenario, which begins anew."""
        stored = StoredScenario(scenario=scenario, life=secrets.token_hex(8))
        changed = await self._edit(namespace, scenario.name, partial(self._with, stored=stored))
        return ShownScenario(scenario=scenario, state=scenario.start, not_yet=changed.not_yet)

    async def remove(self, namespace: str, name: str) -> Sequence[str]:
        """Remove a scenario, and return the processes that do not obey yet."""
        return (await self._edit(namespace, name, partial(self._without, name=name))).not_yet

    async def set_state(self, namespace: str, name: str, state: str) -> ShownScenario:
        """Put a scenario into a state, whatever state it is in; raise `InvalidRequestError` for an unknown one."""
        record = await self.manage.get(namespace)
        stored = self._find(record.document, name)
        if state not in stored.scenario.states:
            raise fault(STATE, stored.scenario.unknown_state(state))
        store, after = self.manage.store, stored.scenario.number_of(state)
        while True:
            before = (await store.counted(record.epoch, [stored.key])).get(stored.key, 0)
            if await store.swap_count(record.epoch, stored.key, before, after):
                return ShownScenario(scenario=stored.scenario, state=state)

    async def _edit(
        self, namespace: str, name: str, change: Callable[[ReadOnlyJson], ReadOnlyJson]
    ) -> ChangedNamespace:
        """Change a scenario, and forget the state of the one before."""
        over: list[str] = []

        def noting(document: ReadOnlyJson) -> ReadOnlyJson:
            before = self._of(document).get(name)
            over[:] = [] if before is None else [before.key]
            return change(document)

        changed = await self.manage.edit(namespace, noting)
        with ErrorBoundary("states of scenarios not forgotten"):
            await self.manage.store.forget_counts(changed.record.epoch, over)
        return changed

    async def _read(self, record: NamespaceRecord, stored: StoredScenario) -> ShownScenario:
        return _shown(stored, await self.manage.store.counted(record.epoch, [stored.key]))

    def _of(self, document: ReadOnlyJson) -> Mapping[str, StoredScenario]:
        return scenarios_of(document.get(SCENARIOS), self.of_file)

    def _find(self, document: ReadOnlyJson, name: str) -> StoredScenario:
        found = self._of(document).get(name)
        if found is None:
            raise NotFoundError(f"There is no scenario '{name[:100]}' here.")
        return found

    def _with(self, document: ReadOnlyJson, *, stored: StoredScenario) -> ReadOnlyJson:
        scenarios: JsonObject = {**as_object(document.get(SCENARIOS)), stored.scenario.name: stored.document()}
        changed: JsonObject = {**document, SCENARIOS: scenarios}
        if len(self._of(changed)) > self.most:
            raise ConflictError(f"There are {self.most} scenarios already, and SCENARIOS_MAX allows no more.")
        if len(json.dumps(scenarios)) > MOST_BYTES:
            raise ConflictError(f"All scenarios together take more than {MOST_BYTES} bytes.")
        return changed

    def _without(self, document: ReadOnlyJson, *, name: str) -> ReadOnlyJson:
        self._find(document, name)
        scenarios = {key: value for key, value in as_object(document.get(SCENARIOS)).items() if key != name}
        if name in self.of_file:
            scenarios[name] = None
        changed = {key: value for key, value in document.items() if key != SCENARIOS}
        return {**changed, SCENARIOS: scenarios} if scenarios else changed


def _shown(stored: StoredScenario, numbers: Mapping[str, int]) -> ShownScenario:
    state = stored.scenario.state_of(numbers.get(stored.key, 0))
    return ShownScenario(scenario=stored.scenario, state=state)
