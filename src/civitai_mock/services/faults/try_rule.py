"""Try a rule of faults on the requests of a namespace so far: nothing goes wrong, and nothing is counted."""

from collections.abc import Sequence

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.faults.dry_run import hit_ids
from civitai_mock.domain.faults.rules import FaultRule
from civitai_mock.domain.json_types import JsonObject, as_list, as_object, as_text, as_texts
from civitai_mock.services.journal.questions import IDS, IS_WHOLE, ITEMS, pick_question, try_question
from civitai_mock.services.journal.reading import AskProcesses, check_is_on
from civitai_mock.services.journal.recording import NamespaceJournal


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """Is what a rule would have hit: how many requests, and the youngest of them.

    It is incomplete if the journal does not have all requests, or all that the rule asks for.
    """

    count: int
    items: Sequence[JsonObject]
    is_incomplete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TryRule:
    """Tries rules on the journal of one namespace, over all processes."""

    journal: NamespaceJournal
    ask: AskProcesses

    async def __call__(self, rule: FaultRule, *, take: int) -> Tried:
        """Return at most `take` of the requests; raise `ConflictError` if there is no journal."""
        check_is_on(self.journal)
        answers = await self.ask(try_question(rule.document))
        ids = hit_ids(rule, sorted(found for answer in answers.items for found in as_texts(answer[IDS])))
        is_whole = answers.is_whole and all(answer[IS_WHOLE] is True for answer in answers.items)
        return Tried(count=len(ids), items=await self._entries(ids[-take:]), is_incomplete=not is_whole)

    async def _entries(self, ids: Sequence[str]) -> Sequence[JsonObject]:
        """Return entries by their ids, the youngest first."""
        if not ids:
            return ()
        answers = await self.ask(pick_question(ids))
        items = [as_object(item) for answer in answers.items for item in as_list(answer[ITEMS])]
        return sorted(items, key=lambda item: as_text(item["id"]), reverse=True)
