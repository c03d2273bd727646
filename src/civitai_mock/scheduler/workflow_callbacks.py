"""Deliver what callbacks of workflows want to know: one event of a workflow at a time, in order."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

import orjson

from civitai_mock.domain.callbacks import CallbackAttempt
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.scheduler.deliveries import Delivery, DeliveryServices, Dispatcher

if TYPE_CHECKING:
    from civitai_mock.domain.workflow import WorkflowSnapshot
    from civitai_mock.domain.workflow_search import Announcement, DueAnnouncement

RenderCallback: TypeAlias = Callable[["WorkflowSnapshot", "Announcement"], JsonObject | None]


class WorkflowCallbackDispatcher(Dispatcher["DueAnnouncement"]):
    """Delivers the announcements of each workflow, one at a time; nothing of workflows is loaded before there is one.

    A scan for workflows finds what an earlier life has left.
    """

    what = "callbacks of workflows"
    looks_at_start = False

    def __init__(self, services: DeliveryServices, *, render: RenderCallback) -> None:
        super().__init__(services)
        self._workflows = services.stores.workflows
        self._outbox = services.stores.announcements
        self._render = render
        services.event_bus.subscribe_to_announcements(self.wake)

    async def take_due(self, now: datetime, *, hold_until: datetime, limit: int) -> Sequence["DueAnnouncement"]:
        return await self._outbox.take_due(now, hold_until=hold_until, limit=limit)

    async def next_due(self) -> datetime | None:
        return await self._outbox.next_due()

    async def prepare(self, due: "DueAnnouncement") -> Delivery | None:
        """Return None for what is given up: events of a deleted workflow, and what is about nothing that is there."""
        snapshot = await self._workflows.get(due.workflow_id)
        if snapshot is None:
            await self.mark_failed(due, None, retry_at=None)
            return None
        workflow, announcement = snapshot.workflow, due.announcement
        self.work_for(workflow.trace_id, workflow_id=workflow.id)
        body = self._render(snapshot, announcement)
        if body is None:
            await self.mark_failed(due, None, retry_at=None)
            return None
        return Delivery(
            url=workflow.callbacks[announcement.callback].url,
            content=orjson.dumps(body),
            key=f"{workflow.id}/{announcement.seq}",
            seq=announcement.seq,
            failures=due.failures,
        )

    async def mark_delivered(self, due: "DueAnnouncement", attempt: CallbackAttempt) -> None:
        await self._outbox.mark_delivered(due.workflow_id, seq=attempt.seq, attempt=attempt)

    async def mark_failed(
        self, due: "DueAnnouncement", attempt: CallbackAttempt | None, *, retry_at: datetime | None
    ) -> None:
        seq = due.announcement.seq
        await self._outbox.mark_failed(due.workflow_id, seq=seq, retry_at=retry_at, attempt=attempt)
