"""Resources in MongoDB."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias, TypeVar

from civitai_mock.domain.air import Air, Reference
from civitai_mock.domain.errors import ConflictError
from civitai_mock.domain.resource import Resource, itself, named
from civitai_mock.ports import ResourcePage
from civitai_mock.storage.mongo.collections import Collection
from civitai_mock.storage.mongo.errors import domain_errors, raises_domain_errors
from civitai_mock.storage.mongo.inserts import insert_missing
from civitai_mock.storage.mongo.resource_documents import (
    new_document,
    reference_filter,
    resource_document,
    resource_of,
    search_filter,
)

R = TypeVar("R", Air, Reference)
Found: TypeAlias = Mapping[str, Resource]

MAX_SKIP = 2**62  # the server adds the limit to it, in 64 bits


class MongoResourceStore:
    def __init__(self, *, resources: Collection) -> None:
        self._resources = resources

    async def add(self, resource: Resource) -> None:
        conflict = f"The resource '{resource.air}' exists already."
        with domain_errors(conflict=conflict):
            if await self._itself(resource.air):
                raise ConflictError(conflict)
            await self._resources.insert_one(new_document(resource))

    @raises_domain_errors
    async def add_missing(self, resources: Sequence[Resource]) -> int:
        """Look for those of earlier versions of this program: only later ones are held apart by their `_id`."""
        known = (await self._named([resource.air for resource in resources], itself)).keys()
        new = [new_document(resource) for resource in resources if str(resource.air) not in known]
        return await insert_missing(self._resources, new)

    @raises_domain_errors
    async def find(self, references: Sequence[Reference]) -> Mapping[str, Resource]:
        return await self._named(references, named)

    @raises_domain_errors
    async def replace(self, resource: Resource) -> bool:
        former = await self._itself(resource.air)
        if former is None:
            return False
        replaced = await self._resources.replace_one({"airKey": former.air.key}, resource_document(resource))
        return replaced.matched_count == 1

    @raises_domain_errors
    async def delete(self, air: Air) -> bool:
        former = await self._itself(air)
        if former is None:
            return False
        deleted = await self._resources.delete_one({"airKey": former.air.key})
        return deleted.deleted_count == 1

    @raises_domain_errors
    async def search(self, query: str, *, offset: int, limit: int) -> ResourcePage:
        matching = search_filter(query)
        total = await self._resources.count_documents(matching)
        found = self._resources.find(matching).sort("airKey").skip(min(offset, MAX_SKIP)).limit(limit)
        return ResourcePage(total=total, items=[resource_of(document) async for document in found])

    async def _itself(self, air: Air) -> Resource | None:
        return (await self._named([air], itself)).get(str(air))

    async def _named(
        self, references: Sequence[R], choose: Callable[[R, Sequence[Resource]], Resource | None]
    ) -> Found:
        """Return them by `str(reference)`, with one look for all of them."""
        if not references:
            return {}
        filters = [reference_filter(reference) for reference in references]
        candidates = [resource_of(document) async for document in self._resources.find({"$or": filters})]
        found = {str(reference): choose(reference, candidates) for reference in references}
        return {text: resource for text, resource in found.items() if resource is not None}
