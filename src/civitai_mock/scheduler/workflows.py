"""Take workflows further as their jobs end: at once where this process sees it, and by scans for all the rest."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol

import structlog

from civitai_mock.domain.job import Job
from civitai_mock.domain.stages import Stage
from civitai_mock.ports import Clock, JobStore
from civitai_mock.services.activity import Signal
from civitai_mock.services.error_boundary import ErrorBoundary
from civitai_mock.services.event_bus import EventBus

logger = structlog.stdlib.get_logger()

MOST_AT_ONCE = 32
PAGE = 100
PAUSE_SECONDS = 1.0  # of a workflow whose store was away
PAUSES_PER_SCAN = 20  # a scan of very many takes a twentieth of the time, at most
LONGEST_PAUSE_SECONDS = 300.0
SCAN_SECONDS = 10.0  # while there are unfinished workflows
IDLE_SCAN_SECONDS = 60.0  # while none is known: another process may have died with one


class Advance(Protocol):
    """Takes workflows as far as they go now; see `services.workflows.advance`."""

    async def __call__(self, workflow_id: str) -> object: ...

    def is_quiet(self, workflow_id: str) -> bool:
        """Return whether nobody has to hear that a job of this workflow begins, as far as this process knows."""
        ...

    async def due(self, *, after: str, limit: int) -> tuple[Sequence[str], str | None]:
        """Return which unfinished workflows of a page can go further, and where the next page begins."""
        ...


class WorkflowAdvancer:
    """Advances the workflows whose jobs have ended, or begun; any number of them may run on one store.

    What it does that with is only made when there is a workflow.
    """

    def __init__(
        self, *, jobs: JobStore, get_advance: Callable[[], Advance], event_bus: EventBus, clock: Clock
    ) -> None:
        self._jobs = jobs
        self._get_advance = get_advance
        self._event_bus = event_bus
        self._clock = clock
        self._line: deque[str] = deque()
        self._waiting: set[str] = set()  # ids of workflows: those in the line
        self._running: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()  # of those that run
        self._has_room = asyncio.Event()
        self._begun: set[str] = set()  # ids of jobs
        self._may_be_unfinished = False
        self._activity = event_bus.activity
        self._wake_up = Signal(self._activity)
        event_bus.subscribe_to_changes(self._on_changed)

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    await self._wake_up.wait()
                    self._start_waiting(group)
        finally:
            self._wake_up.close()

    def break_off(self) -> None:
        """Advance nothing from this moment on: the workflows are not there any more."""
        for task in self._running.values():
            task.cancel()

    async def run_scans(self) -> None:
        """Scan at once, as an earlier life may have left something, then at intervals."""
        while True:
            began = time.monotonic()
            is_done = await self._try(self.scan)
            usual = IDLE_SCAN_SECONDS if is_done and not self._may_be_unfinished else SCAN_SECONDS
            seconds = PAUSES_PER_SCAN * (time.monotonic() - began)
            await self._clock.sleep(max(usual, min(seconds, LONGEST_PAUSE_SECONDS)))

    async def scan(self) -> None:
        """Advance every workflow of the store that can go further, and have delivered what others have announced."""
        self._may_be_unfinished = await self._jobs.has_open_workflows()
        if self._may_be_unfinished:
            self._event_bus.publish_announcements()
        after: str | None = "" if self._may_be_unfinished else None
        while after is not None:
            due, after = await self._get_advance().due(after=after, limit=PAGE)
            self._add(due)
            while len(self._line) > PAGE:
                self._has_room.clear()
                await self._has_room.wait()

    def _on_changed(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            if job.workflow is not None:
                self._on_job(job, job.workflow.workflow_id)

    def _on_job(self, job: Job, workflow_id: str) -> None:
        self._may_be_unfinished = True
        if job.outcome is not None:
            self._begun.discard(job.id)
            self._add([workflow_id])
        elif job.stage is Stage.QUEUED:
            self._begun.discard(job.id)
        elif job.stage is Stage.SENT_TO_COMFY and job.id not in self._begun:
            self._begun.add(job.id)
            if not self._get_advance().is_quiet(workflow_id):
                self._add([workflow_id])

    def _add(self, workflow_ids: Sequence[str]) -> None:
        """Put workflows into the line; one that is under way is looked at again after that."""
        for workflow_id in workflow_ids:
            if workflow_id in self._running:
                self._again.add(workflow_id)
            elif workflow_id not in self._waiting:
                self._waiting.add(workflow_id)
                self._line.append(workflow_id)
        self._wake_up.set()

    def _start_waiting(self, group: asyncio.TaskGroup) -> None:
        """Start as many as there is room for."""
        while self._line and len(self._running) < MOST_AT_ONCE:
            workflow_id = self._line.popleft()
            self._waiting.discard(workflow_id)
            task = group.create_task(self._advance(workflow_id), name=f"workflow {workflow_id}")
            self._running[workflow_id] = task
            self._activity.begin()
            task.add_done_callback(partial(self._finish, workflow_id))
        self._has_room.set()

    def _finish(self, workflow_id: str, _: asyncio.Task[None]) -> None:
        del self._running[workflow_id]
        if workflow_id in self._again:
            self._again.discard(workflow_id)
            self._add([workflow_id])
        elif self._line:
            self._wake_up.set()
        self._activity.end()

    async def _advance(self, workflow_id: str) -> None:
        structlog.contextvars.bind_contextvars(workflow_id=workflow_id)
        if not await self._try(lambda: self._get_advance()(workflow_id)):
            await self._clock.sleep(PAUSE_SECONDS)
            self._add([workflow_id])

    async def _try(self, action: Callable[[], Awaitable[object]]) -> bool:
        """Return False if the store is away; what fails otherwise is a bug of ours, and left to the next scan."""
        with ErrorBoundary("workflow not advanced") as boundary:
            await action()
        return not boundary.is_store_away
