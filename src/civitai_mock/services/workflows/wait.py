"""Wait until a workflow is over, for answers that are held back until then (`wait=30`)."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from civitai_mock.domain.job import Job
from civitai_mock.domain.workflow import WorkflowSnapshot
from civitai_mock.ports import Clock
from civitai_mock.services.workflows.query import QueryWorkflows, is_over

RECHECK = timedelta(seconds=2)


@dataclass(eq=False, slots=True)
class Waiter:
    """Is one request that waits; it looks at its workflow again each time that something in it `has_changed`."""

    has_changed: asyncio.Event = field(default_factory=asyncio.Event)
    is_released: bool = False

    def release(self, *_: object) -> None:
        self.is_released = True
        self.has_changed.set()


class WaitForWorkflows:
    """Lets requests wait for workflows; the event bus says when a job of one has ended.

    A workflow that ends without a job, in another process, is seen at the next look, which one timer has all take.
    """

    def __init__(self, *, query: QueryWorkflows, clock: Clock, limit: timedelta, most: int) -> None:
        """`limit` is how long one wait may last; of more than `most` at once, the others end at once."""
        self._query = query
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
            self._rechecks = asyncio.create_task(self._recheck(), name="rechecks of workflows")

    def _remove(self, workflow_id: str, waiter: Waiter) -> None:
        self._waiting -= 1
        waiters = self._waiters[workflow_id]
        waiters.discard(waiter)
        if not waiters:
            del self._waiters[workflow_id]
        if not self._waiters and self._rechecks is not None:
            self._rechecks.cancel()
            self._rechecks = None

    async def _recheck(self) -> None:
        while True:
            await self._clock.sleep(RECHECK.total_seconds())
            self.on_workflows(list(self._waiters))
