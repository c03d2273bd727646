"""What consumers have spent, on workflows and on jobs, as SQLite adds it up."""

import sqlite3

from civitai_mock.domain.money import Account, Spent
from civitai_mock.storage.sqlite.schema import TableNames

ON_JOBS = """
    SELECT coalesce(sum(cost), 0) FROM "{jobs}"
    WHERE issued_by = ? AND charged = 1 AND (outcome IS NULL OR outcome = 'SUCCEEDED')
"""
ACCOUNTS = (Account.BLUE, Account.GREEN, Account.YELLOW, Account.FAKE_RED)
ON_WORKFLOWS = """
    SELECT coalesce(sum(blue), 0), coalesce(sum(green), 0), coalesce(sum(yellow), 0), coalesce(sum(fake_red), 0)
    FROM "{jobs} workflows" WHERE owner = ?
"""


class SpendingStatements:
    """The statements with the names of the tables filled in."""

    def __init__(self, names: TableNames) -> None:
        self.on_jobs = names.fill(ON_JOBS)
        self.on_workflows = names.fill(ON_WORKFLOWS)


def spent_by(consumer: str, connection: sqlite3.Connection, sql: SpendingStatements) -> Spent:
    """Return what a consumer has spent on what is kept, within the transaction of the connection."""
    ((jobs,),) = connection.execute(sql.on_jobs, (consumer,)).fetchall()
    (amounts,) = connection.execute(sql.on_workflows, (consumer,)).fetchall()
    return Spent(by_account=dict(zip(ACCOUNTS, amounts, strict=True)), jobs=jobs)
