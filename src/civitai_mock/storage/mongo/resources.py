"""Resources in MongoDB."""

from collections.abc import Mapping, Sequence

from civitai_mock.domain.air import Air, CompressedAir
from civitai_mock.domain.resource import Resource
from civitai_mock.ports import ResourcePage
from civitai_mock.storage.mongo.collections import Collection, Document
from civitai_mock.storage.mongo.errors import domain_errors, raises_domain_errors
from civitai_mock.storage.mongo.inserts import insert_missing
from civitai_mock.storage.mongo.resource_documents import (
    reference_filter,
    resource_document,
    resource_of,
    search_filter,
)

MAX_SKIP = 2**62  # the server adds the limit to it, in 64 bits


class MongoResourceStore:
    def __init__(self, *, resources: Collection) -> None:
        self._resources = resources

    async def add(self, resource: Resource) -> None:
        with domain_errors(conflict=f"The resource '{resource.air}' exists already."):
            await self._resources.insert_one(resource_document(resource))

    @raises_domain_errors
    async def add_missing(self, resources: Sequence[Resource]) -> int:
        return await insert_missing(self._resources, [resource_document(resource) for resource in resources])

    @raises_domain_errors
    async def get(self, air: Air) -> Resource | None:
        document = await self._resources.find_one({"airKey": air.key})
        return None if document is None else resource_of(document)

    @raises_domain_errors
    async def find(self, references: Sequence[Air | CompressedAir]) -> Mapping[str, Resource]:
        wanted = {str(reference): reference_filter(reference) for reference in references}
        if not wanted:
            return {}
        candidates = self._resources.find({"$or": list(wanted.values())}).sort("airKey")
        documents = [document async for document in candidates]
        return {text: resource for text, matching in wanted.items() if (resource := _first(documents, matching))}

    @raises_domain_errors
    async def replace(self, resource: Resource) -> bool:
        replaced = await self._resources.replace_one({"airKey": resource.air.key}, resource_document(resource))
        return replaced.matched_count == 1

    @raises_domain_errors
    async def delete(self, air: Air) -> bool:
        deleted = await self._resources.delete_one({"airKey": air.key})
        return deleted.deleted_count == 1

    @raises_domain_errors
    async def search(self, query: str, *, offset: int, limit: int) -> ResourcePage:
        matching = search_filter(query)
        total = await self._resources.count_documents(matching)
        found = self._resources.find(matching).sort("airKey").skip(min(offset, MAX_SKIP)).limit(limit)
        return ResourcePage(total=total, items=[resource_of(document) async for document in found])


def _first(documents: Sequence[Document], matching: Document) -> Resource | None:
    found = (document for document in documents if matching.items() <= document.items())
    document = next(found, None)
    return None if document is None else resource_of(document)
