"""Stored blobs: how long they stay, and whether they do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from civitai_mock.domain.blob import Blob, Slot, blob_key
from civitai_mock.generation.work import BlobAction, BlobWork
from civitai_mock.scheduler.work import Way, Work

PINNED = datetime(9999, 1, 1, tzinfo=UTC)

KeepUntil = Callable[[Work, Blob, timedelta], datetime]


def _longer(work: Work, blob: Blob, duration: timedelta) -> datetime:
    return max(blob.keep_until, work.tools.clock.now() + duration)


def _for_ever(_: Work, __: Blob, ___: timedelta) -> datetime:
    return PINNED


def _as_long_as_this_job(work: Work, _: Blob, __: timedelta) -> datetime:
    return work.job.keep_until


KEEP_UNTIL: Mapping[BlobAction, KeepUntil] = {
    BlobAction.UPLOAD: _longer,
    BlobAction.GET: _longer,
    BlobAction.PIN: _for_ever,
    BlobAction.UNPIN: _as_long_as_this_job,
}


@dataclass(frozen=True)
class BlobWay(Way):
    todo: BlobWork

    async def collect(self, work: Work) -> None:
        """The result is the blob itself, as a job's own picture would be."""
        key = self.todo.key or blob_key(work.job.id, 0)
        there = await self._keep(work, key) if self.todo.action in KEEP_UNTIL else await _delete(work, key)
        work.slots = (Slot(blob_key=key, available=there),)

    async def _keep(self, work: Work, key: str) -> bool:
        """Whether there was anything to keep."""
        blobs = work.tools.own_blobs
        blob = await blobs.find(key, owner=work.reach)
        if blob is None:
            return False
        await blobs.keep(blob, KEEP_UNTIL[self.todo.action](work, blob, self.todo.duration or timedelta()))
        return True


async def _delete(work: Work, key: str) -> bool:
    await work.tools.own_blobs.delete(key, owner=work.reach)
    return False
