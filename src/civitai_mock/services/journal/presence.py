"""Who has a journal of a namespace: the store counts the processes that record requests of an epoch."""

import asyncio
from typing import Final

from civitai_mock.ports import NamespaceStore
from civitai_mock.services.journal.recording import Journal

COUNTER: Final = "journals"  # one more than there are journals, as a counter is 1 at least


class JournalPresence:
    """Counts in the store that this process may record requests of an epoch, before it does.

    Where no other process can see the store, nobody has to know.
    """

    def __init__(self, *, store: NamespaceStore, journal: Journal, has_api: bool) -> None:
        """Take whether this process has an API: without one it records nothing."""
        self._store = store
        self._journal = journal
        self._is_needed = has_api and journal.is_on and not store.is_private
        self._noted: dict[str, int] = {}  # epochs by the names of their namespaces
        self._noting = asyncio.Lock()

    def is_noted(self, name: str, epoch: int) -> bool:
        """Return whether requests to a namespace in an epoch may be served."""
        return not self._is_needed or self._noted.get(name) == epoch

    def has_journal(self, name: str, epoch: int) -> bool:
        """Return whether this process is one of those that are counted."""
        return self._noted.get(name) == epoch

    async def note(self, name: str, epoch: int) -> None:
        """Have it known that requests to a namespace in an epoch are recorded here from now on."""
        if not self.is_noted(name, epoch):
            async with self._noting:
                if self._noted.get(name) != epoch:
                    await self.add(epoch, 1)
                    self._noted[name] = epoch

    def forget(self, name: str, *, but: int | None) -> None:
        """Forget a namespace, unless it is in this epoch."""
        if self._noted.get(name) != but:
            self._noted.pop(name, None)

    async def leave(self) -> None:
        """Let nobody miss a journal that is empty; what is in another one is lost with this process."""
        for name, epoch in self._noted.items():
            found = self._journal.find(name, epoch)
            if found is None or not (found.entries or found.dropped):
                await self.add(epoch, -1)
        self._noted.clear()

    async def count(self, epoch: int) -> int:
        """Return how many processes have had a journal of an epoch, as far as nobody has forgotten it."""
        return max((await self._store.counted(epoch, [COUNTER])).get(COUNTER, 1) - 1, 0)

    async def add(self, epoch: int, number: int) -> None:
        while True:
            before = await self.count(epoch)
            if await self.set_count(epoch, before, max(before + number, 0)):
                return

    async def set_count(self, epoch: int, before: int, after: int) -> bool:
        """Set the number of journals, unless it is not as before any more."""
        if await self._store.swap_count(epoch, COUNTER, before + 1, after + 1):
            return True
        return before == 0 and await self._store.swap_count(epoch, COUNTER, 0, after + 1)
