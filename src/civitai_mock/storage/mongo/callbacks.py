"""Which jobs' receivers have to be told something, in MongoDB.

A job has `callback.dueAt` as long as there are events to tell of. Where a write depends on what is stored, it is an
update pipeline, which the server carries out in one.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias

from bson import ObjectId

from civitai_mock.domain.search import DueWebhook
from civitai_mock.storage.mongo.collections import Collection, Document
from civitai_mock.storage.mongo.encoding import moment_text
from civitai_mock.storage.mongo.indexes import LONGEST_DUE_FIRST
from civitai_mock.storage.mongo.job_documents import job_of
from civitai_mock.storage.mongo.stamping import stamp_front

Pipeline: TypeAlias = list[Document]

DUE_SINCE_LAST_EVENT = {"$cond": [{"$lt": ["$callback.told", "$seq"]}, "$lastEvent.at", "$$REMOVE"]}
GIVE_UP: Pipeline = [{"$set": {"callback.told": "$seq", "callback.failures": 0}}, {"$unset": "callback.dueAt"}]


class Callbacks:
    def __init__(self, *, jobs: Collection) -> None:
        self._jobs = jobs

    async def due(self, now: datetime, *, hold_until: datetime, limit: int) -> Sequence[DueWebhook]:
        """What was held for an answer that got lost is due again when the hold ends."""
        token = ObjectId()
        stamp = {"callback.dueAt": moment_text(hold_until), "callback.holder": token}
        line = {"callback.dueAt": {"$lte": moment_text(now)}}
        tried = await stamp_front(self._jobs, line, order=LONGEST_DUE_FIRST, stamp=stamp, limit=limit)
        if not tried:
            return []
        held = self._jobs.find({"jobId": {"$in": tried}, "callback.holder": token})
        found = {document["jobId"]: _callback_of(document) async for document in held}
        return [found[job_id] for job_id in tried if job_id in found]

    async def told(self, job_id: str, *, seq: int) -> None:
        knows = {"callback.told": {"$max": ["$callback.told", seq]}, "callback.failures": 0}
        pipeline: Pipeline = [{"$set": knows}, {"$set": {"callback.dueAt": DUE_SINCE_LAST_EVENT}}]
        await self._jobs.update_one(_to_tell_of(job_id), pipeline)

    async def not_told(self, job_id: str, *, again_at: datetime | None) -> None:
        if again_at is None:
            await self._jobs.update_one(_to_tell_of(job_id), GIVE_UP)
        else:
            again = {"$set": {"callback.dueAt": moment_text(again_at)}, "$inc": {"callback.failures": 1}}
            await self._jobs.update_one(_to_tell_of(job_id), again)


def news(fields: Document) -> Pipeline:
    """The update that writes `fields` of a job with a receiver, and makes it due unless it is already."""
    literally = {name: {"$literal": value} for name, value in fields.items()}
    due_at = {"$ifNull": ["$callback.dueAt", {"$literal": fields["lastEvent"]["at"]}]}
    return [{"$set": {**literally, "callback.dueAt": due_at}}]


def _to_tell_of(job_id: str) -> Document:
    return {"jobId": job_id, "callback.dueAt": {"$exists": True}}


def _callback_of(document: Document) -> DueWebhook:
    callback = document["callback"]
    return DueWebhook(job=job_of(document), delivered_seq=callback["told"], failures=callback["failures"])
