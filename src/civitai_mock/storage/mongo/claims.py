"""Who holds which jobs."""

from collections.abc import Sequence
from datetime import datetime

from bson import ObjectId

from civitai_mock.domain.job import Claim, Job
from civitai_mock.storage.mongo.collections import Collection, Document
from civitai_mock.storage.mongo.encoding import moment_text
from civitai_mock.storage.mongo.indexes import QUEUE_ORDER
from civitai_mock.storage.mongo.job_documents import claim_fields, job_of

# A page that is lost to other claimers is progress of theirs; after a few, the caller's next poll goes on.
CLAIM_PAGES = 8
ONLY_ID = {"_id": 0, "jobId": 1}


class Claims:
    """A claim is one conditional write on a page of candidates, then a look at which ones it won.

    find_one_and_update would need a round trip for each job, and is slow on servers that imitate MongoDB.
    """

    def __init__(self, *, jobs: Collection) -> None:
        self._jobs = jobs
        self._unread: dict[ObjectId, str] = {}

    async def claim(self, claim: Claim, *, limit: int) -> Sequence[Job]:
        if limit < 1:
            return []
        await self._give_back_unread()
        token = ObjectId()
        try:
            await self._stamp({**claim_fields(claim), "token": token}, limit=limit)
            found = self._jobs.find(_claimed_with(token, claim.worker_id)).sort(QUEUE_ORDER)
            return [job_of(document) async for document in found]
        except BaseException:
            self._unread[token] = claim.worker_id
            raise

    async def renew(self, worker_id: str, until: datetime) -> frozenset[str]:
        await self._give_back_unread()
        held = {"claim.workerId": worker_id}  # a job that has ended has no claim
        await self._jobs.update_many(held, {"$max": {"claim.until": moment_text(until)}})
        return frozenset([document["jobId"] async for document in self._jobs.find(held, ONLY_ID)])

    async def expired(self, now: datetime, *, limit: int) -> Sequence[Job]:
        found = self._jobs.find({"claim.until": {"$lt": moment_text(now)}}).sort("claim.until").limit(limit)
        return [job_of(document) async for document in found]

    async def _stamp(self, claim: Document, *, limit: int) -> None:
        won = 0
        for _ in range(CLAIM_PAGES):
            page = await self._front_of_queue(limit - won)
            if not page:
                return
            candidates = {"jobId": {"$in": page}, "queued": True}
            stamped = await self._jobs.update_many(candidates, {"$set": {"queued": False, "claim": claim}})
            won += stamped.modified_count
            if stamped.modified_count == len(page):
                return

    async def _front_of_queue(self, limit: int) -> list[str]:
        found = self._jobs.find({"queued": True}, ONLY_ID).sort(QUEUE_ORDER).limit(limit)
        return [document["jobId"] async for document in found]

    async def _give_back_unread(self) -> None:
        """Jobs stamped by a claim that failed before it could tell: nobody runs them, yet `renew` would keep them."""
        for token, worker_id in list(self._unread.items()):
            await self._jobs.update_many(_claimed_with(token, worker_id), {"$set": {"queued": True, "claim": None}})
            self._unread.pop(token, None)


def _claimed_with(token: ObjectId, worker_id: str) -> Document:
    return {"claim.workerId": worker_id, "claim.token": token}
