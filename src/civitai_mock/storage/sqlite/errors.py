"""Which errors of SQLite and of the disk may pass, and what to call them."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from civitai_mock.domain.errors import TransientError


def is_busy(error: sqlite3.Error) -> bool:
    """True if another process holds the lock that was asked for."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


def may_pass(error: Exception) -> bool:
    """False for broken constraints and wrong calls: those are about the statement, not about the store."""
    about_statement = sqlite3.IntegrityError | sqlite3.ProgrammingError
    return isinstance(error, sqlite3.DatabaseError | OSError) and not isinstance(error, about_statement)


def away(description: str, error: Exception | str | None = None) -> TransientError:
    why = f": {error}" if error else ""
    return TransientError(f"{description} cannot be used{why}.", store=description)


@contextmanager
def disk_errors(description: str) -> Iterator[None]:
    """Raise `TransientError` that names the store in place of what the operating system says."""
    try:
        yield
    except OSError as error:
        raise away(description, error) from error
