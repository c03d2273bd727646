"""Buzz: which accounts of a consumer pay for a workflow, and what is given back to them."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from enum import StrEnum

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import InsufficientBuzzError
from civitai_mock.domain.json_types import Json, as_number
from civitai_mock.domain.named_ids import named_uuid


class Account(StrEnum):
    """Names the accounts of a consumer, in the order in which a charge draws on them; the last one is for tests."""

    BLUE = "blue"
    GREEN = "green"
    YELLOW = "yellow"
    FAKE_RED = "fakeRed"


ACCOUNTS: Mapping[str, Account] = {str(account): account for account in Account}
ORDINARY = (Account.BLUE, Account.GREEN, Account.YELLOW)
FOR_MATURE_CONTENT = frozenset({Account.YELLOW, Account.FAKE_RED})


class TransactionType(StrEnum):
    """Says which way the Buzz went."""

    DEBIT = "debit"
    CREDIT = "credit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """Is one payment out of an account, or back into it; `amount` is never negative."""

    type: TransactionType
    amount: int
    account: Account
    id: str

    @property
    def spent(self) -> int:
        return self.amount if self.type is TransactionType.DEBIT else -self.amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Balances:
    """Says how much Buzz each consumer has: `together` in the ordinary accounts, or by account; others have none.

    If both are None there is no limit.
    """

    together: float | None = None
    by_account: Mapping[Account, float] | None = None

    @property
    def total(self) -> float | None:
        """Return what a consumer has for jobs of v1, which draw on all ordinary accounts."""
        if self.by_account is None:
            return self.together
        return sum(self.by_account.get(account, 0) for account in ORDINARY)


NO_LIMIT = Balances()


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Says what a consumer has spent: on workflows by account, and on `jobs` of v1, which name no account."""

    by_account: Mapping[Account, float] = field(default_factory=dict)
    jobs: float = 0

    @property
    def ordinary(self) -> float:
        """Return what the ordinary accounts have paid together."""
        return self.jobs + sum(self.by_account.get(account, 0) for account in ORDINARY)


def spent_by_account(transactions: Iterable[Transaction]) -> Mapping[Account, int]:
    """Return what is left of the debits after all credits."""
    spent: dict[Account, int] = {}
    for transaction in transactions:
        spent[transaction.account] = spent.get(transaction.account, 0) + transaction.spent
    return spent


def parse_balances(text: str) -> Balances:
    """Read `100` for all accounts together, or `yellow=100,blue=50`; raise ValueError for anything else."""
    if "=" not in text:
        return Balances(together=_parse_amount(text))
    by_account: dict[Account, float] = {}
    for part in text.split(","):
        name, _, amount = part.partition("=")
        if (account := ACCOUNTS.get(name.strip())) is None:
            raise ValueError(f"'{name.strip()}' is not an account")
        if account in by_account:
            raise ValueError(f"'{account}' is there twice")
        by_account[account] = _parse_amount(amount)
    return Balances(by_account=by_account)


def read_balances(value: Json) -> Balances:
    """Read a number, for all accounts together, or an object of numbers by account; raise ValueError for the rest."""
    if not isinstance(value, dict):
        return Balances(together=_checked_amount(value))
    if not value:
        raise ValueError("there is no account")
    if unknown := value.keys() - ACCOUNTS.keys():
        raise ValueError(f"'{min(unknown)}' is not an account")
    return Balances(by_account={ACCOUNTS[name]: _checked_amount(amount) for name, amount in value.items()})


def _checked_amount(value: Json) -> float:
    amount = as_number(value)
    if amount is None or amount < 0:
        raise ValueError("an amount is not a number from 0")
    return amount


def _parse_amount(text: str) -> float:
    try:
        amount = float(text)
    except ValueError:
        amount = math.nan
    if not (math.isfinite(amount) and amount >= 0):
        raise ValueError(f"'{text.strip()}' is not a number from 0")
    return amount


def accounts_that_may_pay(currencies: Sequence[Account], *, allows_mature_content: bool) -> Sequence[Account]:
    """Return the accounts that may pay for a workflow, in the order in which they are drawn on.

    `currencies` are those that its consumer chose; without one they are all but that for tests.
    """
    chosen = [account for account in ACCOUNTS.values() if account in currencies] if currencies else ORDINARY
    return [account for account in chosen if not allows_mature_content or account in FOR_MATURE_CONTENT]


def split(amount: int, accounts: Sequence[Account], balances: Balances, spent: Spent) -> Mapping[Account, int]:
    """Return how much each of the accounts pays; raise `InsufficientBuzzError` if they have too little."""
    left = _left(balances, spent)
    shares: dict[Account, int] = {}
    missing = amount
    for account in accounts:
        share = missing if left is None else max(0, min(missing, math.floor(left[account])))
        if left is not None and balances.by_account is None:
            left = {other: there - share for other, there in left.items()}  # as they have one balance
        if share:
            shares[account] = share
        missing -= share
    if missing:
        raise InsufficientBuzzError(f"The cost is {amount} Buzz, {missing} more than the balance has for it.")
    return shares


def _left(balances: Balances, spent: Spent) -> dict[Account, float] | None:
    """Return what each account has left; None without a limit.

    What jobs of v1 have cost is taken from the ordinary accounts in their order, from what workflows have left there.
    """
    if balances.together is not None:
        return {**dict.fromkeys(Account, 0.0), **dict.fromkeys(ORDINARY, balances.together - spent.ordinary)}
    if balances.by_account is None:
        return None
    left = {account: balances.by_account.get(account, 0) - spent.by_account.get(account, 0) for account in Account}
    jobs = spent.jobs
    for account in ORDINARY:
        share = min(jobs, max(0, left[account]))
        left[account] -= share
        jobs -= share
    return left


def fits(balances: Balances, spent: Spent) -> bool:
    """Return whether no account, and not the ordinary ones together, have spent more than they had."""
    total = balances.total
    if total is None:
        return True
    limits = balances.by_account or dict.fromkeys(ORDINARY, total)
    within = all(amount <= limits.get(account, 0) for account, amount in spent.by_account.items())
    return within and spent.ordinary <= total


def debits(workflow_id: str, shares: Mapping[Account, int], *, first: int = 0) -> tuple[Transaction, ...]:
    """Return a debit for each share; `first` is the number of transactions that the workflow has already."""
    return _transactions(TransactionType.DEBIT, workflow_id, shares, first=first)


def credits_of(workflow_id: str, transactions: Sequence[Transaction], amount: int) -> tuple[Transaction, ...]:
    """Return what gives an amount back to the accounts that paid; the one that paid last gets its Buzz back first."""
    if not amount:
        return ()
    shares: dict[Account, int] = {}
    for account, paid in reversed(list(spent_by_account(transactions).items())):
        share = min(amount, paid)
        if share > 0:
            shares[account] = share
            amount -= share
    return _transactions(TransactionType.CREDIT, workflow_id, shares, first=len(transactions))


def _transactions(
    transaction_type: TransactionType, workflow_id: str, shares: Mapping[Account, int], *, first: int
) -> tuple[Transaction, ...]:
    """Give each transaction an id that follows from its workflow and its number, so that it is the same each time."""
    return tuple(
        [
            Transaction(
                type=transaction_type,
                amount=amount,
                account=account,
                id=named_uuid(f"{workflow_id}/transactions/{number}"),
            )
            for number, (account, amount) in enumerate(shares.items(), first)
        ]
    )
