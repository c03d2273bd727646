"""Which rule of faults fires in a namespace, and how often, over all processes that serve it."""

import asyncio
from datetime import timedelta
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Final

from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.json_types import Json
from civitai_mock.domain.micros import to_micros
from civitai_mock.domain.namespaces import SHARED_EPOCH, Epoch
from civitai_mock.ports import Clock, Ids, Metrics, NamespaceStore
from civitai_mock.services.controls import Controls
from civitai_mock.services.error_boundary import ErrorBoundary
from civitai_mock.services.rule_counters import HITS, LAST_HIT, MATCHES, RULES
from civitai_mock.services.threads import MANY_CHARACTERS, in_thread_if_large

if TYPE_CHECKING:  # what only those need who set a rule is not loaded at the start
    from collections.abc import Callable, Collection, Mapping, Sequence

    from civitai_mock.domain.delays import Delay
    from civitai_mock.domain.fault_presets import Hook, Target
    from civitai_mock.domain.faults.choice import Choice, Choosing, Count
    from civitai_mock.domain.faults.conditions import Condition, FaultSubject
    from civitai_mock.domain.faults.rules import FaultRule
    from civitai_mock.services.faults.parsed_rules import ObeyedRules, ParsedRules, StoredRule
    from civitai_mock.services.faults.scenarios import FileScenarios, ObeyedScenarios

SCENARIOS: Final = "scenarios"  # the member of the documents of namespaces
DICE_SIDES: Final = 2**32  # of `Ids.seed`


class ServerRules:
    """Holds what all namespaces of a process have: the rules of the server, read once, and the scenarios of a file."""

    def __init__(self, file_scenarios: "FileScenarios | None" = None) -> None:
        self.file_scenarios: FileScenarios = file_scenarios or {}
        self._parsed: ParsedRules | None = None

    def of(self, controls: Controls) -> "Sequence[StoredRule]":
        documents = controls.server.get(RULES)
        if self._parsed is None:
            if not documents:
                return ()
            self._parsed = new_parsed_rules()
        return self._parsed.of(documents)


class Faults:
    """Chooses which rule fires: that of a request, else of the namespace, else of the server, else of a scenario.

    Rules are read when they change, and what counts is counted in the store. A server's rule goes by real time, and is
    counted over all namespaces. `is_any_set` is False where there is no rule at all: then nobody has to ask.
    """

    def __init__(
        self,
        *,
        controls: Controls,
        server_rules: ServerRules,
        store: NamespaceStore,
        epoch: Epoch,
        clock: Clock,
        system_clock: Clock,
        ids: Ids,
        metrics: Metrics,
    ) -> None:
        self.is_any_set = False
        self._controls = controls
        self._server_rules = server_rules
        self._store = store
        self._epoch = epoch
        self._clock = clock
        self._system_clock = system_clock
        self._ids = ids
        self._metrics = metrics
        self._own: ParsedRules | None = None
        self._obeyed: ObeyedRules | None = None
        self._scenarios: ObeyedScenarios | None = None
        self._scenario_documents: Json = None
        self._update()
        controls.subscribe(self._update)

    def hits(self, hook: "Hook") -> bool:
        """Return whether there is a rule that takes hold at a hook, whatever it matches."""
        return any(each is not None and hook in each.hooks for each in (self._obeyed, self._scenarios))

    def needs(self, asked: "FaultRule | None" = None) -> "Collection[Condition | Target]":
        """Return what has to be known of a request to choose a rule for it."""
        found: frozenset[Condition | Target] = frozenset() if asked is None else asked.needs
        return found.union(*(each.needs_of_requests for each in (self._obeyed, self._scenarios) if each is not None))

    async def choose(
        self,
        subject: "FaultSubject",
        *,
        asked: "FaultRule | None" = None,
        turns: "Mapping[str, str] | None" = None,
        about: "Target | None" = None,
        before: "Choice | None" = None,
    ) -> "Choice":
        """Choose a rule for what comes to its hook, and count it; the rule that is `asked` for comes first.

        What comes more than once brings what `turns_of` returned: each rule has one turn with it. What is known of a
        subject after a choice that fell on none is chosen `about` then, among the rules with such presets. While the
        store is away, rules that have to be counted do not fire.
        """
        from civitai_mock.domain.faults.choice import choose  # noqa: PLC0415 - see above

        obeyed = self._obeyed or new_obeyed_rules()
        rules = obeyed.rules if asked is None else [asked, *obeyed.rules]
        choosing = choose(
            rules if about is None else [rule for rule in rules if about in rule.needs],
            subject,
            now=lambda rule: self._clock_of(rule, obeyed).now(),
            dice=self._dice,
            spent=obeyed.spent,
            turns={each: turns[key] for each, key in obeyed.keys.items() if key in turns} if turns else {},
        )
        choice = await self._finish(choosing, obeyed, size=obeyed.pattern_count * subject.prompt_length)
        if before is not None:
            choice = choice.after(before)
        if self._scenarios is not None and subject.hook in self._scenarios.hooks and not choice.has_winner:
            choice = await self._scenarios.choose(subject, choice, now=self._clock.now(), about=about)
        if choice.rule is not None:
            await self._note_fired(choice.rule, obeyed)
        return choice

    def turns_of(self, choice: "Choice") -> "Mapping[str, str]":
        """Return why rules did not fire though they matched, by what stands for each of their lives."""
        keys = {} if self._obeyed is None else self._obeyed.keys
        return {keys[rule_id]: why for rule_id, why in choice.turns.items() if rule_id in keys}

    def has_rule(self, is_such: "Callable[[FaultRule], bool]") -> bool:
        """Return whether there is such a rule, on or not, or in any state of a scenario."""
        return any(is_such(rule) for each in (self._obeyed, self._scenarios) if each is not None for rule in each.rules)

    def find(self, rule_id: str) -> "FaultRule | None":
        """Return a rule that is on, however often it has fired; None if there is none.

        That of a scenario counts as on in any state: what it began lasts until the scenario is set anew, or deleted.
        """
        obeyed = self._obeyed or new_obeyed_rules()
        rules = obeyed.rules if self._scenarios is None else (*obeyed.rules, *self._scenarios.rules)
        found = (rule for rule in rules if rule.id == rule_id and rule.is_on(self._clock_of(rule, obeyed).now()))
        return next(found, None)

    def first_match(self, subject: "FaultSubject") -> "FaultRule | None":
        """Return the first rule that is on and matches, however often it has fired; nothing is counted."""
        from civitai_mock.domain.faults.choice import first_failed  # noqa: PLC0415 - see above

        obeyed = self._obeyed or new_obeyed_rules()
        rules = (rule for rule in obeyed.rules if subject.hook in rule.hooks)
        matching = (rule for rule in rules if first_failed(rule, subject, self._clock_of(rule, obeyed).now()) is None)
        return next(matching, None)

    def key_of(self, rule: "FaultRule") -> str:
        """Return what the names of all counters of a rule begin with."""
        return "" if self._obeyed is None else self._obeyed.keys.get(rule.id, "")

    def lateness(self, delay: "Delay", *, of: str) -> timedelta:
        """Return how late something is: drawn once for each, with a seed the same in each run."""
        return delay.draw(Random(self._ids.of_job(of, "late").seed()))

    async def stream(self, rule: "FaultRule") -> Random:
        """Return what a rule that fires draws from: with a seed the same in each run, for each time that it fires."""
        if self._ids.is_seeded:
            with ErrorBoundary("draw of a rule not counted"):
                number = await self._store.count(self._epoch.number, f"faults/{rule.id}/draws")
                return Random(self._ids.of_job(rule.id, f"draw {number}").seed())
        return Random()

    async def _finish(self, choosing: "Choosing", obeyed: "ObeyedRules", *, size: int) -> "Choice":
        """Count what is to be counted; patterns that have much to look through hold nobody else up."""
        from civitai_mock.domain.faults.choice import Choice, advance  # noqa: PLC0415 - see above

        counted: int | TransientError | None = None
        while True:
            step = partial(advance, choosing, counted)
            found = await in_thread_if_large(step, size=size, large=MANY_CHARACTERS, threads=None)
            if isinstance(found, Choice):
                return found
            try:
                counted = await self._count(found, obeyed)
            except TransientError as error:
                counted = error

    async def _count(self, count: "Count", obeyed: "ObeyedRules") -> int:
        """Return the number of a match or a hit, the first being 1; which match it is, matters to seeded dice only."""
        rule, scope = count.rule, count.rule.scope
        if count.counted == MATCHES:
            is_numbered = scope.after > 0 or scope.every > 1 or self._ids.is_seeded
            return await self._add(rule, MATCHES, obeyed) if is_numbered else 1
        hits = await self._add(rule, HITS, obeyed)
        if scope.is_spent(hits):
            obeyed.spent.add(rule.id)
        return hits

    async def _note_fired(self, rule: "FaultRule", obeyed: "ObeyedRules") -> None:
        """Count for whoever looks; `times` has been counted before, and what a request asked for has no counts."""
        self._metrics.faults_fired["" if rule.preset is None else rule.preset.name] += 1
        if rule.id not in obeyed.keys:
            return
        with ErrorBoundary("hit of a rule not counted"):
            now = to_micros(self._clock_of(rule, obeyed).now())
            noted = self._store.set_count(self._counted_in(rule, obeyed), obeyed.keys[rule.id] + LAST_HIT, now)
            counted = [self._add(rule, HITS, obeyed)] if rule.scope.times is None else []
            await asyncio.gather(noted, *counted)  # so that a store commits both together

    async def _add(self, rule: "FaultRule", counted: str, obeyed: "ObeyedRules") -> int:
        return 1 + await self._store.count(self._counted_in(rule, obeyed), obeyed.keys[rule.id] + counted)

    def _counted_in(self, rule: "FaultRule", obeyed: "ObeyedRules") -> int:
        return SHARED_EPOCH if rule.id in obeyed.of_server else self._epoch.number

    def _clock_of(self, rule: "FaultRule", obeyed: "ObeyedRules") -> Clock:
        return self._system_clock if rule.id in obeyed.of_server else self._clock

    def _dice(self, rule: "FaultRule", match: int) -> float:
        return self._ids.of_job(rule.id, f"match {match}").seed() / DICE_SIDES

    def _update(self) -> None:
        """Take over what is set now."""
        documents = self._controls.document.get(RULES)
        server = self._server_rules.of(self._controls)
        if documents or server or self._obeyed is not None:
            self._own = self._own or new_parsed_rules()
            self._obeyed = (self._obeyed or new_obeyed_rules()).followed_by(self._own.of(documents), server)
        self._update_scenarios()
        self.is_any_set = any(each is not None and bool(each.hooks) for each in (self._obeyed, self._scenarios))

    def _update_scenarios(self) -> None:
        documents = self._controls.document.get(SCENARIOS)
        if self._scenarios is not None and documents == self._scenario_documents:
            return
        self._scenario_documents = documents
        is_any = bool(documents or self._server_rules.file_scenarios)
        self._scenarios = self._new_scenarios(documents) if is_any else None

    def _new_scenarios(self, documents: Json) -> "ObeyedScenarios":
        from civitai_mock.services.faults.scenarios import ObeyedScenarios, scenarios_of  # noqa: PLC0415 - see above

        return ObeyedScenarios(
            scenarios_of(documents, self._server_rules.file_scenarios), store=self._store, epoch=self._epoch
        )


def new_parsed_rules() -> "ParsedRules":
    from civitai_mock.services.faults.parsed_rules import ParsedRules  # noqa: PLC0415 - see above

    return ParsedRules()


def new_obeyed_rules() -> "ObeyedRules":
    from civitai_mock.services.faults.parsed_rules import ObeyedRules  # noqa: PLC0415 - see above

    return ObeyedRules()
