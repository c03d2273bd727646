"""Remember workflows that were submitted here and only wait for their jobs: to note their end takes no reading then."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import field

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.job import Job
from civitai_mock.domain.workflow import Workflow, WorkflowSnapshot, jobs_by_workflow

MOST_KEPT = 1000
MOST_JOBS = 16  # of one workflow
LARGEST = 16 * 1024  # bytes of its template


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentWorkflow:
    """Is a workflow as it was stored, with those of its jobs that have ended since, by their ids."""

    workflow: Workflow
    expected: frozenset[str]
    ended: dict[str, Job] = field(default_factory=dict)


class RecentWorkflows:
    """Keeps workflows until all of their jobs have ended in this process.

    What it returns may be older than what is stored, so it is only good for writes that are conditional: a workflow is
    returned once, and whose write fails has to read. Beyond `MOST_KEPT` the oldest is forgotten. A process that runs no
    jobs keeps nothing.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[str, RecentWorkflow] = OrderedDict()  # finds its first key at once
        self._are_jobs_run_here = False

    def add(self, snapshot: WorkflowSnapshot, *, size: int) -> None:
        """Keep a workflow that was just stored, unless it waits for more than its jobs, or is large."""
        workflow, jobs = snapshot.workflow, snapshot.jobs
        is_small = size <= LARGEST and 0 < len(jobs) <= MOST_JOBS
        if not self._are_jobs_run_here or not is_small or any(step.waits for step in workflow.steps):
            return
        self._kept[workflow.id] = RecentWorkflow(workflow=workflow, expected=frozenset([job.id for job in jobs]))
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)

    def on_changes(self, jobs: Sequence[Job]) -> None:
        """Take notice of jobs that have a new event."""
        for job in jobs:
            if job.outcome is None:
                self._are_jobs_run_here |= job.claim is not None
            elif job.workflow is not None:
                kept = self._kept.get(job.workflow.workflow_id)
                if kept is not None:
                    kept.ended[job.id] = job

    def take(self, workflow_id: str) -> WorkflowSnapshot | None:
        """Return a workflow all of whose jobs have ended, and forget it; None for any other."""
        kept = self._kept.get(workflow_id)
        if kept is None or not kept.expected <= kept.ended.keys():
            return None
        del self._kept[workflow_id]
        jobs = jobs_by_workflow(kept.ended.values())[workflow_id]
        return WorkflowSnapshot(workflow=kept.workflow, jobs=jobs)
