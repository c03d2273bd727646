"""Manage resources: list, get, add, change and delete them, and seed a store with a catalogue."""

from collections.abc import Sequence
from dataclasses import replace

from civitai_mock.domain.air import Reference
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import NotFoundError
from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.domain.resource import Resource, is_named
from civitai_mock.ports import ResourcePage, ResourceStore


@dataclass(frozen=True, slots=True, kw_only=True)
class ManageResources:
    """Manages resources; raises `NotFoundError` for an unknown AIR, and `ConflictError` for one that exists already."""

    resources: ResourceStore

    async def page(self, *, query: str, offset: int, limit: int) -> ResourcePage:
        """Return resources in the order of AIR, from the one with `offset` before it."""
        return await self.resources.search(query, offset=offset, limit=limit)

    async def get(self, reference: Reference) -> Resource:
        found = await self.resources.find([reference])
        if not found:
            raise _unknown(reference)
        return found[str(reference)]

    async def add(self, resource: Resource) -> Resource:
        await self.resources.add(resource)
        return resource

    async def put(self, resource: Resource) -> Resource:
        """Replace the resource of the same identity, whose AIR may be spelled otherwise."""
        if not await self.resources.replace(resource):
            raise _unknown(resource.air)
        return resource

    async def patch(self, reference: Reference, changes: ReadOnlyJson) -> Resource:
        """Set the given fields; null takes a field away (JSON Merge Patch, one level deep)."""
        current = await self._get_named(reference)
        fields = {name: value for name, value in {**current.fields, **changes}.items() if value is not None}
        return await self.put(replace(current, fields=fields))

    async def delete(self, reference: Reference) -> None:
        resource = await self._get_named(reference)
        if not await self.resources.delete(resource.air):
            raise _unknown(reference)

    async def _get_named(self, reference: Reference) -> Resource:
        """Return the resource with exactly this AIR.

        An AIR without a version gets the newest one, which nobody would want to change by chance: so it is unknown
        here.
        """
        found = await self.get(reference)
        if not is_named(reference, found.air):
            raise _unknown(reference)
        return found

    async def seed(self, catalogue: Sequence[Resource]) -> int:
        """Add those resources of `catalogue` that the store lacks, and return how many these are."""
        return await self.resources.add_missing(catalogue)

    async def seed_if_empty(self, catalogue: Sequence[Resource]) -> int:
        """Add `catalogue` to a store that has no resource at all."""
        first = await self.resources.search("", offset=0, limit=1)
        return 0 if first.total else await self.seed(catalogue)


def _unknown(reference: Reference) -> NotFoundError:
    return NotFoundError(f"The resource '{reference}' does not exist.")
