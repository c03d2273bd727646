"""Claim documents in MongoDB from the front of a line that other processes claim from, too: of a queue or an outbox."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from civitai_mock.storage.mongo.collections import Collection, Document

Order: TypeAlias = Sequence[tuple[str, int]]

# If others win that many pages, jobs make progress anyway, and the caller's next poll goes on.
PAGES = 8
ONLY_ID: Mapping[str, int] = {"_id": 0, "jobId": 1}


async def stamp_front(
    collection: Collection, line: Document, *, order: Order, stamp: Document, limit: int, key: str = "jobId"
) -> Sequence[str]:
    """Stamp at most `limit` documents that match `line`, so that they match it no longer.

    Return which were tried, by their `key`.

    It reads a page of candidates, then makes one conditional write on them: find_one_and_update would need a round trip
    for each job, and is slow on servers that imitate MongoDB.
    """
    tried: list[str] = []
    for _ in range(PAGES):
        page = await _front(collection, line, order=order, limit=limit, key=key)
        if not page:
            break
        tried += page
        stamped = await collection.update_many({key: {"$in": page}, **line}, {"$set": stamp})
        if stamped.modified_count == len(page):
            break
        limit -= stamped.modified_count
    return tried


async def _front(collection: Collection, line: Document, *, order: Order, limit: int, key: str) -> list[str]:
    if limit < 1:
        return []
    found = collection.find(line, {"_id": 0, key: 1}).sort(order).limit(limit)
    return [document[key] async for document in found]
