"""Errors of the MongoDB driver as domain errors; nowhere else are they translated."""

from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    CursorNotFound,
    DuplicateKeyError,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    WriteConcernError,
)

from civitai_mock.domain.errors import ConflictError, MockError, TransientError

P = ParamSpec("P")
T = TypeVar("T")

DUPLICATE_KEY = 11000
# Refusals that only an operator of the server can change, by the server's error codes.
REFUSALS: Mapping[int, str] = {
    13: "not authorized",
    18: "authentication failed",
    371: "writes of users are blocked",
    8000: "over the quota, or not allowed by Atlas",
    14031: "its disk is full",
}
# What broke off because of something that an operator does (as killOp and dropping an index), by the same codes.
INTERRUPTIONS = frozenset({175, 237, 262, 11601})
AWAY = (ConnectionFailure, CursorNotFound, ExecutionTimeout, WriteConcernError)  # a server that restarts has no cursors


@contextmanager
def domain_errors(*, conflict: str = "It exists already.") -> Iterator[None]:
    """Raise `TransientError` or `ConflictError` for an error of the driver; any other error of it is a bug."""
    try:
        yield
    except PyMongoError as error:
        translated = _translated(error, conflict)
        if translated is None:
            raise
        raise translated from error


def raises_domain_errors(call: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    @wraps(call)
    async def translated(*args: P.args, **kwargs: P.kwargs) -> T:
        with domain_errors():
            return await call(*args, **kwargs)

    return translated


def only_duplicates(error: BulkWriteError) -> bool:
    details = error.details
    refused = {write["code"] for write in details["writeErrors"]}
    return refused == {DUPLICATE_KEY} and not details["writeConcernErrors"]


def _translated(error: PyMongoError, conflict: str) -> MockError | None:
    if isinstance(error, DuplicateKeyError) or (isinstance(error, BulkWriteError) and only_duplicates(error)):
        return ConflictError(conflict)
    if isinstance(error, AWAY) or error.timeout or _is_unconfirmed(error) or INTERRUPTIONS & set(_codes(error)):
        return TransientError("MongoDB is away or too slow.", reason=type(error).__name__)
    refusal = next((REFUSALS[code] for code in _codes(error) if code in REFUSALS), None)
    return TransientError(f"MongoDB refuses to do its work: {refusal}.", reason=refusal) if refusal else None


def _codes(error: PyMongoError) -> Iterable[int]:
    """Return the server's error codes, as its words may quote what was to be written."""
    if isinstance(error, BulkWriteError):
        return [write["code"] for write in error.details["writeErrors"]]
    return [error.code] if isinstance(error, OperationFailure) and error.code else []


def _is_unconfirmed(error: PyMongoError) -> bool:
    return isinstance(error, BulkWriteError) and bool(error.details["writeConcernErrors"])
