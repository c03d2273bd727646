"""A store whose calls take real time, for tests that wait by turns of the event loop: it counts who is still in it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from inspect import iscoroutinefunction
from typing import Any, TypeVar

from civitai_mock.ports import Stores
from tests.support.event_loop import settle

T = TypeVar("T")


class CallsUnderWay:
    """Counts the calls of stores, and says when nothing goes on without the clock."""

    def __init__(self) -> None:
        self._begun = 0
        self._under_way = 0
        self._has_ended = asyncio.Event()

    async def settle(self) -> None:
        """Return when no call is under way, and none has begun for many turns."""
        begun = -1
        while self._under_way or begun != self._begun:
            begun = self._begun
            if self._under_way:
                self._has_ended.clear()
                await self._has_ended.wait()
            await settle()

    async def count(self, call: Callable[[], Awaitable[T]]) -> T:
        self._begun += 1
        self._under_way += 1
        try:
            return await call()
        finally:
            self._under_way -= 1
            self._has_ended.set()


class _Counted:
    """Is a role of a store whose calls are counted; what it yields is read by one that waits for it anyway."""

    def __init__(self, inner: object, calls: CallsUnderWay) -> None:
        self._inner = inner
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._inner, name)
        if not iscoroutinefunction(member):
            return member

        async def counted(*args: object, **kwargs: object) -> object:
            return await self._calls.count(partial(member, *args, **kwargs))

        return counted


def counted(stores: Stores, calls: CallsUnderWay) -> Stores:
    """Return `stores` with all roles counted, in whatever epoch."""
    roles = ("jobs", "queue", "search", "feed", "webhooks", "workflows", "announcements", "resources", "blobs")
    wrapped: dict[str, Any] = {role: _Counted(getattr(stores, role), calls) for role in roles}
    return replace(stores, in_epoch=lambda epoch: counted(stores.in_epoch(epoch), calls), **wrapped)
