"""What consumers have spent, on workflows and on jobs, as SQLite adds it up."""

import sqlite3
from collections.abc import Mapping
from typing import NamedTuple

from civitai_mock.storage.sqlite.schema import TableNames

ACCOUNTS = {"blue": "blue", "green": "green", "yellow": "yellow", "fake_red": "fakeRed"}  # by their columns
NOT_ORDINARY = "fakeRed"
ON_JOBS = """
    SELECT coalesce(sum(cost), 0) FROM "{jobs}"
    WHERE issued_by = ? AND charged = 1 AND (outcome IS NULL OR outcome = 'SUCCEEDED')
"""
ON_WORKFLOWS = """
    SELECT coalesce(sum(blue), 0), coalesce(sum(green), 0), coalesce(sum(yellow), 0), coalesce(sum(fake_red), 0)
    FROM "{jobs} workflows" WHERE owner = ?
"""


class SpendingStatements:
    """The statements with the names of the tables filled in."""

    def __init__(self, names: TableNames) -> None:
        self.on_jobs = names.fill(ON_JOBS)
        self.on_workflows = names.fill(ON_WORKFLOWS)


class Sums(NamedTuple):
    """Holds what was spent on jobs, and by account on workflows."""

    jobs: float
    by_account: Mapping[str, int]


def sums_of(consumer: str, connection: sqlite3.Connection, sql: SpendingStatements) -> Sums:
    """Return what a consumer has spent on what is kept, within the transaction of the connection."""
    ((jobs,),) = connection.execute(sql.on_jobs, (consumer,)).fetchall()
    (amounts,) = connection.execute(sql.on_workflows, (consumer,)).fetchall()
    return Sums(jobs=jobs, by_account=dict(zip(ACCOUNTS.values(), amounts, strict=True)))


def ordinary_spent_by(consumer: str, connection: sqlite3.Connection, sql: SpendingStatements) -> float:
    """Return what all accounts but that for tests have paid."""
    sums = sums_of(consumer, connection, sql)
    return sums.jobs + sum(amount for account, amount in sums.by_account.items() if account != NOT_ORDINARY)
