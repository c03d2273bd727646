"""The fleet of a namespace in MongoDB."""

from collections.abc import Sequence
from datetime import datetime

from pymongo import ASCENDING
from pymongo.errors import DuplicateKeyError

from civitai_mock.domain.fleet.costs import CostEntry, entry_json, stored_entry
from civitai_mock.domain.json_types import JsonObject, ReadOnlyJson
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.storage.mongo.collections import Collections, Document, insert_missing
from civitai_mock.storage.mongo.encoding import json_text, moment_text, parse_json_object
from civitai_mock.storage.mongo.errors import raises_domain_errors


class MongoFleetStore:
    """Implements `FleetStore`."""

    def __init__(self, *, epoch: Epoch, collections: Collections) -> None:
        self._epoch = epoch
        self._fleets, self._costs = collections.fleets, collections.fleet_costs

    @raises_domain_errors
    async def read(self) -> tuple[int, JsonObject] | None:
        found = await self._fleets.find_one({"_id": self._epoch.number})
        return None if found is None else (int(found["version"]), parse_json_object(found["body"]))

    @raises_domain_errors
    async def save(self, version: int | None, state: ReadOnlyJson) -> int | None:
        epoch, body = self._epoch.number, json_text(state)
        if version is not None:
            before, after = {"_id": epoch, "version": version}, {"version": version + 1, "body": body}
            saved = await self._fleets.update_one(before, {"$set": after})
            return version + 1 if saved.matched_count else None
        try:
            await self._fleets.insert_one({"_id": epoch, "epoch": epoch, "version": 1, "body": body})
        except DuplicateKeyError:
            return None
        return 1

    @raises_domain_errors
    async def add_costs(self, entries: Sequence[CostEntry]) -> None:
        epoch = self._epoch.number
        await insert_missing(self._costs, [_document(entry, epoch) for entry in entries])

    @raises_domain_errors
    async def costs(self, *, since: datetime | None = None, until: datetime | None = None) -> Sequence[CostEntry]:
        wanted: Document = {"epoch": self._epoch.number}
        if since is not None:
            wanted["endedAt"] = {"$gte": moment_text(since)}
        if until is not None:
            wanted["beganAt"] = {"$lt": moment_text(until)}
        found = self._costs.find(wanted).sort([("endedAt", ASCENDING), ("_id", ASCENDING)])
        return [stored_entry(parse_json_object(document["body"])) async for document in found]


def _document(entry: CostEntry, epoch: int) -> Document:
    return {
        "_id": f"{epoch}/{entry.id}",
        "epoch": epoch,
        "beganAt": moment_text(entry.began_at),
        "endedAt": moment_text(entry.ended_at),
        "body": json_text(entry_json(entry)),
    }
