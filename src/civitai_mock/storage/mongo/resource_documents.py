"""Resources as documents, and the filters that find them."""

from dataclasses import asdict

from civitai_mock.domain.air import Air, CompressedAir
from civitai_mock.domain.resource import Resource
from civitai_mock.storage.mongo.collections import Document
from civitai_mock.storage.mongo.encoding import json_text, parse_json_object


def resource_document(resource: Resource) -> Document:
    """What is matched is in lower case, as `Air.key` is; `parts` and `fields` give back the exact resource."""
    air = resource.air
    return {
        "air": str(air),
        "airKey": air.key,
        **_version_fields(air),
        "resourceId": air.id.lower(),
        "searchText": resource.search_text,
        "parts": asdict(air),
        "fields": json_text(resource.fields),
    }


def resource_of(document: Document) -> Resource:
    return Resource(air=Air(**document["parts"]), fields=parse_json_object(document["fields"]))


def reference_filter(reference: Air | CompressedAir) -> Document:
    """An AIR with ecosystem and type names one resource; any other goes by its version."""
    if isinstance(reference, CompressedAir):
        return _version_fields(reference)
    if reference.ecosystem and reference.type:
        return {"airKey": reference.key}
    return {**_version_fields(reference), "resourceId": reference.id.lower()}


def search_filter(query: str) -> Document:
    """`query` literally, in the case of `searchText`; a regular expression could not be long, nor hold NUL."""
    place = {"$indexOfBytes": ["$searchText", {"$literal": query.casefold()}]}
    return {"$expr": {"$gte": [place, 0]}} if query else {}


def _version_fields(reference: Air | CompressedAir) -> Document:
    return {"source": reference.source.lower(), "version": reference.version.lower() if reference.version else None}
