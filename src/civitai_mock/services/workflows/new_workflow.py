"""A workflow that is not stored yet: what makes it new, and what follows for it from its template."""

from collections.abc import Sequence

from civitai_mock.domain.changed import changed
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import refused
from civitai_mock.domain.job import Job
from civitai_mock.domain.maturity import MATURE, NsfwLevel
from civitai_mock.domain.resource import Resource
from civitai_mock.domain.workflow import UpgradeMode, Workflow
from civitai_mock.domain.workflow_template import WorkflowTemplate
from civitai_mock.services.consumers import Caller
from civitai_mock.services.namespace_ids import said

FORBIDDEN_PROMPT = "Prompt requires mature content but workflow does not allow it"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWorkflow:
    """Is a workflow that is not stored yet, with the jobs and the resources that come with it."""

    workflow: Workflow
    jobs: Sequence[Job]
    new_resources: Sequence[Resource]


def content_of(template: WorkflowTemplate, caller: Caller) -> bytes:
    """Return what is the same for equal submissions; the address of a receiver may be another on each run of a test."""
    return repr((caller.consumer, said(changed(template, callbacks=())))).encode()


def allowed_maturity(template: WorkflowTemplate, levels: Sequence[NsfwLevel]) -> bool | None:
    """Return whether mature content is allowed, which yellow Buzz alone pays for; the levels are those of prompt texts.

    A workflow that did not say so, and whose texts ask for it, is upgraded at once unless that is to be done by hand.
    Raise `InvalidRequestError` if one asks for it that does not allow it.
    """
    allowed = template.allow_mature_content
    if MATURE.isdisjoint(levels):
        return allowed
    if allowed is False:
        raise refused(FORBIDDEN_PROMPT)
    return True if template.upgrade_mode is UpgradeMode.AUTOMATIC else allowed


def made_ready(workflow: Workflow, steps: Sequence[int], jobs: Sequence[Job]) -> Workflow:
    """Return the workflow with these steps ready, as they have jobs."""
    made: dict[int, list[str]] = {step: [] for step in steps}
    for job in jobs:
        if job.workflow is not None:
            made[job.workflow.step].append(job.id)
    return workflow.steps_made_ready(made, at=jobs[0].created_at if jobs else workflow.created_at)
