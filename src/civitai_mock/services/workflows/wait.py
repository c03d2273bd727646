"""Wait until a workflow is over, for answers that are held back until then (`wait=30`)."""

import asyncio
from collections.abc import Sequence
from dataclasses import field, replace
from datetime import timedelta

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.job import Job, WorkflowPlace
from civitai_mock.domain.search import FeedEntry
from civitai_mock.domain.workflow import WorkflowSnapshot
from civitai_mock.ports import Clock
from civitai_mock.services.event_feed import FollowEvents
from civitai_mock.services.workflows.query import QueryWorkflows, is_over

LATENCY = timedelta(milliseconds=500)  # of the end of a job in another process
RECHECK = timedelta(seconds=2)


@dataclass(eq=False, slots=True)
class Waiter:
    """Is one request that waits; it looks at its workflow again each time that something in it `has_changed`.

    `jobs` are the ids of those whose end may be that of the workflow.
    """

    jobs: frozenset[str] = frozenset()
    has_changed: asyncio.Event = field(default_factory=asyncio.Event)
    is_released: bool = False

    def release(self, *_: object) -> None:
        self.is_released = True
        self.has_changed.set()


class WaitForWorkflows:
    """Lets requests wait for workflows; the event bus says when a job of one has ended, and the feed if elsewhere.

    A workflow that ends without a job, in another process, is seen at the next look, which one timer has all take.
    """

    def __init__(
        self, *, query: QueryWorkflows, event_feed: FollowEvents, clock: Clock, limit: timedelta, most: int
    ) -> None:
        """`limit` is how long one wait may last; of more than `most` at once, the others end at once."""
        self._query = query
        self._event_feed = event_feed
        self._clock = clock
        self._limit = limit
        self._most = most
        self._waiters: dict[str, set[Waiter]] = {}
        self._waiting = 0
        self._rechecks: asyncio.Task[None] | None = None
        self._is_stopped = False

    async def __call__(
        self, workflow_id: str, given_up: asyncio.Future[None], *, owner: str | None, wait: timedelta
    ) -> WorkflowSnapshot:
        """Return the workflow when it is over, after `wait` (at most the limit), or once `given_up` is done.

        Raise `NotFoundError` if it does not exist, or is deleted meanwhile.
        """
        snapshot = await self._query.find(workflow_id, owner=owner)
        if is_over(snapshot) or self._is_stopped or self._waiting >= self._most or wait <= timedelta():
            return snapshot
        waiter = Waiter()
        timer = self._clock.call_later(min(wait, self._limit).total_seconds(), waiter.release)
        given_up.add_done_callback(waiter.release)
        self._add(workflow_id, waiter)
        try:
            while True:
                waiter.has_changed.clear()
                snapshot = await self._query.find(workflow_id, owner=owner)
                waiter.jobs = _expected_jobs(snapshot)
                if waiter.is_released or is_over(snapshot):
                    return snapshot
                await waiter.has_changed.wait()
        finally:
            timer.cancel()
            given_up.remove_done_callback(waiter.release)
            self._remove(workflow_id, waiter)

    def on_changes(self, jobs: Sequence[Job]) -> None:
        """Take notice of jobs that have a new event."""
        if self._waiters:
            self.on_workflows([job.workflow.workflow_id for job in jobs if job.workflow and job.outcome is not None])

    def on_changes_elsewhere(self, entries: Sequence[FeedEntry]) -> None:
        """Take notice of jobs that another process has changed."""
        if self._waiters:
            ended = {entry.job_id for entry in entries if entry.outcome is not None}
            for waiters in self._waiters.values():
                for waiter in waiters:
                    if not ended.isdisjoint(waiter.jobs):
                        waiter.has_changed.set()

    def on_workflows(self, workflow_ids: Sequence[str]) -> None:
        """Take notice of workflows that have changed."""
        for workflow_id in workflow_ids:
            for waiter in self._waiters.get(workflow_id, ()):
                waiter.has_changed.set()

    def stop(self) -> None:
        """End all waits now, and new ones at once."""
        self._is_stopped = True
        for waiters in self._waiters.values():
            for waiter in waiters:
                waiter.release()

    def _add(self, workflow_id: str, waiter: Waiter) -> None:
        self._waiting += 1
        self._waiters.setdefault(workflow_id, set()).add(waiter)
        if self._rechecks is None:
            self._event_feed.follow(self, every=LATENCY)
            self._rechecks = asyncio.create_task(self._recheck(), name="rechecks of workflows")

    def _remove(self, workflow_id: str, waiter: Waiter) -> None:
        self._waiting -= 1
        waiters = self._waiters[workflow_id]
        waiters.discard(waiter)
        if not waiters:
            del self._waiters[workflow_id]
        if not self._waiters and self._rechecks is not None:
            self._event_feed.unfollow(self)
            self._rechecks.cancel()
            self._rechecks = None

    async def _recheck(self) -> None:
        while True:
            await self._clock.sleep(RECHECK.total_seconds())
            self.on_workflows(list(self._waiters))


def _expected_jobs(snapshot: WorkflowSnapshot) -> frozenset[str]:
    """Return the ids of all jobs that are there, of those that are made if one fails, and of the first of each step."""
    places = [job.workflow for job in snapshot.jobs if job.workflow is not None]
    again = [replace(place, attempt=place.attempt + 1) for place in places]
    workflow_id, steps = snapshot.workflow.id, range(len(snapshot.workflow.steps))
    first = [WorkflowPlace(workflow_id=workflow_id, step=step, index=0) for step in steps]
    return frozenset(place.job_id for place in [*places, *again, *first])
