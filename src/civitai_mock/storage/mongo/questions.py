"""Questions about many jobs, answered by MongoDB."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from civitai_mock.domain.job import Job
from civitai_mock.domain.search import MOST_BYTES_FOUND, JobCriteria, QueuedJob, QueueState, Spending
from civitai_mock.domain.stages import Outcome
from civitai_mock.storage.mongo.collections import Collection, Document
from civitai_mock.storage.mongo.encoding import is_storable, moment_text, parse_moment
from civitai_mock.storage.mongo.indexes import QUEUE_ORDER, YOUNGEST_FIRST
from civitai_mock.storage.mongo.job_documents import jobs_of, text_size
from civitai_mock.storage.mongo.search_documents import born_filter, search_filter, with_ids
from civitai_mock.storage.mongo.stamping import ONLY_ID

SUMS = {"_id": None, "images": {"$sum": "$images"}, "cost": {"$sum": "$spent"}}
OUTCOME = {"_id": 0, "jobId": 1, "outcome": 1}
QUEUED_JOB = {"_id": 0, "jobId": 1, "priority": 1, "createdAt": 1, "cost": 1}


class Questions:
    def __init__(self, *, jobs: Collection) -> None:
        self._jobs = jobs

    async def search(self, search: JobCriteria, *, limit: int) -> Sequence[Job]:
        matching = search_filter(search)
        if limit < 1 or not _can_be_found(matching):
            return []
        found = self._jobs.find(matching).sort(YOUNGEST_FIRST).limit(limit)
        documents, size = [], 0
        async for document in found:
            documents.append(document)
            size += text_size(document)
            if size >= MOST_BYTES_FOUND:
                break
        await found.close()
        return await jobs_of(documents)

    async def waiting(self, *, after: str, limit: int) -> Sequence[Job]:
        if limit < 1:
            return []
        found = self._jobs.find({"waits": True, "jobId": {"$gt": after}}).sort("jobId").limit(limit)
        return await jobs_of([document async for document in found])

    async def outcomes(self, job_ids: Sequence[str]) -> Mapping[str, Outcome | None]:
        documents = self._jobs.find(with_ids(job_ids), OUTCOME)
        found = {document["jobId"]: document["outcome"] async for document in documents}
        return {job_id: Outcome(outcome) if outcome else None for job_id, outcome in found.items()}

    async def spending(self, issued_by: str | None, *, since: datetime | None, until: datetime | None) -> Spending:
        consumer = {} if issued_by is None else {"issuedBy": issued_by}
        if not _can_be_found(consumer):
            return Spending(images=0, cost=0.0)
        return await spending_of(self._jobs, {**consumer, **born_filter(since=since, until=until)})

    async def stands_still(self, *, since: datetime, now: datetime) -> bool:
        if await self._jobs.find_one({"queued": True, "createdAt": {"$lt": moment_text(since)}}, ONLY_ID) is None:
            return False
        return await self._jobs.find_one({"claim.until": {"$gt": moment_text(now)}}, ONLY_ID) is None

    async def queue(self, *, recent_since: datetime) -> QueueState:
        """The queue and what has ended are read one after the other, not at one instant."""
        found = self._jobs.find({"queued": True}, QUEUED_JOB).sort(QUEUE_ORDER)
        jobs = [_queued_job_of(document) async for document in found]
        recent = await self._jobs.count_documents({"endedAt": {"$gte": moment_text(recent_since)}})
        return QueueState(jobs=jobs, recent=recent)


async def spending_of(jobs: Collection, matching: Document) -> Spending:
    async for sums in jobs.aggregate([{"$match": matching}, {"$group": SUMS}]):
        return Spending(images=sums["images"], cost=sums["cost"])
    return Spending(images=0, cost=0.0)


def _can_be_found(matching: Document) -> bool:
    return all(is_storable(value) for value in matching.values() if isinstance(value, str))


def _queued_job_of(document: Document) -> QueuedJob:
    return QueuedJob(
        id=document["jobId"],
        priority=document["priority"],
        created_at=parse_moment(document["createdAt"]),
        cost=document["cost"],
    )
