"""What consumers have spent, on workflows and on jobs, as SQLite adds it up."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from civitai_mock.storage.sqlite.encoding import Row
from civitai_mock.storage.sqlite.schema import TableNames

ACCOUNTS = {"blue": "blue", "green": "green", "yellow": "yellow", "fake_red": "fakeRed"}  # by their columns
NOT_ORDINARY = "fakeRed"
SPENT = """
    SELECT
        (SELECT coalesce(sum(cost), 0) FROM "{jobs}"
        WHERE epoch = ?1 AND issued_by = ?2 AND charged = 1 AND (outcome IS NULL OR outcome = 'SUCCEEDED'))
        + (SELECT coalesce(sum(cost), 0) FROM "{jobs}" WHERE epoch = ?1 AND issued_by = ?2 AND charged = 2),
        coalesce(sum(blue), 0), coalesce(sum(green), 0), coalesce(sum(yellow), 0), coalesce(sum(fake_red), 0)
    FROM "{jobs} workflows" WHERE epoch = ?1 AND owner = ?2
"""
"""Adds up what a consumer has spent on what is kept; `sums_of` reads its only row."""


class SpentStatements:
    """The statement with the names of the tables filled in."""

    def __init__(self, names: TableNames) -> None:
        self.spent = names.fill(SPENT)


class Sums(NamedTuple):
    """Holds what was spent on jobs, and by account on workflows."""

    jobs: float
    by_account: Mapping[str, int]


def sums_of(rows: Sequence[Row]) -> Sums:
    ((jobs, *amounts),) = rows
    return Sums(jobs=jobs, by_account=dict(zip(ACCOUNTS.values(), amounts, strict=True)))


def ordinary_spent(rows: Sequence[Row]) -> float:
    """Return what all accounts but that for tests have paid."""
    sums = sums_of(rows)
    return sums.jobs + sum(amount for account, amount in sums.by_account.items() if account != NOT_ORDINARY)
