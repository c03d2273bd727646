"""Jobs and their events in MongoDB."""

from collections.abc import Sequence
from datetime import datetime

from pymongo.errors import PyMongoError

from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.job import Job, JobSummary
from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.domain.search import Budget
from civitai_mock.storage.mongo.budgets import Reservations
from civitai_mock.storage.mongo.collections import Collection, Document
from civitai_mock.storage.mongo.encoding import is_storable, json_text, moment_text, parse_moment
from civitai_mock.storage.mongo.errors import domain_errors, raises_domain_errors
from civitai_mock.storage.mongo.event_feed import noticed
from civitai_mock.storage.mongo.grouping import Grouped
from civitai_mock.storage.mongo.job_changes import Changes, JobChange
from civitai_mock.storage.mongo.job_documents import (
    HELD_EVENTS,
    event_of,
    expired,
    held_events,
    job_document,
    jobs_of,
    lifetime_fields,
    texts_of,
    with_ids,
)

CHANGES_IN_ONE_WRITE = 500
WORKFLOWS_SWEPT_AT_ONCE = 500
ENDED_AT = {"_id": 0, "endedAt": 1}


class MongoJobStore:
    """Stores jobs and events; changes of the same instant are written together."""

    def __init__(
        self, *, jobs: Collection, events: Collection, workflows: Collection, reservations: Reservations
    ) -> None:
        self._jobs = jobs
        self._workflows = workflows
        self._events = events
        self._reservations = reservations
        self._changes = Grouped(Changes(jobs=jobs, events=events).apply, limit=CHANGES_IN_ONE_WRITE)

    async def drain(self) -> None:
        """Wait for writes whose callers may be gone."""
        await self._changes.drain()

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
        documents = [job_document(job) | named for job in jobs]
        try:
            async with noticed(self._jobs, [job.id for job in jobs]):
                await self._jobs.insert_many(documents)
        except PyMongoError:
            await self._jobs.delete_many(_these(documents))
            raise

    @raises_domain_errors
    async def spent(self, issued_by: str) -> float:
        return await self._reservations.spent(issued_by)

    @raises_domain_errors
    async def has_open_workflows(self) -> bool:
        is_open = {"$or": [{"running": True}, {"outbox.dueAt": {"$gt": ""}}]}
        return await self._workflows.find_one(is_open, {"_id": 1}) is not None

    async def get(self, job_id: str) -> Job | None:
        found = await self.get_many([job_id])
        return found[0] if found else None

    async def get_summary(self, job_id: str) -> JobSummary | None:
        """Return the whole job: next to asking for it, what is made of it costs little."""
        return await self.get(job_id)

    @raises_domain_errors
    async def settled_at(self, job_id: str) -> datetime | None:
        matching = {"jobId": job_id, "taint": None, "endedAt": {"$exists": True}}
        found = await self._jobs.find_one(matching, ENDED_AT) if is_storable(job_id) else None
        return None if found is None else parse_moment(found["endedAt"])

    @raises_domain_errors
    async def get_many(self, job_ids: Sequence[str]) -> Sequence[Job]:
        found = {document["jobId"]: document async for document in self._jobs.find(with_ids(job_ids))}
        return await jobs_of(found[job_id] for job_id in job_ids if job_id in found)

    @raises_domain_errors
    async def replace(
        self, before: Job, after: Job, *, between: Sequence[JobEvent] = (), if_not_renewed: bool = False
    ) -> bool:
        change = JobChange(before=before, after=after, between=between, if_not_renewed=if_not_renewed)
        return await self._changes(change)

    @raises_domain_errors
    async def events(self, job_id: str) -> Sequence[JobEvent]:
        """Take the events of the last change from the job, where they are even after a crash between the two writes."""
        job = await self._jobs.find_one(with_ids([job_id]), HELD_EVENTS)
        if job is None:
            return ()
        held = held_events(job)
        found = self._events.find({"jobId": job_id, "seq": {"$lt": held[0]["seq"]}}).sort("seq")
        texts = texts_of(job)
        return [event_of(job_id, fields, texts) for fields in [*[earlier async for earlier in found], *held]]

    async def count_poll(self, job_id: str, seq: int) -> int:
        raise TransientError("not there yet", job_id=job_id, seq=seq)

    @raises_domain_errors
    async def set_taint(self, job_ids: Sequence[str], taint: ReadOnlyJson) -> int:
        tainted = await self._jobs.update_many(with_ids(job_ids), {"$set": {"taint": json_text(taint)}})
        return tainted.matched_count

    @raises_domain_errors
    async def sweep(self, now: datetime) -> int:
        """Delete what the server's TTL monitor would delete within a minute; events without a job are never shown."""
        await self._sweep_workflows(now)
        swept = await self._jobs.delete_many(expired(now))
        await self._events.delete_many(expired(now))
        await self._reservations.sweep(now)
        return swept.deleted_count

    async def _sweep_workflows(self, now: datetime) -> None:
        """Let the jobs of workflows expire first, so that a crash leaves none behind."""
        over = {"keepUntil": {"$lte": moment_text(now)}}
        while found := await self._workflows.find(over, {"_id": 1}).limit(WORKFLOWS_SWEPT_AT_ONCE).to_list():
            ids = [document["_id"] for document in found]
            await self._jobs.update_many({"workflow.id": {"$in": ids}}, {"$min": lifetime_fields(now)})
            await self._workflows.delete_many({"_id": {"$in": ids}, **over})


def _these(documents: Sequence[Document]) -> Document:
    """Match the very documents that were inserted, by the `_id` that insert_many has given to each."""
    return {"_id": {"$in": [document["_id"] for document in documents if "_id" in document]}}
