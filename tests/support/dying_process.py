"""A process that is killed at one point: from then on it writes nothing, sends nothing and receives nothing."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import httpx

from civitai_mock.domain.blob import Blob, BlobFacts, UndrawnBlob
from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.domain.stages import Stage
from civitai_mock.ports import BlobStore, Stores
from tests.support.freezing_stores import FreezingStores, Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class KillPoint:
    """Says when a process is killed: at the write of a stage, or at the `count`th request or blob of a kind."""

    moment: Moment
    stage: Stage | None = None
    request: str | None = None
    blob: bool = False
    count: int = 1

    def __str__(self) -> str:
        what = self.stage or self.request or "blob"
        return f"{self.moment} {what} {self.count}"


@dataclass(slots=True, kw_only=True)
class KillSwitch:
    """Counts what may be fatal, and kills the process when its point is reached."""

    point: KillPoint
    dead: asyncio.Event
    released: asyncio.Event
    seen: int = field(default=0, init=False)

    def is_reached(self) -> bool:
        self.seen += 1
        return self.seen == self.point.count

    async def die(self) -> None:
        self.dead.set()
        await self.released.wait()
        raise httpx.ConnectError("This process is dead.")


class DyingTransport(httpx.AsyncHTTPTransport):
    """Is the network of a process that dies at a request."""

    def __init__(self, switch: KillSwitch) -> None:
        super().__init__()
        self._switch = switch

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        point = self._switch.point
        called = f"{request.method} {request.url.path}"
        fatal = called == point.request and self._switch.is_reached()
        if self._switch.dead.is_set() or (fatal and point.moment is Moment.BEFORE):
            await self._switch.die()
        answer = await super().handle_async_request(request)
        if fatal:
            await answer.aread()
            await self._switch.die()
        return answer


class DyingBlobStore:
    """Is the blob store of a process that dies before or after it stores a blob."""

    def __init__(self, inner: BlobStore, switch: KillSwitch) -> None:
        self._inner = inner
        self._switch = switch

    async def put(
        self,
        key: str,
        content: AsyncIterator[bytes],
        *,
        content_type: str,
        keep_until: datetime,
        owner: str | None = None,
        facts: BlobFacts | None = None,
        fault: ReadOnlyJson | None = None,
    ) -> Blob:
        fatal = self._switch.point.blob and self._switch.is_reached()
        if self._switch.dead.is_set() or (fatal and self._switch.point.moment is Moment.BEFORE):
            await self._switch.die()
        stored = await self._inner.put(
            key, content, content_type=content_type, keep_until=keep_until, owner=owner, facts=facts, fault=fault
        )
        if fatal:
            await self._switch.die()
        return stored

    async def put_undrawn(self, blobs: Sequence[UndrawnBlob]) -> None:
        await self._inner.put_undrawn(blobs)

    async def describe(self, key: str, facts: BlobFacts, *, keep_until: datetime) -> bool:
        return await self._inner.describe(key, facts, keep_until=keep_until)

    async def set_fault(self, key: str, fault: ReadOnlyJson, *, before: ReadOnlyJson | None) -> bool:
        return await self._inner.set_fault(key, fault, before=before)

    async def fill(self, blob: UndrawnBlob, content: AsyncIterator[bytes]) -> Blob | None:
        return await self._inner.fill(blob, content)

    async def stat(self, key: str) -> Blob | UndrawnBlob | None:
        return await self._inner.stat(key)

    def read(self, key: str, *, start: int, stop: int) -> AsyncIterator[bytes]:
        return self._inner.read(key, start=start, stop=stop)

    async def delete(self, key: str) -> bool:
        return await self._inner.delete(key)

    async def sweep(self, now: datetime) -> int:
        return await self._inner.sweep(now)


class DyingProcess:
    """Has the stores and the network of one process, which dies at a point."""

    def __init__(self, stores: Stores, point: KillPoint) -> None:
        self._freezing = FreezingStores(stores, stage=point.stage, moment=point.moment)
        self.dead = self._freezing.frozen
        switch = KillSwitch(point=point, dead=self.dead, released=self._freezing.released)
        self.stores = replace(self._freezing.stores, blobs=DyingBlobStore(stores.blobs, switch))
        self.transport = DyingTransport(switch)

    def release(self) -> None:
        """Break off whatever still waits for its stores or its network, so that it can be stopped in good order."""
        self._freezing.released.set()
