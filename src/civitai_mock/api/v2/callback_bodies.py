"""The bodies of callbacks of workflows (v2 contract, section 7; capture v2-callback-workflow-succeeded)."""

from collections.abc import Sequence

from civitai_mock.api.responses import as_members
from civitai_mock.api.v2.blob_documents import date_text
from civitai_mock.api.v2.description.echo import shown_input
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.dotnet import plain_number
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.domain.stages import Outcome
from civitai_mock.domain.workflow import WorkflowSnapshot
from civitai_mock.domain.workflow_progress import Progress, job_progress, reason_of, workflow_progress
from civitai_mock.domain.workflow_search import Announcement
from civitai_mock.ports.steps import StepTypes
from civitai_mock.services.workflows.announce import JOB, STEP, WORKFLOW
from civitai_mock.services.workflows.late_inputs import children_of, jobs_of_step, output_view


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackRenderer:
    """Says what happened as it was announced; the details are how the workflow is now, which may be further."""

    step_types: StepTypes

    def body(self, snapshot: WorkflowSnapshot, announcement: Announcement) -> JsonObject | None:
        """Return the body; None for what is about a step or a job that is not there."""
        is_detailed = snapshot.workflow.callbacks[announcement.callback].detailed
        head: JsonObject = {"$type": announcement.scope, "workflowId": snapshot.workflow.id}
        match announcement.scope:
            case scope if scope == WORKFLOW:
                times: JsonObject = {"status": announcement.status, "timestamp": date_text(announcement.at)}
                return head | times | ({"details": self._workflow(snapshot)} if is_detailed else {})
            case scope if scope == STEP:
                return self._step_event(head, snapshot, announcement, is_detailed=is_detailed)
            case scope if scope == JOB:
                return _job_event(head, snapshot, announcement)
        return None

    def _step_event(
        self, head: JsonObject, snapshot: WorkflowSnapshot, announcement: Announcement, *, is_detailed: bool
    ) -> JsonObject | None:
        names = [step.name for step in snapshot.workflow.steps]
        if announcement.subject not in names:
            return None
        index = names.index(announcement.subject)
        step, progress = snapshot.workflow.steps[index], workflow_progress(snapshot).steps
        event = head | {"name": step.name, "status": announcement.status}
        if not is_detailed:
            return event
        details: JsonObject = {
            **_times(progress[index]),
            **_rate(progress[index]),
            **({} if step.retries is None else {"retries": step.retries}),
            **self._content(snapshot, index, progress),
        }
        return event | {"details": details}

    def _workflow(self, snapshot: WorkflowSnapshot) -> JsonObject:
        workflow, progress = snapshot.workflow, workflow_progress(snapshot)
        steps: list[Json] = [
            self._step(snapshot, index, progress.steps)
            for index, step in enumerate(workflow.steps)
            if step.spawned_by is None
        ]
        return {
            "metadata": as_members(workflow.metadata),
            "arguments": as_members(workflow.arguments),
            "createdAt": date_text(workflow.created_at),
            **dict(reversed(_times(progress).items())),  # in this order (capture)
            "steps": steps,
        }

    def _step(self, snapshot: WorkflowSnapshot, index: int, progress: Sequence[Progress]) -> JsonObject:
        step = snapshot.workflow.steps[index]
        return {
            "name": step.name,
            "status": progress[index].status,
            **_times(progress[index]),
            **self._content(snapshot, index, progress),
        }

    def _content(self, snapshot: WorkflowSnapshot, index: int, progress: Sequence[Progress]) -> JsonObject:
        step = snapshot.workflow.steps[index]
        output = self._output(snapshot, index, progress)
        return {
            "metadata": as_members(step.metadata),
            "input": shown_input(step.type, step.input),
            **({} if output is None else {"output": output}),
        }

    def _output(self, snapshot: WorkflowSnapshot, index: int, progress: Sequence[Progress]) -> JsonObject | None:
        step = snapshot.workflow.steps[index]
        if step.waits or step.failure is not None:
            return None
        if not step.jobs:
            children = children_of(snapshot.workflow, index)
            return {"steps": [self._step(snapshot, child, progress) for child in children]}
        jobs, view = jobs_of_step(snapshot, index), output_view(snapshot.workflow)
        return self.step_types.output(step.type, step.input, jobs, view=view)


def _job_event(head: JsonObject, snapshot: WorkflowSnapshot, announcement: Announcement) -> JsonObject | None:
    job = next((job for job in snapshot.jobs if job.id == announcement.subject), None)
    if job is None or job.workflow is None:
        return None
    progress, reason = job_progress(job), reason_of(job)
    return {
        **head,
        "stepName": snapshot.workflow.steps[job.workflow.step].name,
        "jobId": job.id,
        "status": announcement.status,
        **({} if progress.rate is None else {"progress": plain_number(progress.rate)}),
        **({} if reason is None else {"reason": reason}),
        **({"matureContent": True} if _is_mature(job) else {}),
    }


def _is_mature(job: Job) -> bool:
    """Return whether a job has made anything that is mature."""
    levels = [slot.facts.nsfw_level for slot in job.slots if slot.available and slot.facts is not None]
    return job.outcome is Outcome.SUCCEEDED and any(level is not None and level.is_mature for level in levels)


def _times(progress: Progress) -> JsonObject:
    times = {"startedAt": progress.started_at, "completedAt": progress.completed_at}
    return {name: date_text(moment) for name, moment in times.items() if moment is not None}


def _rate(progress: Progress) -> JsonObject:
    return {} if progress.rate is None else {"estimatedProgressRate": plain_number(progress.rate)}
