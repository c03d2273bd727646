"""Keep entries of the journal in little memory: all but the last ones are compressed, many of them together."""

import pickle
from array import array
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from civitai_mock.domain.fast_zlib import compress, decompress
from civitai_mock.domain.journal import JournalEntry, LargeBody, PlainEntry

if TYPE_CHECKING:
    from civitai_mock.domain.faults.choice import Look

# Entries are much alike: 64 of them together take a tenth of their memory, for 2 µs each, and more of them hardly less.
# Longer blocks would hold up the requests that come meanwhile.
BLOCK_ENTRIES = 64
BLOCK_BYTES = 256 * 1024
FAST_LEVEL = 1
SHARED_SHARE = 4  # entries that have a text in common


class Objects(NamedTuple):
    """Holds the members of an entry that are no plain values: they stay as they are, as others have them, too."""

    looks: "Sequence[Look]"
    large_request: LargeBody | None
    large_answer: LargeBody | None


OBJECTS = tuple(JournalEntry._fields.index(name) for name in Objects._fields)
LOOKS, LARGE_REQUEST, LARGE_ANSWER = OBJECTS
ENDED, REQUEST, ANSWER, SIZE = (JournalEntry._fields.index(name) for name in ("ended_ns", "request", "answer", "size"))


class EntryBlock:
    """Holds entries that came one after the other; `sizes` are theirs, and `ended_ns` is when the last of them ended.

    They are compressed, unless most have their texts in common, as those of a client that polls have: what is left to
    compress then is less than the work for it, which would be a tenth of such a request.
    """

    __slots__ = ("_content", "_entries", "_objects", "ended_ns", "sizes")

    def __init__(self, entries: Sequence[PlainEntry]) -> None:
        self.sizes: array[int] = array("Q", [entry[SIZE] for entry in entries])
        self.ended_ns: int = max(entry[ENDED] for entry in entries)
        self._content = b""
        self._objects: Mapping[int, Objects] = {}
        self._entries: Sequence[PlainEntry] = ()
        texts = {id(text) for entry in entries for text in (entry[REQUEST], entry[ANSWER])}
        if len(texts) <= len(entries) // SHARED_SHARE:
            self._entries = entries
        else:
            self._compress(entries)

    def _compress(self, entries: Sequence[PlainEntry]) -> None:
        self._objects = {number: _objects(entry) for number, entry in enumerate(entries) if _has_objects(entry)}
        plain = [_plain(entry) if number in self._objects else entry for number, entry in enumerate(entries)]
        self._content = compress(pickle.dumps(plain, pickle.HIGHEST_PROTOCOL), FAST_LEVEL)

    def read(self) -> Sequence[JournalEntry]:
        if not self._content:
            return [*map(JournalEntry._make, self._entries)]
        plain = pickle.loads(decompress(self._content))  # noqa: S301 - nobody else can have written it
        entries = [*map(JournalEntry._make, plain)]
        for number, objects in self._objects.items():
            entries[number] = entries[number]._replace(**objects._asdict())
        return entries


class KeptEntries:
    """Is what a queue had in a moment; each block of it is read when the first of its entries is asked for."""

    def __init__(self, blocks: Sequence[EntryBlock], fresh: Sequence[PlainEntry], *, gone: int = 0) -> None:
        """Of the oldest block, so many entries have `gone`."""
        self._blocks = blocks
        self._fresh = fresh
        self._gone = gone

    def __len__(self) -> int:
        return sum(len(block.sizes) for block in self._blocks) - self._gone + len(self._fresh)

    def __iter__(self) -> Iterator[JournalEntry]:
        """Yield the entries in the order in which the requests ended."""
        for number in range(len(self._blocks)):
            yield from self._read(number)
        yield from map(JournalEntry._make, self._fresh)

    def youngest_first(self) -> Iterator[JournalEntry]:
        """Yield the entries against the order in which the requests came.

        An entry is yielded once it is younger than all in the blocks that are not read yet: it came after the last of
        those had ended.
        """
        ended = [*accumulate((block.ended_ns for block in self._blocks), max)]
        read = sorted(map(JournalEntry._make, self._fresh), key=attrgetter("id"))
        for number in reversed(range(len(ended))):
            while read and read[-1].started_ns > ended[number]:
                yield read.pop()
            read = sorted([*read, *self._read(number)], key=attrgetter("id"))
        yield from reversed(read)

    def _read(self, number: int) -> Sequence[JournalEntry]:
        entries = self._blocks[number].read()
        return entries[self._gone :] if number == 0 else entries


class EntryQueue:
    """Holds the entries of one namespace since they were cleared, and how many of them had to go.

    An entry that has gone is there until the last of its block has, but is not read any more.
    """

    __slots__ = ("_blocks", "_fresh", "_fresh_size", "_gone", "_room", "count", "dropped")

    def __init__(self) -> None:
        self.dropped = 0
        self.clear()

    def clear(self) -> None:
        """Forget all entries; they do not count as dropped."""
        self._blocks: deque[EntryBlock] = deque()
        self._fresh: list[PlainEntry] = []
        self._room = BLOCK_ENTRIES  # for fresh entries: counted, as each request would pay for a call
        self._fresh_size = self._gone = self.count = 0

    @property
    def entries(self) -> KeptEntries:
        return KeptEntries([*self._blocks], [*self._fresh], gone=self._gone)

    @property
    def size(self) -> int:
        """Return about how many bytes the entries are, before any is compressed."""
        gone = self._blocks[0].sizes[: self._gone] if self._blocks else ()
        return self._fresh_size + sum(sum(block.sizes) for block in self._blocks) - sum(gone)

    def add(self, entry: PlainEntry) -> None:
        self._fresh.append(entry)
        self.count += 1
        self._room -= 1
        self._fresh_size += entry[SIZE]
        if self._room == 0 or self._fresh_size > BLOCK_BYTES:
            self._blocks.append(EntryBlock(self._fresh))
            self._fresh, self._fresh_size, self._room = [], 0, BLOCK_ENTRIES

    def drop_oldest(self) -> int:
        """Let the oldest entry go, and return its size."""
        self.count -= 1
        self.dropped += 1
        if not self._blocks:
            size: int = self._fresh.pop(0)[SIZE]
            self._fresh_size -= size
            self._room += 1
            return size
        sizes, place = self._blocks[0].sizes, self._gone
        self._gone += 1
        if self._gone == len(sizes):
            self._blocks.popleft()
            self._gone = 0
        return sizes[place]


def _has_objects(entry: PlainEntry) -> bool:
    return bool(entry[LOOKS]) or entry[LARGE_REQUEST] is not None or entry[LARGE_ANSWER] is not None


def _objects(entry: PlainEntry) -> Objects:
    return Objects(entry[LOOKS], entry[LARGE_REQUEST], entry[LARGE_ANSWER])


def _plain(entry: PlainEntry) -> PlainEntry:
    return tuple([None if place in OBJECTS else member for place, member in enumerate(entry)])
