"""Port of a store for namespaces: their records, the processes that obey them, and what several processes share."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.domain.namespaces import USUAL_MOST, LiveProcess, NamespaceRecord


class NamespaceStore(Protocol):
    """Stores namespaces by name. Every method raises `TransientError` while the store is away.

    Each change raises the revision of the store by at least one, and is durable on return. All times are real ones.
    There is always one called `DEFAULT`, and a record called `SERVER` for what is set for all of them. `is_private`
    says whether no other process can see the store.
    """

    @property
    def is_private(self) -> bool: ...

    async def get(self, name: str) -> NamespaceRecord | None:
        """Return a record; None for a name that is unknown, or was deleted."""
        ...

    async def list(self, *, after: str, limit: int) -> Sequence[NamespaceRecord]:
        """Return namespaces whose name is greater than `after`, in order of name, without `SERVER` and deleted ones."""
        ...

    async def add(self, name: str, *, now: datetime, document: ReadOnlyJson, most: int = USUAL_MOST) -> NamespaceRecord:
        """Return the namespace of a name, which is made with a new epoch if there is none.

        Raise `ConflictError` if there are `most` already, the default one among them.
        """
        ...

    async def save(self, record: NamespaceRecord, document: ReadOnlyJson) -> NamespaceRecord | None:
        """Write a new document if nobody changed the record since; None, and nothing is written, if somebody did."""
        ...

    async def renew(self, name: str, document: ReadOnlyJson) -> NamespaceRecord | None:
        """Begin a new epoch of a namespace, with a new document; the old epoch is over. None if there is none.

        This takes no longer for any number of jobs.
        """
        ...

    async def delete(self, name: str) -> bool:
        """Delete a namespace, so that its epoch is over; False if there is none. Its name can be added again."""
        ...

    async def touch(self, names: Sequence[str], now: datetime) -> None:
        """Note that namespaces are used; this raises no revision."""
        ...

    async def unused_since(self, before: datetime, *, limit: int) -> Sequence[str]:
        """Return the names of namespaces, but for the default one, that nobody has used since then."""
        ...

    async def revision(self) -> int: ...

    async def changed_since(self, revision: int) -> Sequence[NamespaceRecord]:
        """Return the records that were changed after a revision, deleted ones included, in the order of the changes."""
        ...

    async def heartbeat(self, process: str, *, revision: int, now: datetime) -> None:
        """Note that a process lives, and obeys all changes up to a revision."""
        ...

    async def farewell(self, process: str) -> None:
        """Forget a process that ends."""
        ...

    async def live_processes(self, since: datetime) -> Sequence[LiveProcess]:
        """Return the processes that were heard of since then, and forget those that were not for ten times as long."""
        ...

    async def hold(self, name: str, holder: str, *, now: datetime, until: datetime) -> bool:
        """Take or keep a lease on a name until then, unless somebody else has one that lasts at `now`."""
        ...

    async def release(self, name: str, holder: str) -> None:
        """Give back a lease, if the holder has it."""
        ...

    async def count(self, epoch: int, key: str) -> int:
        """Add one to a counter of an epoch, and return how often this was done before: 0 at first."""
        ...

    async def counted(self, epoch: int, keys: Sequence[str]) -> Mapping[str, int]:
        """Return how often each of these counters of an epoch was added to; those that never were are missing."""
        ...

    async def swap_count(self, epoch: int, key: str, before: int, after: int) -> bool:
        """Set a counter of an epoch, which is to be 1 at least, unless it is no longer as `before`: then False."""
        ...

    async def set_count(self, epoch: int, key: str, value: int) -> None:
        """Set a counter of an epoch, whatever it was before."""
        ...

    async def forget_counts(self, epoch: int, keys: Sequence[str]) -> None:
        """Let these counters of an epoch be as if they never had been."""
        ...

    async def post(self, name: str, text: str, *, until: datetime, is_news: bool = False) -> None:
        """Post a note for other processes, which may be gone after that time.

        One that `is_news` raises the revision of the store, so that all look what is posted. No lease has its name.
        """
        ...

    async def posted(self, prefix: str) -> Mapping[str, str]:
        """Return the texts of all notes whose names begin so, by the rest of their names."""
        ...

    async def take_down(self, prefix: str) -> None:
        """Remove all notes whose names begin so."""
        ...

    async def begin_epoch(self, *, lasting: timedelta) -> int:
        """Return the number of a new epoch that no namespace has yet, to write into it.

        It counts as over once nobody has said for so long, with `keep_epoch`, that it is still worked on.
        """
        ...

    async def keep_epoch(self, epoch: int, *, lasting: timedelta) -> bool:
        """Say for how long an epoch that was begun is worked on at least; False if it counts as over already."""
        ...

    async def leave_epoch(self, epoch: int) -> None:
        """Let an epoch that was begun be over at once."""
        ...

    async def adopt(
        self, name: str, epoch: int, *, now: datetime, document: ReadOnlyJson, most: int = USUAL_MOST
    ) -> NamespaceRecord:
        """Make an epoch that was begun that of a namespace, as `renew` does; the namespace is made if there is none.

        What the default one has then has the resources of the epoch among those that all share. Raise `ConflictError`,
        and change nothing, if the epoch counts as over, or if there are `most` namespaces already.
        """
        ...

    async def epochs_with_work(self) -> Sequence[int]:
        """Return the epochs, among those not over, that have unfinished jobs or workflows, or something to deliver."""
        ...

    async def sweep_over(self, *, limit: int) -> bool:
        """Delete at most about `limit` rows of epochs that are over; False if nothing of any is left."""
        ...
