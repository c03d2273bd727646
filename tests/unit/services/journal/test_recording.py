"""The journal of a process has room for so much; the oldest entries go, and nothing else is forgotten."""

from typing import Any

import pytest

from civitai_mock.domain.journal import JournalEntry
from civitai_mock.ports import Metrics
from civitai_mock.services.journal.recording import Journal, NamespaceJournal


def _entry(*, size: int = 1) -> JournalEntry:
    nothing: Any = [None] * len(JournalEntry._fields)
    return JournalEntry(*nothing)._replace(size=size)


def _journal(*, max_entries: int = 3, max_bytes: int = 1000) -> tuple[Journal, Metrics]:
    metrics = Metrics()
    return Journal(max_entries=max_entries, max_bytes=max_bytes, metrics=metrics), metrics


def _add(journal: NamespaceJournal, *, times: int = 1, size: int = 1) -> list[JournalEntry]:
    entries = [_entry(size=size) for _ in range(times)]
    for entry in entries:
        journal.add(entry)
    return entries


def test_the_oldest_entry_goes_whosever_it_is() -> None:
    journal, metrics = _journal()
    quiet, busy = journal.of("quiet", 1), journal.of("busy", 2)
    _add(quiet)
    kept = _add(busy, times=3)
    assert (list(quiet.entries), quiet.dropped) == ([], 1)
    assert ([*busy.entries], busy.dropped) == (kept, 0)
    assert metrics.journal_drops == 1


@pytest.mark.parametrize(("sizes", "left"), [([400, 400], 2), ([400, 400, 201], 2), ([400, 400, 900], 1), ([1001], 0)])
def test_entries_go_when_their_bytes_are_too_many(sizes: list[int], left: int) -> None:
    found = _journal()[0].of("some", 1)
    for size in sizes:
        _add(found, size=size)
    assert (len(found.entries), found.dropped) == (left, len(sizes) - left)


def test_what_was_cleared_takes_no_room_and_was_not_dropped() -> None:
    journal, metrics = _journal()
    found = journal.of("some", 1)
    _add(found, times=4)
    found.clear()
    assert (list(found.entries), found.dropped) == ([], 0)
    kept = _add(found, times=3)
    assert (list(found.entries), found.dropped) == (kept, 0)
    assert metrics.journal_drops == 1


def test_the_next_epoch_begins_without_entries_and_those_on_their_way_are_not_kept() -> None:
    journal, _ = _journal()
    before = journal.of("some", 1)
    _add(before, times=3)
    journal.forget("some", but=1)
    assert len(before.entries) == 3
    journal.forget("some", but=2)
    _add(before)
    after = journal.of("some", 2)
    assert after is journal.of("some", 2)
    kept = _add(after, times=3)
    assert (list(before.entries), list(after.entries), after.dropped) == ([], kept, 0)


def test_it_remembers_nothing_of_what_was_cleared() -> None:
    """A suite resets before each test, and may never fill the journal."""
    journal, _ = _journal()
    for epoch in range(100):
        _add(journal.of("some", epoch), times=2)
        journal.forget("some")
    assert len(journal._order) <= 7
    assert journal._by_name == {}


def test_whoever_waits_is_called_for_each_entry() -> None:
    found = _journal()[0].of("some", 1)
    calls: list[int] = []
    listener = lambda: calls.append(len(found.entries))  # noqa: E731 - the same one is taken out again
    found.subscribe(listener)
    _add(found, times=2)
    found.unsubscribe(listener)
    _add(found)
    assert calls == [1, 2]
