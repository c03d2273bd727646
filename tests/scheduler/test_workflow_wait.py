"""Waiting for a workflow: the answer comes with its end, at the limit, or when nobody waits any more."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from civitai_mock.api.v2.description.template import read_template
from civitai_mock.domain.errors import NotFoundError
from civitai_mock.domain.workflow import WorkflowSnapshot
from tests.scheduler.conftest import Bench, running
from tests.scheduler.workflow_bench import (
    BASE_URL,
    CALLER,
    CANCEL,
    OWNER,
    cases,
    echo_step,
    image_step,
    reference,
    status,
    submit,
    with_settings,
)
from tests.support.event_loop import settle, until, until_found

CHAIN = [image_step(), echo_step(reference("$0", "output.images[0].id"))]
MINUTE = timedelta(minutes=1)


@asynccontextmanager
async def waiting(
    bench: Bench, submitted: WorkflowSnapshot, *, wait: timedelta = MINUTE
) -> AsyncIterator[asyncio.Task[WorkflowSnapshot]]:
    """Wait beside the test, as a request does; it gives up at the end."""
    given_up = asyncio.get_running_loop().create_future()
    call = cases(bench).wait(submitted.workflow.id, given_up, owner=OWNER, wait=wait)
    task = asyncio.create_task(call)
    await settle()
    try:
        yield task
    finally:
        if not given_up.done():
            given_up.set_result(None)
        await asyncio.wait([task])


async def test_the_wait_ends_with_the_workflow(bench: Bench) -> None:
    bench.provider.hold()
    async with running(bench.scheduler()):
        submitted = await submit(bench, CHAIN)
        async with waiting(bench, submitted) as answer:
            assert not answer.done()
            bench.provider.go_on()
            await until(answer.done)
    assert status(answer.result()) == "succeeded"


async def test_the_wait_ends_with_a_workflow_that_another_process_runs(bench: Bench) -> None:
    bench.provider.hold()
    async with running(bench.elsewhere().scheduler()):
        submitted = await submit(bench, CHAIN)
        await bench.pass_time(2)
        await until_found(lambda: bench.is_sent(submitted.jobs[0].id))
        async with waiting(bench, submitted) as answer:
            bench.provider.go_on()
            await settle(1000)
            assert not answer.done()
            await bench.pass_time(0.5)
            await until(answer.done)
    assert status(answer.result()) == "succeeded"


async def test_the_wait_ends_with_a_workflow_that_fails_without_a_job_in_another_process(bench: Bench) -> None:
    bench.provider.hold()
    async with running(bench.elsewhere().scheduler()):
        submitted = await submit(bench, [image_step(), echo_step(reference("$0", "output.nothing"))])
        async with waiting(bench, submitted) as answer:
            bench.provider.go_on()
            await bench.pass_time(2)
            await bench.pass_time(2)
            await until(answer.done)
    assert status(answer.result()) == "failed"


async def test_the_wait_ends_with_a_workflow_that_is_canceled(bench: Bench) -> None:
    submitted = await submit(bench, CHAIN)
    async with waiting(bench, submitted) as answer:
        await cases(bench).change.update(submitted.workflow.id, CANCEL, owner=None)
        await until(answer.done)
    assert status(answer.result()) == "canceled"


async def test_the_wait_ends_with_a_workflow_that_is_deleted(bench: Bench) -> None:
    submitted = await submit(bench, CHAIN)
    async with waiting(bench, submitted) as answer:
        await cases(bench).change.delete(submitted.workflow.id, owner=OWNER)
        await until(answer.done)
    assert status(answer.result()) == "canceled"


@pytest.mark.parametrize(("wait", "held"), [(5, 5), (95, 95), (120, 95)])
async def test_a_wait_lasts_as_long_as_was_asked_for_and_no_longer_than_the_limit(
    bench: Bench, wait: int, held: int
) -> None:
    submitted = await submit(bench, CHAIN)
    async with waiting(bench, submitted, wait=timedelta(seconds=wait)) as answer:
        await bench.pass_time(held - 0.5)
        assert not answer.done()
        await bench.pass_time(0.5)
        await until(answer.done)
    assert status(answer.result()) == "unassigned"


@pytest.mark.parametrize("seconds", [0, -1])
async def test_who_does_not_wait_is_answered_at_once(bench: Bench, seconds: int) -> None:
    submitted = await submit(bench, CHAIN)
    async with waiting(bench, submitted, wait=timedelta(seconds=seconds)) as answer:
        assert answer.done()


async def test_who_gives_up_waits_no_longer(bench: Bench) -> None:
    submitted = await submit(bench, CHAIN)
    async with waiting(bench, submitted) as answer:
        assert not answer.done()
    assert answer.done()


async def test_a_stop_ends_all_waits(bench: Bench) -> None:
    submitted = await submit(bench, CHAIN)
    async with waiting(bench, submitted) as answer:
        cases(bench).wait.stop()
        await until(answer.done)
    async with waiting(bench, submitted) as answer:
        assert answer.done()


async def test_of_too_many_who_wait_the_others_are_answered_at_once(bench: Bench) -> None:
    limited = with_settings(bench, max_waiting_requests=1)
    submitted = await submit(limited, CHAIN)
    async with waiting(limited, submitted) as first, waiting(limited, submitted) as second:
        assert (first.done(), second.done()) == (False, True)


async def test_nobody_waits_for_the_workflow_of_another(bench: Bench) -> None:
    submitted = await submit(bench, CHAIN)
    given_up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    with pytest.raises(NotFoundError):
        await cases(bench).wait(submitted.workflow.id, given_up, owner="civitai-2", wait=MINUTE)


async def test_an_ephemeral_workflow_is_seen_until_it_is_over_and_by_who_waited(bench: Bench) -> None:
    template = read_template({"steps": list(CHAIN), "ephemeral": True})
    submitted = await cases(bench).submit(template, CALLER, base_url=BASE_URL, waits=True)
    assert await cases(bench).query.by_id(submitted.workflow.id, owner=OWNER) == submitted
    async with running(bench.scheduler()), waiting(bench, submitted) as answer:
        await until(answer.done)
    assert status(answer.result()) == "succeeded"
    with pytest.raises(NotFoundError):
        await cases(bench).query.by_id(submitted.workflow.id, owner=OWNER)
