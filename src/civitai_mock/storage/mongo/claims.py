"""Who holds which jobs."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from bson import ObjectId

from civitai_mock.domain.claims import Claim
from civitai_mock.domain.job import Job
from civitai_mock.storage.mongo.collections import Collection, Document
from civitai_mock.storage.mongo.encoding import moment_text
from civitai_mock.storage.mongo.indexes import QUEUE_ORDER
from civitai_mock.storage.mongo.job_documents import claim_fields, jobs_of
from civitai_mock.storage.mongo.stamping import ONLY_ID, stamp_front


class Claims:
    """A claim is a stamp with a token of its own, then a look at which jobs carry it."""

    def __init__(self, *, jobs: Collection) -> None:
        self._jobs = jobs
        self._unread: dict[ObjectId, str] = {}

    async def claim(self, claim: Claim, *, limit: int) -> Sequence[Job]:
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

    async def renew(self, worker_id: str, job_ids: Iterable[str], until: datetime) -> frozenset[str]:
        await self._give_back_unread()
        held = {"jobId": {"$in": list(job_ids)}, "claim.workerId": worker_id}  # a job that has ended has no claim
        await self._jobs.update_many(held, {"$max": {"claim.until": moment_text(until)}})
        return frozenset([document["jobId"] async for document in self._jobs.find(held, ONLY_ID)])

    async def expired(self, now: datetime, *, limit: int) -> Sequence[Job]:
        found = self._jobs.find({"claim.until": {"$lt": moment_text(now)}}).sort("claim.until").limit(limit)
        return await jobs_of([document async for document in found])

    async def _give_back_unread(self) -> None:
        """Jobs stamped by a claim that failed before it could tell: nobody need wait until their leases are over."""
        for token, worker_id in list(self._unread.items()):
            await self._jobs.update_many(_claimed_with(token, worker_id), {"$set": {"queued": True, "claim": None}})
            self._unread.pop(token, None)


def _claimed_with(token: ObjectId, worker_id: str) -> Document:
    return {"claim.workerId": worker_id, "claim.token": token}
