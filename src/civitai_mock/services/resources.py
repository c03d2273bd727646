"""Manage resources."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from civitai_mock.domain.air import Air
from civitai_mock.domain.errors import NotFoundError
from civitai_mock.domain.json import ReadOnlyJson
from civitai_mock.domain.resource import Resource
from civitai_mock.ports import ResourcePage, ResourceStore


@dataclass(frozen=True, slots=True, kw_only=True)
class ManageResources:
    """Raises `NotFoundError` for an AIR that is unknown, `ConflictError` for one that is there already."""

    resources: ResourceStore

    async def page(self, *, query: str, page: int, limit: int) -> ResourcePage:
        """`page` counts from 1."""
        return await self.resources.search(query, offset=(page - 1) * limit, limit=limit)

    async def get(self, air: Air) -> Resource:
        found = await self.resources.find([air])
        if not found:
            raise _unknown(air)
        return found[str(air)]

    async def add(self, resource: Resource) -> Resource:
        await self.resources.add(resource)
        return resource

    async def put(self, resource: Resource) -> Resource:
        if not await self.resources.replace(resource):
            raise _unknown(resource.air)
        return resource

    async def patch(self, air: Air, changes: ReadOnlyJson) -> Resource:
        """Set the named fields; null takes a field away (JSON Merge Patch, one level deep)."""
        current = await self.get(air)
        fields = {name: value for name, value in {**current.fields, **changes}.items() if value is not None}
        return await self.put(replace(current, fields=fields))

    async def delete(self, air: Air) -> None:
        if not await self.resources.delete(air):
            raise _unknown(air)

    async def seed(self, catalogue: Sequence[Resource]) -> int:
        """Add what is missing of `catalogue`; the answer is how many were."""
        return await self.resources.add_missing(catalogue)

    async def seed_if_empty(self, catalogue: Sequence[Resource]) -> int:
        """Add `catalogue` to a store that has no resource at all."""
        first = await self.resources.search("", offset=0, limit=1)
        return 0 if first.total else await self.seed(catalogue)


def _unknown(air: Air) -> NotFoundError:
    return NotFoundError(f"The resource '{air}' does not exist.")
