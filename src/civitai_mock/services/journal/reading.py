"""Read the journal of a namespace over all processes, and clear it."""

from collections.abc import Sequence
from typing import Protocol

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import ConflictError
from civitai_mock.domain.json_types import JsonObject, as_list, as_object, as_text
from civitai_mock.services.journal.questions import CUT_AT, ITEMS, WantedEntries, page_question
from civitai_mock.services.journal.recording import NamespaceJournal


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Holds what processes answered; `is_whole` says whether all that had something to say did."""

    items: Sequence[JsonObject]
    is_whole: bool = True


class AskProcesses(Protocol):
    """Asks all processes a question about the journal of one namespace."""

    async def has_others(self) -> bool:
        """Return whether others have a journal of it, of whose changes nobody hears."""
        ...

    async def __call__(self, question: JsonObject) -> Answers: ...

    async def clear(self) -> Sequence[str]:
        """Clear all journals; return the processes that have not done so in time."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPage:
    """Is a part of the journal, with the id of its last entry if there are more behind that.

    If it `is_whole`, no process that could have recorded a request is missing.
    """

    items: Sequence[JsonObject]
    last: str | None
    is_whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadJournal:
    """Reads the journal of one namespace; each method raises `ConflictError` if there is no journal."""

    journal: NamespaceJournal
    ask: AskProcesses

    async def page(self, wanted: WantedEntries, *, before: str | None, take: int) -> EntryPage:
        """Return entries, the youngest first, that came before this one."""
        check_is_on(self.journal)
        answers = await self.ask(page_question(wanted, before=before, take=take + 1))
        items = [as_object(item) for answer in answers.items for item in as_list(answer[ITEMS])]
        items.sort(key=_id, reverse=True)
        # What a process has left out is older than what it tells.
        cut_at = max((as_text(answer.get(CUT_AT)) for answer in answers.items), default="")
        shown = [item for item in items[:take] if _id(item) >= cut_at]
        has_more = len(items) > len(shown) or cut_at != ""
        return EntryPage(items=shown, last=_id(shown[-1]) if has_more and shown else None, is_whole=answers.is_whole)

    async def clear(self) -> Sequence[str]:
        """Forget all entries; return the processes that have not done so in time."""
        check_is_on(self.journal)
        return await self.ask.clear()


def _id(item: JsonObject) -> str:
    return as_text(item["id"])


def check_is_on(journal: NamespaceJournal) -> None:
    """Raise `ConflictError` if requests are not recorded."""
    if not journal.is_on:
        raise ConflictError("There is no journal: JOURNAL_MAX_ENTRIES is 0.")
