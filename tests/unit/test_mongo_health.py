"""A store that is silent is away, not slow."""

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pymongo.errors import AutoReconnect

from civitai_mock.domain.errors import TransientError
from civitai_mock.storage.mongo import health


async def never_answer(_: str) -> None:
    await asyncio.Event().wait()


async def hang_up(_: str) -> None:
    raise AutoReconnect("gone")


@pytest.mark.parametrize("command", [never_answer, hang_up])
async def test_a_ping_without_an_answer_ends_soon(
    monkeypatch: pytest.MonkeyPatch, command: Callable[[str], Awaitable[None]]
) -> None:
    monkeypatch.setattr(health, "PING_SECONDS", 0.0)
    database = cast("Any", SimpleNamespace(command=command))
    with pytest.raises(TransientError):
        await health.MongoHealth(database=database, description="MongoDB at host/db").ping()
