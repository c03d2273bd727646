"""Many writes in one transaction, of which one may fail alone."""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Operation: TypeAlias = Callable[[sqlite3.Connection], Any]


@dataclass(frozen=True, slots=True)
class Done:
    value: Any


@dataclass(frozen=True, slots=True)
class Failed:
    error: Exception


def commit(connection: sqlite3.Connection, operations: Sequence[Operation]) -> Sequence[Done | Failed]:
    """Carry out `operations` in the transaction that is open, and commit; if that fails, all of them have failed."""
    try:
        results = [_attempt(connection, operation) for operation in operations]
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        connection.rollback()
        return [Failed(error)] * len(operations)
    return results


def _attempt(connection: sqlite3.Connection, operation: Operation) -> Done | Failed:
    connection.execute("SAVEPOINT operation")
    try:
        result: Done | Failed = Done(operation(connection))
    except Exception as error:  # whatever it is, it belongs to the one who asked for this write
        if not connection.in_transaction:
            raise  # SQLite has given up the whole transaction (disk full)
        connection.execute("ROLLBACK TO operation")
        result = Failed(error)
    connection.execute("RELEASE operation")
    return result
