"""The outbox of webhooks in MongoDB: which events receivers do not know yet.

A job has `callback.dueAt` as long as there are events to deliver. A write that depends on what is stored is an update
pipeline, which the server carries out in one.
"""

from collections.abc import Sequence
from datetime import datetime

from bson import ObjectId

from civitai_mock.domain.callbacks import CallbackAttempt, CallbackState
from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.domain.search import DueWebhook
from civitai_mock.storage.mongo.attempts import appended, faults_of, keep_fault, pushed, state_of
from civitai_mock.storage.mongo.claims import stamp_front
from civitai_mock.storage.mongo.collections import LONGEST_DUE_FIRST, Collection, Document, Pipeline
from civitai_mock.storage.mongo.encoding import moment_text, parse_moment
from civitai_mock.storage.mongo.errors import raises_domain_errors
from civitai_mock.storage.mongo.job_documents import job_of

DUE_SINCE_LAST_EVENT = {"$cond": [{"$lt": ["$callback.told", "$seq"]}, "$lastEvent.at", "$$REMOVE"]}


class MongoWebhookOutbox:
    """Implements `WebhookOutbox` in the documents of the jobs."""

    def __init__(self, *, epoch: Epoch, jobs: Collection) -> None:
        self._epoch = epoch
        self._jobs = jobs

    @raises_domain_errors
    async def take_due(self, now: datetime, *, hold_until: datetime, limit: int) -> Sequence[DueWebhook]:
        """Take due jobs; those held for an answer that got lost are due again when the hold ends."""
        token, epoch = ObjectId(), self._epoch.number
        stamp = {"callback.dueAt": moment_text(hold_until), "callback.holder": token}
        line = {"epoch": epoch, "callback.dueAt": {"$gt": "", "$lte": moment_text(now)}}
        tried = await stamp_front(self._jobs, line, order=LONGEST_DUE_FIRST, stamp=stamp, limit=limit)
        if not tried:
            return []
        held = self._jobs.find({"jobId": {"$in": tried}, "epoch": epoch, "callback.holder": token})
        found = {document["jobId"]: _due_webhook_of(document) async for document in held}
        return [found[job_id] for job_id in tried if job_id in found]

    @raises_domain_errors
    async def next_due(self) -> datetime | None:
        undelivered = {"epoch": self._epoch.number, "callback.dueAt": {"$gt": ""}}
        found = self._jobs.find(undelivered, {"callback.dueAt": 1})
        async for document in found.sort(LONGEST_DUE_FIRST).limit(1):
            return parse_moment(document["callback"]["dueAt"])
        return None

    @raises_domain_errors
    async def mark_delivered(self, job_id: str, *, seq: int, attempt: CallbackAttempt | None = None) -> None:
        knows = {"callback.told": {"$max": ["$callback.told", seq]}, "callback.failures": 0}
        noted = {**knows, **appended("callback", attempt)}
        pipeline: Pipeline = [{"$set": noted}, {"$set": {"callback.dueAt": DUE_SINCE_LAST_EVENT}}]
        await self._jobs.update_one(self._undelivered(job_id), pipeline)

    @raises_domain_errors
    async def mark_failed(
        self, job_id: str, *, retry_at: datetime | None, attempt: CallbackAttempt | None = None
    ) -> None:
        if retry_at is None:
            knows = {"callback.told": "$seq", "callback.failures": 0, **appended("callback", attempt)}
            pipeline: Pipeline = [{"$set": knows}, {"$unset": "callback.dueAt"}]
            await self._jobs.update_one(self._undelivered(job_id), pipeline)
        else:
            again = {"$set": {"callback.dueAt": moment_text(retry_at)}, "$inc": {"callback.failures": 1}}
            await self._jobs.update_one(self._undelivered(job_id), {**again, **pushed("callback", attempt)})

    @raises_domain_errors
    async def postpone(self, job_id: str, *, until: datetime) -> None:
        await self._jobs.update_one(self._undelivered(job_id), {"$set": {"callback.dueAt": moment_text(until)}})

    @raises_domain_errors
    async def await_next(self, job_id: str, *, seq: int) -> bool:
        last = {"jobId": job_id, "epoch": self._epoch.number, "seq": seq}
        written = await self._jobs.update_one(last, {"$unset": {"callback.dueAt": ""}})
        return written.matched_count == 1

    @raises_domain_errors
    async def keep_fault(self, job_id: str, *, seq: int, fault: ReadOnlyJson) -> ReadOnlyJson | None:
        return await keep_fault(self._jobs, self._undelivered(job_id), "callback", seq=seq, fault=fault)

    @raises_domain_errors
    async def state(self, job_id: str) -> CallbackState | None:
        found = await self._jobs.find_one({"jobId": job_id, "epoch": self._epoch.number}, {"callback": 1})
        return None if found is None else state_of(found.get("callback") or {"told": -1})

    def _undelivered(self, job_id: str) -> Document:
        return {"jobId": job_id, "epoch": self._epoch.number, "callback.dueAt": {"$exists": True}}


def update_and_make_due(fields: Document, *, feed_position: str) -> Pipeline:
    """Return the update that writes `fields` of a job with a receiver, and makes it due unless it is already.

    Its place in the feed never goes back.
    """
    literally = {name: {"$literal": value} for name, value in fields.items()}
    due_at = {"$ifNull": ["$callback.dueAt", {"$literal": fields["lastEvent"]["at"]}]}
    position = {"$max": ["$feedPosition", {"$literal": feed_position}]}
    return [{"$set": {**literally, "callback.dueAt": due_at, "feedPosition": position}}]


def _due_webhook_of(document: Document) -> DueWebhook:
    callback = document["callback"]
    return DueWebhook(
        job=job_of(document),
        delivered_seq=callback["told"],
        failures=callback["failures"],
        faults=faults_of(callback),
    )
