"""A process that dies at any write of a workflow: it ends as if nothing had happened."""

import json
from collections.abc import Sequence
from contextlib import AsyncExitStack
from itertools import count

import pytest

from civitai_mock.clock import SeededIds, VirtualClock
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.workflow import WorkflowSnapshot
from tests.scheduler.conftest import POLL_SECONDS, Bench, open_bench, running, running_until_killed
from tests.scheduler.workflow_bench import (
    debits,
    echo_step,
    image_step,
    look,
    output,
    reference,
    status,
    step_statuses,
    submit,
)
from tests.support.dates import START
from tests.support.event_loop import settle
from tests.support.freezing_stores import DyingStores, Moment
from tests.support.receiver import URL, Receiver

STEPS = [
    image_step(name="image"),
    echo_step(reference("image", "output.images[0].id"), name="middle"),
    echo_step(reference("middle", "output.message"), name="end"),
]
CALLBACK: JsonObject = {"url": URL, "type": ["workflow:*", "step:succeeded"]}
ANNOUNCED = [
    "workflow unassigned",
    "workflow processing",
    "step succeeded",
    "step succeeded",
    "step succeeded",
    "workflow succeeded",
]
LEAST_WRITES = 15  # of a workflow of three steps; else this test looks at something else
TURNS = 60  # of some seconds each, in which all that was left is found


@pytest.mark.parametrize("moment", Moment)
async def test_a_workflow_whose_process_died_at_any_write_ends_as_if_nothing_had_happened(moment: Moment) -> None:
    for write in count(1):
        died = await _dies_and_ends_well(write, moment)
        if not died:
            assert write > LEAST_WRITES
            return


async def _dies_and_ends_well(write: int, moment: Moment) -> bool:
    """Return whether the process died; if it did not, the workflow has fewer writes."""
    clock, ids = VirtualClock(START), SeededIds()
    async with AsyncExitStack() as stack:
        receiver = await stack.enter_async_context(Receiver())
        bench = await stack.enter_async_context(open_bench(clock, ids, receiver))
        dying = DyingStores(bench.stores, write=write, moment=moment)
        submitted = await submit(bench, STEPS, callbacks=[CALLBACK])
        async with running_until_killed(bench.scheduler(worker_id="dead", stores=dying.stores)):
            await settle(1000)
            died = dying.frozen.is_set()
            async with running(bench.elsewhere().scheduler(worker_id="heir")):
                done = await _until_settled(bench, submitted)
        _check(bench, done, died=died)
    return died


async def _until_settled(bench: Bench, submitted: WorkflowSnapshot) -> WorkflowSnapshot:
    """Let the lease and the hold of callbacks end, and every scan come, until all is known and told."""
    for _ in range(TURNS):
        await bench.pass_time(POLL_SECONDS)
        done = await look(bench, submitted)
        if done.workflow.memo is not None and not await bench.stores.jobs.has_open_workflows():
            break
    return await look(bench, submitted)


def _check(bench: Bench, done: WorkflowSnapshot, *, died: bool) -> None:
    assert (status(done), step_statuses(done)) == ("succeeded", ["succeeded"] * 3)
    assert len(done.jobs) == 3
    assert debits(done) == [("debit", 8, "blue")]
    key = done.jobs[0].slots[0].blob_key
    assert [output(bench, done, step) for step in (1, 2)] == [{"message": key}] * 2
    told = _told(bench)
    assert list(dict.fromkeys(told)) == list(enumerate(ANNOUNCED))
    assert died or len(told) == len(ANNOUNCED)


def _told(bench: Bench) -> Sequence[tuple[int, str]]:
    """Return what the receiver heard, with its number among the events of the workflow."""
    bodies = [json.loads(request.content) for request in bench.receiver.requests]
    seqs = [int(request.headers["Idempotency-Key"].rpartition("/")[2]) for request in bench.receiver.requests]
    return [(seq, f"{body['$type']} {body['status']}") for seq, body in zip(seqs, bodies, strict=True)]
