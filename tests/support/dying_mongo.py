"""A process on MongoDB that is killed at one command: from then on it sends none, and hears of no answer."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import fields
from functools import partial
from typing import Any

from civitai_mock.domain.namespaces import Epoch
from civitai_mock.ports import Stores
from civitai_mock.storage.mongo.collections import Collection, Collections
from civitai_mock.storage.mongo.stores import MongoStore
from tests.support.counted_stores import CallsUnderWay
from tests.support.freezing_stores import Moment

WRITES = frozenset(
    {
        "bulk_write",
        "delete_many",
        "delete_one",
        "find_one_and_delete",
        "find_one_and_replace",
        "find_one_and_update",
        "insert_many",
        "insert_one",
        "replace_one",
        "update_many",
        "update_one",
    }
)
READS = frozenset({"count_documents", "distinct", "find_one"})
CURSORS = frozenset({"aggregate", "find"})


class DyingMongo:
    """Has the stores of a process that dies before or after the write of a number, counted from 1."""

    def __init__(self, collections: Collections, calls: CallsUnderWay, *, write: int, moment: Moment) -> None:
        self.frozen = asyncio.Event()
        self._calls = calls
        self._left = write
        self._moment = moment
        wrapped: dict[str, Any] = {
            field.name: _DyingCollection(getattr(collections, field.name), self) for field in fields(collections)
        }
        large_files: Any = None  # nobody stores any here
        health: Any = None
        self._store = MongoStore(collections=Collections(**wrapped), files=large_files, health=health)

    @property
    def stores(self) -> Stores:
        return self._store.in_epoch(Epoch())

    async def send(self, command: Callable[[], Awaitable[Any]], *, is_write: bool) -> Any:
        """Carry out a command of a process that lives."""
        self._left -= is_write
        is_fatal = is_write and self._left == 0
        if is_fatal and self._moment is Moment.BEFORE:
            self.frozen.set()
        await self.check()
        answer = await self._calls.count(command)
        if is_fatal:
            self.frozen.set()
        await self.check()
        return answer

    async def check(self) -> None:
        """Never go on once the process is dead."""
        if self.frozen.is_set():
            await asyncio.Event().wait()


class _DyingCollection:
    def __init__(self, inner: Collection, process: DyingMongo) -> None:
        self._inner = inner
        self._process = process

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._inner, name)
        if name in CURSORS:
            return lambda *args, **kwargs: _DyingCursor(call(*args, **kwargs), self._process)
        if name not in WRITES | READS:
            raise AttributeError(name)
        return partial(self._send, call, is_write=name in WRITES)

    async def _send(self, call: Callable[..., Awaitable[Any]], *args: object, is_write: bool, **kwargs: object) -> Any:
        return await self._process.send(partial(call, *args, **kwargs), is_write=is_write)


class _DyingCursor:
    def __init__(self, inner: Any, process: DyingMongo) -> None:
        self._inner = inner
        self._process = process

    def __getattr__(self, name: str) -> Any:
        """Return what makes another cursor of this one: `sort`, `limit`, `skip` or `batch_size`."""
        return lambda *args: _DyingCursor(getattr(self._inner, name)(*args), self._process)

    def __aiter__(self) -> "_DyingCursor":
        return self

    async def __anext__(self) -> Any:
        return await self._process.send(self._inner.__anext__, is_write=False)

    async def to_list(self) -> Any:
        return await self._process.send(self._inner.to_list, is_write=False)

    async def close(self) -> None:
        await self._inner.close()
