"""A process that dies at any write of a workflow: it ends as if nothing had happened."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import Protocol, TypeAlias

import pytest

from civitai_mock.clock import SeededIds, VirtualClock
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.workflow import WorkflowSnapshot
from civitai_mock.ports import Stores
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
from tests.support.counted_stores import CallsUnderWay, counted
from tests.support.dates import START
from tests.support.event_loop import until_quiet
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


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Is a store, None for one in memory, and how to let everything go on in it that goes on without the clock.

    `process` makes one with stores of its own that dies before or after a write of them.
    """

    stores: Stores | None
    settle: Callable[[], Awaitable[None]]
    process: Callable[[Stores, int, Moment], "Dying"]


class Dying(Protocol):
    """Is a process that is `frozen` when it has died."""

    @property
    def frozen(self) -> asyncio.Event: ...

    @property
    def stores(self) -> Stores: ...


@asynccontextmanager
async def _open_memory() -> AsyncIterator[World]:
    def process(stores: Stores, write: int, moment: Moment) -> Dying:
        return DyingStores(stores, write=write, moment=moment)

    yield World(stores=None, settle=until_quiet, process=process)


@asynccontextmanager
async def _open_mongo() -> AsyncIterator[World]:
    """Here each command is a write: some writes of the port are several."""
    mongo = pytest.importorskip("tests.support.mongo", exc_type=ImportError)
    dying_mongo = pytest.importorskip("tests.support.dying_mongo", exc_type=ImportError)
    async with mongo.mongo_address() as address, address.open() as stores, address.inside() as collections:
        calls = CallsUnderWay()

        def process(_: Stores, write: int, moment: Moment) -> Dying:
            made: Dying = dying_mongo.DyingMongo(collections, calls, write=write, moment=moment)
            return made

        yield World(stores=counted(stores, calls), settle=calls.settle, process=process)


Opening: TypeAlias = Callable[[], AbstractAsyncContextManager[World]]


@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize(
    "opening",
    [
        pytest.param(_open_memory, id="memory"),
        pytest.param(_open_mongo, id="mongo", marks=[pytest.mark.mongo, pytest.mark.long]),
    ],
)
async def test_a_workflow_whose_process_died_at_any_write_ends_as_if_nothing_had_happened(
    opening: Opening, moment: Moment
) -> None:
    for write in count(1):
        died = await _dies_and_ends_well(write, moment, opening)
        if not died:
            assert write > LEAST_WRITES
            return


async def _dies_and_ends_well(write: int, moment: Moment, opening: Opening) -> bool:
    """Return whether the process died; if it did not, the workflow has fewer writes."""
    clock, ids = VirtualClock(START), SeededIds()
    async with AsyncExitStack() as stack:
        receiver = await stack.enter_async_context(Receiver())
        world = await stack.enter_async_context(opening())
        bench = await stack.enter_async_context(open_bench(clock, ids, receiver, stores=world.stores))
        dying = world.process(bench.stores, write, moment)
        submitted = await submit(bench, STEPS, callbacks=[CALLBACK])
        async with running_until_killed(bench.scheduler(worker_id="dead", stores=dying.stores)):
            await world.settle()
            died = dying.frozen.is_set()
            async with running(bench.elsewhere().scheduler(worker_id="heir")):
                done = await _until_settled(bench, submitted, world)
        _check(bench, done, died=died)
    return died


async def _until_settled(bench: Bench, submitted: WorkflowSnapshot, world: World) -> WorkflowSnapshot:
    """Let the lease and the hold of callbacks end, and every scan come, until all is known and told."""
    for _ in range(TURNS):
        bench.clock.advance(POLL_SECONDS)
        await world.settle()
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
