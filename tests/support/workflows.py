"""Make workflows and their jobs: plain ones without arguments, with what a test is about as an argument."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from civitai_mock.domain.cost import StepCost, Tips
from civitai_mock.domain.job import Job, WorkflowPlace, initialized_event
from civitai_mock.domain.money import Account
from civitai_mock.domain.workflow import Callback, UpgradeMode, Workflow, WorkflowStep
from tests.support.dates import START
from tests.support.jobs import TRACE_ID, make_job

OWNER = "civitai-1000001"
MONTH = timedelta(days=30)


def workflow_id(number: int) -> str:
    """Return an id; ids sort as their numbers do."""
    return f"1000001-{20250906181816000 + number}"


def make_workflow(
    number: int = 1,
    *,
    owner: str = OWNER,
    created_at: datetime = START,
    keep_until: datetime | None = None,
    steps: Sequence[WorkflowStep] | None = None,
    tags: Sequence[str] = (),
    currencies: Sequence[Account] = (),
    allow_mature_content: bool | None = None,
    external_id: str | None = None,
    is_ephemeral: bool = False,
) -> Workflow:
    """Return a new workflow of one step that costs 8 Buzz and has one job, and something in every other member."""
    workflow = Workflow(
        id=workflow_id(number),
        owner=owner,
        trace_id=TRACE_ID,
        base_url="https://mock.example/base",
        created_at=created_at,
        keep_until=keep_until or created_at + MONTH,
        arguments={"mediaUrl": "https://example.com/1.jpeg", "list": [{"n": None}]},
        callbacks=(Callback(url="https://example.com/?token=a%20b", types=("workflow:*",), detailed=True),),
        currencies=tuple(currencies),
        upgrade_mode=UpgradeMode.MANUAL,
        tips=Tips(civitai=0, creators=0),
        experimental=True,
        nsfw_level="pg13",
        is_ephemeral=is_ephemeral,
        external_id=external_id,
        tags=tuple(tags),
        metadata={"imageId": 7, "nested": {"ключ": ["a", 0.1, True]}},
        allow_mature_content=allow_mature_content,
        steps=tuple(steps or [make_step()]),
    )
    return with_first_jobs(workflow)


def make_step(
    name: str = "$0",
    *,
    cost: float = 8,
    sources: Sequence[int] = (),
    retries: int | None = None,
    step_type: str = "imageGen",
) -> WorkflowStep:
    return WorkflowStep(
        name=name,
        type=step_type,
        input={"engine": "sdcpp", "prompt": 'a "quoted" кот 🐈\n', "seed": 2**32 - 1, "cfgScale": 7.5, "loras": {}},
        priority="normal",
        timeout=timedelta(minutes=21, microseconds=1),
        retries=retries,
        metadata={"imageId": 1},
        cost=StepCost(factors={"base": cost, "pixels": 1.0}),
        sources=tuple(sources),
        seed=17,
    )


def with_first_jobs(workflow: Workflow, *, jobs: int = 1) -> Workflow:
    """Make those steps ready that wait for nothing, as a submission does."""
    ready = workflow
    for index, step in enumerate(workflow.steps):
        if not step.sources:
            ready = ready.step_made_ready(index, step.input, jobs=jobs, at=workflow.created_at)
    return replace(ready, version=0)


def make_workflow_job(workflow: Workflow, step: int = 0, index: int = 0, attempt: int = 0) -> Job:
    """Return a queued job of a workflow, which nobody pays for by itself."""
    place = WorkflowPlace(workflow_id=workflow.id, step=step, index=index, attempt=attempt)
    job = make_job(created_at=workflow.created_at, keep_until=workflow.created_at + MONTH + timedelta(days=1))
    return replace(
        job,
        id=place.job_id,
        workflow=place,
        charged=False,
        issued_by=workflow.owner,
        trace_id=workflow.trace_id,
        last_event=initialized_event(place.job_id, job.type, trace_id=workflow.trace_id, at=workflow.created_at),
    )


def first_jobs(workflow: Workflow) -> Sequence[Job]:
    """Return the jobs of all steps that are ready."""
    return [
        make_workflow_job(workflow, step, index)
        for step, made in enumerate(workflow.steps)
        for index in range(len(made.jobs))
    ]
