"""Budgets of consumers in MongoDB: reservations keep them, as a server may have no transactions."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from math import fsum
from typing import NamedTuple
from weakref import WeakValueDictionary

from bson import ObjectId
from pymongo.errors import DuplicateKeyError

from civitai_mock.domain.errors import InsufficientBuzzError
from civitai_mock.domain.job import Job
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.domain.search import Budget
from civitai_mock.storage.mongo.collections import ACCOUNTS, Collection, Document
from civitai_mock.storage.mongo.encoding import moment_text
from civitai_mock.storage.mongo.errors import AWAY
from civitai_mock.storage.mongo.job_documents import spent
from civitai_mock.storage.mongo.job_queries import spending_of

# A submission is a few writes, each of which may take a slow server a minute. Older ones are left by dead processes.
LONGEST_SUBMISSION = timedelta(minutes=5)
NOT_ORDINARY = "fakeRed"
BY_ACCOUNT: Document = {"_id": None, **{account: {"$sum": f"$spent.{account}"} for account in ACCOUNTS}}


class Sums(NamedTuple):
    """Holds what was spent on jobs, and by account on workflows."""

    jobs: float
    by_account: Mapping[str, int]

    @property
    def ordinary(self) -> float:
        """Return what all accounts but that for tests have paid."""
        return fsum([self.jobs, *(amount for account, amount in self.by_account.items() if account != NOT_ORDINARY)])


class Reservations:
    """Reserves a cost, adds up what the consumer spends, lets jobs or a workflow be stored, drops the reservation.

    So of two submissions at once, the later one to add up sees the reservation of the other, or what it has stored;
    what names a reservation that was seen is not counted twice. Both may see each other, and both be refused. Within
    one process the submissions of a consumer take turns, so that the first one is not refused there.
    """

    def __init__(self, *, epoch: Epoch, reservations: Collection, jobs: Collection, workflows: Collection) -> None:
        self._epoch = epoch
        self._reservations = reservations
        self._jobs = jobs
        self._workflows = workflows
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def turn(self, consumer: str) -> asyncio.Lock:
        """Return the lock that is held during the submissions of a consumer."""
        return self._turns.setdefault(consumer, asyncio.Lock())

    @asynccontextmanager
    async def reserved(self, jobs: Sequence[Job], budget: Budget) -> AsyncIterator[ObjectId]:
        """Reserve the cost of jobs, and yield the id of the reservation, which the stored jobs have to name."""
        reservation = _job_reservation(jobs, budget)
        async with self.turn(budget.issued_by), self.held(reservation):
            cost = (await self.sums(budget.issued_by)).ordinary
            if cost > budget.limit:
                raise InsufficientBuzzError(f"The jobs would cost {cost:g} Buzz in all, more than {budget.limit:g}.")
            yield reservation["_id"]

    @asynccontextmanager
    async def held(self, reservation: Document) -> AsyncIterator[None]:
        """Store a reservation for as long as the block takes."""
        try:
            with suppress(DuplicateKeyError):  # as the driver has sent it before, see `insert_in_order`
                await self._reservations.insert_one({"epoch": self._epoch.number, **reservation})
            yield
        finally:
            with suppress(*AWAY):  # as what was reserved for is stored, and a reservation that stays is swept
                await self._reservations.delete_one({"_id": reservation["_id"]})

    async def spent(self, consumer: str) -> float:
        """Return what a consumer has spent from its ordinary accounts on what is stored."""
        return (await self._stored(consumer, without=())).ordinary

    async def sums(
        self, consumer: str, *, but_for: str | None = None, own: ObjectId | None = None, reserved: bool = True
    ) -> Sums:
        """Return what a consumer has spent and `reserved`, but for its `own` reservation, and those for an external id.

        Reservations are read before what is stored, as what was stored for one that is gone by then can be counted.
        """
        of_consumer = {"epoch": self._epoch.number, "issuedBy": consumer}
        held = [document async for document in self._reservations.find(of_consumer)] if reserved else []
        counted = [
            document
            for document in held
            if document["_id"] != own and (but_for is None or document.get("externalId") != but_for)
        ]
        stored = await self._stored(consumer, without=[document["_id"] for document in held])
        jobs = fsum([stored.jobs, *(document["cost"] for document in counted if "accounts" not in document)])
        of_workflows = [document["accounts"] for document in counted if "accounts" in document]
        by_account = {
            account: amount + sum(accounts.get(account, 0) for accounts in of_workflows)
            for account, amount in stored.by_account.items()
        }
        return Sums(jobs=jobs, by_account=by_account)

    async def _stored(self, consumer: str, *, without: Sequence[ObjectId]) -> Sums:
        others = {"epoch": self._epoch.number, "reservation": {"$nin": list(without)}}
        jobs = (await spending_of(self._jobs, {"issuedBy": consumer, **others})).cost
        found = self._workflows.aggregate([{"$match": {"owner": consumer, **others}}, {"$group": BY_ACCOUNT}])
        sums = [document async for document in found]
        return Sums(jobs=jobs, by_account={account: sums[0][account] if sums else 0 for account in ACCOUNTS})

    async def sweep(self) -> None:
        """Delete what dead processes have left, in any epoch: how long a submission takes is real time."""
        left = moment_text(datetime.now(UTC) - LONGEST_SUBMISSION)
        await self._reservations.delete_many({"at": {"$lte": left}})


def _job_reservation(jobs: Sequence[Job], budget: Budget) -> Document:
    return {
        "_id": ObjectId(),
        "issuedBy": budget.issued_by,
        "cost": fsum(spent(job) for job in jobs if job.issued_by == budget.issued_by),
        "at": moment_text(datetime.now(UTC)),
    }
