"""Keep entries of the journal in little memory: all but the last ones are compressed, many of them together."""

import pickle
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from civitai_mock.domain.journal import BYTES_BESIDE, BYTES_OF_LOOK, JournalEntry, LargeBody, PlainEntry

if TYPE_CHECKING:
    from civitai_mock.domain.faults.choice import Look

# Entries are much alike: 64 of them together take a tenth of their memory, for 1 µs each, and more of them hardly less.
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

    @property
    def size(self) -> int:
        return BYTES_OF_LOOK * len(self.looks) + sum(body.kept for body in self[1:] if body is not None)


PLACES = tuple(JournalEntry._fields.index(name) for name in Objects._fields)
LOOKS, LARGE_REQUEST, LARGE_ANSWER = PLACES
REQUEST, ANSWER = (JournalEntry._fields.index(name) for name in ("request", "answer"))


class EntryBlock:
    """Holds entries that came one after the other; `size` is about what they take, in bytes.

    They are compressed, unless most have their texts in common, as those of a client that polls have: what is left to
    compress then is less than the work for it, which would be a twentieth of such a request.
    """

    __slots__ = ("_content", "_entries", "_objects", "count", "size")

    def __init__(self, entries: Sequence[PlainEntry]) -> None:
        self.count = len(entries)
        self._content = b""
        self._objects: Mapping[int, Objects] = {}
        self._entries: Sequence[PlainEntry] = ()
        texts = {id(text): text for entry in entries for text in (entry[REQUEST], entry[ANSWER])}
        if len(texts) <= len(entries) // SHARED_SHARE:
            self._entries = entries
            self.size = BYTES_BESIDE * len(entries) + sum(map(len, texts.values()))
        else:
            self._compress(entries)
            self.size = BYTES_BESIDE + len(self._content)
        self.size += sum(_objects(entry).size for entry in entries if _has_objects(entry))

    def _compress(self, entries: Sequence[PlainEntry]) -> None:
        from civitai_mock.domain.fast_zlib import compress  # noqa: PLC0415 - the start has no use for it

        self._objects = {number: _objects(entry) for number, entry in enumerate(entries) if _has_objects(entry)}
        plain = [_plain(entry) if number in self._objects else entry for number, entry in enumerate(entries)]
        self._content = compress(pickle.dumps(plain, pickle.HIGHEST_PROTOCOL), FAST_LEVEL)

    def read(self) -> Sequence[JournalEntry]:
        if not self._content:
            return [*map(JournalEntry._make, self._entries)]
        from civitai_mock.domain.fast_zlib import decompress  # noqa: PLC0415 - as above

        plain = pickle.loads(decompress(self._content))  # noqa: S301 - nobody else can have written it
        entries = [*map(JournalEntry._make, plain)]
        for number, objects in self._objects.items():
            entries[number] = entries[number]._replace(**objects._asdict())
        return entries


class KeptEntries:
    """Is what a queue had in a moment, in the order in which the requests ended; it takes time to read it."""

    def __init__(self, blocks: Sequence[EntryBlock], fresh: Sequence[PlainEntry], *, gone: int, count: int) -> None:
        self._blocks = blocks
        self._fresh = fresh
        self._gone = gone
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[JournalEntry]:
        first, *others = [*(block.read() for block in self._blocks), [*map(JournalEntry._make, self._fresh)]]
        yield from first[self._gone :]
        for entries in others:
            yield from entries


class EntryQueue:
    """Holds the entries of one namespace since they were cleared, and how many of them had to go.

    `size` is about what they take, in bytes. The oldest block is there until the last of its entries has gone.
    """

    __slots__ = ("_blocks", "_fresh", "_fresh_size", "_gone", "_room", "count", "dropped", "size")

    def __init__(self) -> None:
        self.dropped = 0
        self.clear()

    def clear(self) -> None:
        """Forget all entries; they do not count as dropped."""
        self._blocks: deque[EntryBlock] = deque()
        self._fresh: list[PlainEntry] = []
        self._room = BLOCK_ENTRIES  # for fresh entries, until they are a block
        self._fresh_size = self._gone = self.count = self.size = 0

    @property
    def entries(self) -> KeptEntries:
        return KeptEntries([*self._blocks], [*self._fresh], gone=self._gone, count=self.count)

    def add(self, entry: PlainEntry) -> int:
        """Add an entry, and return by how much the queue has grown; it may be less than nothing."""
        before: int = self.size
        size: int = entry[-1]
        self._fresh.append(entry)
        self.count += 1
        self.size = before + size
        self._room -= 1
        self._fresh_size += size
        if self._room == 0 or self._fresh_size > BLOCK_BYTES:
            self._compress()
        return self.size - before

    def drop_oldest(self) -> int:
        """Let the oldest entry go, and return by how much the queue has shrunk."""
        self.count -= 1
        self.dropped += 1
        size = self._release_oldest()
        self.size -= size
        return size

    def _compress(self) -> None:
        block = EntryBlock(self._fresh)
        self._blocks.append(block)
        self.size += block.size - self._fresh_size
        self._fresh, self._fresh_size, self._room = [], 0, BLOCK_ENTRIES

    def _release_oldest(self) -> int:
        if not self._blocks:
            size: int = self._fresh.pop(0)[-1]
            self._fresh_size -= size
            self._room += 1
            return size
        self._gone += 1
        if self._gone < self._blocks[0].count:
            return 0
        self._gone = 0
        return self._blocks.popleft().size


def _has_objects(entry: PlainEntry) -> bool:
    return bool(entry[LOOKS]) or entry[LARGE_REQUEST] is not None or entry[LARGE_ANSWER] is not None


def _objects(entry: PlainEntry) -> Objects:
    return Objects(entry[LOOKS], entry[LARGE_REQUEST], entry[LARGE_ANSWER])


def _plain(entry: PlainEntry) -> PlainEntry:
    return tuple([None if place in PLACES else member for place, member in enumerate(entry)])
