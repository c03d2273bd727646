"""Every error of the driver is the store's being away, a conflict, or a bug."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    CursorNotFound,
    DuplicateKeyError,
    ExecutionTimeout,
    InvalidOperation,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
    WriteConcernError,
    WTimeoutError,
)

from civitai_mock.domain.errors import ConflictError, MockError, TransientError
from civitai_mock.storage.mongo.collections import insert_missing
from civitai_mock.storage.mongo.errors import domain_errors, raises_domain_errors

DUPLICATE, REFUSED = {"code": 11000, "index": 0}, {"code": 121, "index": 1}


def bulk_error(*writes: dict[str, int], unconfirmed: bool = False) -> BulkWriteError:
    concerns = [{"code": 64}] if unconfirmed else []
    return BulkWriteError({"writeErrors": list(writes), "writeConcernErrors": concerns})


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (AutoReconnect("gone"), TransientError),
        (ServerSelectionTimeoutError("nobody"), TransientError),
        (NetworkTimeout("slow"), TransientError),
        (WaitQueueTimeoutError("busy"), TransientError),
        (NotPrimaryError("stepped down"), TransientError),
        (ExecutionTimeout("slow", 50), TransientError),
        (CursorNotFound("cursor id 1 not found", 43), TransientError),
        (OperationFailure("the query plan was killed", 175), TransientError),
        (OperationFailure("operation was interrupted", 11601), TransientError),
        (bulk_error({"code": 11601, "index": 0}), TransientError),
        (WTimeoutError("slow", 64), TransientError),
        (WriteConcernError("unconfirmed", 100), TransientError),
        (bulk_error(unconfirmed=True), TransientError),
        (bulk_error(DUPLICATE, unconfirmed=True), TransientError),
        (OperationFailure("not authorized on x", 13), TransientError),
        (OperationFailure("no space", 14031), TransientError),
        (OperationFailure("blocked", 371), TransientError),
        (bulk_error(DUPLICATE, {"code": 14031, "index": 1}), TransientError),
        (DuplicateKeyError("there", 11000), ConflictError),
        (bulk_error(DUPLICATE, DUPLICATE), ConflictError),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_an_error_of_the_driver_becomes_one_of_ours(error: PyMongoError, expected: type[MockError]) -> None:
    @raises_domain_errors
    async def fail() -> None:
        raise error

    with pytest.raises(expected) as raised:
        await fail()
    assert raised.value.__cause__ is error


@pytest.mark.parametrize(
    "error",
    [OperationFailure("bad query", 2), InvalidOperation("after close"), bulk_error(DUPLICATE, REFUSED)],
    ids=lambda error: type(error).__name__,
)
def test_a_bug_stays_what_it_is(error: PyMongoError) -> None:
    with pytest.raises(type(error)) as raised, domain_errors():
        raise error
    assert raised.value is error


def test_a_conflict_says_what_is_there() -> None:
    with pytest.raises(ConflictError, match="'x' exists"), domain_errors(conflict="The resource 'x' exists already."):
        raise DuplicateKeyError("there", 11000)


async def test_a_refusal_of_another_kind_among_duplicates_is_no_success() -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise bulk_error(DUPLICATE, REFUSED)

    collection = cast("Any", SimpleNamespace(insert_many=refuse))
    with pytest.raises(BulkWriteError):
        await insert_missing(collection, [{}, {}])
