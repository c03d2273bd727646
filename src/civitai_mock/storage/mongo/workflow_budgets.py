"""Charges of workflows in MongoDB, within the balances of their owners."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from bson import ObjectId

from civitai_mock.domain.errors import InsufficientBuzzError
from civitai_mock.domain.money import ORDINARY, Account, Balances, Spent, fits
from civitai_mock.domain.workflow import Workflow
from civitai_mock.domain.workflow_cost import charge
from civitai_mock.storage.mongo.budgets import Reservations, Sums
from civitai_mock.storage.mongo.collections import Document
from civitai_mock.storage.mongo.encoding import moment_text

# How often a charge is split again because another process has reserved something meanwhile.
MOST_SPLITS = 5


@asynccontextmanager
async def charged(
    reservations: Reservations, workflow: Workflow, balances: Balances
) -> AsyncIterator[tuple[Workflow, ObjectId]]:
    """Reserve the cost of a new workflow during the turn of its owner.

    Yield it with its debits, and the id of the reservation, which the stored workflow has to name. One with the same
    external id reserves the same Buzz, as only one of them is stored.
    """
    for _ in range(MOST_SPLITS):
        before = await reservations.sums(workflow.owner, but_for=workflow.external_id)
        paid = charge(workflow, balances, _with(before, {}))
        reservation = _reservation(paid, paid.spent)
        async with reservations.held(reservation):
            others = await reservations.sums(workflow.owner, but_for=workflow.external_id, own=reservation["_id"])
            if fits(balances, _with(others, paid.spent)):
                yield paid, reservation["_id"]
                return
    raise InsufficientBuzzError("Others have reserved what the balance has left.")


@asynccontextmanager
async def charged_again(
    reservations: Reservations, before: Workflow, after: Workflow, balances: Balances
) -> AsyncIterator[None]:
    """Reserve what a change debits; what it gives back counts for nobody else until it is stored."""
    change = {account: after.spent.get(account, 0) - before.spent.get(account, 0) for account in Account}
    debited = {account: max(amount, 0) for account, amount in change.items()}
    reservation = _reservation(after, debited)
    async with reservations.turn(after.owner), reservations.held(reservation):
        others = await reservations.sums(after.owner, own=reservation["_id"])
        if not fits(balances, _with(others, change)):
            raise InsufficientBuzzError("The balance does not cover the charge.")
        yield


async def spent_by(reservations: Reservations, consumer: str) -> Spent:
    """Return what a consumer has spent on what is stored."""
    return _with(await reservations.sums(consumer, reserved=False), {})


def _with(sums: Sums, change: Mapping[Account, int]) -> Spent:
    by_account = {account: sums.by_account[account] + change.get(account, 0) for account in Account}
    return Spent(by_account=by_account, jobs=sums.jobs)


def _reservation(workflow: Workflow, shares: Mapping[Account, int]) -> Document:
    """Return a reservation that also names the accounts; its cost is for programs that know none of them."""
    return {
        "_id": ObjectId(),
        "issuedBy": workflow.owner,
        "cost": sum(shares.get(account, 0) for account in ORDINARY),
        "accounts": {str(account): amount for account, amount in shares.items()},
        "externalId": workflow.external_id,
        "at": moment_text(datetime.now(UTC)),
    }
