"""The outbox of workflows in MongoDB: announcements in the document of their workflow, and which receivers know.

A workflow has `outbox.dueAt` as long as there are announcements to deliver.
"""

from collections.abc import Sequence
from datetime import datetime

from bson import ObjectId

from civitai_mock.domain.callbacks import CallbackAttempt, CallbackState
from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.domain.workflow_search import Announcement, DueAnnouncement
from civitai_mock.storage.mongo.attempts import appended, faults_of, keep_fault, pushed, state_of
from civitai_mock.storage.mongo.claims import stamp_front
from civitai_mock.storage.mongo.collections import LONGEST_ANNOUNCED_FIRST, Collection, Document, Pipeline
from civitai_mock.storage.mongo.encoding import is_storable, key_in, moment_text, name_of, parse_moment
from civitai_mock.storage.mongo.errors import raises_domain_errors

DUE_SINCE_LAST = {"$cond": [{"$lt": ["$outbox.told", "$outbox.last"]}, "$outbox.lastAt", "$$REMOVE"]}


class MongoWorkflowOutbox:
    """Implements `WorkflowOutbox`; a workflow that announces nothing has no `outbox`."""

    def __init__(self, *, epoch: Epoch, workflows: Collection) -> None:
        self._epoch = epoch
        self._workflows = workflows

    @raises_domain_errors
    async def announce(self, workflow_id: str, announcements: Sequence[Announcement]) -> bool:
        if not announcements or not is_storable(workflow_id):
            return False
        first, last = announcements[0], announcements[-1]
        entries = [announcement_entry(announcement) for announcement in announcements]
        ends = {"outbox.last": last.seq, "outbox.lastAt": moment_text(last.at)}
        if first.seq == 0:
            follows: Document = {"outbox": None}
            begin = {"outbox.told": -1, "outbox.failures": 0, "outbox.dueAt": moment_text(first.at)}
            change: Document | Pipeline = {"$set": {**ends, **begin, "outbox.entries": entries}}
        else:
            follows = {"outbox.last": first.seq - 1}
            appended = {"$concatArrays": ["$outbox.entries", {"$literal": entries}]}
            due_at = {"$ifNull": ["$outbox.dueAt", moment_text(first.at)]}
            change = [{"$set": {**ends, "outbox.dueAt": due_at, "outbox.entries": appended}}]
        written = await self._workflows.update_one({"_id": self._key(workflow_id), "deleted": None, **follows}, change)
        return written.matched_count == 1

    @raises_domain_errors
    async def announced(self, workflow_id: str) -> Sequence[Announcement]:
        found = await self._workflows.find_one({"_id": self._key(workflow_id)}, {"outbox.entries": 1})
        return [announcement_of(entry) for entry in (found or {}).get("outbox", {}).get("entries", ())]

    @raises_domain_errors
    async def take_due(self, now: datetime, *, hold_until: datetime, limit: int) -> Sequence[DueAnnouncement]:
        """Take due workflows; those held for an answer that got lost are due again when the hold ends."""
        token = ObjectId()
        stamp = {"outbox.dueAt": moment_text(hold_until), "outbox.holder": token}
        line = {"epoch": self._epoch.number, "outbox.dueAt": {"$gt": "", "$lte": moment_text(now)}}
        tried = await stamp_front(
            self._workflows, line, order=LONGEST_ANNOUNCED_FIRST, stamp=stamp, limit=limit, key="_id"
        )
        if not tried:
            return []
        held = self._workflows.find({"_id": {"$in": list(tried)}, "outbox.holder": token}, {"outbox": 1})
        found = {document["_id"]: _due_announcement_of(document) async for document in held}
        return [found[key] for key in tried if key in found]

    @raises_domain_errors
    async def next_due(self) -> datetime | None:
        undelivered = {"epoch": self._epoch.number, "outbox.dueAt": {"$gt": ""}}
        found = self._workflows.find(undelivered, {"outbox.dueAt": 1})
        async for document in found.sort(LONGEST_ANNOUNCED_FIRST).limit(1):
            return parse_moment(document["outbox"]["dueAt"])
        return None

    @raises_domain_errors
    async def mark_delivered(self, workflow_id: str, *, seq: int, attempt: CallbackAttempt | None = None) -> None:
        knows = {"outbox.told": seq, "outbox.failures": 0, **appended("outbox", attempt)}
        pipeline: Pipeline = [{"$set": knows}, {"$set": {"outbox.dueAt": DUE_SINCE_LAST}}]
        await self._workflows.update_one(self._untold(workflow_id, seq), pipeline)

    @raises_domain_errors
    async def mark_failed(
        self, workflow_id: str, *, seq: int, retry_at: datetime | None, attempt: CallbackAttempt | None = None
    ) -> None:
        if retry_at is None:
            await self.mark_delivered(workflow_id, seq=seq, attempt=attempt)
        else:
            again = {"$set": {"outbox.dueAt": moment_text(retry_at)}, "$inc": {"outbox.failures": 1}}
            await self._workflows.update_one(self._untold(workflow_id, seq), {**again, **pushed("outbox", attempt)})

    @raises_domain_errors
    async def postpone(self, workflow_id: str, *, seq: int, until: datetime) -> None:
        due = {"$set": {"outbox.dueAt": moment_text(until)}}
        await self._workflows.update_one(self._untold(workflow_id, seq), due)

    @raises_domain_errors
    async def await_next(self, workflow_id: str, *, seq: int) -> bool:
        last = {"_id": self._key(workflow_id), "outbox.last": seq}
        written = await self._workflows.update_one(last, {"$unset": {"outbox.dueAt": ""}})
        return written.matched_count == 1

    @raises_domain_errors
    async def keep_fault(self, workflow_id: str, *, seq: int, fault: ReadOnlyJson) -> ReadOnlyJson | None:
        return await keep_fault(self._workflows, {"_id": self._key(workflow_id)}, "outbox", seq=seq, fault=fault)

    @raises_domain_errors
    async def state(self, workflow_id: str) -> CallbackState | None:
        found = await self._workflows.find_one({"_id": self._key(workflow_id)}, {"outbox": 1})
        return state_of(found["outbox"]) if found and found.get("outbox") else None

    def _untold(self, workflow_id: str, seq: int) -> Document:
        return {"_id": self._key(workflow_id), "outbox.told": {"$lt": seq}}

    def _key(self, workflow_id: str) -> str:
        return key_in(self._epoch.number, workflow_id)


def announcement_entry(announcement: Announcement) -> Document:
    return {
        "seq": announcement.seq,
        "callback": announcement.callback,
        "scope": announcement.scope,
        "subject": announcement.subject,
        "status": announcement.status,
        "at": moment_text(announcement.at),
    }


def announcement_of(entry: Document) -> Announcement:
    return Announcement(**{**entry, "at": parse_moment(entry["at"])})


def _due_announcement_of(document: Document) -> DueAnnouncement:
    """Return the first announcement that the receivers do not know; the entries are in order of `seq`."""
    outbox = document["outbox"]
    announcement = announcement_of(outbox["entries"][outbox["told"] + 1])
    return DueAnnouncement(
        workflow_id=name_of(document["_id"]),
        announcement=announcement,
        failures=outbox["failures"],
        faults=faults_of(outbox),
    )
