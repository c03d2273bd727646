"""A process that is killed at one point: from then on it writes nothing, sends nothing and hears nothing."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime

import httpx

from civitai_mock.domain.blob import Blob
from civitai_mock.domain.stages import Stage
from civitai_mock.ports import BlobStore, Stores
from tests.support.frozen import Freezing, Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Killed:
    """When a process is killed: at the write of a stage, or at the `count`th request or blob of a kind."""

    moment: Moment
    stage: Stage | None = None
    request: str | None = None
    blob: bool = False
    count: int = 1

    def __str__(self) -> str:
        what = self.stage or self.request or "blob"
        return f"{self.moment} {what} {self.count}"


@dataclass(slots=True, kw_only=True)
class Turn:
    """Counts what may be fatal."""

    killed: Killed
    dead: asyncio.Event
    buried: asyncio.Event
    seen: int = field(default=0, init=False)

    def comes(self) -> bool:
        self.seen += 1
        return self.seen == self.killed.count

    async def die(self) -> None:
        self.dead.set()
        await self.buried.wait()
        raise httpx.ConnectError("This process is dead.")


class DyingTransport(httpx.AsyncHTTPTransport):
    """The network of a process that dies at a request whose path ends like that of `killed`."""

    def __init__(self, turn: Turn) -> None:
        super().__init__()
        self._turn = turn

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        killed = self._turn.killed
        called = f"{request.method} {request.url.path}"
        fatal = called == killed.request and self._turn.comes()
        if self._turn.dead.is_set() or (fatal and killed.moment is Moment.BEFORE):
            await self._turn.die()
        answer = await super().handle_async_request(request)
        if fatal:
            await answer.aread()
            await self._turn.die()
        return answer


class DyingBlobs:
    """The blob store of a process that dies before or after it stores a blob."""

    def __init__(self, inner: BlobStore, turn: Turn) -> None:
        self._inner = inner
        self._turn = turn

    async def put(
        self,
        key: str,
        content: AsyncIterator[bytes],
        *,
        content_type: str,
        keep_until: datetime,
        owner: str | None = None,
    ) -> Blob:
        fatal = self._turn.killed.blob and self._turn.comes()
        if self._turn.dead.is_set() or (fatal and self._turn.killed.moment is Moment.BEFORE):
            await self._turn.die()
        stored = await self._inner.put(key, content, content_type=content_type, keep_until=keep_until, owner=owner)
        if fatal:
            await self._turn.die()
        return stored

    async def stat(self, key: str) -> Blob | None:
        return await self._inner.stat(key)

    def read(self, key: str, *, start: int, stop: int) -> AsyncIterator[bytes]:
        return self._inner.read(key, start=start, stop=stop)

    async def delete(self, key: str) -> bool:
        return await self._inner.delete(key)

    async def sweep(self, now: datetime) -> int:
        return await self._inner.sweep(now)


class Mortal:
    """The stores and the network of one process."""

    def __init__(self, stores: Stores, killed: Killed) -> None:
        self._freezing = Freezing(stores, stage=killed.stage, moment=killed.moment)
        self.dead = self._freezing.frozen
        turn = Turn(killed=killed, dead=self.dead, buried=self._freezing.buried)
        self.stores = replace(self._freezing.stores, blobs=DyingBlobs(stores.blobs, turn))
        self.transport = DyingTransport(turn)

    def bury(self) -> None:
        """Nothing that is left of it can do anything any more, so it can be stopped in good order."""
        self._freezing.buried.set()
