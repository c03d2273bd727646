"""Changes of jobs in MongoDB: conditional writes in groups, each with the event that it appends."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import field

from bson import ObjectId
from pymongo import UpdateOne

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.job import Job
from civitai_mock.storage.mongo.collections import Collection, insert_missing
from civitai_mock.storage.mongo.encoding import moment_text
from civitai_mock.storage.mongo.errors import AWAY
from civitai_mock.storage.mongo.event_feed import draw_position, noticed
from civitai_mock.storage.mongo.job_documents import (
    HELD_EVENTS,
    changing_fields,
    copied_events,
    event_documents,
    event_fields,
    text_fields,
)
from civitai_mock.storage.mongo.webhook_outbox import update_and_make_due

REMEMBERED_JOBS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class JobChange:
    """A change of a job; `id` marks the stored job, so that its writer knows it from the same change by others."""

    epoch: int
    before: Job
    after: Job
    between: Sequence[JobEvent] = ()
    if_not_renewed: bool = False
    id: ObjectId = field(default_factory=ObjectId)

    @property
    def events(self) -> Sequence[JobEvent]:
        """Return the events of the change; the first one also stores that of the submission, which only wrote the job.

        So a submission takes one command, and not two.
        """
        first = [self.before.last_event] if self.before.seq == 0 else []
        return [*first, *self.between, self.after.last_event]


class Changes:
    """Writes a change and its events into the job, which is the truth; the collection of events follows it.

    Two writes cannot be one without a transaction, which a standalone server does not have. So the events of a change
    may be missing from the events collection after a crash, but only those of the last one: before a job is changed
    again, whoever does it stores the events that it holds, unless this process knows that it did so before.
    """

    def __init__(self, *, jobs: Collection, events: Collection) -> None:
        self._jobs = jobs
        self._events = events
        self._stored: dict[tuple[int, str], int] = {}

    async def apply(self, changes: Sequence[JobChange]) -> Sequence[bool]:
        await self._store_events_held_by([change for change in changes if self._may_lack_event(change)])
        taken = await self._change(changes)
        with suppress(*AWAY):  # as the changes are made, and hold their events until somebody makes the next ones
            await self._append([change for change in changes if change.id in taken])
        return [change.id in taken for change in changes]

    async def _change(self, changes: Sequence[JobChange]) -> frozenset[ObjectId]:
        ids = [change.id for change in changes]
        async with noticed(self._jobs, [(change.epoch, change.before.id) for change in changes]):
            result = await self._jobs.bulk_write([_conditional_update(change) for change in changes], ordered=False)
        if result.matched_count == len(changes):
            return frozenset(ids)
        marked = {"jobId": {"$in": [change.before.id for change in changes]}, "changeId": {"$in": ids}}
        return frozenset([document["changeId"] async for document in self._jobs.find(marked, {"changeId": 1})])

    def _may_lack_event(self, change: JobChange) -> bool:
        """Return whether the last events of a job may be missing; the first one is among those of the first change."""
        job = change.before
        return job.seq > 0 and self._stored.get((change.epoch, job.id)) != job.seq

    async def _store_events_held_by(self, changes: Sequence[JobChange]) -> None:
        """Store them for jobs of any epoch that have these ids: to do it for more does no harm."""
        if changes:
            ids, epochs = {change.before.id for change in changes}, {change.epoch for change in changes}
            found = self._jobs.find({"jobId": {"$in": list(ids)}, "epoch": {"$in": list(epochs)}}, HELD_EVENTS)
            held = [copied_events(document) async for document in found]
            await insert_missing(self._events, [event for events in held for event in events])

    async def _append(self, changes: Sequence[JobChange]) -> None:
        appended = [event_documents(change.after, change.events, change.epoch) for change in changes]
        await insert_missing(self._events, [event for events in appended for event in events])
        for change in changes:
            self._remember((change.epoch, change.after.id), change.after)

    def _remember(self, key: tuple[int, str], job: Job) -> None:
        self._stored.pop(key, None)
        if job.outcome is None:
            self._stored[key] = job.seq
        if len(self._stored) > REMEMBERED_JOBS:
            del self._stored[next(iter(self._stored))]


def _conditional_update(change: JobChange) -> UpdateOne:
    before = change.before
    unchanged = {
        "jobId": before.id,
        "epoch": change.epoch,
        "seq": before.seq,
        "claim.workerId": before.claim.worker_id if before.claim else None,
        "outcome": None,
    }
    if before.claim and change.if_not_renewed:
        unchanged["claim.until"] = moment_text(before.claim.until)
    between = [event_fields(event) for event in change.events[:-1]]
    texts = text_fields(change.events)
    fields = {**changing_fields(change.after, change.epoch), **texts, "eventsBetween": between, "changeId": change.id}
    position = draw_position()
    if change.after.callback_url:
        return UpdateOne(unchanged, update_and_make_due(fields, feed_position=position))
    return UpdateOne(unchanged, {"$set": fields, "$max": {"feedPosition": position}})
