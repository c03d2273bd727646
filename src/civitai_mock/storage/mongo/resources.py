"""Resources in MongoDB: those that all namespaces share, and those that only one of them sees."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TypeAlias, TypeVar

from pymongo import ReplaceOne

from civitai_mock.domain.air import Air, Reference
from civitai_mock.domain.errors import ConflictError
from civitai_mock.domain.namespaces import DEFAULT, SHARED_EPOCH, Epoch
from civitai_mock.domain.resource import Resource, find_named, find_same
from civitai_mock.ports import ResourcePage
from civitai_mock.storage.mongo.collections import Collection, Document, insert_missing
from civitai_mock.storage.mongo.encoding import json_text, key_in, parse_json_object
from civitai_mock.storage.mongo.errors import domain_errors, raises_domain_errors

R = TypeVar("R", Air, Reference)
Found: TypeAlias = Mapping[str, Resource]

DELETED: Document = {"deleted": True}
MAX_SKIP = 2**62  # as the server adds the limit to it, in 64 bits


class MongoResourceStore:
    """Implements `ResourceStore`; what the default namespace writes has the epoch that all share.

    Another namespace has documents of its own, each of which hides the shared one with its `identity`. One that is
    `deleted` does nothing else.
    """

    def __init__(self, *, epoch: Epoch, resources: Collection) -> None:
        self._epoch = epoch
        self._resources = resources

    @property
    def _layer(self) -> int:
        """Return the epoch of what is written here."""
        number = self._epoch.number
        return SHARED_EPOCH if self._epoch.namespace == DEFAULT else number

    async def add(self, resource: Resource) -> None:
        conflict = f"The resource '{resource.air}' exists already."
        with domain_errors(conflict=conflict):
            if await self._itself(resource.air):
                raise ConflictError(conflict)
            if not await self._insert_missing([resource]) and not await self._is_stored(resource):
                raise ConflictError(conflict)

    async def _is_stored(self, resource: Resource) -> bool:
        """Return whether this is there, as the driver has sent it before (see `insert_in_order`), or an equal one."""
        found = await self._itself(resource.air)
        return found is not None and resource_of(found) == resource

    @raises_domain_errors
    async def add_missing(self, resources: Sequence[Resource]) -> int:
        """Look for known ones first: the `_id` keeps only resources apart that later versions have stored."""
        known = (await self._named([resource.air for resource in resources], find_same)).keys()
        return await self._insert_missing([resource for resource in resources if str(resource.air) not in known])

    async def _insert_missing(self, resources: Sequence[Resource]) -> int:
        """Insert resources that nobody sees here; some may take the place of documents that only hide."""
        layer = self._layer
        documents = [new_document(resource, layer) for resource in resources]
        if layer == SHARED_EPOCH or not documents:
            return await insert_missing(self._resources, documents)
        inserted = await insert_missing(self._resources, documents)
        revived = [ReplaceOne({"_id": document["_id"], **DELETED}, document) for document in documents]
        return inserted + (await self._resources.bulk_write(revived)).modified_count

    @raises_domain_errors
    async def find(self, references: Sequence[Reference]) -> Mapping[str, Resource]:
        return await self._named(references, find_named)

    @raises_domain_errors
    async def replace(self, resource: Resource) -> bool:
        former = await self._itself(resource.air)
        if former is None:
            return False
        layer = self._layer
        document = resource_document(resource, layer)
        if layer == SHARED_EPOCH:
            return (await self._resources.replace_one({"_id": former["_id"]}, document)).matched_count == 1
        await self._put_own(former, document)
        return True

    @raises_domain_errors
    async def delete(self, air: Air) -> bool:
        former = await self._itself(air)
        if former is None:
            return False
        layer = self._layer
        shared = {"epoch": SHARED_EPOCH, "identity": former["identity"]}
        if layer == SHARED_EPOCH or await self._resources.find_one(shared, {"_id": 1}) is None:
            return (await self._resources.delete_one({"_id": former["_id"]})).deleted_count == 1
        await self._put_own(former, {"epoch": layer, "airKey": former["airKey"], **DELETED})
        return True

    async def _put_own(self, former: Document, document: Document) -> None:
        """Put a document of this namespace in the place of one that is its own or is shared, whose identity it has."""
        identity = former["identity"]
        own = {"_id": key_in(self._layer, identity)}
        await self._resources.replace_one(own, {**document, "identity": identity}, upsert=True)

    @raises_domain_errors
    async def search(self, query: str, *, offset: int, limit: int) -> ResourcePage:
        matching = {**await self._visible(), **search_filter(query)}
        total = await self._resources.count_documents(matching)
        found = self._resources.find(matching).sort("airKey").skip(min(offset, MAX_SKIP)).limit(limit)
        return ResourcePage(total=total, items=[resource_of(document) async for document in found])

    async def _visible(self) -> Document:
        """Return what matches all that is seen here."""
        layer = self._layer
        if layer == SHARED_EPOCH:
            return {"epoch": SHARED_EPOCH}
        hidden = await self._resources.distinct("identity", {"epoch": layer})
        own = {"epoch": layer, "deleted": None}
        return {"$or": [own, {"epoch": SHARED_EPOCH, "identity": {"$nin": hidden}}]}

    async def _itself(self, air: Air) -> Document | None:
        """Return the document of the resource with that identity."""
        candidates = await self._candidates([air])
        found = find_same(air, [resource_of(document) for document in candidates])
        return None if found is None else next(doc for doc in candidates if resource_of(doc) == found)

    async def _named(
        self, references: Sequence[R], choose: Callable[[R, Sequence[Resource]], Resource | None]
    ) -> Found:
        """Return resources by `str(reference)`."""
        candidates = [resource_of(document) for document in await self._candidates(references)]
        found = {str(reference): choose(reference, candidates) for reference in references}
        return {text: resource for text, resource in found.items() if resource is not None}

    async def _candidates(self, references: Sequence[Reference]) -> Sequence[Document]:
        """Return documents that are seen here, found by one query; another namespace asks which of them it hides."""
        if not references:
            return ()
        layer = self._layer
        layers = SHARED_EPOCH if layer == SHARED_EPOCH else {"$in": [SHARED_EPOCH, layer]}
        filters = [reference_filter(reference) for reference in references]
        found = [document async for document in self._resources.find({"epoch": layers, "$or": filters})]
        shared = [document for document in found if document["epoch"] == SHARED_EPOCH]
        if layer == SHARED_EPOCH or not shared:
            return found
        identities = {"$in": [document["identity"] for document in shared]}
        hidden = frozenset(await self._resources.distinct("identity", {"epoch": layer, "identity": identities}))
        return [document for document in found if document["epoch"] == layer or document["identity"] not in hidden]


async def share_resources(resources: Collection, epoch: int) -> None:
    """Put what an epoch has of its own in the place of what all share; this can be broken off and done again."""
    async for own in resources.find({"epoch": epoch}):
        shared = {"epoch": SHARED_EPOCH, "identity": own["identity"]}
        if own.get("deleted"):
            await resources.delete_many(shared)
        else:
            document = new_document(resource_of(own), SHARED_EPOCH)
            identity = document.pop("_id", None)
            known = await resources.find_one(shared, {"_id": 1})
            itself = known or ({"_id": identity} if identity else shared)
            await resources.replace_one(itself, document, upsert=True)
        await resources.delete_one({"_id": own["_id"]})


def own_document(identity: str, resource: Resource | None, epoch: int) -> Document:
    """Return what a namespace has in the place of a shared resource; None hides that."""
    document = (
        {"epoch": epoch, "airKey": identity, **DELETED} if resource is None else resource_document(resource, epoch)
    )
    return {**document, "_id": key_in(epoch, identity), "identity": identity}


def resource_document(resource: Resource, epoch: int) -> Document:
    """Return members to be matched, in lower case as `Air.key` is, and the exact resource in `parts` and `fields`."""
    air = resource.air
    return {
        "epoch": epoch,
        "identity": air.identity,
        "air": str(air),
        "airKey": air.key,
        "source": air.source.lower(),
        "version": air.version.lower() if air.version else None,
        "resourceId": air.id.lower(),
        "searchText": resource.search_text,
        "parts": asdict(air),
        "fields": json_text(resource.fields),
    }


def new_document(resource: Resource, epoch: int) -> Document:
    """Make a document with an `_id` that the database accepts only once for a version."""
    air = resource.air
    identity = {} if epoch == SHARED_EPOCH and air.version_id is None else {"_id": key_in(epoch, air.identity)}
    return {**identity, **resource_document(resource, epoch)}


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
