"""Answer questions about the journal that one process keeps of a namespace, for this process or another one.

Questions and answers are JSON objects, so that they can go from one process to another.
"""

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import TypeAlias, TypedDict

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.faults.conditions import MATCH, FaultSubject
from civitai_mock.domain.faults.dry_run import needs_work, parse_tried_rule, would_match
from civitai_mock.domain.journal import JournalEntry, LargeBody
from civitai_mock.domain.json_types import Json, JsonObject, ReadOnlyJson, as_number, as_text, as_texts
from civitai_mock.domain.near_misses import near_misses
from civitai_mock.domain.redaction import Redactor, secrets_pattern
from civitai_mock.domain.verification import Seen, find, parse_expectation, parse_match
from civitai_mock.services.journal.blocks import KeptEntries
from civitai_mock.services.journal.documents import names_job, render_entry
from civitai_mock.services.journal.recording import Journal

KIND, PAGE, FIND, NEAR, TRY, PICK, CLEAR = "kind", "page", "find", "near", "try", "pick", "clear"
CLEAR_QUESTION: JsonObject = {KIND: CLEAR}
ENTRY_ID, METHOD, STATUS, JOB_ID, FAULT, BEFORE, TAKE = "id", "method", "status", "jobId", "fault", "before", "take"
MESSAGES, RULE, IDS, IS_WHOLE = "messages", "rule", "ids", "isWhole"
NAME, AFTER, EXPECTATION, ITEMS, CUT_AT = "name", "after", "expectation", "items", "cutAt"
MOST_BYTES = 2**20  # of entries in one answer, which may be six times as long as JSON
MANY = 100  # entries, which take a thread about as long as it takes to begin

SubjectOf: TypeAlias = Callable[[JournalEntry], FaultSubject]


class WantedEntries(TypedDict):
    """Says which entries are asked for; None asks for all.

    `job_id` is a job that they have to do with, `fault` the rule that hit them, or the preset of their own header. They
    are shown with their `messages`, or briefly.
    """

    entry_id: str | None
    method: str | None
    status: int | None
    job_id: str | None
    fault: str | None
    messages: bool


def page_question(wanted: WantedEntries, *, before: str | None, take: int) -> JsonObject:
    """Ask for entries, the youngest first, that came before one with an id."""
    return {
        KIND: PAGE,
        ENTRY_ID: wanted["entry_id"],
        METHOD: wanted["method"],
        STATUS: wanted["status"],
        JOB_ID: wanted["job_id"],
        FAULT: wanted["fault"],
        MESSAGES: wanted["messages"],
        BEFORE: before,
        TAKE: take,
    }


def find_question(expectation: ReadOnlyJson) -> JsonObject:
    """Ask what is found of an expectation."""
    return {KIND: FIND, EXPECTATION: {**expectation}}


def near_question(name: str, match: ReadOnlyJson, *, after: str | None) -> JsonObject:
    """Ask for the requests that are nearest to a match with this name, of those that came after one with an id."""
    return {KIND: NEAR, NAME: name, MATCH: {**match}, AFTER: after}


def try_question(rule: ReadOnlyJson) -> JsonObject:
    """Ask for the ids of the requests that a rule of faults matches, and whether the journal is whole."""
    return {KIND: TRY, RULE: {**rule}}


def pick_question(ids: Sequence[str]) -> JsonObject:
    """Ask for the entries with these ids."""
    return {KIND: PICK, IDS: [*ids]}


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerQuestions:
    """Answers questions about what this process has recorded; nothing secret is in any answer.

    `tokens_of` returns those that lead into a namespace, `secrets` all that is secret in the settings.
    """

    journal: Journal
    secrets: Callable[[], Iterable[str]]
    tokens_of: Callable[[str], Iterable[str]]
    subject_of: SubjectOf

    async def __call__(self, name: str, epoch: int, question: ReadOnlyJson) -> JsonObject:
        """Answer about a namespace in an epoch; what comes meanwhile is not in the answer. Much is read in a thread."""
        found = self.journal.find(name, epoch)
        if question[KIND] == CLEAR:
            if found is not None:
                found.clear()
            return {}
        entries = KeptEntries((), ()) if found is None else found.entries
        pattern = secrets_pattern([*self.secrets(), *self.tokens_of(name)])
        reader = _Reader(name, entries, found is None or found.dropped == 0, pattern, self.subject_of)
        if len(entries) < MANY:
            return reader.answer(question)
        return await asyncio.to_thread(reader.answer, question)


@dataclass(frozen=True)
class _Reader:
    """Reads the entries of one namespace, which are whole if none had to go."""

    name: str
    found: KeptEntries
    is_whole: bool
    secrets: re.Pattern[str] | None
    subject_of: SubjectOf

    @cached_property
    def entries(self) -> Sequence[JournalEntry]:
        """Return them in the order in which the requests came."""
        return sorted(self.found, key=lambda entry: entry.id)

    def answer(self, question: ReadOnlyJson) -> JsonObject:
        if question[KIND] == PAGE:
            return self._page(question)
        if question[KIND] == NEAR:
            return {ITEMS: [*self._near(question)]}
        if question[KIND] == TRY:
            return self._tried(question)
        if question[KIND] == PICK:
            return {ITEMS: [*self._picked(question)]}
        expectation = parse_expectation(question[EXPECTATION])
        return find(expectation, map(self._seen, self.entries), is_whole=self.is_whole).document()

    def _page(self, question: ReadOnlyJson) -> JsonObject:
        """Return a page; if that would be too long, the first of it, and the id of the last entry as `cutAt`."""
        method, status, before = as_text(question[METHOD]).upper(), question[STATUS], as_text(question[BEFORE])
        job_id, fault = as_text(question.get(JOB_ID)), as_text(question.get(FAULT))  # an older version does not ask
        entry_id, has_messages = as_text(question.get(ENTRY_ID)), question.get(MESSAGES) is not False  # nor for these
        wanted = (
            entry
            for entry in self.found.youngest_first()
            if (not entry_id or entry.id == entry_id)
            and (not method or entry.method.upper() == method)
            and (status is None or entry.status == status)
            and (not before or entry.id < before)
            and (not fault or entry.fault == fault)
            and (not job_id or names_job(entry, job_id))
        )
        items: list[Json] = []
        size, redactor = 0, Redactor(self.secrets)
        for entry in islice(wanted, int(as_number(question[TAKE]) or 0)):
            size += entry.size if has_messages else 0
            items.append(render_entry(entry, namespace=self.name, redactor=redactor, has_messages=has_messages))
            if size > MOST_BYTES:
                return {ITEMS: items, CUT_AT: entry.id}
        return {ITEMS: items}

    def _tried(self, question: ReadOnlyJson) -> JsonObject:
        rule = parse_tried_rule(question[RULE])
        seen = [(entry, self._seen(entry)) for entry in self.entries]
        ids: list[Json] = [entry.id for entry, each in seen if would_match(rule, each.subject, status=entry.status)]
        is_known = not needs_work(rule) or all(each.is_whole for _, each in seen)
        return {IDS: ids, IS_WHOLE: self.is_whole and is_known}

    def _picked(self, question: ReadOnlyJson) -> Iterator[JsonObject]:
        """Yield entries by their ids, the youngest first, as many as one answer may have."""
        ids, size = {*as_texts(question[IDS])}, 0
        for entry in self.found.youngest_first():
            if not ids or size > MOST_BYTES:
                return
            if entry.id in ids:
                ids.discard(entry.id)
                size += entry.size
                yield render_entry(entry, namespace=self.name, redactor=Redactor(self.secrets))

    def _near(self, question: ReadOnlyJson) -> Iterator[JsonObject]:
        after, match = as_text(question[AFTER]), parse_match(question[MATCH])
        seen = (self._seen(entry) for entry in self.entries if entry.id > after)
        for near in near_misses(as_text(question[NAME]), match, seen, hide=Redactor(self.secrets).header):
            yield near.document()

    def _seen(self, entry: JournalEntry) -> Seen:
        return Seen(
            id=entry.id,
            method=entry.method,
            path=Redactor(self.secrets).path(entry.path, entry.query),
            subject=self.subject_of(entry),
            is_whole=not isinstance(entry.request_body, LargeBody) or entry.request_body.work is not None,
        )
