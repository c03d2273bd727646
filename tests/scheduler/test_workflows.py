"""Workflows from their submission to their end, on a scheduler."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from civitai_mock.domain.air import Air
from civitai_mock.domain.errors import JobError
from civitai_mock.domain.money import Account
from civitai_mock.domain.workflow import Workflow, WorkflowSnapshot
from civitai_mock.services.submit_checks import MissingResources
from civitai_mock.services.workflows.late_inputs import children_of
from tests.scheduler.conftest import Bench, running
from tests.scheduler.workflow_bench import (
    CANCEL,
    IMAGE,
    OWNER,
    cases,
    debits,
    echo_step,
    fail,
    image_step,
    look,
    output,
    reference,
    repeat_step,
    status,
    step_statuses,
    submit,
    until_over,
    with_settings,
)
from tests.support.event_loop import settle, until_found

UNKNOWN = "urn:air:sdxl:checkpoint:civitai:1@2"
SUCCEEDED, FAILED, CANCELED, UNASSIGNED = "succeeded", "failed", "canceled", "unassigned"


async def test_a_workflow_succeeds_with_its_only_job(bench: Bench) -> None:
    async with running(bench.scheduler()):
        done = await until_over(bench, await submit(bench, [image_step()]))
    assert status(done) == SUCCEEDED
    (job,) = done.jobs
    (slot,) = job.slots
    assert slot.available
    assert slot.facts is not None
    assert (slot.facts.workflow_id, slot.facts.job_id, slot.facts.nsfw_level) == (done.workflow.id, job.id, "pg")
    assert done.workflow.memo is not None
    assert done.workflow.memo.nsfw_level == "pg"
    assert done.workflow.keep_until == done.workflow.memo.completed_at + timedelta(days=30)


async def test_a_step_makes_a_job_for_each_image(bench: Bench) -> None:
    steps = [image_step(input={**IMAGE, "quantity": 3, "batchSize": 2, "seed": 7})]
    submitted = await submit(bench, steps)
    assert [len(job.slots) for job in submitted.jobs] == [2, 2, 2]
    assert [job.slots[0].seed for job in submitted.jobs] == [7, 9, 11]


async def test_a_step_gets_what_its_source_answered(bench: Bench) -> None:
    steps = [echo_step("hello", name="first"), echo_step(reference("first", "output.message"))]
    async with running(bench.scheduler()):
        submitted = await submit(bench, steps)
        assert step_statuses(submitted) == [UNASSIGNED, UNASSIGNED]
        done = await until_over(bench, submitted)
    assert done.workflow.steps[1].input == {"message": "hello"}
    assert output(bench, done, 1) == {"message": "hello"}


async def test_a_step_waits_for_all_of_its_sources(bench: Bench) -> None:
    texts = {
        "prompt": reference("$0", "output.message"),
        "negativePrompt": reference("slow", "output.images[0].url"),
    }
    both = image_step(input={**IMAGE, **texts})
    bench.provider.hold()
    async with running(bench.scheduler()):
        submitted = await submit(bench, [echo_step("quick"), image_step(name="slow"), both])
        await until_found(lambda: _has_statuses(bench, submitted, [SUCCEEDED, "processing", UNASSIGNED]))
        bench.provider.go_on()
        done = await until_over(bench, submitted)
    assert step_statuses(done) == [SUCCEEDED] * 3


@pytest.mark.parametrize("path", ["output.nothing", "output.message.deeper", "output.list[3]"])
async def test_a_step_whose_path_is_empty_fails_and_those_that_need_it_are_canceled(bench: Bench, path: str) -> None:
    steps = [
        echo_step("hello"),
        echo_step(reference("$0", path)),
        echo_step(reference("$1", "output.message")),
    ]
    async with running(bench.scheduler()):
        done = await until_over(bench, await submit(bench, steps))
    assert step_statuses(done) == [SUCCEEDED, FAILED, CANCELED]
    assert status(done) == FAILED
    failure = done.workflow.steps[1].failure
    assert failure is not None
    assert path in failure.reason


async def test_a_late_value_that_the_input_does_not_take_lets_the_step_fail(bench: Bench) -> None:
    wide = image_step(input={**IMAGE, "width": reference("$0", "output.message")})
    async with running(bench.scheduler()):
        done = await until_over(bench, await submit(bench, [echo_step("wide"), wide]))
    assert step_statuses(done) == [SUCCEEDED, FAILED]
    failure = done.workflow.steps[1].failure
    assert failure is not None
    assert "steps[1].input.width" in failure.reason


async def test_what_failed_is_paid_back(bench: Bench) -> None:
    bench.provider.on_collect = _no_memory
    async with running(bench.scheduler()):
        submitted = await submit(bench, [echo_step("kept"), image_step()])
        assert debits(submitted) == [("debit", 8, "blue")]
        done = await until_over(bench, submitted)
    assert debits(done) == [("debit", 8, "blue"), ("credit", 8, "blue")]


async def test_a_failed_job_is_made_again_as_often_as_its_step_says(bench: Bench) -> None:
    submitted = await submit(bench, [image_step(retries=1)])
    async with running(bench.scheduler()):
        bench.provider.on_collect = _no_memory
        done = await until_over(bench, submitted)
    assert status(done) == FAILED
    assert [(job.workflow.index, job.workflow.attempt) for job in done.jobs if job.workflow] == [(0, 0), (0, 1)]
    assert list(done.workflow.steps[0].jobs) == [job.id for job in done.jobs]


async def test_a_job_that_succeeds_at_the_second_attempt_makes_its_workflow_succeed(bench: Bench) -> None:
    submitted = await submit(bench, [image_step(retries=3)])
    await fail(bench, submitted.jobs[0])
    async with running(bench.scheduler()):
        done = await until_over(bench, submitted)
    assert status(done) == SUCCEEDED
    assert [job.outcome for job in done.jobs] == ["FAILED", "SUCCEEDED"]


async def test_a_step_that_takes_longer_than_its_timeout_fails(bench: Bench) -> None:
    bench.provider.hold()
    async with running(bench.scheduler()):
        submitted = await submit(bench, [image_step(timeout="00:01:00")])
        await until_found(lambda: bench.is_sent(submitted.jobs[0].id))
        await bench.pass_time(59)
        assert status(await look(bench, submitted)) == "processing"
        await bench.pass_time(1)
        done = await until_over(bench, submitted)
    assert status(done) == FAILED
    assert str(done.jobs[0].last_event.context["reason"]).startswith("timeout")
    assert debits(done)[-1] == ("credit", 8, "blue")


async def test_a_job_that_nobody_runs_expires(bench: Bench) -> None:
    submitted = await submit(bench, [image_step()])
    bench.clock.advance(timedelta(hours=bench.runtime.settings.job_lifetime_hours).total_seconds())
    async with running(bench.scheduler(max_in_flight=0)):
        done = await until_over(bench, submitted)
    assert status(done) == "expired"


@pytest.mark.parametrize(("word", "priority"), [("low", -10), ("normal", 0), ("high", 10)])
async def test_the_priority_of_a_step_is_that_of_its_jobs(bench: Bench, word: str, priority: int) -> None:
    submitted = await submit(bench, [image_step(priority=word)])
    assert [job.priority for job in submitted.jobs] == [priority]


async def test_a_canceled_workflow_ends_its_jobs_and_steps_and_is_paid_back(bench: Bench) -> None:
    bench.provider.hold()
    async with running(bench.scheduler()):
        submitted = await submit(bench, [echo_step("done"), image_step(), echo_step(reference("$1", "output.x"))])
        await until_found(lambda: _has_statuses(bench, submitted, [SUCCEEDED, "processing", UNASSIGNED]))
        await cases(bench).change.update(submitted.workflow.id, CANCEL, owner=None)
        done = await look(bench, submitted)
        assert done.workflow.memo is not None
        await settle()
        assert bench.provider.cancelled == bench.provider.sent
    assert (status(done), step_statuses(done)) == (CANCELED, [SUCCEEDED, CANCELED, CANCELED])
    assert debits(done) == [("debit", 8, "blue"), ("credit", 8, "blue")]


async def test_a_workflow_that_is_over_is_not_canceled(bench: Bench) -> None:
    async with running(bench.scheduler()):
        done = await until_over(bench, await submit(bench, [image_step()]))
    await cases(bench).change.update(done.workflow.id, CANCEL, owner=None)
    assert await look(bench, done) == done


async def test_jobs_that_a_crash_has_lost_are_made(bench: Bench) -> None:
    """On MongoDB a process may die between the write of a workflow and that of its jobs."""
    lost = await _lose_jobs(bench, await submit(bench, [image_step(), image_step()]))
    async with running(bench.scheduler()):
        done = await until_over(bench, lost)
    assert step_statuses(done) == [SUCCEEDED, SUCCEEDED]
    assert [job.id for job in done.jobs] == [step.jobs[0] for step in lost.workflow.steps]


@pytest.mark.parametrize("retries", [0, 1])
async def test_a_job_that_can_be_made_no_more_lets_its_step_fail(bench: Bench, retries: int) -> None:
    """Its resource was deleted, and is not made up again: without retries the job was lost, with one it has failed."""
    strict = with_settings(bench, workflow_missing_resources=MissingResources.STRICT)
    submitted = await submit(bench, [image_step(input={**IMAGE, "model": UNKNOWN}, retries=retries)])
    assert await bench.stores.resources.delete(Air.parse(UNKNOWN))
    if retries:
        await fail(bench, submitted.jobs[0])
    else:
        submitted = await _lose_jobs(bench, submitted)
    async with running(strict.scheduler()):
        done = await until_over(strict, submitted)
    assert status(done) == FAILED
    failure = done.workflow.steps[0].failure
    assert failure is not None
    assert UNKNOWN in failure.reason


async def test_repeat_makes_a_step_for_each_of_many_elements(bench: Bench) -> None:
    first = echo_step("x")
    repeat = repeat_step("$arguments", "items", echo_step(reference("$0", "output.message")))
    async with running(bench.scheduler()):
        done = await until_over(bench, await submit(bench, [first, repeat], arguments={"items": [*range(250)]}))
    assert status(done) == SUCCEEDED
    assert len(done.jobs) == 251


async def test_repeat_makes_a_step_for_each_element(bench: Bench) -> None:
    repeat = repeat_step("$arguments", "items", echo_step(reference("item", "name"), metadata={"a": 1}))
    async with running(bench.scheduler()):
        submitted = await submit(bench, [repeat], arguments={"items": [{"name": "one"}, {"name": "two"}]})
        done = await until_over(bench, submitted)
    children = children_of(done.workflow, 0)
    assert [done.workflow.steps[child].input for child in children] == [{"message": "one"}, {"message": "two"}]
    assert [done.workflow.steps[child].metadata for child in children] == [{"a": 1}] * 2
    assert status(done) == SUCCEEDED


async def test_repeat_spawns_while_the_workflow_runs_and_its_steps_are_paid_for_then(bench: Bench) -> None:
    first = image_step(name="first", input={**IMAGE, "quantity": 2})
    template = image_step(input={**IMAGE, "prompt": reference("item", "url")})
    repeat = repeat_step("first", "output.images", template)
    last = echo_step(reference("$1", "output.steps[1].output.images[0].id"))
    async with running(bench.scheduler()):
        submitted = await submit(bench, [first, repeat, last])
        assert debits(submitted) == [("debit", 16, "blue")]
        done = await until_over(bench, submitted)
    assert step_statuses(done) == [SUCCEEDED] * 5
    assert debits(done) == [("debit", 16, "blue"), ("debit", 16, "blue")]
    (image,) = done.jobs[-1].slots
    assert output(bench, done, 2) == {"message": image.blob_key}


async def test_a_repeat_that_cannot_be_paid_for_fails(bench: Bench) -> None:
    short = with_settings(bench, buzz_balance="20")
    repeat = repeat_step("$0", "output.images", image_step())
    first = image_step(input={**IMAGE, "quantity": 2})
    async with running(short.scheduler()):
        done = await until_over(short, await submit(short, [first, repeat]))
    assert step_statuses(done) == [SUCCEEDED, FAILED]
    assert debits(done) == [("debit", 16, "blue")]


@pytest.mark.parametrize("path", ["output.message", "output.nothing"])
async def test_a_repeat_over_what_is_no_array_fails(bench: Bench, path: str) -> None:
    repeat = repeat_step("$0", path, echo_step("x"))
    async with running(bench.scheduler()):
        done = await until_over(bench, await submit(bench, [echo_step("text"), repeat]))
    assert step_statuses(done) == [SUCCEEDED, FAILED]


async def test_many_workflows_advance_beside_each_other_each_once(bench: Bench) -> None:
    async with running(bench.scheduler()), running(bench.elsewhere().scheduler(worker_id="other")):
        steps = [echo_step("a"), echo_step(reference("$0", "output.message")), image_step()]
        submitted = [await submit(bench, steps) for _ in range(40)]
        done = [await until_over(bench, workflow) for workflow in submitted]
    assert {status(workflow) for workflow in done} == {SUCCEEDED}
    assert {len(workflow.jobs) for workflow in done} == {3}
    spent = await bench.stores.workflows.spent(OWNER)
    assert spent.by_account[Account.BLUE] == 40 * 8


async def test_a_scan_goes_through_all_that_a_dead_process_has_left(bench: Bench) -> None:
    """It had noted that they were to be canceled, and not got to their jobs."""
    left = [await submit(bench, [image_step()]) for _ in range(250)]
    for snapshot in left:
        canceled = snapshot.workflow.canceled(at=bench.clock.now())
        assert await bench.stores.workflows.replace(snapshot.workflow, canceled)
    async with running(bench.scheduler(max_in_flight=0)):
        done = [await until_over(bench, snapshot) for snapshot in left]
    assert {status(snapshot) for snapshot in done} == {CANCELED}


async def _lose_jobs(bench: Bench, submitted: WorkflowSnapshot) -> WorkflowSnapshot:
    """Store a workflow like one that was submitted, without its jobs."""
    lost = replace(submitted.workflow, id=submitted.workflow.id + "0")
    lost = replace(lost, steps=tuple(replace(step, jobs=(), ready_at=None) for step in lost.steps))
    for index, step in enumerate(lost.steps):
        lost = lost.step_made_ready(index, step.input, jobs=1, at=bench.clock.now())
    return WorkflowSnapshot(workflow=await bench.stores.workflows.add(lost, ()), jobs=())


async def _has_statuses(bench: Bench, submitted: WorkflowSnapshot, expected: list[str]) -> bool:
    return step_statuses(await look(bench, submitted)) == expected


def _no_memory(_: str) -> None:
    raise JobError("The GPU is out of memory.")


def _without_steps(workflow: Workflow) -> Workflow:
    return replace(workflow, id="1-20260101000000000", steps=())


def _with_a_job_of_nobody(workflow: Workflow) -> Workflow:
    (step,) = workflow.steps
    return replace(workflow, id="1-20260101000000001", steps=(replace(step, jobs=("of no place",)),))


@pytest.mark.parametrize("damage", [_without_steps, _with_a_job_of_nobody])
async def test_a_damaged_workflow_holds_nothing_up(bench: Bench, damage: Callable[[Workflow], Workflow]) -> None:
    """A store may have been written by others; what cannot go on is said, and all else does."""
    submitted = await submit(bench, [echo_step("hi")])
    damaged = damage(submitted.workflow)
    await bench.stores.workflows.add(damaged, [])
    with capture_logs() as logs:
        left = await cases(bench).advance(damaged.id)
        async with running(bench.scheduler()):
            assert status(await until_over(bench, submitted)) == SUCCEEDED
    assert left is not None
    assert left.workflow.memo is None
    said = [line["event"] for line in logs if line["log_level"] == "error"]
    assert set(said) == ({"workflow cannot go on"} if damage is _without_steps else set())
