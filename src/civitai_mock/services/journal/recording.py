"""Keep the journal of this process: the last requests of each namespace, as many as there is room for."""

from collections import deque
from collections.abc import Callable, Sequence

from civitai_mock.domain.journal import JournalEntry, PlainEntry
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.ports import Metrics

Listener = Callable[[], None]


class _Page:
    """Holds the entries of one namespace since they were cleared, and how many of them had to go."""

    __slots__ = ("dropped", "entries")

    def __init__(self) -> None:
        self.entries: deque[PlainEntry] = deque()
        self.dropped = 0


class Journal:
    """Bounds what all namespaces of a process keep together; the oldest entries go first, whosever they are."""

    def __init__(self, *, max_entries: int, max_bytes: int, metrics: Metrics) -> None:
        """Without any entries the journal is off."""
        self.is_on = max_entries > 0
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._metrics = metrics
        self._count = self._bytes = 0
        self._order: deque[_Page] = deque()  # whose entry is the next oldest; those of cleared pages do not count
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

    def add(self, page: _Page, entry: PlainEntry) -> None:
        """Add an entry, and let the oldest ones go if there is no room any more. Every request comes here."""
        page.entries.append(entry)
        self._order.append(page)
        self._count += 1
        self._bytes += entry[-1]
        if self._count > self._max_entries or self._bytes > self._max_bytes:
            self._drop_oldest()

    def release(self, page: _Page) -> None:
        """Give back what the entries of a page take."""
        self._count -= len(page.entries)
        self._bytes -= sum(entry[-1] for entry in page.entries)
        page.entries.clear()
        if len(self._order) > 2 * self._max_entries:
            self._order = deque(page for page in self._order if page.entries)

    def _drop_oldest(self) -> None:
        while self._count > self._max_entries or self._bytes > self._max_bytes:
            page = self._order.popleft()
            if page.entries:
                self._count -= 1
                self._bytes -= page.entries.popleft()[-1]
                page.dropped += 1
                self._metrics.journal_drops += 1


class NamespaceJournal:
    """Keeps the last requests of one namespace in one epoch; whoever waits for the next one is called when it comes."""

    def __init__(self, journal: Journal, *, name: str, epoch: int) -> None:
        self.name = name
        self.epoch = epoch
        self._journal = journal
        self._page = _Page()
        self._is_over = False
        self._listeners: list[Listener] = []

    @property
    def is_on(self) -> bool:
        return self._journal.is_on

    @property
    def entries(self) -> Sequence[JournalEntry]:
        """Return what is kept, in the order in which the requests ended."""
        return [*map(JournalEntry._make, self._page.entries)]

    @property
    def dropped(self) -> int:
        """Return how many entries had to go since the last one was cleared."""
        return self._page.dropped

    def add(self, entry: PlainEntry) -> None:
        """Add the members of an entry, unless the epoch is over."""
        if self._is_over:
            return
        self._journal.add(self._page, entry)
        for listener in self._listeners:
            listener()

    def clear(self) -> None:
        """Forget all entries, and that some had to go."""
        self._journal.release(self._page)
        self._page = _Page()

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
