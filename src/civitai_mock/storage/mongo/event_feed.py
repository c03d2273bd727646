"""The feed of events in MongoDB: which jobs got events, in about the order in which they were written.

A job has the position of its last change, `feedPosition`: the time by the clock of whoever writes, and an end that
tells processes apart. It is drawn before the write, and writes become visible in any order. So the end of the feed,
which is as long as a write may take and clocks may differ, is read again each time.
"""

import secrets
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

from pymongo import ASCENDING, UpdateOne

from civitai_mock.domain.micros import MICROSECOND
from civitai_mock.domain.search import FeedEntry, FeedPage
from civitai_mock.domain.stages import Outcome
from civitai_mock.storage.mongo.collections import Collection, Document
from civitai_mock.storage.mongo.encoding import moment_text
from civitai_mock.storage.mongo.errors import AWAY, raises_domain_errors

SETTLING = timedelta(seconds=3)
LATE_SECONDS = SETTLING.total_seconds() / 2  # the other half is for clocks that differ
ENTRY: Mapping[str, int] = {
    "_id": 0,
    "jobId": 1,
    "epoch": 1,
    "seq": 1,
    "outcome": 1,
    "waitsIn": 1,
    "callback.dueAt": 1,
    "feedPosition": 1,
}


class FeedPositions:
    """Draws positions, each of them after all that it drew before."""

    def __init__(self) -> None:
        self._end = secrets.token_hex(4)
        self._last = datetime.now(UTC)

    def draw(self) -> str:
        self._last = max(datetime.now(UTC), self._last + MICROSECOND)
        return f"{moment_text(self._last)} {self._end}"


_positions = FeedPositions()
draw_position = _positions.draw


@asynccontextmanager
async def noticed(jobs: Collection, keys: Sequence[tuple[int, str]]) -> AsyncIterator[None]:
    """Give the jobs that are written meanwhile later positions if that takes so long that others may be past theirs.

    `keys` are their epochs and ids.
    """
    began = time.monotonic()
    try:
        yield
    finally:
        if time.monotonic() - began > LATE_SECONDS:
            later = [
                UpdateOne({"jobId": job_id, "epoch": epoch}, {"$max": {"feedPosition": draw_position()}})
                for epoch, job_id in keys
            ]
            with suppress(*AWAY):  # as the jobs are written
                await jobs.bulk_write(later, ordered=False)


class MongoEventFeed:
    """Implements `EventFeed` in the documents of the jobs: each has one place, so only its last change is found."""

    settling = SETTLING

    def __init__(self, *, jobs: Collection) -> None:
        self._jobs = jobs

    async def last_position(self) -> str:
        return moment_text(datetime.now(UTC) - SETTLING)

    @raises_domain_errors
    async def after(self, position: str, *, limit: int) -> FeedPage:
        settled = await self.last_position()  # as it is before the question
        if limit < 1:
            return FeedPage(entries=(), position=position, is_last=False)
        later = {"feedPosition": {"$gt": position}}
        found = await self._jobs.find(later, ENTRY).sort("feedPosition", ASCENDING).limit(limit).to_list()
        is_last = len(found) < limit
        reached = settled if is_last else found[-1]["feedPosition"]
        entries = [_entry_of(job) for job in found]
        return FeedPage(entries=entries, position=reached, is_last=is_last, settled=settled)


def _entry_of(job: Document) -> FeedEntry:
    outcome, is_blocked, has_webhook = job["outcome"], job["waitsIn"] is not None, "dueAt" in job.get("callback", ())
    ended = Outcome(outcome) if outcome else None
    return FeedEntry(job["jobId"], job["seq"], ended, is_blocked, has_webhook, job["epoch"], job["feedPosition"])
