"""The queue of jobs in MongoDB: who may claim which job, and whose lease or time is over."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from bson import ObjectId

from civitai_mock.domain.claims import Claim
from civitai_mock.domain.job import Job
from civitai_mock.domain.micros import to_micros
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.domain.search import Backlog, QueuedJob, QueueState
from civitai_mock.domain.stages import MovedBy
from civitai_mock.storage.mongo.claims import ONLY_ID, stamp_front
from civitai_mock.storage.mongo.collections import QUEUE_ORDER, TIMED, Collection, Document, Pipeline
from civitai_mock.storage.mongo.encoding import moment_text, parse_moment
from civitai_mock.storage.mongo.errors import raises_domain_errors
from civitai_mock.storage.mongo.job_documents import claim_fields, jobs_of

QUEUED_JOB = {"_id": 0, "jobId": 1, "priority": 1, "createdAt": 1, "cost": 1}


class MongoJobQueue:
    """Hands out jobs: a claim stamps jobs with a token of its own, then reads which jobs carry it."""

    def __init__(self, *, epoch: Epoch, jobs: Collection) -> None:
        self._epoch = epoch
        self._jobs = jobs
        self._unread: dict[ObjectId, str] = {}

    @raises_domain_errors
    async def claim(self, claim: Claim, *, limit: int, only_timed: bool = False) -> Sequence[Job]:
        line: Document = {"queuedIn": self._epoch.number, **(TIMED if only_timed else {})}
        async with self._stamp(claim) as (token, stamp):
            if not await stamp_front(self._jobs, line, order=QUEUE_ORDER, stamp=stamp, limit=limit):
                return []
            found = self._jobs.find(_claimed_with(token, claim.worker_id)).sort(QUEUE_ORDER)
            return await jobs_of([document async for document in found])

    @raises_domain_errors
    async def claim_jobs(self, claim: Claim, job_ids: Iterable[str]) -> Sequence[Job]:
        these: Document = {"queuedIn": self._epoch.number, "jobId": {"$in": list(job_ids)}}
        async with self._stamp(claim) as (token, stamp):
            stamped = await self._jobs.update_many(these, {"$set": stamp})
            if not stamped.modified_count:
                return []
            found = self._jobs.find(_claimed_with(token, claim.worker_id)).sort(QUEUE_ORDER)
            return await jobs_of([document async for document in found])

    @asynccontextmanager
    async def _stamp(self, claim: Claim) -> AsyncIterator[tuple[ObjectId, Document]]:
        """Yield a token, and what stamps a job with the claim; it is given back if the block fails."""
        await self._give_back_unread()
        token = ObjectId()
        try:
            yield token, {"queuedIn": None, "claim": {**claim_fields(claim), "token": token}}
        except BaseException:
            self._unread[token] = claim.worker_id
            raise

    @raises_domain_errors
    async def set_priority(self, job_id: str, priority: int) -> bool:
        unfinished = {"jobId": job_id, "openIn": self._epoch.number}
        found = await self._jobs.update_one(unfinished, {"$set": {"priority": priority}})
        return found.matched_count == 1

    @raises_domain_errors
    async def renew(self, worker_id: str, job_ids: Iterable[str], until: datetime) -> frozenset[str]:
        await self._give_back_unread()
        # A job that has ended has no claim.
        held = {"jobId": {"$in": list(job_ids)}, "epoch": self._epoch.number, "claim.workerId": worker_id}
        await self._jobs.update_many(held, {"$max": {"claim.until": moment_text(until)}})
        return frozenset([document["jobId"] async for document in self._jobs.find(held, ONLY_ID)])

    @raises_domain_errors
    async def with_expired_lease(self, now: datetime, *, limit: int) -> Sequence[Job]:
        expired = {"epoch": self._epoch.number, "claim.until": {"$gt": "", "$lt": moment_text(now)}}
        found = self._jobs.find(expired).sort("claim.until").limit(limit)
        return await jobs_of([document async for document in found])

    async def held_by_dead(self, *, limit: int) -> Sequence[Job]:  # noqa: ARG002 - the port has it for other stores
        """Return nothing, as MongoDB does not know whether another process lives."""
        return ()

    @raises_domain_errors
    async def past_deadline(self, now: datetime, *, limit: int) -> Sequence[Job]:
        late = {"openIn": self._epoch.number, "deadline": {"$lte": moment_text(now)}}
        return await jobs_of([document async for document in self._jobs.find(late).sort("deadline").limit(limit)])

    @raises_domain_errors
    async def blocked(self, *, after: str, limit: int) -> Sequence[Job]:
        if limit < 1:
            return []
        waiting = {"waitsIn": self._epoch.number, "jobId": {"$gt": after}}
        found = self._jobs.find(waiting).sort("jobId").limit(limit)
        return await jobs_of([document async for document in found])

    @raises_domain_errors
    async def snapshot(self, *, recent_since: datetime) -> QueueState:
        """Read the queue, then what has ended; the two are not of one instant."""
        epoch = self._epoch.number
        found = self._jobs.find({"queuedIn": epoch}, QUEUED_JOB).sort(QUEUE_ORDER)
        jobs = [_queued_job_of(document) async for document in found]
        ended = {"epoch": epoch, "endedAt": {"$gte": moment_text(recent_since)}}
        recent = await self._jobs.count_documents(ended)
        return QueueState(jobs=jobs, recent=recent)

    @raises_domain_errors
    async def backlog(self) -> Backlog:
        summed_up = {"_id": None, "jobs": {"$sum": 1}, "oldest": {"$min": "$createdAt"}}
        queued = {"$match": {"queuedIn": self._epoch.number}}
        async for found in self._jobs.aggregate([queued, {"$group": summed_up}]):
            return Backlog(jobs=found["jobs"], oldest=parse_moment(found["oldest"]))
        return Backlog(jobs=0, oldest=None)

    @raises_domain_errors
    async def is_stalled(self, *, since: datetime, now: datetime) -> bool:
        epoch = self._epoch.number
        if await self._jobs.find_one({"queuedIn": epoch, "createdAt": {"$lt": moment_text(since)}}, ONLY_ID) is None:
            return False
        leased = {"epoch": epoch, "claim.until": {"$gt": moment_text(now)}}
        return await self._jobs.find_one(leased, ONLY_ID) is None

    async def _give_back_unread(self) -> None:
        """Give back jobs of a claim that failed before it could return them, so that nobody waits for their leases."""
        queued_in = {"$cond": [{"$eq": ["$movedBy", str(MovedBy.REQUESTS)]}, None, self._epoch.number]}
        for token, worker_id in list(self._unread.items()):
            freed: Pipeline = [{"$set": {"queuedIn": queued_in, "claim": None}}]
            await self._jobs.update_many(_claimed_with(token, worker_id), freed)
            self._unread.pop(token, None)


def _claimed_with(token: ObjectId, worker_id: str) -> Document:
    return {"claim.workerId": worker_id, "claim.token": token}


def _queued_job_of(document: Document) -> QueuedJob:
    return QueuedJob(
        rank=-document["priority"],
        created_micros=to_micros(parse_moment(document["createdAt"])),
        id=document["jobId"],
        cost=document["cost"],
    )
