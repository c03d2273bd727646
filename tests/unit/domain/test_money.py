"""Who pays for a workflow, and who gets it back."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitai_mock.domain.errors import InsufficientBuzzError
from civitai_mock.domain.money import (
    NO_LIMIT,
    Account,
    Balances,
    Spent,
    Transaction,
    accounts_that_may_pay,
    credits_of,
    debits,
    fits,
    parse_balances,
    spent_by_account,
    split,
)
from tests.support.table import table

BLUE, GREEN, YELLOW, RED = Account
ALL = (BLUE, GREEN, YELLOW)
RICH = Balances(by_account={BLUE: 10, GREEN: 5, YELLOW: 100})
AMOUNTS = st.integers(0, 30)
BY_ACCOUNT = st.dictionaries(st.sampled_from(Account), AMOUNTS)


@pytest.mark.parametrize(
    ("text", "balances"),
    [
        ("100", Balances(together=100)),
        ("0", Balances(together=0)),
        ("1e3", Balances(together=1000)),
        ("yellow=100,blue=50", Balances(by_account={YELLOW: 100, BLUE: 50})),
        (" fakeRed = 1.5 , green=0 ", Balances(by_account={RED: 1.5, GREEN: 0})),
    ],
)
def test_balances_are_read(text: str, balances: Balances) -> None:
    assert parse_balances(text) == balances


@table(
    "text",
    [
        "",
        "-1",
        "nan",
        "inf",
        "much",
        "yellow",
        "yellow=",
        "yellow=-1",
        "yellow=1,",
        "red=1",
        "blue=1,blue=2",
        "blue=1 green=2",
    ],
)
def test_what_are_not_balances_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_balances(text)


@pytest.mark.parametrize(
    ("balances", "total"),
    [(NO_LIMIT, None), (Balances(together=7), 7), (RICH, 115), (Balances(by_account={RED: 9}), 0)],
)
def test_jobs_of_v1_draw_on_all_ordinary_accounts(balances: Balances, total: float | None) -> None:
    assert balances.total == total


@pytest.mark.parametrize(
    ("currencies", "mature", "accounts"),
    [
        ([], False, [BLUE, GREEN, YELLOW]),
        ([], True, [YELLOW]),
        ([YELLOW, BLUE], False, [BLUE, YELLOW]),
        ([BLUE], True, []),
        ([RED], True, [RED]),
        ([RED, GREEN], False, [GREEN, RED]),
    ],
)
def test_mature_content_is_paid_in_yellow(
    currencies: Sequence[Account], mature: bool, accounts: Sequence[Account]
) -> None:
    assert accounts_that_may_pay(currencies, allows_mature_content=mature) == accounts


@table(
    ("amount", "accounts", "balances", "spent", "shares"),
    [
        (7, ALL, NO_LIMIT, Spent(jobs=1e9), {BLUE: 7}),
        (7, (YELLOW,), NO_LIMIT, Spent(), {YELLOW: 7}),
        (0, ALL, RICH, Spent(), {}),
        (0, (), RICH, Spent(), {}),
        (10, ALL, RICH, Spent(), {BLUE: 10}),
        (12, ALL, RICH, Spent(), {BLUE: 10, GREEN: 2}),
        (20, ALL, RICH, Spent(), {BLUE: 10, GREEN: 5, YELLOW: 5}),
        (20, ALL, RICH, Spent(by_account={BLUE: 4, GREEN: 5}), {BLUE: 6, YELLOW: 14}),
        (100, (YELLOW,), RICH, Spent(), {YELLOW: 100}),
        # What v1 has spent is taken from blue first, and from the others once blue is empty.
        (3, ALL, RICH, Spent(jobs=8.5), {BLUE: 1, GREEN: 2}),
        (3, ALL, RICH, Spent(jobs=8, by_account={BLUE: 9}), {YELLOW: 3}),
        (100, (YELLOW,), RICH, Spent(jobs=15), {YELLOW: 100}),
        (7, ALL, Balances(together=10), Spent(jobs=1, by_account={YELLOW: 2}), {BLUE: 7}),
    ],
)
def test_a_charge_is_split(
    amount: int, accounts: Sequence[Account], balances: Balances, spent: Spent, shares: Mapping[Account, int]
) -> None:
    found = split(amount, accounts, balances, spent)
    assert dict(found) == dict(shares)
    assert list(found) == list(shares)


@table(
    ("amount", "accounts", "balances", "spent"),
    [
        (116, ALL, RICH, Spent()),
        (101, (YELLOW,), RICH, Spent()),
        (100, (YELLOW,), RICH, Spent(jobs=15.5)),
        (1, (), RICH, Spent()),
        (1, (RED,), RICH, Spent()),
        (8, ALL, Balances(together=10), Spent(jobs=1, by_account={GREEN: 2})),
        (1, (RED,), Balances(together=10), Spent()),
        (1, ALL, Balances(together=10), Spent(jobs=9.5)),
        (1, ALL, Balances(by_account={}), Spent()),
    ],
)
def test_too_little_is_refused(amount: int, accounts: Sequence[Account], balances: Balances, spent: Spent) -> None:
    with pytest.raises(InsufficientBuzzError):
        split(amount, accounts, balances, spent)


@given(
    AMOUNTS,
    BY_ACCOUNT | st.none(),
    AMOUNTS | st.none(),
    BY_ACCOUNT,
    AMOUNTS,
    st.lists(st.sampled_from(Account), unique=True),
)
def test_a_charge_that_is_accepted_is_whole_and_fits(
    amount: int,
    by_account: Mapping[Account, float] | None,
    together: int | None,
    spent: Mapping[Account, float],
    jobs: int,
    accounts: Sequence[Account],
) -> None:
    balances = Balances(by_account=by_account, together=None if by_account is not None else together)
    before = Spent(by_account=spent, jobs=jobs)
    try:
        shares = split(amount, accounts, balances, before)
    except InsufficientBuzzError:
        return
    assert sum(shares.values()) == amount
    assert set(shares) <= set(accounts)
    after = Spent(
        by_account={account: spent.get(account, 0) + shares.get(account, 0) for account in Account}, jobs=jobs
    )
    assert fits(balances, after) or not fits(balances, before)


@table(
    ("balances", "spent", "does_fit"),
    [
        (NO_LIMIT, Spent(jobs=1e9), True),
        (Balances(together=10), Spent(jobs=4, by_account={BLUE: 6}), True),
        (Balances(together=10), Spent(jobs=4.5, by_account={BLUE: 6}), False),
        (RICH, Spent(by_account={BLUE: 10, GREEN: 5, YELLOW: 100}), True),
        (RICH, Spent(by_account={BLUE: 11}), False),
        (RICH, Spent(by_account={BLUE: 10}, jobs=105), True),
        (RICH, Spent(by_account={BLUE: 10}, jobs=105.5), False),
        (RICH, Spent(by_account={RED: 1}), False),
        (Balances(together=10), Spent(by_account={RED: 1}), False),
    ],
)
def test_no_account_and_not_all_together_may_be_overdrawn(balances: Balances, spent: Spent, does_fit: bool) -> None:
    assert fits(balances, spent) is does_fit


def test_a_refund_goes_back_in_the_opposite_order() -> None:
    charge = debits("w", {BLUE: 10, GREEN: 5, YELLOW: 5})
    assert [(paid.type, paid.account, paid.amount) for paid in charge] == [
        ("debit", BLUE, 10),
        ("debit", GREEN, 5),
        ("debit", YELLOW, 5),
    ]
    back = credits_of("w", charge, 7)
    assert [(paid.type, paid.account, paid.amount) for paid in back] == [("credit", YELLOW, 5), ("credit", GREEN, 2)]
    assert spent_by_account([*charge, *back]) == {BLUE: 10, GREEN: 3, YELLOW: 0}
    assert credits_of("w", charge, 0) == ()
    assert spent_by_account([*charge, *credits_of("w", charge, 20)]) == {BLUE: 0, GREEN: 0, YELLOW: 0}


def test_no_more_is_given_back_than_was_paid() -> None:
    charge = debits("w", {BLUE: 3})
    assert [paid.amount for paid in credits_of("w", charge, 10)] == [3]


def test_what_was_upgraded_is_given_back_in_yellow() -> None:
    charge: list[Transaction] = list(debits("w", {BLUE: 8}))
    charge += credits_of("w", charge, 8)
    charge += debits("w", {YELLOW: 8}, first=len(charge))
    assert [(paid.account, paid.amount) for paid in credits_of("w", charge, 8)] == [(YELLOW, 8)]


def test_transactions_have_the_same_ids_each_time_and_all_others() -> None:
    charge = debits("w", {BLUE: 3, YELLOW: 2})
    back = credits_of("w", charge, 5)
    assert (debits("w", {BLUE: 3, YELLOW: 2}), credits_of("w", charge, 5)) == (charge, back)
    ids = [paid.id for paid in (*charge, *back, *debits("v", {BLUE: 3}))]
    assert len(set(ids)) == len(ids)
