"""Delete what is left in MongoDB of epochs that are over, a little at a time.

An epoch is listed before it is over, so that a crash forgets none; the records of the namespaces say whether it is.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from pymongo.errors import DuplicateKeyError

from civitai_mock.domain.namespaces import BEGUN
from civitai_mock.storage.mongo.blob_files import SWEPT_AT_ONCE, BlobFiles
from civitai_mock.storage.mongo.collections import Collection, Collections, Document
from civitai_mock.storage.mongo.encoding import moment_text
from civitai_mock.storage.mongo.namespace_events import keep_last_position
from civitai_mock.storage.mongo.revisions import Revisions

# How long an epoch stays listed when nothing is left of it: a slow write of a process that has not heard of the end
# yet may add something, which nobody sees. And so long stays what else is over.
LISTED = timedelta(minutes=10)
EPOCHS_IN_ONE_QUERY = 1000


class EpochSweep:
    """Deletes documents and files of epochs that are over, and forgets an epoch once nobody can write to it."""

    def __init__(self, *, collections: Collections, revisions: Revisions, files: BlobFiles) -> None:
        self._collections = collections
        self._revisions = revisions
        self._files = files

    async def note(self, epoch: int) -> None:
        """List an epoch that is about to be over."""
        itself, now = {"_id": epoch}, {"listedAt": moment_text(datetime.now(UTC))}
        if (await self._collections.epochs.update_one(itself, {"$max": now})).matched_count == 0:
            with suppress(DuplicateKeyError):  # as another process has listed it in the same instant
                await self._collections.epochs.insert_one({**itself, **now})

    async def not_over(self, epochs: Sequence[int]) -> Sequence[int]:
        """Return those of the epochs that namespaces have."""
        if not epochs:
            return ()
        named = self._collections.namespaces.find({"epoch": {"$in": list(epochs)}, "deleted": False}, {"epoch": 1})
        current = {document["epoch"] async for document in named}
        return [epoch for epoch in epochs if epoch in current]

    async def sweep(self, *, limit: int) -> bool:
        """Delete about `limit` documents at most; return False if there were none."""
        now = datetime.now(UTC)
        listed = [document["_id"] async for document in self._collections.epochs.find({}, {"_id": 1}).sort("_id")]
        for start in range(0, len(listed), EPOCHS_IN_ONE_QUERY):
            some = listed[start : start + EPOCHS_IN_ONE_QUERY]
            current = await self.not_over(some)
            begun = await self._worked_on(some, now)
            over = sorted(set(some) - set(current) - begun)
            if await self._delete_some(over, limit):
                return True
            await self._unlist(over, current, now)
        await self._forget_names(now)
        return False

    async def _worked_on(self, epochs: Sequence[int], now: datetime) -> AbstractSet[int]:
        """Return the epochs that were begun and into which somebody writes; once nobody does, none can be adopted."""
        names = [f"{BEGUN}{epoch}" for epoch in epochs]
        await self._collections.leases.delete_many({"_id": {"$in": names}, "until": {"$lte": moment_text(now)}})
        found = self._collections.leases.find({"_id": {"$in": names}}, {"_id": 1})
        return {int(lease["_id"].removeprefix(BEGUN)) async for lease in found}

    async def _delete_some(self, epochs: Sequence[int], limit: int) -> int:
        """Delete jobs first: what they are named by is never found without them."""
        collections, left = self._collections, limit
        if not epochs:
            return 0
        for collection in (
            collections.jobs,
            collections.workflows,
            collections.job_events,
            collections.reservations,
            collections.counters,
            collections.fleets,
            collections.fleet_costs,
            collections.resources,
            collections.blobs,
        ):
            left -= await _delete_of(collection, _of(epochs), left)
        left -= await self._delete_events(epochs, left)
        if left > 0:
            of_files = {"metadata.epoch": {"$in": list(epochs)}}
            found = self._collections.blob_files.find(of_files, {"_id": 1}).limit(min(left, SWEPT_AT_ONCE))
            files = [document["_id"] async for document in found]
            await self._files.delete(files)
            left -= len(files)
        return limit - left

    async def _delete_events(self, epochs: Sequence[int], limit: int) -> int:
        """Delete events of the namespaces themselves, whose numbers are never used again."""
        collections = self._collections
        if await collections.namespace_events.find_one(_of(epochs), {"_id": 1}) is None:
            return 0
        last = await keep_last_position(collections.namespace_events, collections.secrets)
        return await _delete_of(collections.namespace_events, {**_of(epochs), "_id": {"$lte": last}}, limit)

    async def _unlist(self, over: Sequence[int], current: Sequence[int], now: datetime) -> None:
        """Forget epochs of which nothing was left for long, and those whose end was tried and did not happen."""
        listed, long_ago = self._collections.epochs, moment_text(now - LISTED)
        if over:
            seen_empty = {"_id": {"$in": list(over)}, "emptySince": None}
            await listed.update_many(seen_empty, {"$set": {"emptySince": moment_text(now)}})
            await listed.delete_many({"_id": {"$in": list(over)}, "emptySince": {"$lte": long_ago}})
        if current:
            await listed.delete_many({"_id": {"$in": list(current)}, "listedAt": {"$lte": long_ago}})

    async def _forget_names(self, now: datetime) -> None:
        """Take deleted namespaces from the changes that all processes have heard of, and later from their names.

        So long they are in the way of a slow write that knows nothing of the deletion; no revision is negative.
        """
        processes = self._collections.processes.find({}, {"revision": 1})
        heard = min([process["revision"] async for process in processes], default=await self._revisions.settled())
        told: Document = {"deleted": True, "changed": {"$gt": 0, "$lte": heard}}
        untold: Document = {"changed": {"$multiply": ["$changed", -1]}, "toldAt": moment_text(now)}
        await self._collections.namespaces.update_many(told, [{"$set": untold}])
        long_ago = {"$lte": moment_text(now - LISTED)}
        await self._collections.namespaces.delete_many({"deleted": True, "toldAt": long_ago})
        await self._collections.leases.delete_many({"until": long_ago})


def _of(epochs: Sequence[int]) -> Document:
    return {"epoch": {"$in": list(epochs)}}


async def _delete_of(collection: Collection, query: Document, limit: int) -> int:
    """Delete some documents with each command, as a slow server may not need longer for one than the driver waits."""
    deleted = 0
    while deleted < limit:
        found = collection.find(query, {"_id": 1}).limit(min(limit - deleted, SWEPT_AT_ONCE))
        ids = [document["_id"] async for document in found]
        if not ids:
            break
        await collection.delete_many({"_id": {"$in": ids}})
        deleted += len(ids)
    return deleted
