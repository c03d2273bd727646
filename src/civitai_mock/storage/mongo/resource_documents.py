"""Resources as documents, and the filters that find them."""

from dataclasses import asdict

from civitai_mock.domain.air import Air, Reference
from civitai_mock.domain.resource import Resource
from civitai_mock.storage.mongo.collections import Document
from civitai_mock.storage.mongo.encoding import json_text, parse_json_object


def resource_document(resource: Resource) -> Document:
    """What is matched is in lower case, as `Air.key` is; `parts` and `fields` give back the exact resource."""
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
    """Make a document that the database itself holds apart from any other of the same version, by its `_id`."""
    air = resource.air
    identity = {} if air.version_id is None else {"_id": air.identity}
    return {**identity, **resource_document(resource)}


def resource_of(document: Document) -> Resource:
    return Resource(air=Air(**document["parts"]), fields=parse_json_object(document["fields"]))


def reference_filter(reference: Reference) -> Document:
    """What finds the resource, maybe among others; hints that follow a version id begin with one of %+,./:=."""
    source = reference.source.lower()
    if isinstance(reference, Air) and reference.version_id is None:
        return {"source": source, "resourceId": {"$in": [reference.id.lower(), reference.model_id.lower()]}}
    version = reference.version_id or (reference.version or "").lower()
    hinted = [{"version": {"$gte": version + first, "$lt": version + end}} for first, end in ("%-", ".0", ":a")]
    return {"source": source, "$or": [{"version": version}, *hinted]}


def search_filter(query: str) -> Document:
    """`query` literally, in the case of `searchText`; a regular expression could not be long, nor hold NUL."""
    place = {"$indexOfBytes": ["$searchText", {"$literal": query.casefold()}]}
    return {"$expr": {"$gte": [place, 0]}} if query else {}
