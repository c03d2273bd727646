"""Read the journal of a namespace: the youngest requests first, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass

from civitai_mock.domain.errors import ConflictError
from civitai_mock.domain.journal import JournalEntry
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.services.journal import NamespaceJournal
from civitai_mock.services.journal_documents import ShowEntries


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFilter:
    """Says which entries are wanted; what is None is not asked for."""

    method: str | None = None
    status: int | None = None

    def takes(self, entry: JournalEntry) -> bool:
        return (self.method is None or entry.method.upper() == self.method.upper()) and (
            self.status is None or entry.status == self.status
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPage:
    """Is a part of the journal, with the id of its last entry if there are more behind that."""

    items: Sequence[JsonObject]
    last: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadJournal:
    """Reads the journal of one namespace, and clears it."""

    journal: NamespaceJournal
    show: ShowEntries

    async def page(self, wanted: EntryFilter, *, before: str | None, take: int) -> EntryPage:
        """Return entries that came before one with this id; raise `ConflictError` if there is no journal."""
        self.check_is_on()
        entries = [entry for entry in self.journal.entries if wanted.takes(entry)]
        found = sorted([entry for entry in entries if before is None or entry.id < before], key=_id, reverse=True)
        shown = found[:take]
        return EntryPage(items=self.show(shown), last=shown[-1].id if len(found) > take else None)

    async def clear(self) -> None:
        self.check_is_on()
        self.journal.clear()

    def check_is_on(self) -> None:
        if not self.journal.is_on:
            raise ConflictError("There is no journal: JOURNAL_MAX_ENTRIES is 0.")


def _id(entry: JournalEntry) -> str:
    return entry.id
