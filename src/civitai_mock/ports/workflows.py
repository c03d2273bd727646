"""Ports of a store for workflows: their store, and the outbox of their callbacks.

The values of workflows take 10 ms to import, so nothing that a start needs does it: see `late`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from civitai_mock.domain.callbacks import CallbackAttempt, CallbackState
    from civitai_mock.domain.job import Job
    from civitai_mock.domain.json_types import ReadOnlyJson
    from civitai_mock.domain.money import Balances, Spent
    from civitai_mock.domain.workflow import Workflow, WorkflowSnapshot
    from civitai_mock.domain.workflow_search import Announcement, DueAnnouncement, FoundWorkflows, WorkflowCriteria


class WorkflowStore(Protocol):
    """Stores workflows; their jobs are in the `JobStore` of the same store, which changes them.

    The jobs of a workflow have ids that follow from their place in it. A store may lose them in a crash after the
    workflow that names them is written: whoever finds that some are missing adds them. `JobStore.sweep` deletes
    workflows, too. `balances` have no limit by default. Every method raises `TransientError` while the store is away.
    """

    async def add(self, workflow: Workflow, jobs: Sequence[Job], *, balances: Balances = ...) -> Workflow:
        """Store a new workflow and its first jobs, and return it as it was charged; all of it or nothing.

        If its owner has one with its `external_id` already, store nothing, and return that: of any number of
        submissions at once exactly one is stored and charged. Raise `InsufficientBuzzError` if the owner has too little
        left; submissions at once never spend more together. Raise `ConflictError` if the id is taken.
        """
        ...

    async def get(self, workflow_id: str) -> WorkflowSnapshot | None:
        """Return a workflow with its jobs, in order of their place; None if it does not exist, or was deleted."""
        ...

    async def settled_version(self, workflow_id: str) -> int | None:
        """Return the version of a workflow with a memo; None for any other. This is much cheaper than the workflow."""
        ...

    async def replace(
        self, before: Workflow, after: Workflow, *, jobs: Sequence[Job] = (), balances: Balances = ...
    ) -> bool:
        """Write what may change of a workflow, and new jobs of it, if nobody changed it since `before`.

        Otherwise nothing is written and False is returned. Raise `InsufficientBuzzError`, and write nothing, if the
        owner would have spent more than the balances; without new debits there is nothing to ask for.
        """
        ...

    async def add_missing_jobs(self, jobs: Sequence[Job]) -> int:
        """Store those of the jobs whose ids are new, and return how many these are."""
        ...

    async def jobs_of(self, workflow_ids: Sequence[str]) -> Mapping[str, Sequence[Job]]:
        """Return the jobs of workflows by the id of the workflow, in order of their place; one without has none."""
        ...

    async def find(self, criteria: WorkflowCriteria, *, limit: int) -> FoundWorkflows:
        """Return workflows in order of `WorkflowPosition`, the youngest first unless the criteria say otherwise.

        Ephemeral and deleted ones are never listed. An index finds them, however many there are. Fewer than `limit` are
        returned, though there may be more, if they are large (`MOST_BYTES_FOUND`), or if a query was looked for in
        `MOST_LOOKED_AT` others.
        """
        ...

    async def delete(self, workflow: Workflow) -> bool:
        """Let nobody find a workflow any more, if nobody changed it; its external id is free again.

        What it cost counts as spent until it would have been swept, and so its jobs are kept.
        """
        ...

    async def unfinished(self, *, after: str, limit: int) -> Sequence[Workflow]:
        """Return workflows without a memo whose id is greater than `after`, in order of id."""
        ...

    async def spent(self, owner: str) -> Spent:
        """Return what a consumer has spent on all workflows and charged jobs that are kept."""
        ...


class WorkflowOutbox(Protocol):
    """Keeps the announcements of each workflow in order, until its receivers know them.

    Every method raises `TransientError` while the store is away.
    """

    async def announce(self, workflow_id: str, announcements: Sequence[Announcement]) -> bool:
        """Append announcements, if `seq` of the first follows the last one of the workflow.

        Otherwise somebody else has announced something, nothing is written and False is returned. The workflow is due
        at the `at` of the first, unless it is due already or waits for another attempt.
        """
        ...

    async def announced(self, workflow_id: str) -> Sequence[Announcement]:
        """Return all announcements of a workflow so far, delivered or not, in order."""
        ...

    async def take_due(self, now: datetime, *, hold_until: datetime, limit: int) -> Sequence[DueAnnouncement]:
        """Take of each workflow that is due at `now` its first undelivered announcement, the longest due first.

        They are held until `hold_until`: before that nobody else gets one of these workflows, unless the announcement
        is marked as delivered or failed.
        """
        ...

    async def next_due(self) -> datetime | None:
        """Return when the first workflow with announcements to deliver is due, held or not; None if there is none."""
        ...

    async def mark_delivered(self, workflow_id: str, *, seq: int, attempt: CallbackAttempt | None = None) -> None:
        """Mark announcements up to `seq` as delivered, by an attempt that is kept.

        If there are more, the workflow is due immediately.
        """
        ...

    async def mark_failed(
        self, workflow_id: str, *, seq: int, retry_at: datetime | None, attempt: CallbackAttempt | None = None
    ) -> None:
        """Count a failed attempt, keep it, and make the workflow due at `retry_at`.

        None gives up this announcement alone.
        """
        ...

    async def postpone(self, workflow_id: str, *, seq: int, until: datetime) -> None:
        """Make a workflow due at that time, if the announcement is not delivered yet, and count no failure."""
        ...

    async def await_next(self, workflow_id: str, *, seq: int) -> bool:
        """Let a workflow be due when it announces something, if `seq` is its last announcement; else return False."""
        ...

    async def keep_fault(self, workflow_id: str, *, seq: int, fault: ReadOnlyJson) -> ReadOnlyJson | None:
        """Keep what goes wrong with the callback with this `seq`, unless that is decided already; return what is kept.

        Return None for an unknown workflow, or one with nobody to tell.
        """
        ...

    async def state(self, workflow_id: str) -> CallbackState | None:
        """Return what is known of the callbacks of a workflow; None for one that has announced nothing."""
        ...
