"""A store that is silent is away, not slow; one that takes no write is not healthy, whatever else it answers."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import fields
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pymongo.errors import AutoReconnect, DuplicateKeyError, NotPrimaryError, OperationFailure

from civitai_mock.domain.errors import TransientError
from civitai_mock.storage.mongo import health
from civitai_mock.storage.mongo.collections import Collections
from civitai_mock.storage.mongo.reachability import Reachability

COLLECTIONS = [field.name for field in fields(Collections)]
Update = Callable[..., Awaitable[None]]


async def never_answer(*_: object, **__: object) -> None:
    await asyncio.Event().wait()


async def take(*_: object, **__: object) -> None:
    """As a server that is well."""


def failing(error: Exception) -> Update:
    async def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def health_of(**updates: Update) -> health.MongoHealth:
    """Each collection takes what it is given, but for the named ones."""
    collections = {name: SimpleNamespace(update_one=updates.get(name, take)) for name in COLLECTIONS}
    reachability = Reachability("MongoDB at host/db")
    return health.MongoHealth(collections=cast("Any", SimpleNamespace(**collections)), reachability=reachability)


@pytest.mark.parametrize("collection", COLLECTIONS)
@pytest.mark.parametrize(
    "update",
    [
        never_answer,
        failing(AutoReconnect("gone")),
        failing(NotPrimaryError("stepped down")),
        failing(OperationFailure("no space", 14031)),
        failing(OperationFailure("not authorized", 13)),
        failing(OperationFailure("some other refusal", 4711)),
    ],
    ids=["silent", "gone", "not primary", "disk full", "not authorized", "unknown"],
)
async def test_a_write_that_is_not_taken_is_told_soon(
    monkeypatch: pytest.MonkeyPatch, collection: str, update: Update
) -> None:
    monkeypatch.setattr(health, "PING_SECONDS", 0.05)
    with pytest.raises(TransientError):
        await health_of(**{collection: update}).ping()


async def test_two_processes_that_ask_in_the_same_instant_are_both_well() -> None:
    await health_of(secrets=failing(DuplicateKeyError("there", 11000))).ping()
