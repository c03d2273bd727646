"""Waiting prompts get room on servers by priority, then first come, first served."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import httpx
import pytest

from civitai_mock.clock import SeededIds, VirtualClock
from civitai_mock.domain.errors import JobError, NoWorkerError, TransientError
from civitai_mock.providers.comfyui.address import parse_servers
from civitai_mock.providers.comfyui.graphs.catalogue import read_catalogue
from civitai_mock.providers.comfyui.options import ComfyOptions, WorkerDependencies
from civitai_mock.providers.comfyui.workers.dispatcher import Dispatcher, Reservation
from civitai_mock.providers.comfyui.workers.placement import Placement
from civitai_mock.providers.comfyui.workers.sender import NotTakenError
from civitai_mock.providers.comfyui.workers.worker import DRAINING, Worker
from tests.support.dates import START
from tests.support.event_loop import settle, until

SERVER_WAIT = timedelta(seconds=30)
ROOM_WAIT = timedelta(minutes=5)
LOADER = "CheckpointLoaderSimple"


class DispatchBench:
    """Holds workers that are up and have room for one prompt each, unless a test says otherwise."""

    def __init__(self, *, workers: int = 1, room: int = 1) -> None:
        self.clock = VirtualClock(START)
        self.stocks: dict[str, Any] = {}
        options = ComfyOptions(max_in_flight=room, server_wait=SERVER_WAIT, room_wait=ROOM_WAIT)
        dependencies = WorkerDependencies(
            clock=self.clock, ids=SeededIds(), options=options, transport=httpx.MockTransport(self._answer)
        )
        self.dispatcher = Dispatcher(
            parse_servers(",".join(f"http://gpu{number}" for number in range(workers))), dependencies
        )
        self.workers = self.dispatcher.workers
        for worker in self.workers:
            self.stock(worker, "a.ckpt", "b.ckpt")

    def stock(self, worker: Worker, *checkpoints: str) -> None:
        self.fill(worker, *checkpoints)
        worker.health.is_up, worker.health.reason = True, ""
        worker.health.catalogue = read_catalogue(self.stocks[worker.id], ())

    def fill(self, worker: Worker, *checkpoints: str) -> None:
        """What its lists will say when they are read again."""
        self.stocks[worker.id] = {LOADER: {"input": {"required": {"ckpt_name": [list(checkpoints)]}}}}

    def reserve(self, checkpoint: str = "a.ckpt", *, priority: int = 0) -> "asyncio.Task[Reservation]":
        return asyncio.create_task(self.dispatcher.reserve(placement_for(checkpoint, priority=priority)))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=self.stocks[request.url.host] if request.url.path == "/object_info" else [])


def placement_for(checkpoint: str, *, priority: int = 0) -> Placement:
    inputs = {"ckpt_name": checkpoint}
    return Placement(graph={"4": {"class_type": LOADER, "inputs": {**inputs}}}, resources={}, priority=priority)


def done(tasks: Sequence["asyncio.Task[Reservation]"]) -> list[bool]:
    return [task.done() for task in tasks]


async def test_room_goes_to_those_who_have_waited_longest() -> None:
    bench = DispatchBench()
    tasks = [bench.reserve() for _ in range(3)]
    await settle()
    for served in range(1, 4):
        assert done(tasks) == [number < served for number in range(3)]
        bench.workers[0].release()
        await settle()


async def test_a_draining_server_gets_no_prompt_and_those_that_wait_go_elsewhere() -> None:
    bench = DispatchBench(workers=2)
    tasks = [bench.reserve() for _ in range(3)]
    await settle()
    draining, other = bench.workers
    draining.drain(is_draining=True)
    assert (draining.in_flight, draining.is_ready, draining.reason) == (1, False, DRAINING)
    draining.release()
    await settle()
    assert done(tasks) == [True, True, False]
    other.release()
    await settle()
    assert tasks[2].result().worker is other


async def test_a_server_that_is_resumed_serves_those_that_wait_for_it() -> None:
    bench = DispatchBench()
    (worker,) = bench.workers
    worker.drain(is_draining=True)
    task = bench.reserve()
    await settle()
    assert not task.done()
    worker.drain(is_draining=False)
    await settle()
    assert (task.result().worker, worker.is_ready, worker.reason) == (worker, True, "")


async def test_nobody_waits_longer_for_a_draining_server_than_for_one_that_is_away() -> None:
    bench = DispatchBench()
    bench.workers[0].drain(is_draining=True)
    task = bench.reserve()
    await settle()
    bench.clock.advance(SERVER_WAIT.total_seconds())
    with pytest.raises(NoWorkerError, match=DRAINING):
        await task


async def test_a_higher_priority_goes_before_those_who_have_waited_longer() -> None:
    bench = DispatchBench()
    holding = await bench.reserve()
    low, first, second = (bench.reserve(priority=priority) for priority in (-10, 10, 10))
    await settle()
    for served in ([False, True, False], [False, True, True], [True, True, True]):
        holding.worker.release()
        await settle()
        assert done([low, first, second]) == served


async def test_nobody_waits_for_a_worker_that_those_before_him_cannot_use() -> None:
    bench = DispatchBench(workers=2)
    bench.stock(bench.workers[1], "b.ckpt")
    first, second, third = bench.reserve("a.ckpt"), bench.reserve("a.ckpt"), bench.reserve("b.ckpt")
    await settle()
    assert done([first, second, third]) == [True, False, True]
    assert third.result().worker is bench.workers[1]
    second.cancel()


async def test_whoever_waits_hears_of_a_file_that_came_to_another_worker() -> None:
    bench = DispatchBench(workers=2)
    bench.stock(bench.workers[1], "b.ckpt")
    bench.workers[0].reserve()
    waiting = bench.reserve("a.ckpt")
    await settle()
    bench.fill(bench.workers[1], "a.ckpt", "b.ckpt")
    await bench.workers[1].health.refresh()
    await settle()
    assert waiting.done()
    assert waiting.result().worker is bench.workers[1]


async def test_whoever_waits_for_a_file_that_went_is_not_sent_to_a_worker_without_it() -> None:
    bench = DispatchBench()
    bench.workers[0].reserve()
    waiting = bench.reserve("a.ckpt")
    await settle()
    bench.fill(bench.workers[0], "b.ckpt")
    bench.workers[0].health.catalogue = read_catalogue(bench.stocks["gpu0"], ())
    bench.workers[0].release()
    await settle()
    assert not waiting.done()
    bench.dispatcher.on_availability()
    with pytest.raises(JobError, match=r"'a\.ckpt' is not in checkpoints"):
        await waiting


async def test_lists_that_say_the_same_again_change_nothing() -> None:
    """What was found out from them stays true, for every graph that waits."""
    bench = DispatchBench()
    before = bench.workers[0].health.catalogue
    await bench.workers[0].health.refresh()
    assert bench.workers[0].health.catalogue is before


async def test_the_worker_with_the_least_to_do_comes_first() -> None:
    bench = DispatchBench(workers=2, room=4)
    reservations = [await bench.reserve() for _ in range(4)]
    assert [reservation.worker for reservation in reservations] == [*bench.workers, *bench.workers]


async def test_the_worker_that_has_the_model_loaded_comes_before_one_with_less_to_do() -> None:
    bench = DispatchBench(workers=2, room=4)
    bench.workers[1].sender.loaded_models = frozenset({"a.ckpt"})
    bench.workers[1].reserve()
    assert (await bench.reserve("a.ckpt")).worker is bench.workers[1]
    assert (await bench.reserve("b.ckpt")).worker is bench.workers[0]


async def test_a_reservation_has_the_graph_in_the_names_of_its_worker() -> None:
    bench = DispatchBench()
    bench.stock(bench.workers[0], "sub\\A.ckpt")
    reservation = await bench.reserve("sub/a.ckpt")
    assert reservation.graph["4"] == {"class_type": LOADER, "inputs": {"ckpt_name": "sub\\A.ckpt"}}


async def test_whoever_stops_waiting_loses_his_place_and_keeps_nothing() -> None:
    bench = DispatchBench()
    first, second = bench.reserve(), bench.reserve()
    await settle()
    second.cancel()
    await settle()
    bench.workers[0].release()
    assert first.done()
    assert bench.workers[0].in_flight == 0


async def test_a_reservation_that_comes_too_late_goes_to_the_next() -> None:
    bench = DispatchBench()
    first, second, third = bench.reserve(), bench.reserve(), bench.reserve()
    await settle()
    assert first.done()
    bench.workers[0].release()
    second.cancel()
    await settle()
    assert done([second, third]) == [True, True]
    assert third.result().worker is bench.workers[0]


async def test_a_worker_that_comes_back_in_time_is_waited_for() -> None:
    bench = DispatchBench()
    bench.workers[0].health.is_up = False
    waiting = bench.reserve()
    await settle()
    bench.clock.advance(29)
    await settle()
    assert not waiting.done()
    bench.workers[0].health.is_up = True
    bench.dispatcher.on_availability()
    await until(waiting.done)
    assert waiting.result().worker is bench.workers[0]


async def test_a_worker_that_stays_away_is_waited_for_no_longer_than_the_server_wait() -> None:
    bench = DispatchBench()
    bench.workers[0].health.is_up, bench.workers[0].health.reason = False, "refused"
    waiting = bench.reserve()
    await settle()
    bench.clock.advance(30)
    with pytest.raises(NoWorkerError, match=r"\(gpu0: refused\)"):
        await waiting


async def test_a_graph_that_one_worker_failed_to_take_was_not_put_off_for_nothing() -> None:
    bench = DispatchBench(workers=2)
    placement = placement_for("a.ckpt")
    placement.errors["gpu0"] = NotTakenError("full disk")
    bench.workers[1].health.is_up = False
    waiting = asyncio.create_task(bench.dispatcher.reserve(placement))
    await settle()
    bench.clock.advance(30)
    with pytest.raises(TransientError) as caught:
        await waiting
    assert not isinstance(caught.value, NoWorkerError)


@pytest.mark.parametrize(("stock", "error"), [(["b.ckpt"], TransientError), (["a.ckpt"], NoWorkerError)])
async def test_a_server_that_was_never_reached_is_not_waited_for_for_ever(
    stock: list[str], error: type[TransientError]
) -> None:
    """It may lack the file as well as those that are known; where it is known to have it, nothing was begun."""
    bench = DispatchBench(workers=2)
    bench.stock(bench.workers[0], "c.ckpt")
    bench.stock(bench.workers[1], *stock)
    bench.workers[1].health.is_up = False
    if stock == ["b.ckpt"]:
        bench.workers[1].health.catalogue = None
    waiting = bench.reserve("a.ckpt")
    await settle()
    bench.clock.advance(30)
    with pytest.raises(error) as caught:
        await waiting
    assert type(caught.value) is error
    assert ("'a.ckpt' is not in checkpoints" in caught.value.message) == (error is TransientError)


async def test_room_is_waited_for_no_longer_than_the_room_wait() -> None:
    bench = DispatchBench()
    bench.workers[0].reserve()
    waiting = bench.reserve()
    await settle()
    bench.clock.advance(ROOM_WAIT.total_seconds() - 1)
    await settle()
    assert not waiting.done()
    bench.clock.advance(1)
    with pytest.raises(NoWorkerError, match="room"):
        await waiting


async def test_the_server_wait_starts_anew_when_a_worker_was_there_in_between() -> None:
    bench = DispatchBench()
    (worker,) = bench.workers
    worker.reserve()
    waiting = bench.reserve()
    for _ in range(3):
        worker.health.is_up = False
        bench.dispatcher.on_availability()
        await settle()
        bench.clock.advance(29)
        await settle()
        worker.health.is_up, worker.health.reason = True, ""
        bench.dispatcher.on_availability()
        await settle()
    assert not waiting.done()
    worker.release()
    await until(waiting.done)


async def test_of_several_workers_that_lack_files_the_error_is_about_the_best() -> None:
    bench = DispatchBench(workers=2)
    bench.stocks["gpu0"] = {}
    bench.workers[0].health.catalogue = read_catalogue({}, ())
    with pytest.raises(JobError) as caught:
        await bench.reserve("ab.ckpt")
    assert caught.value.message == (
        "No ComfyUI server can run this graph: 'ab.ckpt' is not in checkpoints (nearest: b.ckpt, a.ckpt)."
    )


async def test_a_node_that_nobody_has_is_reported_with_what_it_is_for() -> None:
    bench = DispatchBench()
    node: Any = {"class_type": "PiDiNetPreprocessor", "inputs": {}, "_meta": {"title": "preprocessor SoftedgePidinet"}}
    with pytest.raises(JobError) as caught:
        await bench.dispatcher.reserve(Placement(graph={"1": node}, resources={}))
    assert "it has no node 'PiDiNetPreprocessor' (preprocessor SoftedgePidinet)" in caught.value.message


async def test_a_prompt_that_failed_everywhere_ends_with_the_last_reason() -> None:
    bench = DispatchBench()
    placement = placement_for("a.ckpt")
    placement.errors["gpu0"] = NotTakenError("full disk")
    with pytest.raises(NotTakenError, match="full disk"):
        await bench.dispatcher.reserve(placement)


@pytest.mark.parametrize("has_to_wait", [False, True])
async def test_a_placement_says_whether_it_has_waited(has_to_wait: bool) -> None:
    bench = DispatchBench()
    placement = placement_for("a.ckpt")
    if has_to_wait:
        bench.workers[0].reserve()
    reserving = asyncio.create_task(bench.dispatcher.reserve(placement))
    await settle()
    if has_to_wait:
        bench.workers[0].release()
    await reserving
    assert placement.has_waited is has_to_wait
