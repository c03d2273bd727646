"""Resources in MongoDB."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TypeAlias, TypeVar

from civitai_mock.domain.air import Air, Reference
from civitai_mock.domain.errors import ConflictError
from civitai_mock.domain.resource import Resource, find_named, find_same
from civitai_mock.ports import ResourcePage
from civitai_mock.storage.mongo.collections import Collection, Document, insert_missing
from civitai_mock.storage.mongo.encoding import json_text, parse_json_object
from civitai_mock.storage.mongo.errors import domain_errors, raises_domain_errors

R = TypeVar("R", Air, Reference)
Found: TypeAlias = Mapping[str, Resource]

MAX_SKIP = 2**62  # as the server adds the limit to it, in 64 bits


class MongoResourceStore:
    """Implements `ResourceStore`, one document for each resource."""

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
        """Look for known ones first: the `_id` keeps only resources apart that later versions have stored."""
        known = (await self._named([resource.air for resource in resources], find_same)).keys()
        new = [new_document(resource) for resource in resources if str(resource.air) not in known]
        return await insert_missing(self._resources, new)

    @raises_domain_errors
    async def find(self, references: Sequence[Reference]) -> Mapping[str, Resource]:
        return await self._named(references, find_named)

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
        return (await self._named([air], find_same)).get(str(air))

    async def _named(
        self, references: Sequence[R], choose: Callable[[R, Sequence[Resource]], Resource | None]
    ) -> Found:
        """Return resources by `str(reference)`, found by one query."""
        if not references:
            return {}
        filters = [reference_filter(reference) for reference in references]
        candidates = [resource_of(document) async for document in self._resources.find({"$or": filters})]
        found = {str(reference): choose(reference, candidates) for reference in references}
        return {text: resource for text, resource in found.items() if resource is not None}


def resource_document(resource: Resource) -> Document:
    """Return members to be matched, in lower case as `Air.key` is, and the exact resource in `parts` and `fields`."""
    air = resource.air
    return {
        "air": str(air),
        "airKey": air.key,
        "source": air.source.lower(),
        "version": air.version.lower() if air.version else None,
        "resourceId": air.id.lower(),
        "searchText": resource.search_text,
        "parts": asdict(air),
        "fields": json_text(resource.fields),
    }


def new_document(resource: Resource) -> Document:
    """Make a document with an `_id` that the database accepts only once for a version."""
    air = resource.air
    identity = {} if air.version_id is None else {"_id": air.identity}
    return {**identity, **resource_document(resource)}


def resource_of(document: Document) -> Resource:
    return Resource(air=Air(**document["parts"]), fields=parse_json_object(document["fields"]))


def reference_filter(reference: Reference) -> Document:
    """Match the resource, maybe among others; hints that follow a version id begin with one of %+,./:=."""
    source = reference.source.lower()
    if isinstance(reference, Air) and reference.version_id is None:
        return {"source": source, "resourceId": {"$in": [reference.id.lower(), reference.model_id.lower()]}}
    version = reference.version_id or (reference.version or "").lower()
    hinted = [{"version": {"$gte": version + first, "$lt": version + end}} for first, end in ("%-", ".0", ":a")]
    return {"source": source, "$or": [{"version": version}, *hinted]}


def search_filter(query: str) -> Document:
    """Match `query` literally, in any case; a regular expression could not be long, nor hold NUL."""
    place = {"$indexOfBytes": ["$searchText", {"$literal": query.casefold()}]}
    return {"$expr": {"$gte": [place, 0]}} if query else {}
