"""Budgets of consumers in MongoDB: reservations keep them, as a server may have no transactions."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from math import fsum
from weakref import WeakValueDictionary

from bson import ObjectId

from civitai_mock.domain.errors import InsufficientBuzzError
from civitai_mock.domain.job import Job
from civitai_mock.domain.money import ORDINARY, Account, Balances, Spent, fits
from civitai_mock.domain.search import Budget
from civitai_mock.domain.workflow import Workflow
from civitai_mock.domain.workflow_cost import charge
from civitai_mock.storage.mongo.collections import Collection, Document
from civitai_mock.storage.mongo.encoding import moment_text
from civitai_mock.storage.mongo.errors import AWAY
from civitai_mock.storage.mongo.job_documents import spent
from civitai_mock.storage.mongo.job_queries import spending_of

# A submission is a few writes, each of which may take a slow server a minute. Older ones are left by dead processes.
LONGEST_SUBMISSION = timedelta(minutes=5)
# How often a charge is split again because another process has reserved something meanwhile.
MOST_SPLITS = 5
SUMS_BY_ACCOUNT: Document = {"_id": None, **{str(account): {"$sum": f"$spent.{account}"} for account in Account}}


class Reservations:
    """Reserves a cost, adds up what the consumer spends, lets jobs or a workflow be stored, drops the reservation.

    So of two submissions at once, the later one to add up sees the reservation of the other, or what it has stored;
    what names a reservation that was seen is not counted twice. Both may see each other, and both be refused. Within
    one process the submissions of a consumer take turns, so that the first one is not refused there.
    """

    def __init__(self, *, reservations: Collection, jobs: Collection, workflows: Collection) -> None:
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
        async with self.turn(budget.issued_by), self._held(reservation):
            cost = (await self._spent(budget.issued_by)).ordinary
            if cost > budget.limit:
                raise InsufficientBuzzError(f"The jobs would cost {cost:g} Buzz in all, more than {budget.limit:g}.")
            yield reservation["_id"]

    @asynccontextmanager
    async def charged(self, workflow: Workflow, balances: Balances) -> AsyncIterator[tuple[Workflow, ObjectId]]:
        """Reserve the cost of a new workflow during the turn of its owner.

        Yield it with its debits, and the id of the reservation, which the stored workflow has to name. One with the
        same external id reserves the same Buzz, as only one of them is stored.
        """
        for _ in range(MOST_SPLITS):
            before = await self._spent(workflow.owner, but_for=workflow.external_id)
            charged = charge(workflow, balances, before)
            reservation = _workflow_reservation(charged, charged.spent, at=charged.created_at)
            async with self._held(reservation):
                others = await self._spent(workflow.owner, but_for=workflow.external_id, own=reservation)
                if fits(balances, _more(others, charged.spent)):
                    yield charged, reservation["_id"]
                    return
        raise InsufficientBuzzError("Others have reserved what the balance has left.")

    @asynccontextmanager
    async def charged_again(self, before: Workflow, after: Workflow, balances: Balances) -> AsyncIterator[None]:
        """Reserve what a change debits; what it gives back counts for nobody else until it is stored."""
        change = {account: after.spent.get(account, 0) - before.spent.get(account, 0) for account in Account}
        shares = {account: max(amount, 0) for account, amount in change.items()}
        reservation = _workflow_reservation(after, shares, at=datetime.now(UTC))
        async with self.turn(after.owner), self._held(reservation):
            others = await self._spent(after.owner, own=reservation)
            if not fits(balances, _more(others, change)):
                raise InsufficientBuzzError("The balance does not cover the charge.")
            yield

    async def spent(self, consumer: str) -> Spent:
        """Return what a consumer has spent on what is stored."""
        return await self._spent_on_stored(consumer, without=())

    async def sweep(self, now: datetime) -> None:
        await self._reservations.delete_many({"at": {"$lte": moment_text(now - LONGEST_SUBMISSION)}})

    @asynccontextmanager
    async def _held(self, reservation: Document) -> AsyncIterator[None]:
        try:
            await self._reservations.insert_one(reservation)
            yield
        finally:
            with suppress(*AWAY):  # as what was reserved for is stored, and a reservation that stays is swept
                await self._reservations.delete_one({"_id": reservation["_id"]})

    async def _spent(self, consumer: str, *, but_for: str | None = None, own: Document | None = None) -> Spent:
        """Return what a consumer has spent and reserved, but for its `own` reservation, and those for an external id.

        Reservations are read before what is stored, as what was stored for one that is gone by then can be counted.
        """
        held = [document async for document in self._reservations.find({"issuedBy": consumer})]
        counted = [
            document
            for document in held
            if (but_for is None or document.get("externalId") != but_for)
            and (own is None or document["_id"] != own["_id"])
        ]
        stored = await self._spent_on_stored(consumer, without=[document["_id"] for document in held])
        jobs = fsum(document["cost"] for document in counted if "accounts" not in document)
        by_account = {
            account: stored.by_account.get(account, 0)
            + sum(document["accounts"].get(account, 0) for document in counted if "accounts" in document)
            for account in Account
        }
        return Spent(by_account=by_account, jobs=fsum((stored.jobs, jobs)))

    async def _spent_on_stored(self, consumer: str, *, without: Sequence[ObjectId]) -> Spent:
        matching = {"issuedBy": consumer, "reservation": {"$nin": list(without)}}
        jobs = (await spending_of(self._jobs, matching)).cost
        of_owner = {"owner": consumer, "reservation": {"$nin": list(without)}}
        found = self._workflows.aggregate([{"$match": of_owner}, {"$group": SUMS_BY_ACCOUNT}])
        sums = [document async for document in found]
        by_account = {account: sums[0][account] for account in Account} if sums else {}
        return Spent(by_account=by_account, jobs=jobs)


def _more(spent_before: Spent, change: Mapping[Account, int]) -> Spent:
    by_account = {account: spent_before.by_account.get(account, 0) + change.get(account, 0) for account in Account}
    return Spent(by_account=by_account, jobs=spent_before.jobs)


def _job_reservation(jobs: Sequence[Job], budget: Budget) -> Document:
    return {
        "_id": ObjectId(),
        "issuedBy": budget.issued_by,
        "cost": fsum(spent(job) for job in jobs if job.issued_by == budget.issued_by),
        "at": moment_text(max(job.created_at for job in jobs)),
    }


def _workflow_reservation(workflow: Workflow, shares: Mapping[Account, int], *, at: datetime) -> Document:
    """Return a reservation that also names the accounts; a program that knows none of them reads its cost."""
    return {
        "_id": ObjectId(),
        "issuedBy": workflow.owner,
        "cost": sum(shares.get(account, 0) for account in ORDINARY),
        "accounts": {str(account): amount for account, amount in shares.items()},
        "externalId": workflow.external_id,
        "at": moment_text(at),
    }
