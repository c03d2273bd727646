"""Port of a store for the fleet of a namespace: how its pods are, and what it has cost."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from civitai_mock.domain.json_types import JsonObject, ReadOnlyJson

if TYPE_CHECKING:  # what only those need who have a fleet is not loaded at the start
    from civitai_mock.domain.fleet.costs import CostEntry


class FleetStore(Protocol):
    """Keeps the fleet of one epoch. Every method raises `TransientError` while the store is away."""

    async def read(self) -> tuple[int, JsonObject] | None:
        """Return the version of the state and the state; None before the first one."""
        ...

    async def save(self, version: int | None, state: ReadOnlyJson) -> int | None:
        """Put a state into the place of the one with this version, or be the first; return its version.

        None says that somebody else was faster, and nothing has changed.
        """
        ...

    async def add_costs(self, entries: Sequence["CostEntry"]) -> None:
        """Store entries, durable on return; those whose id is known stay as they are.

        If this fails, some may be stored, and adding all again stores the others.
        """
        ...

    async def costs(self, *, since: datetime | None = None, until: datetime | None = None) -> Sequence["CostEntry"]:
        """Return what began before `until` and ended at `since` or later, by the end and then the id."""
        ...
