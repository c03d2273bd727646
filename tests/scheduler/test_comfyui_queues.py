"""Jobs behind somebody else's endless prompt, with the options that users have and a clock that is moved."""

from civitai_mock.domain.stages import Outcome
from tests.scheduler.comfyui_bench import PARAMS, open_standin, pass_seconds, running_on, wait_until_ended
from tests.scheduler.conftest import Bench


async def test_jobs_do_not_wait_behind_an_endless_prompt_while_another_server_is_idle(bench: Bench) -> None:
    """A wait for an end gives up long before that prompt would let a job go on."""
    async with (
        open_standin() as one,
        open_standin() as two,
        running_on(bench, one, two),
    ):
        one.server.faults.set(foreign_prompt=True)
        jobs = [await wait_until_ended(bench, job) for job in await bench.submit(12, params=PARAMS)]
        assert one.server.life.queue.pending == []
    assert {(job.outcome, job.retry_attempt) for job in jobs} == {(Outcome.SUCCEEDED, 0)}


async def test_a_job_behind_an_endless_prompt_of_the_only_server_waits_for_its_end_at_no_cost(bench: Bench) -> None:
    async with open_standin() as standin, running_on(bench, standin):
        standin.server.faults.set(foreign_prompt=True)
        (job,) = await bench.submit(retries=0, params=PARAMS)
        await pass_seconds(bench, 60 * 20)
        assert not await bench.has_ended(job.id)
        assert standin.server.life.queue.pending == []
        standin.server.faults.clear()
        done = await wait_until_ended(bench, job)
    assert (done.outcome, done.retry_attempt) == (Outcome.SUCCEEDED, 0)
