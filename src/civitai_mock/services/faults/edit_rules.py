"""Set rules of faults for a namespace, or for all: in their order, each with an id, and told with how often it hit."""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import ConflictError, NotFoundError
from civitai_mock.domain.faults.rules import ENABLED, FaultRule
from civitai_mock.domain.json_types import Json, JsonObject, ReadOnlyJson, as_list, as_object
from civitai_mock.domain.micros import from_micros
from civitai_mock.domain.namespaces import SERVER, SHARED_EPOCH
from civitai_mock.services.error_boundary import ErrorBoundary
from civitai_mock.services.faults.parsed_rules import (
    ID,
    PREFIX,
    RULE,
    SERVER_PREFIX,
    ParsedRules,
    StoredRule,
    number_of,
    parse_stored_rule,
)
from civitai_mock.services.namespaces import ChangedNamespace, ManageNamespaces
from civitai_mock.services.rule_counters import RULES, rule_counters

LAST_RULE: Final = "lastRule"  # the member with the number of the last rule that was made: no two get one id
MOST_BYTES = 4 * 1024 * 1024  # of all rules together: a document of MongoDB holds 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRule:
    """Is a rule, how often it has fired, and when last, by the clock that it goes by; None if that is unknown."""

    stored: StoredRule
    hits: int
    last_hit_at: datetime | None

    @property
    def left(self) -> int | None:
        """Return how often it fires yet; None for any number of times."""
        times = self.stored.rule.scope.times
        return None if times is None else times - self.hits


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedRule:
    """Is a rule after a change, with the processes that have not confirmed the change in time."""

    shown: ShownRule
    not_yet: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class EditFaults:
    """Changes the rules of a namespace, or of all under the name `SERVER`; they are obeyed as `ManageNamespaces` says.

    Raise `NotFoundError` for an unknown id, and `ConflictError` for more rules than `most`, or too large ones.
    """

    manage: ManageNamespaces
    most: int

    async def all(self, name: str) -> Sequence[ShownRule]:
        """Return all rules in their order."""
        record = await self.manage.get(name)
        return await self._shown(name, record.epoch, ParsedRules().of(record.document.get(RULES)))

    async def get(self, name: str, rule_id: str) -> ShownRule:
        record = await self.manage.get(name)
        stored = parse_stored_rule(_documents(record.document)[_place(record.document, rule_id)])
        return (await self._shown(name, record.epoch, [stored]))[0]

    async def add(self, name: str, rule: FaultRule, *, now: datetime) -> ChangedRule:
        """Add a rule behind all others; it gets its id here."""
        life = secrets.token_hex(8)

        def add(document: ReadOnlyJson) -> ReadOnlyJson:
            number = _last_number(document) + 1
            named = replace(rule, id=f"{SERVER_PREFIX if name == SERVER else PREFIX}{number}")
            added = StoredRule(rule=named, life=life, set_at=now).document()
            return self._with({**document, LAST_RULE: number}, [*_documents(document), added])

        changed = await self._edit(name, add)
        return await self._changed(name, changed, place=-1)

    async def replace(self, name: str, rule: FaultRule, *, now: datetime) -> ChangedRule:
        """Put a rule in the place of the one with its id.

        It begins anew with its counts and its time, unless nothing else has changed than whether it is enabled.
        """
        life = secrets.token_hex(8)

        def put(document: ReadOnlyJson) -> ReadOnlyJson:
            place, documents = _place(document, rule.id), [*_documents(document)]
            before, after = documents[place], StoredRule(rule=rule, life=life, set_at=now).document()
            goes_on = _without_switch(before) == _without_switch(after)
            documents[place] = {**before, RULE: after[RULE]} if goes_on else after
            return self._with(document, documents)

        changed = await self._edit(name, put)
        return await self._changed(name, changed, place=_place(changed.record.document, rule.id))

    async def remove(self, name: str, rule_id: str) -> Sequence[str]:
        """Remove a rule, and return the processes that do not obey yet."""

        def remove(document: ReadOnlyJson) -> ReadOnlyJson:
            place, documents = _place(document, rule_id), _documents(document)
            return self._with(document, [*documents[:place], *documents[place + 1 :]])

        return (await self._edit(name, remove)).not_yet

    async def clear(self, name: str) -> Sequence[str]:
        """Remove all rules, and return the processes that do not obey yet."""
        return (await self._edit(name, lambda document: self._with(document, []))).not_yet

    async def _edit(self, name: str, change: Callable[[ReadOnlyJson], ReadOnlyJson]) -> ChangedNamespace:
        """Change the rules, and forget the counters of lives that are over."""
        over: set[str] = set()

        def noting(document: ReadOnlyJson) -> ReadOnlyJson:
            after = change(document)
            over.clear()
            over.update({*rule_counters(document.get(RULES))}.difference(rule_counters(after.get(RULES))))
            return after

        changed = await self.manage.edit(name, noting)
        with ErrorBoundary("counters of rules not forgotten"):
            await self.manage.store.forget_counts(_counted_in(name, changed.record.epoch), sorted(over))
        return changed

    async def _changed(self, name: str, changed: ChangedNamespace, *, place: int) -> ChangedRule:
        stored = parse_stored_rule(_documents(changed.record.document)[place])
        (shown,) = await self._shown(name, changed.record.epoch, [stored])
        return ChangedRule(shown=shown, not_yet=changed.not_yet)

    async def _shown(self, name: str, epoch: int, stored: Sequence[StoredRule]) -> Sequence[ShownRule]:
        """Return rules with their hits; a count goes on where a rule that is spent meets a process that is not told."""
        keys = [key for each in stored for key in (each.hits_key, each.last_hit_key)]
        counts = await self.manage.store.counted(_counted_in(name, epoch), keys)
        return [_with_counts(each, counts) for each in stored]

    def _with(self, document: ReadOnlyJson, rules: Sequence[Json]) -> JsonObject:
        if len(rules) > self.most:
            raise ConflictError(f"There are {self.most} rules already, and FAULTS_MAX_RULES allows no more.")
        if len(json.dumps(rules)) > MOST_BYTES:
            raise ConflictError(f"All rules together take more than {MOST_BYTES} bytes.")
        changed = {name: value for name, value in document.items() if name != RULES}
        return {**changed, RULES: list(rules)} if rules else changed


def _counted_in(name: str, epoch: int) -> int:
    return SHARED_EPOCH if name == SERVER else epoch


def _documents(document: ReadOnlyJson) -> Sequence[JsonObject]:
    """Return what is stored of each rule."""
    return [as_object(rule) for rule in as_list(document.get(RULES))]


def _place(document: ReadOnlyJson, rule_id: str) -> int:
    for place, rule in enumerate(_documents(document)):
        if rule[ID] == rule_id:
            return place
    raise NotFoundError(f"There is no rule '{rule_id[:100]}' here.")


def _last_number(document: ReadOnlyJson) -> int:
    """Return the number of the last rule that was made; what was restored may say less than it has."""
    number = document.get(LAST_RULE)
    return max([number if isinstance(number, int) else 0, *[number_of(rule[ID]) for rule in _documents(document)]])


def _without_switch(stored: JsonObject) -> JsonObject:
    return {name: value for name, value in as_object(stored[RULE]).items() if name != ENABLED}


def _with_counts(stored: StoredRule, counts: Mapping[str, int]) -> ShownRule:
    hits, last_hit, times = counts.get(stored.hits_key, 0), counts.get(stored.last_hit_key), stored.rule.scope.times
    return ShownRule(
        stored=stored,
        hits=hits if times is None else min(hits, times),
        last_hit_at=None if last_hit is None else from_micros(last_hit),
    )
