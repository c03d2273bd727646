"""Ports of a store for events of namespaces: append-only, and read in the order in which they were written.

Whoever makes such events appends them by `services.namespace_events`, which also tells who listens.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from civitai_mock.domain.namespace_events import LoggedEvent, NamespaceEvent


class NamespaceEventStore(Protocol):
    """Keeps the events of one epoch. Every method raises `TransientError` while the store is away."""

    async def append(self, events: Sequence[NamespaceEvent], *, keep_until: datetime) -> None:
        """Store events in their order, durable on return; those whose key is known stay out.

        If this fails, some may be stored, and appending all again stores the others.
        """
        ...

    async def of_jobs(self, job_ids: Sequence[str], *, after: int) -> Sequence[LoggedEvent]:
        """Return the events behind a position that name any of these jobs, in order."""
        ...

    async def sweep(self, now: datetime) -> int:
        """Delete events whose `keep_until` has passed, and return how many these are."""
        ...


class NamespaceEventFeed(Protocol):
    """Reads the events of all epochs in the order of their positions, which is that in which they became visible.

    So whoever goes on from a position misses nothing and gets nothing twice. Both methods raise `TransientError` while
    the store is away.
    """

    async def last_position(self) -> int:
        """Return the position behind which everything is that is appended from now on."""
        ...

    async def after(self, position: int, *, limit: int) -> Sequence[LoggedEvent]: ...
