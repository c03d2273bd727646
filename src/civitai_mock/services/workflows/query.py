"""Query workflows: one by its id, or those of an owner page by page."""

from collections.abc import Sequence
from dataclasses import replace

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import NotFoundError
from civitai_mock.domain.job import Job
from civitai_mock.domain.workflow import Workflow, WorkflowSnapshot
from civitai_mock.domain.workflow_progress import workflow_progress
from civitai_mock.domain.workflow_search import (
    WorkflowCriteria,
    decode_workflow_cursor,
    encode_workflow_cursor,
)
from civitai_mock.ports import WorkflowStore


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryWorkflows:
    """Looks up workflows of an owner; for owner None, of everybody."""

    workflows: WorkflowStore

    async def by_id(self, workflow_id: str, *, owner: str | None) -> WorkflowSnapshot:
        """Return a workflow with its jobs.

        Raise `NotFoundError` if it does not exist (any more), and for an ephemeral one that is over.
        """
        snapshot = await self.find(workflow_id, owner=owner)
        if snapshot.workflow.is_ephemeral and is_over(snapshot):
            raise not_found(workflow_id)
        return snapshot

    async def find(self, workflow_id: str, *, owner: str | None) -> WorkflowSnapshot:
        """Return a workflow as `by_id` does, also an ephemeral one that is over."""
        snapshot = await self.workflows.get(workflow_id)
        if snapshot is None or (owner is not None and snapshot.workflow.owner != owner):
            raise not_found(workflow_id)
        return snapshot

    async def jobs_of(self, workflow_id: str) -> Sequence[Job]:
        """Return the jobs that a workflow has now, in whatever state they are; none of one that is gone."""
        snapshot = await self.workflows.get(workflow_id)
        return () if snapshot is None else snapshot.jobs

    async def settled_version(self, workflow_id: str) -> int | None:
        """Return the version of a workflow that is over, if it is known for good how it ended; None for any other."""
        return await self.workflows.settled_version(workflow_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowPage:
    """Holds one page of a list; `cursor` leads to the next page, if there is one."""

    snapshots: Sequence[WorkflowSnapshot]
    cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListWorkflows:
    """Lists the workflows of an owner, page by page."""

    workflows: WorkflowStore

    async def __call__(self, criteria: WorkflowCriteria, *, take: int, cursor: str | None = None) -> WorkflowPage:
        """Return at most `take`; raise `InvalidRequestError` for a cursor that this owner was not given.

        A page may have fewer, and still have a cursor, if its workflows are large, or few among many were found.
        """
        owner = criteria.owner
        after = decode_workflow_cursor(cursor, owner=owner) if cursor else criteria.after
        found: list[WorkflowSnapshot] = []
        while True:
            page = await self.workflows.find(replace(criteria, after=after), limit=take - len(found))
            found += await self._snapshots(page.workflows, with_failed=criteria.failed)
            after = page.reached
            if after is None or len(found) >= take or not page.workflows:
                break
        return WorkflowPage(
            snapshots=found, cursor=None if after is None else encode_workflow_cursor(after, owner=owner)
        )

    async def _snapshots(self, workflows: Sequence[Workflow], *, with_failed: bool) -> Sequence[WorkflowSnapshot]:
        """Add the jobs; of those that are not known yet to have failed, some may have."""
        jobs = await self.workflows.jobs_of([workflow.id for workflow in workflows])
        snapshots = [WorkflowSnapshot(workflow=workflow, jobs=jobs.get(workflow.id, ())) for workflow in workflows]
        return [found for found in snapshots if with_failed or not workflow_progress(found).status.is_failed]


def is_over(snapshot: WorkflowSnapshot) -> bool:
    return snapshot.workflow.memo is not None or workflow_progress(snapshot).status.is_over


def not_found(workflow_id: str) -> NotFoundError:
    return NotFoundError(f"The workflow '{workflow_id[:100]}' does not exist.")
