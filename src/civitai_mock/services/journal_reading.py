"""Read the journal of a namespace over all processes, and clear it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from civitai_mock.domain.errors import ConflictError
from civitai_mock.domain.json_types import JsonObject, as_list, as_object, as_text
from civitai_mock.services.journal import NamespaceJournal
from civitai_mock.services.journal_questions import ITEMS, page_question


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Holds what processes answered; `is_whole` says whether all that had something to say did."""

    items: Sequence[JsonObject]
    is_whole: bool = True


class AskProcesses(Protocol):
    """Asks all processes a question about the journal of one namespace; that of others changes without a word."""

    @property
    def has_others(self) -> bool: ...

    async def __call__(self, question: JsonObject) -> Answers: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPage:
    """Is a part of the journal, with the id of its last entry if there are more behind that."""

    items: Sequence[JsonObject]
    last: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadJournal:
    """Reads the journal of one namespace; each method raises `ConflictError` if there is no journal."""

    journal: NamespaceJournal
    ask: AskProcesses

    async def page(self, *, method: str | None, status: int | None, before: str | None, take: int) -> EntryPage:
        """Return entries, the youngest first, that came before one with this id."""
        check_is_on(self.journal)
        answers = await self.ask(page_question(method=method, status=status, before=before, take=take + 1))
        items = [as_object(item) for answer in answers.items for item in as_list(answer[ITEMS])]
        items.sort(key=lambda item: as_text(item["id"]), reverse=True)
        shown = items[:take]
        return EntryPage(items=shown, last=as_text(shown[-1]["id"]) if len(items) > take else None)

    async def clear(self) -> None:
        check_is_on(self.journal)
        self.journal.clear()


def check_is_on(journal: NamespaceJournal) -> None:
    """Raise `ConflictError` if requests are not recorded."""
    if not journal.is_on:
        raise ConflictError("There is no journal: JOURNAL_MAX_ENTRIES is 0.")
