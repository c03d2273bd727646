"""Events of namespaces in MongoDB.

Their positions are whole numbers without a gap: an event is inserted behind the last one that is seen, by nobody else
at that number, so they become visible in their order. What is deleted leaves its last number in the settings.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from pymongo import ASCENDING, DESCENDING
from pymongo.errors import DuplicateKeyError

from civitai_mock.domain.namespace_events import LoggedEvent, NamespaceEvent
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.storage.mongo.collections import Collection, Collections, Document
from civitai_mock.storage.mongo.encoding import json_text, moment_text, parse_json_object, parse_moment
from civitai_mock.storage.mongo.errors import raises_domain_errors
from civitai_mock.storage.mongo.event_feed import draw_position

LAST_DELETED = "namespaceEvents"  # an id in the settings


class MongoNamespaceEventFeed:
    """Implements `NamespaceEventFeed`."""

    def __init__(self, *, collections: Collections) -> None:
        self._events, self._settings = collections.namespace_events, collections.secrets

    @raises_domain_errors
    async def last_position(self) -> int:
        return await last_position(self._events, self._settings)

    @raises_domain_errors
    async def after(self, position: int, *, limit: int) -> Sequence[LoggedEvent]:
        """Read up to what is last when this begins: all before it are there by then, whatever is inserted meanwhile."""
        last = await _last_kept(self._events)
        if last <= position or limit < 1:
            return ()
        new = {"_id": {"$gt": position, "$lte": last}}
        found = self._events.find(new).sort("_id", ASCENDING).limit(limit)
        return [_logged(document) async for document in found]


class MongoNamespaceEventStore:
    """Implements `NamespaceEventStore`."""

    def __init__(self, *, epoch: Epoch, collections: Collections) -> None:
        self._epoch = epoch
        self._events, self._settings = collections.namespace_events, collections.secrets

    @raises_domain_errors
    async def append(self, events: Sequence[NamespaceEvent], *, keep_until: datetime) -> None:
        for event in events:
            await self._append({**_document(event), "keepUntil": moment_text(keep_until)})

    @raises_domain_errors
    async def of_jobs(self, job_ids: Sequence[str], *, after: int) -> Sequence[LoggedEvent]:
        named = {"epoch": self._epoch.number, "jobIds": {"$in": list(job_ids)}, "_id": {"$gt": after}}
        return [_logged(document) async for document in self._events.find(named).sort("_id", ASCENDING)]

    @raises_domain_errors
    async def sweep(self, now: datetime) -> int:
        old = {"epoch": self._epoch.number, "keepUntil": {"$lt": moment_text(now)}}
        if await self._events.find_one(old, {"_id": 1}) is None:
            return 0
        last = await keep_last_position(self._events, self._settings)
        return (await self._events.delete_many({**old, "_id": {"$lte": last}})).deleted_count

    async def _append(self, event: Document) -> None:
        epoch = self._epoch.number
        while await self._events.find_one({"epoch": epoch, "key": event["key"]}, {"_id": 1}) is None:
            number, drawn = await last_position(self._events, self._settings) + 1, draw_position()
            try:
                await self._events.insert_one({**event, "_id": number, "epoch": epoch, "feedPosition": drawn})
            except DuplicateKeyError:
                continue  # as another process was faster, or the same event is there by now
            return


async def last_position(events: Collection, settings: Collection) -> int:
    """Return the number of the last event; that of a deleted one is looked for later, as it is written first."""
    kept = await _last_kept(events)
    deleted = await settings.find_one({"_id": LAST_DELETED})
    return max(kept, 0 if deleted is None else int(deleted["position"]))


async def keep_last_position(events: Collection, settings: Collection) -> int:
    """Keep the number of the last event, and return it: those up to it may be deleted after this."""
    last = await _last_kept(events)
    with suppress(DuplicateKeyError):  # as another process was faster
        await settings.update_one({"_id": LAST_DELETED}, {"$setOnInsert": {"position": 0}}, upsert=True)
    await settings.update_one({"_id": LAST_DELETED}, {"$max": {"position": last}})
    return last


async def _last_kept(events: Collection) -> int:
    last = await events.find_one({}, {"_id": 1}, sort=[("_id", DESCENDING)])
    return 0 if last is None else int(last["_id"])


def _document(event: NamespaceEvent) -> Document:
    document = {"key": event.key, "type": event.type, "at": moment_text(event.at), "body": json_text(event.body)}
    named = {} if event.job_ids is None else {"jobIds": list(event.job_ids)}
    return {**document, **named}


def _logged(document: Document) -> LoggedEvent:
    return LoggedEvent(
        position=document["_id"],
        epoch=document["epoch"],
        feed_position=document["feedPosition"],
        event=NamespaceEvent(
            key=document["key"],
            type=document["type"],
            at=parse_moment(document["at"]),
            body=parse_json_object(document["body"]),
            job_ids=document.get("jobIds"),
        ),
    )
