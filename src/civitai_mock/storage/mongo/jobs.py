"""Jobs and their events in MongoDB."""

from collections.abc import Sequence
from datetime import datetime

from pymongo import DESCENDING, ReturnDocument
from pymongo.errors import PyMongoError

from civitai_mock.domain.blob import Slot
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.job import Job, JobSummary
from civitai_mock.domain.job_fault import JobFault
from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.domain.search import Budget
from civitai_mock.storage.mongo.budgets import Reservations
from civitai_mock.storage.mongo.collections import Collection, Document, insert_in_order, these
from civitai_mock.storage.mongo.encoding import is_storable, json_text, moment_text, parse_moment
from civitai_mock.storage.mongo.errors import domain_errors, raises_domain_errors
from civitai_mock.storage.mongo.event_feed import noticed
from civitai_mock.storage.mongo.grouping import Grouped
from civitai_mock.storage.mongo.job_changes import Changes, JobChange
from civitai_mock.storage.mongo.job_documents import (
    HELD_EVENTS,
    event_of,
    faults_text,
    held_events,
    job_document,
    jobs_of,
    slot_document,
    texts_of,
    with_ids,
)

CHANGES_IN_ONE_WRITE = 500
WORKFLOWS_SWEPT_AT_ONCE = 500
ENDED_AT = {"_id": 0, "endedAt": 1}
CHANGED_AT = {"_id": 0, "lastEvent.at": 1}


def grouped_changes(*, jobs: Collection, events: Collection) -> Grouped[JobChange, bool]:
    """Return what writes the changes of all epochs; whoever made it drains it."""
    return Grouped(Changes(jobs=jobs, events=events).apply, limit=CHANGES_IN_ONE_WRITE)


class MongoJobStore:
    """Stores jobs and events; changes of the same instant are written together (`grouped_changes`)."""

    def __init__(
        self,
        *,
        epoch: Epoch,
        jobs: Collection,
        events: Collection,
        workflows: Collection,
        reservations: Reservations,
        changes: Grouped[JobChange, bool],
    ) -> None:
        self._epoch = epoch
        self._jobs = jobs
        self._workflows = workflows
        self._events = events
        self._reservations = reservations
        self._changes = changes

    async def add(self, jobs: Sequence[Job], *, budget: Budget | None = None) -> None:
        if not jobs:
            return
        with domain_errors(conflict="A job with this id exists already."):
            if budget is None:
                await self._insert(jobs, {})
                return
            async with self._reservations.reserved(jobs, budget) as reservation:
                await self._insert(jobs, {"reservation": reservation})

    async def _insert(self, jobs: Sequence[Job], named: Document) -> None:
        """Insert jobs with their first events in them; see `JobChange.events`."""
        epoch = self._epoch.number
        documents = [job_document(job, epoch) | named for job in jobs]
        try:
            async with noticed(self._jobs, [(epoch, job.id) for job in jobs]):
                await insert_in_order(self._jobs, documents)
        except PyMongoError:
            await self._jobs.delete_many(these(documents))
            raise

    @raises_domain_errors
    async def spent(self, issued_by: str) -> float:
        return await self._reservations.spent(issued_by)

    @raises_domain_errors
    async def has_open_workflows(self) -> bool:
        epoch = self._epoch.number
        is_open = {"$or": [{"runningIn": epoch}, {"epoch": epoch, "outbox.dueAt": {"$gt": ""}}]}
        return await self._workflows.find_one(is_open, {"_id": 1}) is not None

    async def get(self, job_id: str) -> Job | None:
        found = await self.get_many([job_id])
        return found[0] if found else None

    async def get_summary(self, job_id: str) -> JobSummary | None:
        """Return the whole job: next to asking for it, what is made of it costs little."""
        return await self.get(job_id)

    @raises_domain_errors
    async def settled_at(self, job_id: str) -> datetime | None:
        unchanged = {"taint": None, "slots.lost": {"$exists": False}}
        matching = {"jobId": job_id, "epoch": self._epoch.number, **unchanged, "endedAt": {"$exists": True}}
        found = await self._jobs.find_one(matching, ENDED_AT) if is_storable(job_id) else None
        return None if found is None else parse_moment(found["endedAt"])

    @raises_domain_errors
    async def get_many(self, job_ids: Sequence[str]) -> Sequence[Job]:
        matching = with_ids(job_ids, self._epoch.number)
        found = {document["jobId"]: document async for document in self._jobs.find(matching)}
        return await jobs_of(found[job_id] for job_id in job_ids if job_id in found)

    @raises_domain_errors
    async def replace(
        self, before: Job, after: Job, *, between: Sequence[JobEvent] = (), if_not_renewed: bool = False
    ) -> bool:
        change = JobChange(
            epoch=self._epoch.number, before=before, after=after, between=between, if_not_renewed=if_not_renewed
        )
        return await self._changes(change)

    @raises_domain_errors
    async def events(self, job_id: str) -> Sequence[JobEvent]:
        """Take the events of the last change from the job, where they are even after a crash between the two writes."""
        epoch = self._epoch.number
        job = await self._jobs.find_one(with_ids([job_id], epoch), HELD_EVENTS)
        if job is None:
            return ()
        held = held_events(job)
        found = self._events.find({"jobId": job_id, "epoch": epoch, "seq": {"$lt": held[0]["seq"]}}).sort("seq")
        texts = texts_of(job)
        return [event_of(job_id, fields, texts) for fields in [*[earlier async for earlier in found], *held]]

    @raises_domain_errors
    async def count_poll(self, job_id: str, seq: int) -> int:
        """Count under the number of the event, so that nothing has to be begun anew when the job has another one."""
        if not is_storable(job_id):
            return 0
        shown = {"jobId": job_id, "epoch": self._epoch.number, "seq": seq, "outcome": None}
        found: Document | None = await self._jobs.find_one_and_update(
            shown,
            {"$inc": {f"polls.{seq}": 1}},
            projection={f"polls.{seq}": 1},
            return_document=ReturnDocument.AFTER,
        )
        return 0 if found is None else int(found["polls"][str(seq)])

    @raises_domain_errors
    async def keep_faults(self, job: Job, faults: Sequence[JobFault]) -> bool:
        unchanged = {
            "jobId": job.id,
            "epoch": self._epoch.number,
            "seq": job.seq,
            "claim.workerId": job.claim.worker_id if job.claim else None,
            "outcome": None,
            "faults": faults_text(job.faults),
        }
        kept = await self._jobs.update_one(unchanged, {"$set": {"faults": faults_text(faults)}})
        return kept.matched_count == 1

    @raises_domain_errors
    async def delete(self, job_id: str) -> bool:
        """Delete the job first, as events without a job are never shown."""
        epoch = self._epoch.number
        deleted = await self._jobs.delete_many(with_ids([job_id], epoch))
        if is_storable(job_id):
            await self._events.delete_many({"jobId": job_id, "epoch": epoch})
        return deleted.deleted_count == 1

    @raises_domain_errors
    async def latest_event_at(self) -> datetime | None:
        """Look at the youngest of those that have ended, by their index, and of all others."""
        epoch = self._epoch.number
        ended = self._jobs.find({"epoch": epoch, "endedAt": {"$gt": ""}}, ENDED_AT).sort("endedAt", DESCENDING)
        others = self._jobs.find({"openIn": epoch}, CHANGED_AT).sort("lastEvent.at", DESCENDING)
        dates = [document["endedAt"] async for document in ended.limit(1)]
        dates += [document["lastEvent"]["at"] async for document in others.limit(1)]
        return max(map(parse_moment, dates), default=None)

    @raises_domain_errors
    async def set_taint(self, job_ids: Sequence[str], taint: ReadOnlyJson) -> int:
        matching = with_ids(job_ids, self._epoch.number)
        tainted = await self._jobs.update_many(matching, {"$set": {"taint": json_text(taint)}})
        return tainted.matched_count

    @raises_domain_errors
    async def change_slot(self, job_id: str, slot: Slot) -> bool:
        matching = {"jobId": job_id, "epoch": self._epoch.number, "slots.blobKey": slot.blob_key}
        changed = await self._jobs.update_one(matching, {"$set": {"slots.$": slot_document(slot)}})
        return changed.matched_count == 1

    @raises_domain_errors
    async def sweep(self, now: datetime) -> int:
        """Delete jobs first, as events without a job are never shown."""
        over = {"epoch": self._epoch.number, "keepUntil": {"$lte": moment_text(now)}}
        await self._sweep_workflows(over, moment_text(now))
        swept = await self._jobs.delete_many(over)
        await self._events.delete_many(over)
        await self._reservations.sweep()
        return swept.deleted_count

    async def _sweep_workflows(self, over: Document, now: str) -> None:
        """Let the jobs of workflows expire first, so that a crash leaves none behind."""
        while found := await self._workflows.find(over, {"_id": 1}).limit(WORKFLOWS_SWEPT_AT_ONCE).to_list():
            ids = [document["_id"] for document in found]
            await self._jobs.update_many({"workflow.id": {"$in": ids}}, {"$min": {"keepUntil": now}})
            await self._workflows.delete_many({"_id": {"$in": ids}, **over})
