"""Render hand-made workflows as v2 shows them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from civitai_mock.api.v2.render import WorkflowRenderer
from civitai_mock.api.v2.steps import RegisteredStepTypes
from civitai_mock.clock import VirtualClock
from civitai_mock.domain.job import Job
from civitai_mock.domain.money import Account, debits
from civitai_mock.domain.stages import Outcome
from civitai_mock.domain.workflow import Workflow, WorkflowSnapshot
from civitai_mock.domain.workflow_cost import memo_of
from civitai_mock.domain.workflow_progress import workflow_progress
from civitai_mock.services.availability import JobSupport
from civitai_mock.services.blob_urls import WorkflowBlobUrls
from civitai_mock.services.queue_position import QueuePosition
from tests.support.dates import START
from tests.support.jobs import SECOND, make_claim, succeeded
from tests.support.workflows import MONTH, first_jobs, make_step, make_workflow, make_workflow_job

URLS = WorkflowBlobUrls(key=b"a key", lifetime=timedelta(days=1), clock=VirtualClock(START))
RENDERER = WorkflowRenderer(step_types=RegisteredStepTypes(blob_urls=URLS), base_url="https://mock.test")


def failed(job: Job) -> Job:
    return job.ended(Outcome.FAILED, at=START + SECOND, context={"reason": "timeout: no answer"})


def done(job: Job) -> Job:
    return succeeded(replace(job, claim=make_claim(at=START)), at=START + SECOND)


def with_memo(workflow: Workflow, jobs: Sequence[Job]) -> Workflow:
    memo = memo_of(workflow, workflow_progress(WorkflowSnapshot(workflow=workflow, jobs=jobs)), nsfw_level=None)
    assert memo is not None
    return workflow.over(memo, keep_until=START + MONTH)


def shown(workflow: Workflow, jobs: Sequence[Job], renderer: WorkflowRenderer = RENDERER) -> Any:
    return renderer.workflow(WorkflowSnapshot(workflow=workflow, jobs=jobs))


@pytest.mark.parametrize("end", [failed, done])
def test_the_end_of_a_workflow_shows_the_same_before_and_after_it_is_noted(end: Callable[[Job], Job]) -> None:
    workflow = make_workflow()
    paid = workflow.charged(debits(workflow.id, {Account.BLUE: 8}))
    jobs = [end(job) for job in first_jobs(paid)]
    before, after = shown(paid, jobs), shown(with_memo(paid, jobs), jobs)
    assert before == after
    kinds = [transaction["type"] for transaction in after["transactions"]["list"]]
    assert kinds == (["debit", "credit"] if end is failed else ["debit"])


def test_a_job_that_is_not_stored_yet_waits_like_any_other() -> None:
    workflow = make_workflow()
    (step,) = shown(workflow, [])["steps"]
    assert step["jobs"] == [{"id": workflow.steps[0].jobs[0], "status": "unassigned", "cost": 8}]


def test_a_job_that_is_made_again_costs_nothing_more() -> None:
    workflow = make_workflow(steps=[make_step(retries=1)])
    again = make_workflow_job(workflow, attempt=1)
    assert again.workflow is not None
    retried = workflow.step_retried(again.workflow)
    jobs = [*map(failed, first_jobs(workflow)), again]
    (step,) = shown(retried, jobs)["steps"]
    assert [(job["status"], job["cost"], job.get("reason")) for job in step["jobs"]] == [
        ("failed", 8, "timeout"),
        ("unassigned", 8, None),
    ]
    assert step["status"] in {"unassigned", "processing"}


def test_a_step_has_the_position_of_its_first_job_that_waits() -> None:
    workflow = make_workflow()
    (job,) = first_jobs(workflow)
    position = QueuePosition(
        preceding_jobs=3,
        preceding_cost=3.0,
        throughput_rate=0.0,
        estimated_start=SECOND,
        estimated_start_at=START + SECOND,
    )
    renderer = replace(RENDERER, positions={job.id: position}, support={job.id: JobSupport.UNAVAILABLE})
    (step,) = shown(workflow, [job], renderer)["steps"]
    assert step["queuePosition"] == step["jobs"][0]["queuePosition"]
    assert (step["queuePosition"]["support"], step["queuePosition"]["precedingJobs"]) == ("unavailable", 3)
    (step,) = shown(workflow, [done(job)], renderer)["steps"]
    assert "queuePosition" not in step
