"""Errors of SQLite and of the disk as domain errors, and which of them may pass."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from civitai_mock.domain.errors import TransientError


def is_busy(error: sqlite3.Error) -> bool:
    """Return whether another process holds the lock that was asked for."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


def may_pass(error: Exception) -> bool:
    """Return False for broken constraints and wrong calls, which are about the statement and not about the store."""
    about_statement = sqlite3.IntegrityError | sqlite3.ProgrammingError
    return isinstance(error, sqlite3.DatabaseError | OSError) and not isinstance(error, about_statement)


def away(description: str, error: Exception | str | None = None) -> TransientError:
    """Make the error of a store that cannot be used now, with the reason if there is one."""
    why = f": {error}" if error else ""
    return TransientError(f"{description} cannot be used{why}.", store=description)


@contextmanager
def disk_errors(description: str) -> Iterator[None]:
    """Raise a `TransientError` that names the store for an error of the operating system."""
    try:
        yield
    except OSError as error:
        raise away(description, error) from error
