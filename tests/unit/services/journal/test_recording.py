"""The journal of a process has room for so much; the oldest entries go, and nothing else is forgotten."""

import gc
import tracemalloc
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from random import Random
from typing import Any

import pytest

from civitai_mock.domain.faults.choice import Look
from civitai_mock.domain.faults.rules import parse_fault_header
from civitai_mock.domain.journal import NANOSECONDS, JournalEntry, large_body
from civitai_mock.ports import Metrics
from civitai_mock.services.journal.blocks import BLOCK_BYTES, BLOCK_ENTRIES, EntryBlock
from civitai_mock.services.journal.recording import Journal, NamespaceJournal

MOMENT = datetime(2026, 11, 26, 12, tzinfo=UTC)
ANSWER = b"x" * 3000
LOOK = Look(parse_fault_header("whatif-slow-ok"), "match.method")


def _entry(*, size: int = 1) -> JournalEntry:
    nothing: Any = [None] * len(JournalEntry._fields)
    return JournalEntry(*nothing)._replace(ended_ns=0, looks=(), request=b"", answer=b"", size=size)


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


def _filled(number: int) -> JournalEntry:
    """An entry with a value of each kind, of which every third has objects as well."""
    has_objects = number % 3 == 0
    return _entry(size=2000)._replace(
        ended_ns=number,
        seconds=number / 7,
        trace_id=f"00-{number:032x}-{number:016x}-01",
        moved_at=MOMENT if number % 2 else None,
        path=f"/v1/consumer/jobs/{number}",
        is_traced=True,
        answer=b"content-type\0application/json\0{%d}" % number * 50,
        looks=(LOOK,) if has_objects else (),
        large_answer=large_body(b"x") if has_objects else None,
    )


def test_entries_are_what_they_were_however_many_there_are() -> None:
    found = _journal(max_entries=1000, max_bytes=2**20)[0].of("some", 1)
    entries = [_filled(number) for number in range(3 * BLOCK_ENTRIES + 1)]
    for number, entry in enumerate(entries, 1):
        found.add(tuple(entry))
        if number in (1, BLOCK_ENTRIES - 1, BLOCK_ENTRIES, BLOCK_ENTRIES + 1, len(entries)):
            assert (list(found.entries), len(found.entries)) == (entries[:number], number)
    assert all(entry.looks[0] is LOOK for entry in found.entries if entry.looks)


def test_what_is_read_is_what_there_was_when_it_was_asked_for() -> None:
    found = _journal(max_entries=BLOCK_ENTRIES + 2, max_bytes=2**20)[0].of("some", 1)
    before = _add(found, times=BLOCK_ENTRIES + 2)
    asked = found.entries
    _add(found, times=BLOCK_ENTRIES)
    assert (list(asked), len(asked)) == (before, BLOCK_ENTRIES + 2)
    found.clear()
    assert list(asked) == before


def test_exactly_as_many_entries_are_kept_as_there_may_be() -> None:
    most = 2 * BLOCK_ENTRIES + 3
    found = _journal(max_entries=most, max_bytes=2**20)[0].of("some", 1)
    entries: list[JournalEntry] = []
    for number in range(5 * BLOCK_ENTRIES):
        entries.append(_filled(number))
        found.add(tuple(entries[-1]))
        assert len(found.entries) == min(number + 1, most)
    assert list(found.entries) == entries[-most:]
    assert found.dropped == 5 * BLOCK_ENTRIES - most


def test_bytes_count_before_they_are_compressed() -> None:
    size = _filled(0).size
    found = _journal(max_entries=1000, max_bytes=100 * size)[0].of("some", 1)
    for number in range(5 * BLOCK_ENTRIES):
        found.add(tuple(_filled(number)))
        assert len(found.entries) == min(number + 1, 100)


def test_entries_that_are_alike_take_a_tenth_of_their_memory() -> None:
    gc.collect()
    tracemalloc.start()
    found = _journal(max_entries=1000, max_bytes=2**30)[0].of("some", 1)
    for number in range(10 * BLOCK_ENTRIES):
        found.add(tuple(_filled(number)._replace(answer=b"%d" % number * 2000)))
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < sum(len(entry.answer) for entry in found.entries) / 10


def test_the_youngest_are_first_by_when_they_came_not_by_when_they_ended() -> None:
    rng = Random(0)
    for most in (7, BLOCK_ENTRIES, 3 * BLOCK_ENTRIES):
        found = _journal(max_entries=most, max_bytes=2**30)[0].of("some", 1)
        for number in range(most + 70):
            came = (number - 200 * (rng.random() < 0.1)) * NANOSECONDS
            ended = number * NANOSECONDS
            found.add(tuple(_filled(number)._replace(ended_ns=ended, seconds=(ended - came) / NANOSECONDS)))
            expected = sorted(found.entries, key=lambda entry: entry.id, reverse=True)
            assert list(found.entries.youngest_first()) == expected


def test_a_clock_that_was_set_back_changes_no_order() -> None:
    found = _journal(max_entries=1000, max_bytes=2**30)[0].of("some", 1)
    for number in range(4 * BLOCK_ENTRIES):
        ended = (number if number < 2 * BLOCK_ENTRIES else number - 100) * NANOSECONDS
        found.add(tuple(_filled(number)._replace(ended_ns=ended)))
    expected = sorted(found.entries, key=lambda entry: entry.id, reverse=True)
    assert list(found.entries.youngest_first()) == expected


def test_whoever_wants_the_youngest_reads_no_more_than_their_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    found = _journal(max_entries=10_000, max_bytes=2**30)[0].of("some", 1)
    for number in range(50 * BLOCK_ENTRIES):
        found.add(tuple(_filled(number)._replace(ended_ns=number * NANOSECONDS, seconds=0.5)))
    read: list[EntryBlock] = []
    read_really = EntryBlock.read

    def read_and_note(block: EntryBlock) -> Sequence[JournalEntry]:
        read.append(block)
        return read_really(block)

    monkeypatch.setattr(EntryBlock, "read", read_and_note)
    assert len([*islice(found.entries.youngest_first(), BLOCK_ENTRIES)]) == BLOCK_ENTRIES
    assert len(read) <= 2


def test_the_bytes_that_entries_take_are_given_back() -> None:
    journal, _ = _journal(max_entries=3 * BLOCK_ENTRIES, max_bytes=2**20)
    for _ in range(2):
        found = journal.of("some", 1)
        for number in range(5 * BLOCK_ENTRIES):
            found.add(tuple(_filled(number)))
        assert journal._bytes > 0
        found.clear()
        assert (journal._bytes, journal._count) == (0, 0)


def test_long_entries_are_compressed_a_few_at_a_time() -> None:
    found = _journal(max_entries=1000, max_bytes=20 * BLOCK_BYTES)[0].of("some", 1)
    entries = [
        _entry(size=BLOCK_BYTES // 4)._replace(answer=bytes([number]) * (BLOCK_BYTES // 4)) for number in range(40)
    ]
    for entry in entries:
        found.add(tuple(entry))
    assert list(found.entries) == entries


def test_entries_with_the_same_texts_are_kept_as_they_are() -> None:
    found = _journal(max_entries=1000, max_bytes=2**20)[0].of("some", 1)
    polls = [_filled(number)._replace(answer=ANSWER) for number in range(2 * BLOCK_ENTRIES)]
    for entry in polls:
        found.add(tuple(entry))
    assert list(found.entries) == polls
    assert all(entry.answer is ANSWER for entry in found.entries)
