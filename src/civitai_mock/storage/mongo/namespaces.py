"""Namespaces in MongoDB: their records, and what the processes on one database share about them."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from datetime import UTC, datetime, timedelta

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from civitai_mock.domain.errors import ConflictError
from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.domain.namespaces import BEGUN, DEFAULT, SERVER, USUAL_MOST, LiveProcess, NamespaceRecord
from civitai_mock.storage.mongo.collections import DUE_JOBS, DUE_WORKFLOWS, Collection, Collections, Document
from civitai_mock.storage.mongo.encoding import json_text, moment_text, parse_json_object, parse_moment
from civitai_mock.storage.mongo.epoch_sweep import LISTED, EpochSweep
from civitai_mock.storage.mongo.errors import raises_domain_errors
from civitai_mock.storage.mongo.resources import share_resources
from civitai_mock.storage.mongo.revisions import Drawn, Revisions

NOTHING: ReadOnlyJson = {}
FORGOTTEN_AFTER = 10  # times as long as a process is taken for alive without a word of it


class MongoNamespaceStore:
    """Implements `NamespaceStore`; each change is one conditional write, whose revision `Revisions` draws."""

    is_private = False

    def __init__(self, *, collections: Collections, revisions: Revisions, sweep: EpochSweep) -> None:
        self._collections = collections
        self._namespaces = collections.namespaces
        self._revisions = revisions
        self._sweep = sweep
        self._counted: tuple[int, int] | None = None  # how many namespaces there were before which revision

    @raises_domain_errors
    async def get(self, name: str) -> NamespaceRecord | None:
        found = await self._namespaces.find_one({"_id": name})
        return None if found is None or found["deleted"] else _record_of(found)

    @raises_domain_errors
    async def list(self, *, after: str, limit: int) -> Sequence[NamespaceRecord]:
        if limit < 1:
            return ()
        later = {"_id": {"$gt": after}, "deleted": False}  # `SERVER` is before all names
        return [_record_of(document) async for document in self._namespaces.find(later).sort("_id").limit(limit)]

    @raises_domain_errors
    async def add(self, name: str, *, now: datetime, document: ReadOnlyJson, most: int = USUAL_MOST) -> NamespaceRecord:
        while True:
            before = await self._namespaces.find_one({"_id": name})
            if before is not None and not before["deleted"]:
                return _record_of(before)
            async with self._revisions.drawn(name, epochs=1, adds=True) as drawn:
                await self._check_number(drawn, most)
                new = {"epoch": drawn.epoch, "usedAt": moment_text(now), "deleted": False}
                added = await self._put(name, before, {**new, "document": json_text(document)}, drawn.revision)
            if added is not None:
                return added

    async def _check_number(self, drawn: Drawn, most: int) -> None:
        """Raise `ConflictError` if there are too many, with those that others are about to add before this one.

        They are counted again only if there may be so many by now: each revision has added one at most.
        """
        if self._counted is not None:
            number, revision = self._counted
            if number + drawn.revision - revision < most:
                return
        known = await self._namespaces.count_documents({"deleted": False, "_id": {"$ne": SERVER}})
        others = sum(entry.adds and entry.revision < drawn.revision for entry in drawn.pending)
        self._counted = (known + others, drawn.revision)
        if known + others >= most:
            raise ConflictError(f"There are {most} namespaces already; delete some, or raise NAMESPACES_MAX.")

    @raises_domain_errors
    async def save(self, record: NamespaceRecord, document: ReadOnlyJson) -> NamespaceRecord | None:
        before = {"_id": record.name, "changed": record.changed, "deleted": False}
        async with self._revisions.drawn(record.name) as drawn:
            return await self._put(record.name, before, {"document": json_text(document)}, drawn.revision)

    @raises_domain_errors
    async def renew(self, name: str, document: ReadOnlyJson) -> NamespaceRecord | None:
        while (before := await self._of_an_epoch(name)) is not None:
            await self._sweep.note(before["epoch"])
            async with self._revisions.drawn(name, epochs=1) as drawn:
                new = {"epoch": drawn.epoch, "document": json_text(document)}
                renewed = await self._put(name, before, new, drawn.revision)
            if renewed is not None:
                return renewed
        return None

    @raises_domain_errors
    async def delete(self, name: str) -> bool:
        while name != DEFAULT and (before := await self._of_an_epoch(name)) is not None:
            await self._sweep.note(before["epoch"])
            async with self._revisions.drawn(name) as drawn:
                gone = {"deleted": True, "document": json_text(NOTHING)}
                deleted = await self._put(name, before, gone, drawn.revision)
            if deleted is not None:
                return True
        return False

    async def _of_an_epoch(self, name: str) -> Document | None:
        return None if name == SERVER else await self._namespaces.find_one({"_id": name, "deleted": False})

    async def _put(
        self, name: str, before: Document | None, members: Document, revision: int
    ) -> NamespaceRecord | None:
        """Write a record, if it is as it was before its revision was drawn; None if somebody else changed it."""
        if before is None:
            try:
                await self._namespaces.insert_one(document := {"_id": name, **members, "changed": revision})
            except DuplicateKeyError:
                return None
            return _record_of(document)
        unchanged = {"_id": name, "changed": before["changed"], "deleted": before["deleted"]}
        change = {"$set": {**members, "changed": revision}}
        written: Document | None = await self._namespaces.find_one_and_update(
            unchanged, change, return_document=ReturnDocument.AFTER
        )
        return None if written is None else _record_of(written)

    @raises_domain_errors
    async def touch(self, names: Sequence[str], now: datetime) -> None:
        used = {"_id": {"$in": [*names]}, "deleted": False}
        await self._namespaces.update_many(used, {"$max": {"usedAt": moment_text(now)}})

    @raises_domain_errors
    async def unused_since(self, before: datetime, *, limit: int) -> Sequence[str]:
        if limit < 1:
            return ()
        unused = {"deleted": False, "usedAt": {"$lt": moment_text(before)}, "_id": {"$nin": [DEFAULT, SERVER]}}
        found = self._namespaces.find(unused, {"_id": 1}).sort("usedAt").limit(limit)
        return [document["_id"] async for document in found]

    @raises_domain_errors
    async def revision(self) -> int:
        return await self._revisions.settled()

    @raises_domain_errors
    async def changed_since(self, revision: int) -> Sequence[NamespaceRecord]:
        """Return later ones than `revision()`, too, if they are written; whoever follows goes on from that."""
        found = self._namespaces.find({"changed": {"$gt": revision}}).sort("changed")
        return [_record_of(document) async for document in found]

    @raises_domain_errors
    async def heartbeat(self, process: str, *, revision: int, now: datetime) -> None:
        beat = {"revision": revision, "seenAt": moment_text(now)}
        await self._collections.processes.update_one({"_id": process}, {"$set": beat}, upsert=True)

    @raises_domain_errors
    async def farewell(self, process: str) -> None:
        await self._collections.processes.delete_one({"_id": process})

    @raises_domain_errors
    async def live_processes(self, since: datetime) -> Sequence[LiveProcess]:
        """Take the last heartbeat of any process for now, as whoever asks has one of its own."""
        found = [_process_of(document) async for document in self._collections.processes.find().sort("_id")]
        last = max((process.seen_at for process in found), default=since)
        forgotten = [process.id for process in found if last - process.seen_at > FORGOTTEN_AFTER * (last - since)]
        if forgotten and last > since:
            await self._collections.processes.delete_many({"_id": {"$in": forgotten}})
        return [process for process in found if process.seen_at >= since]

    @raises_domain_errors
    async def hold(self, name: str, holder: str, *, now: datetime, until: datetime) -> bool:
        """Change a lease that is free, or insert one; that of somebody else is in the way of both."""
        leases, lease = self._collections.leases, {"holder": holder, "until": moment_text(until)}
        free = {"_id": name, "$or": [{"holder": holder}, {"until": {"$lte": moment_text(now)}}]}
        if (await leases.update_one(free, {"$set": lease})).matched_count == 1:
            return True
        with suppress(DuplicateKeyError):
            await leases.insert_one({"_id": name, **lease})
            return True
        return False

    @raises_domain_errors
    async def release(self, name: str, holder: str) -> None:
        await self._collections.leases.delete_one({"_id": name, "holder": holder})

    @raises_domain_errors
    async def count(self, epoch: int, key: str) -> int:
        """Ask for the document after the change: servers that imitate MongoDB know the one before less well."""
        counters, counter = self._collections.counters, {"_id": f"{epoch}/{key}"}
        while True:
            found: Document | None = await counters.find_one_and_update(
                counter, {"$inc": {"value": 1}}, return_document=ReturnDocument.AFTER
            )
            if found is not None:
                return int(found["value"]) - 1
            with suppress(DuplicateKeyError):  # as another call was faster
                await counters.insert_one({**counter, "epoch": epoch, "value": 1})
                return 0

    @raises_domain_errors
    async def counted(self, epoch: int, keys: Sequence[str]) -> Mapping[str, int]:
        names = {f"{epoch}/{key}": key for key in keys}
        found = self._collections.counters.find({"_id": {"$in": list(names)}})
        return {names[document["_id"]]: int(document["value"]) async for document in found}

    @raises_domain_errors
    async def swap_count(self, epoch: int, key: str, before: int, after: int) -> bool:
        counters, counter = self._collections.counters, {"_id": f"{epoch}/{key}"}
        if before:
            swapped = await counters.update_one({**counter, "value": before}, {"$set": {"value": after}})
            return bool(swapped.matched_count)
        try:
            await counters.insert_one({**counter, "epoch": epoch, "value": after})
        except DuplicateKeyError:
            return False
        return True

    @raises_domain_errors
    async def set_count(self, epoch: int, key: str, value: int) -> None:
        counter = {"$set": {"epoch": epoch, "value": value}}
        await self._collections.counters.update_one({"_id": f"{epoch}/{key}"}, counter, upsert=True)

    @raises_domain_errors
    async def forget_counts(self, epoch: int, keys: Sequence[str]) -> None:
        await self._collections.counters.delete_many({"_id": {"$in": [f"{epoch}/{key}" for key in keys]}})

    @raises_domain_errors
    async def post(self, name: str, text: str, *, until: datetime, is_news: bool = False) -> None:
        """Keep it among the leases: it is a text that somebody holds up for a while."""
        note = {"$set": {"holder": text, "until": moment_text(until)}}
        async with self._revisions.drawn(SERVER) if is_news else nullcontext():
            await self._collections.leases.update_one({"_id": name}, note, upsert=True)

    @raises_domain_errors
    async def posted(self, prefix: str) -> Mapping[str, str]:
        found = self._collections.leases.find(_with_prefix(prefix))
        return {document["_id"][len(prefix) :]: document["holder"] async for document in found}

    @raises_domain_errors
    async def take_down(self, prefix: str) -> None:
        await self._collections.leases.delete_many(_with_prefix(prefix))

    @raises_domain_errors
    async def begin_epoch(self, *, lasting: timedelta) -> int:
        """Take the lease before the epoch is listed, so that it is never swept without one."""
        epoch = await self._revisions.draw_epoch()
        with suppress(DuplicateKeyError):  # as the driver has sent it before, see `insert_in_order`
            await self._collections.leases.insert_one({**_lease(epoch), "holder": BEGUN, **_until(lasting)})
        await self._sweep.note(epoch)
        return epoch

    @raises_domain_errors
    async def keep_epoch(self, epoch: int, *, lasting: timedelta) -> bool:
        kept = await self._collections.leases.update_one(_lease(epoch), {"$set": _until(lasting)})
        return kept.matched_count == 1

    @raises_domain_errors
    async def leave_epoch(self, epoch: int) -> None:
        await self._collections.leases.delete_one(_lease(epoch))

    @raises_domain_errors
    async def adopt(
        self, name: str, epoch: int, *, now: datetime, document: ReadOnlyJson, most: int = USUAL_MOST
    ) -> NamespaceRecord:
        """Keep the epoch for much longer than the one write of the record takes; what is named stays listed a while."""
        if not await self.keep_epoch(epoch, lasting=LISTED):
            raise ConflictError(f"The epoch {epoch} counts as over already.")
        adopted = None
        while adopted is None:
            before = await self._namespaces.find_one({"_id": name})
            adds = before is None or before["deleted"]
            if before is not None and not adds:
                await self._sweep.note(before["epoch"])
            async with self._revisions.drawn(name, adds=adds) as drawn:
                members = {"epoch": epoch, "document": json_text(document)}
                if adds:
                    await self._check_number(drawn, most)
                    members |= {"usedAt": moment_text(now), "deleted": False}
                adopted = await self._put(name, before, members, drawn.revision)
        if name == DEFAULT:
            await share_resources(self._collections.resources, epoch)
        await self.leave_epoch(epoch)
        return adopted

    @raises_domain_errors
    async def epochs_with_work(self) -> Sequence[int]:
        jobs, workflows = self._collections.jobs, self._collections.workflows
        found = await asyncio.gather(
            jobs.distinct("openIn", {"openIn": {"$gt": 0}}),
            workflows.distinct("runningIn", {"runningIn": {"$gt": 0}}),
            _with_due(jobs, "callback.dueAt", index=DUE_JOBS),
            _with_due(workflows, "outbox.dueAt", index=DUE_WORKFLOWS),
        )
        epochs = sorted({epoch for some in found for epoch in some})
        return await self._sweep.not_over(epochs)

    @raises_domain_errors
    async def sweep_over(self, *, limit: int) -> bool:
        return await self._sweep.sweep(limit=limit)


def _with_prefix(prefix: str) -> Document:
    return {"_id": {"$gte": prefix, "$lt": f"{prefix}\U0010ffff"}}


def _lease(epoch: int) -> Document:
    """Match the lease of whoever writes into an epoch that was begun."""
    return {"_id": f"{BEGUN}{epoch}"}


def _until(lasting: timedelta) -> Document:
    return {"until": moment_text(datetime.now(UTC) + lasting)}


async def _with_due(collection: Collection, member: str, *, index: str) -> Sequence[int]:
    """Return the epochs that have something to deliver; the index has nothing else, but no member that says so."""
    due = {"epoch": {"$gt": 0}, member: {"$gt": ""}}
    grouped = collection.aggregate([{"$match": due}, {"$group": {"_id": "$epoch"}}], hint=index)
    return [group["_id"] async for group in grouped]


def _record_of(document: Document) -> NamespaceRecord:
    return NamespaceRecord(
        name=document["_id"],
        epoch=document["epoch"],
        changed=document["changed"],
        used_at=parse_moment(document["usedAt"]),
        document=parse_json_object(document["document"]),
        is_deleted=document["deleted"],
    )


def _process_of(document: Document) -> LiveProcess:
    return LiveProcess(id=document["_id"], revision=document["revision"], seen_at=parse_moment(document["seenAt"]))
