"""The queue of jobs in MongoDB: who may claim which job, and whose lease or time is over."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from bson import ObjectId

from civitai_mock.domain.claims import Claim
from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.job import Job
from civitai_mock.domain.search import Backlog, QueuedJob, QueueState
from civitai_mock.storage.mongo.claims import ONLY_ID, stamp_front
from civitai_mock.storage.mongo.collections import QUEUE_ORDER, Collection, Document
from civitai_mock.storage.mongo.encoding import moment_text, parse_moment
from civitai_mock.storage.mongo.errors import raises_domain_errors
from civitai_mock.storage.mongo.job_documents import claim_fields, jobs_of

QUEUED_JOB = {"_id": 0, "jobId": 1, "priority": 1, "createdAt": 1, "cost": 1}


class MongoJobQueue:
    """Hands out jobs: a claim stamps jobs with a token of its own, then reads which jobs carry it."""

    def __init__(self, *, jobs: Collection) -> None:
        self._jobs = jobs
        self._unread: dict[ObjectId, str] = {}

    @raises_domain_errors
    async def claim(self, claim: Claim, *, limit: int, only_timed: bool = False) -> Sequence[Job]:  # noqa: ARG002
        await self._give_back_unread()
        token = ObjectId()
        try:
            stamp = {"queued": False, "claim": {**claim_fields(claim), "token": token}}
            if not await stamp_front(self._jobs, {"queued": True}, order=QUEUE_ORDER, stamp=stamp, limit=limit):
                return []
            found = self._jobs.find(_claimed_with(token, claim.worker_id)).sort(QUEUE_ORDER)
            return await jobs_of([document async for document in found])
        except BaseException:
            self._unread[token] = claim.worker_id
            raise

    async def claim_one(self, claim: Claim, job_id: str) -> Job | None:
        raise TransientError("not there yet", claim=claim, job_id=job_id)

    @raises_domain_errors
    async def renew(self, worker_id: str, job_ids: Iterable[str], until: datetime) -> frozenset[str]:
        await self._give_back_unread()
        held = {"jobId": {"$in": list(job_ids)}, "claim.workerId": worker_id}  # as a job that has ended has no claim
        await self._jobs.update_many(held, {"$max": {"claim.until": moment_text(until)}})
        return frozenset([document["jobId"] async for document in self._jobs.find(held, ONLY_ID)])

    @raises_domain_errors
    async def with_expired_lease(self, now: datetime, *, limit: int) -> Sequence[Job]:
        found = self._jobs.find({"claim.until": {"$lt": moment_text(now)}}).sort("claim.until").limit(limit)
        return await jobs_of([document async for document in found])

    async def held_by_dead(self, *, limit: int) -> Sequence[Job]:  # noqa: ARG002 - the port has it for other stores
        """Return nothing, as MongoDB does not know whether another process lives."""
        return ()

    @raises_domain_errors
    async def past_deadline(self, now: datetime, *, limit: int) -> Sequence[Job]:
        late = {"outcome": None, "deadline": {"$lte": moment_text(now)}}
        return await jobs_of([document async for document in self._jobs.find(late).sort("deadline").limit(limit)])

    @raises_domain_errors
    async def blocked(self, *, after: str, limit: int) -> Sequence[Job]:
        if limit < 1:
            return []
        found = self._jobs.find({"waits": True, "jobId": {"$gt": after}}).sort("jobId").limit(limit)
        return await jobs_of([document async for document in found])

    @raises_domain_errors
    async def snapshot(self, *, recent_since: datetime) -> QueueState:
        """Read the queue, then what has ended; the two are not of one instant."""
        found = self._jobs.find({"queued": True}, QUEUED_JOB).sort(QUEUE_ORDER)
        jobs = [_queued_job_of(document) async for document in found]
        recent = await self._jobs.count_documents({"endedAt": {"$gte": moment_text(recent_since)}})
        return QueueState(jobs=jobs, recent=recent)

    @raises_domain_errors
    async def backlog(self) -> Backlog:
        summed_up = {"_id": None, "jobs": {"$sum": 1}, "oldest": {"$min": "$createdAt"}}
        async for found in self._jobs.aggregate([{"$match": {"queued": True}}, {"$group": summed_up}]):
            return Backlog(jobs=found["jobs"], oldest=parse_moment(found["oldest"]))
        return Backlog(jobs=0, oldest=None)

    @raises_domain_errors
    async def is_stalled(self, *, since: datetime, now: datetime) -> bool:
        if await self._jobs.find_one({"queued": True, "createdAt": {"$lt": moment_text(since)}}, ONLY_ID) is None:
            return False
        return await self._jobs.find_one({"claim.until": {"$gt": moment_text(now)}}, ONLY_ID) is None

    async def _give_back_unread(self) -> None:
        """Give back jobs of a claim that failed before it could return them, so that nobody waits for their leases."""
        for token, worker_id in list(self._unread.items()):
            await self._jobs.update_many(_claimed_with(token, worker_id), {"$set": {"queued": True, "claim": None}})
            self._unread.pop(token, None)


def _claimed_with(token: ObjectId, worker_id: str) -> Document:
    return {"claim.workerId": worker_id, "claim.token": token}


def _queued_job_of(document: Document) -> QueuedJob:
    return QueuedJob(
        id=document["jobId"],
        priority=document["priority"],
        created_at=parse_moment(document["createdAt"]),
        cost=document["cost"],
    )
