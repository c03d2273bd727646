"""Budgets of consumers in MongoDB: reservations keep them, as a server may have no transactions."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from math import fsum
from weakref import WeakValueDictionary

from bson import ObjectId

from civitai_mock.domain.errors import InsufficientBuzzError
from civitai_mock.domain.job import Job
from civitai_mock.domain.search import Budget
from civitai_mock.storage.mongo.collections import Collection, Document
from civitai_mock.storage.mongo.encoding import moment_text
from civitai_mock.storage.mongo.errors import AWAY
from civitai_mock.storage.mongo.job_documents import spent
from civitai_mock.storage.mongo.job_queries import spending_of

# A submission is a few writes, each of which may take a slow server a minute. Older ones are left by dead processes.
LONGEST_SUBMISSION = timedelta(minutes=5)


class Reservations:
    """Reserves the cost of jobs, adds up what the consumer spends, lets the jobs be stored, then drops the reservation.

    So of two submissions at once, the later one to add up sees the reservation or the jobs of the other; jobs that name
    a reservation that was seen are not counted twice. Both may see each other, and both be refused. Within one process
    the submissions of a consumer take turns, so that the first one is not refused there.
    """

    def __init__(self, *, reservations: Collection, jobs: Collection) -> None:
        self._reservations = reservations
        self._jobs = jobs
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def reserved(self, jobs: Sequence[Job], budget: Budget) -> AsyncIterator[ObjectId]:
        """Reserve the cost of jobs, and yield the id of the reservation, which the stored jobs have to name."""
        reservation = _reservation_document(jobs, budget)
        async with self._turns.setdefault(budget.issued_by, asyncio.Lock()):
            try:
                await self._reservations.insert_one(reservation)
                await self._check(budget)
                yield reservation["_id"]
            finally:
                with suppress(*AWAY):  # as the jobs are stored, and a reservation that stays is swept
                    await self._reservations.delete_one({"_id": reservation["_id"]})

    async def _check(self, budget: Budget) -> None:
        """Raise `InsufficientBuzzError` if the consumer spends too much.

        Reservations are read before jobs, as the jobs of a reservation that is gone by then can be counted.
        """
        held = self._reservations.find({"issuedBy": budget.issued_by})
        reserved = {document["_id"]: document["cost"] async for document in held}
        others = {"issuedBy": budget.issued_by, "reservation": {"$nin": list(reserved)}}
        cost = fsum([*reserved.values(), (await spending_of(self._jobs, others)).cost])
        if cost > budget.limit:
            raise InsufficientBuzzError(f"The jobs would cost {cost:g} Buzz in all, more than {budget.limit:g}.")

    async def sweep(self, now: datetime) -> None:
        await self._reservations.delete_many({"at": {"$lte": moment_text(now - LONGEST_SUBMISSION)}})


def _reservation_document(jobs: Sequence[Job], budget: Budget) -> Document:
    return {
        "_id": ObjectId(),
        "issuedBy": budget.issued_by,
        "cost": fsum(spent(job) for job in jobs if job.issued_by == budget.issued_by),
        "at": moment_text(max(job.created_at for job in jobs)),
    }
