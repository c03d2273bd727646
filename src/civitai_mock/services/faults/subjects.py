"""What rules of faults match of jobs: also of the jobs that a blob or a callback is about."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.faults.conditions import FaultSubject
from civitai_mock.domain.faults.submissions import SubmittedWork
from civitai_mock.domain.job import Job
from civitai_mock.domain.workflow import Workflow, WorkflowStep
from civitai_mock.ports import WorkflowStore


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSubjects:
    """Tells what is known of jobs; `names_of` returns the `$type`s by which version 1 takes a type of job."""

    workflows: WorkflowStore
    names_of: Callable[[str], Sequence[str]]

    async def described(
        self, subject: FaultSubject, jobs: Sequence[Job], *, workflow: Workflow | None = None
    ) -> FaultSubject:
        """Return a subject with the types, models, ecosystems, prompt texts and images of all of the jobs together.

        Their `workflow`, if they have one, is only looked up if it is not given.
        """
        place = next((job.workflow for job in jobs if job.workflow is not None), None)
        if workflow is None and place is not None:
            found = await self.workflows.get(place.workflow_id)
            workflow = None if found is None else found.workflow
        steps = [None if workflow is None else _step_of(job, workflow) for job in jobs]
        asked = [SubmittedWork.of(dict(job.spec)) for job in jobs]
        asked += [SubmittedWork.of(step.input) for step in steps if step is not None]
        models = [str(resource.air) for job in jobs for resource in job.resources]
        ecosystems = [resource.air.ecosystem for job in jobs for resource in job.resources]
        return replace(
            subject,
            types=[
                *(name for job in jobs for name in (job.type, *self.names_of(job.type))),
                *(step.type for step in steps if step is not None),
            ],
            models=[*models, *(model for work in asked for model in work.models)],
            ecosystems=[
                *(ecosystem for ecosystem in ecosystems if ecosystem),
                *(ecosystem for work in asked for ecosystem in work.ecosystems),
            ],
            prompts=[prompt for work in asked for prompt in work.prompts],
            image_given=any(work.image_given for work in asked) if jobs else None,
        )


def _step_of(job: Job, workflow: Workflow) -> WorkflowStep | None:
    return None if job.workflow is None else workflow.steps[job.workflow.step]
