"""Claim jobs in MongoDB from the front of a line that other processes claim from, too: of the queue, or the outbox."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from civitai_mock.storage.mongo.collections import Collection, Document

Order: TypeAlias = Sequence[tuple[str, int]]

# If others win that many pages, jobs make progress anyway, and the caller's next poll goes on.
PAGES = 8
ONLY_ID: Mapping[str, int] = {"_id": 0, "jobId": 1}


async def stamp_front(jobs: Collection, line: Document, *, order: Order, stamp: Document, limit: int) -> Sequence[str]:
    """Stamp at most `limit` jobs that match `line`, so that they match it no longer, and return which were tried.

    It reads a page of candidates, then makes one conditional write on them: find_one_and_update would need a round trip
    for each job, and is slow on servers that imitate MongoDB.
    """
    tried: list[str] = []
    for _ in range(PAGES):
        page = await _front(jobs, line, order=order, limit=limit)
        if not page:
            break
        tried += page
        stamped = await jobs.update_many({"jobId": {"$in": page}, **line}, {"$set": stamp})
        if stamped.modified_count == len(page):
            break
        limit -= stamped.modified_count
    return tried


async def _front(jobs: Collection, line: Document, *, order: Order, limit: int) -> list[str]:
    if limit < 1:
        return []
    found = jobs.find(line, ONLY_ID).sort(order).limit(limit)
    return [document["jobId"] async for document in found]
