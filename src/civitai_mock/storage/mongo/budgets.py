"""Keep consumers within their budgets, on a server without transactions."""

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

# A few writes, each of which a slow server may take a minute for. What is older was left by a process that died.
LONGEST_SUBMISSION = timedelta(minutes=5)


class Reservations:
    """The cost of jobs is reserved, then added up, then the jobs are stored, and only then the reservation goes.

    So of two submissions at once, the later to add up sees the other's reservation or its jobs; jobs that name a
    reservation that was seen are not counted twice. Both may see each other, and both be refused. Within one process
    the submissions of a consumer take turns, so that there the first one is not.
    """

    def __init__(self, *, reservations: Collection, jobs: Collection) -> None:
        self._reservations = reservations
        self._jobs = jobs
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def reserved(self, jobs: Sequence[Job], budget: Budget) -> AsyncIterator[ObjectId]:
        """The id of the reservation, which the jobs that are stored meanwhile have to name."""
        reservation = _reservation_document(jobs, budget)
        async with self._turns.setdefault(budget.issued_by, asyncio.Lock()):
            try:
                await self._reservations.insert_one(reservation)
                await self._check(budget)
                yield reservation["_id"]
            finally:
                with suppress(*AWAY):  # what was done stands; one that stays is swept
                    await self._reservations.delete_one({"_id": reservation["_id"]})

    async def _check(self, budget: Budget) -> None:
        """Reservations are read first: the jobs of one that is gone by then are there to be counted."""
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
