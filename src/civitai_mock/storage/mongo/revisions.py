"""The revisions of a MongoDB store, by which processes hear of all that is changed of namespaces.

A change draws its revision before it is written, and another process may write a later one first. So a revision is
noted as pending, in the one document that all are drawn from, until its change is written: that of the store is the one
before the first that is pending. And each change is made only to the record as it was before its revision was drawn. So
whoever sees that one stays pending, as its process may be dead, gives that record another revision: by then the change
is written, or it never will be.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import NamedTuple, Self

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import MockError, TransientError
from civitai_mock.domain.namespaces import DEFAULT, FIRST_EPOCH, SERVER, SHARED_EPOCH
from civitai_mock.storage.mongo.collections import Collection, Collections, Document, Pipeline
from civitai_mock.storage.mongo.encoding import json_text, moment_text
from civitai_mock.storage.mongo.errors import AWAY

ITSELF: Document = {"_id": "namespaces"}  # the document that revisions and epochs are drawn from
FIRST_REVISION = 1
MOST_PENDING_SECONDS = 1.0  # until a change is taken for that of a dead process
LOOK_AGAIN_SECONDS = 0.005


class Pending(NamedTuple):
    """Is a revision that was drawn for a record; `adds` says whether for a new namespace."""

    revision: int
    name: str
    adds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """Has the last revision and the last epoch that were drawn, and the revisions that are pending."""

    revision: int
    epoch: int
    pending: Sequence[Pending]

    @classmethod
    def of(cls, document: Document | None) -> Self:
        if document is None:
            raise TransientError(f"MongoDB does not have the document '{ITSELF['_id']}' of its settings any more.")
        pending = [Pending(entry["revision"], entry["name"], entry["adds"]) for entry in document["pending"]]
        return cls(revision=document["revision"], epoch=document["epoch"], pending=pending)

    @property
    def settled(self) -> int:
        """Return the revision up to which all changes can be read."""
        return min((entry.revision - 1 for entry in self.pending), default=self.revision)


class Revisions:
    """Draws revisions and epochs; one for each process on a store."""

    def __init__(self, *, settings: Collection, namespaces: Collection) -> None:
        self._settings = settings
        self._namespaces = namespaces
        self._pending_since: dict[int, float] = {}

    async def settled(self) -> int:
        return (await self._read()).settled

    async def draw_epoch(self) -> int:
        """Return the number of a new epoch, of which no process has to hear."""
        counted = {"$inc": {"epoch": 1}}
        return Drawn.of(
            await self._settings.find_one_and_update(ITSELF, counted, return_document=ReturnDocument.AFTER)
        ).epoch

    @asynccontextmanager
    async def drawn(self, name: str, *, epochs: int = 0, adds: bool = False) -> AsyncIterator[Drawn]:
        """Yield a revision for the change that the block makes, and an epoch if it needs one.

        When the block is left, that is settled, and so are all before it. If it breaks off, as it was cancelled or
        MongoDB is away, its change may still be written, after others have read beyond its revision: that stays
        pending then, until it is taken for that of a dead process.
        """
        drawn = await self._draw(name, epochs=epochs, adds=adds)
        try:
            yield drawn
        except MockError:  # of our own: nothing was written
            with suppress(*AWAY):  # as it is found pending then
                await self._finish(drawn.revision)
            raise
        now = await self._finish(drawn.revision)
        while now.settled < drawn.revision:
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
            now = await self._read()

    async def _draw(self, name: str, *, epochs: int = 0, adds: bool = False) -> Drawn:
        entry = {"revision": "$revision", "name": {"$literal": name}, "adds": adds}
        counted = {"revision": {"$add": ["$revision", 1]}, "epoch": {"$add": ["$epoch", epochs]}}
        noted: Pipeline = [{"$set": counted}, {"$set": {"pending": {"$concatArrays": ["$pending", [entry]]}}}]
        return Drawn.of(await self._settings.find_one_and_update(ITSELF, noted, return_document=ReturnDocument.AFTER))

    async def _finish(self, revision: int) -> Drawn:
        settled = {"$pull": {"pending": {"revision": revision}}}
        return Drawn.of(await self._settings.find_one_and_update(ITSELF, settled, return_document=ReturnDocument.AFTER))

    async def _read(self) -> Drawn:
        """Return what was drawn so far; end what has been pending for too long, by the clock of whoever sees it."""
        found = Drawn.of(await self._settings.find_one(ITSELF))
        now = time.monotonic()
        since = {entry.revision: self._pending_since.get(entry.revision, now) for entry in found.pending}
        self._pending_since = since  # another reading may put its own in the place of this one, which goes on
        for entry in found.pending:
            if now - since[entry.revision] > MOST_PENDING_SECONDS:
                await self._overtake(entry)
        return found

    async def _overtake(self, pending: Pending) -> None:
        """Change nothing but the revision of a record, unless it has that of the pending change, or a later one."""
        before = await self._namespaces.find_one({"_id": pending.name}, {"changed": 1})
        if before is None or before["changed"] < pending.revision:
            drawn = await self._draw(pending.name)
            if before is None:
                with suppress(DuplicateKeyError):  # as the change was written after all, or another one
                    await self._namespaces.insert_one(deleted_record(pending.name, drawn.revision))
            else:
                await self._namespaces.update_one(before, {"$set": {"changed": drawn.revision}})
            await self._finish(drawn.revision)
        await self._finish(pending.revision)


def deleted_record(name: str, revision: int) -> Document:
    """Return the record of a name that no namespace has."""
    return {**_record(revision), "_id": name, "epoch": SHARED_EPOCH, "deleted": True}


def _record(revision: int) -> Document:
    return {"changed": revision, "usedAt": moment_text(datetime.now(UTC)), "deleted": False, "document": json_text({})}


async def store_first_records(collections: Collections) -> None:
    """Store what there is in every store, unless it is there."""
    record = _record(FIRST_REVISION)
    for collection, matching, first in (
        (collections.secrets, ITSELF, {"revision": FIRST_REVISION, "epoch": FIRST_EPOCH, "pending": []}),
        (collections.namespaces, {"_id": DEFAULT}, {**record, "epoch": FIRST_EPOCH}),
        (collections.namespaces, {"_id": SERVER}, {**record, "epoch": SHARED_EPOCH}),
    ):
        with suppress(DuplicateKeyError):  # as another process stored it in the same instant
            await collection.update_one(matching, {"$setOnInsert": first}, upsert=True)
