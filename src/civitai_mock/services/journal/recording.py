"""Keep the journal of this process: the last requests of each namespace, as many as there is room for."""

from collections import deque
from collections.abc import Callable

from civitai_mock.domain.journal import PlainEntry
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.ports import Metrics
from civitai_mock.services.journal.blocks import SIZE, EntryQueue, KeptEntries

Listener = Callable[[], None]


class Journal:
    """Bounds what all namespaces of a process keep together; the oldest entries go first, whosever they are."""

    def __init__(self, *, max_entries: int, max_bytes: int, metrics: Metrics) -> None:
        """Without any entries the journal is off."""
        self.is_on = max_entries > 0
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._metrics = metrics
        self._count = self._bytes = 0
        self._order: deque[EntryQueue] = deque()  # whose entry is the next oldest; what was cleared does not count
        self._by_name: dict[str, NamespaceJournal] = {}

    def of(self, name: str, epoch: int) -> "NamespaceJournal":
        """Return the journal of a namespace in an epoch, the same one each time."""
        found = self.find(name, epoch)
        if found is None:
            self.forget(name)
            found = self._by_name[name] = NamespaceJournal(self, name=name, epoch=epoch)
        return found

    def find(self, name: str, epoch: int) -> "NamespaceJournal | None":
        """Return the journal of a namespace in an epoch, if there is one."""
        found = self._by_name.get(name)
        return found if found is not None and found.epoch == epoch else None

    def forget(self, name: str, *, but: int | None = None) -> None:
        """Forget what is kept of a namespace, unless it is that of an epoch."""
        found = self._by_name.get(name)
        if found is not None and found.epoch != but:
            found.end()
            del self._by_name[name]

    def add(self, queue: EntryQueue, entry: PlainEntry) -> None:
        """Add an entry, and let the oldest ones go if there is no room any more. Every request comes here."""
        queue.add(entry)
        self._order.append(queue)
        self._count += 1
        self._bytes += entry[SIZE]
        if self._count > self._max_entries or self._bytes > self._max_bytes:
            self._drop_oldest()

    def release(self, queue: EntryQueue) -> None:
        """Give back what the entries of a queue take, which is cleared."""
        self._count -= queue.count
        self._bytes -= queue.size
        queue.clear()
        if len(self._order) > 2 * self._max_entries:
            self._order = deque(queue for queue in self._order if queue.count)

    def _drop_oldest(self) -> None:
        while self._count > self._max_entries or self._bytes > self._max_bytes:
            queue = self._order.popleft()
            if queue.count:
                self._count -= 1
                self._bytes -= queue.drop_oldest()
                self._metrics.journal_drops += 1


class NamespaceJournal:
    """Keeps the last requests of one namespace in one epoch; whoever waits for the next one is called when it comes."""

    def __init__(self, journal: Journal, *, name: str, epoch: int) -> None:
        self.name = name
        self.epoch = epoch
        self._journal = journal
        self._kept = EntryQueue()
        self._is_over = False
        self._listeners: list[Listener] = []

    @property
    def is_on(self) -> bool:
        return self._journal.is_on

    @property
    def entries(self) -> KeptEntries:
        """Return what is kept at this moment."""
        return self._kept.entries

    @property
    def dropped(self) -> int:
        """Return how many entries had to go since the last one was cleared."""
        return self._kept.dropped

    def add(self, entry: PlainEntry) -> None:
        """Add the members of an entry, unless the epoch is over."""
        if self._is_over:
            return
        self._journal.add(self._kept, entry)
        for listener in self._listeners:
            listener()

    def clear(self) -> None:
        """Forget all entries, and that some had to go."""
        self._journal.release(self._kept)
        self._kept = EntryQueue()

    def end(self) -> None:
        """Forget all of it for good; what is still on its way is not kept any more."""
        self._is_over = True
        self.clear()

    def check(self) -> None:
        """Raise `NamespaceResetError` if the epoch is over."""
        if self._is_over:
            raise Epoch(self.name, self.epoch).ended_error()

    def subscribe(self, listener: Listener) -> None:
        """Have a listener called after each entry; it must not block."""
        self._listeners.append(listener)

    def unsubscribe(self, listener: Listener) -> None:
        self._listeners.remove(listener)
