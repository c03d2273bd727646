"""What is kept long enough is swept, workflows with their jobs."""

from dataclasses import replace
from datetime import timedelta

from civitai_mock.domain.stages import Outcome
from civitai_mock.scheduler.reaper import SWEEP_SECONDS
from tests.scheduler.conftest import Bench, running
from tests.support.event_loop import settle
from tests.support.jobs import job_id, make_job
from tests.support.workflows import MONTH, first_jobs, make_workflow

MONTH_SECONDS = MONTH.total_seconds()


async def test_a_workflow_is_swept_with_its_jobs_when_its_time_is_over(bench: Bench) -> None:
    now = bench.clock.now()
    workflow = make_workflow(created_at=now)
    job = first_jobs(workflow)[0]
    ended = job.ended(Outcome.DELETED, at=now, context={})
    other = replace(make_job(1, created_at=now, keep_until=now + 2 * MONTH), outcome=Outcome.DELETED)
    await bench.stores.workflows.add(workflow, [ended])
    await bench.stores.jobs.add([other])
    async with running(bench.scheduler()):
        await bench.pass_time(MONTH_SECONDS - 1)
        assert await bench.stores.workflows.get(workflow.id) is not None
        assert await bench.stores.jobs.get(job.id) == ended
        await bench.pass_time(SWEEP_SECONDS)
        await settle()
        assert await bench.stores.workflows.get(workflow.id) is None
        assert await bench.stores.jobs.get(job.id) is None
        assert await bench.stores.jobs.get(job_id(1)) == other


async def test_jobs_of_a_workflow_are_kept_as_long_as_it(bench: Bench) -> None:
    """The end of a workflow is later than its beginning, so that it is kept longer than was planned."""
    now = bench.clock.now()
    workflow = make_workflow(created_at=now)
    (job,) = first_jobs(workflow)
    stored = await bench.stores.workflows.add(workflow, [job.ended(Outcome.DELETED, at=now, context={})])
    longer = replace(stored, keep_until=stored.keep_until + timedelta(hours=12), version=stored.version + 1)
    assert await bench.stores.workflows.replace(stored, longer)
    async with running(bench.scheduler()):
        await bench.pass_time(MONTH_SECONDS + SWEEP_SECONDS)
        found = await bench.stores.workflows.get(workflow.id)
        assert found is not None
        assert [kept.id for kept in found.jobs] == [job.id]
