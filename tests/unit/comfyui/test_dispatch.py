"""Who may use which server next."""

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
from civitai_mock.providers.comfyui.options import ComfyOptions
from civitai_mock.providers.comfyui.workers.dispatch import Dispatch, Offer
from civitai_mock.providers.comfyui.workers.search import Search
from civitai_mock.providers.comfyui.workers.worker import NotTakenError, Worker, WorkerDependencies
from tests.support.dates import START
from tests.support.event_loop import settle, until

PATIENCE = timedelta(seconds=30)
TURN = timedelta(minutes=5)
LOADER = "CheckpointLoaderSimple"


class Shop:
    """Some workers that are there and have room for one prompt each, unless a test says otherwise."""

    def __init__(self, *, workers: int = 1, room: int = 1) -> None:
        self.clock = VirtualClock(START)
        self.stocks: dict[str, Any] = {}
        options = ComfyOptions(max_in_flight=room, server_wait=PATIENCE, room_wait=TURN)
        world = WorkerDependencies(
            clock=self.clock, ids=SeededIds(), options=options, transport=httpx.MockTransport(self._answer)
        )
        self.dispatch = Dispatch(parse_servers(",".join(f"http://gpu{number}" for number in range(workers))), world)
        self.workers = self.dispatch.workers
        for worker in self.workers:
            self.stock(worker, "a.ckpt", "b.ckpt")

    def stock(self, worker: Worker, *checkpoints: str) -> None:
        self.fill(worker, *checkpoints)
        worker.health.is_up = True
        worker.health.catalogue = read_catalogue(self.stocks[worker.id], ())

    def fill(self, worker: Worker, *checkpoints: str) -> None:
        """What its lists will say when they are read again."""
        self.stocks[worker.id] = {LOADER: {"input": {"required": {"ckpt_name": [list(checkpoints)]}}}}

    def ask(self, checkpoint: str = "a.ckpt", *, priority: int = 0) -> "asyncio.Task[Offer]":
        return asyncio.create_task(self.dispatch.offer(search_for(checkpoint, priority=priority)))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=self.stocks[request.url.host] if request.url.path == "/object_info" else [])


def search_for(checkpoint: str, *, priority: int = 0) -> Search:
    inputs = {"ckpt_name": checkpoint}
    return Search(graph={"4": {"class_type": LOADER, "inputs": {**inputs}}}, resources={}, priority=priority)


def done(tasks: Sequence["asyncio.Task[Offer]"]) -> list[bool]:
    return [task.done() for task in tasks]


async def test_room_goes_to_those_who_have_waited_longest() -> None:
    shop = Shop()
    tasks = [shop.ask() for _ in range(3)]
    await settle()
    for served in range(1, 4):
        assert done(tasks) == [number < served for number in range(3)]
        shop.workers[0].release()
        await settle()


async def test_a_higher_priority_goes_before_those_who_have_waited_longer() -> None:
    shop = Shop()
    holding = await shop.ask()
    low, first, second = (shop.ask(priority=priority) for priority in (-10, 10, 10))
    await settle()
    for served in ([False, True, False], [False, True, True], [True, True, True]):
        holding.worker.release()
        await settle()
        assert done([low, first, second]) == served


async def test_nobody_waits_for_a_worker_that_those_before_him_cannot_use() -> None:
    shop = Shop(workers=2)
    shop.stock(shop.workers[1], "b.ckpt")
    first, second, third = shop.ask("a.ckpt"), shop.ask("a.ckpt"), shop.ask("b.ckpt")
    await settle()
    assert done([first, second, third]) == [True, False, True]
    assert third.result().worker is shop.workers[1]
    second.cancel()


async def test_whoever_waits_hears_of_a_file_that_came_to_another_worker() -> None:
    shop = Shop(workers=2)
    shop.stock(shop.workers[1], "b.ckpt")
    shop.workers[0].reserve()
    waiting = shop.ask("a.ckpt")
    await settle()
    shop.fill(shop.workers[1], "a.ckpt", "b.ckpt")
    await shop.workers[1].health.refresh()
    await settle()
    assert waiting.done()
    assert waiting.result().worker is shop.workers[1]


async def test_whoever_waits_for_a_file_that_went_is_not_sent_to_a_worker_without_it() -> None:
    shop = Shop()
    shop.workers[0].reserve()
    waiting = shop.ask("a.ckpt")
    await settle()
    shop.fill(shop.workers[0], "b.ckpt")
    shop.workers[0].health.catalogue = read_catalogue(shop.stocks["gpu0"], ())
    shop.workers[0].release()
    await settle()
    assert not waiting.done()
    shop.dispatch.turned()
    with pytest.raises(JobError, match=r"'a\.ckpt' is not in checkpoints"):
        await waiting


async def test_lists_that_say_the_same_again_change_nothing() -> None:
    """What was found out from them stays true, for every graph that waits."""
    shop = Shop()
    before = shop.workers[0].health.catalogue
    await shop.workers[0].health.refresh()
    assert shop.workers[0].health.catalogue is before


async def test_the_worker_with_the_least_to_do_comes_first() -> None:
    shop = Shop(workers=2, room=4)
    offers = [await shop.ask() for _ in range(4)]
    assert [offer.worker for offer in offers] == [*shop.workers, *shop.workers]


async def test_the_worker_that_has_the_model_loaded_comes_before_one_with_less_to_do() -> None:
    shop = Shop(workers=2, room=4)
    shop.workers[1].loaded = frozenset({"a.ckpt"})
    shop.workers[1].reserve()
    assert (await shop.ask("a.ckpt")).worker is shop.workers[1]
    assert (await shop.ask("b.ckpt")).worker is shop.workers[0]


async def test_an_offer_has_the_graph_in_the_names_of_its_worker() -> None:
    shop = Shop()
    shop.stock(shop.workers[0], "sub\\A.ckpt")
    offer = await shop.ask("sub/a.ckpt")
    assert offer.graph["4"] == {"class_type": LOADER, "inputs": {"ckpt_name": "sub\\A.ckpt"}}


async def test_whoever_stops_waiting_loses_his_place_and_keeps_nothing() -> None:
    shop = Shop()
    first, second = shop.ask(), shop.ask()
    await settle()
    second.cancel()
    await settle()
    shop.workers[0].release()
    assert first.done()
    assert shop.workers[0].in_flight == 0


async def test_an_offer_that_comes_too_late_goes_to_the_next() -> None:
    shop = Shop()
    first, second, third = shop.ask(), shop.ask(), shop.ask()
    await settle()
    assert first.done()
    shop.workers[0].release()
    second.cancel()
    await settle()
    assert done([second, third]) == [True, True]
    assert third.result().worker is shop.workers[0]


async def test_a_worker_that_comes_back_in_time_is_waited_for() -> None:
    shop = Shop()
    shop.workers[0].health.is_up = False
    waiting = shop.ask()
    await settle()
    shop.clock.advance(29)
    await settle()
    assert not waiting.done()
    shop.workers[0].health.is_up = True
    shop.dispatch.turned()
    await until(waiting.done)
    assert waiting.result().worker is shop.workers[0]


async def test_a_worker_that_stays_away_is_waited_for_no_longer_than_patience_lasts() -> None:
    shop = Shop()
    shop.workers[0].health.is_up, shop.workers[0].health.reason = False, "refused"
    waiting = shop.ask()
    await settle()
    shop.clock.advance(30)
    with pytest.raises(NoWorkerError, match=r"\(gpu0: refused\)"):
        await waiting


async def test_a_graph_that_one_worker_failed_to_take_was_not_put_off_for_nothing() -> None:
    shop = Shop(workers=2)
    search = search_for("a.ckpt")
    search.failed["gpu0"] = NotTakenError("full disk")
    shop.workers[1].health.is_up = False
    waiting = asyncio.create_task(shop.dispatch.offer(search))
    await settle()
    shop.clock.advance(30)
    with pytest.raises(TransientError) as caught:
        await waiting
    assert not isinstance(caught.value, NoWorkerError)


@pytest.mark.parametrize(("stock", "error"), [(["b.ckpt"], TransientError), (["a.ckpt"], NoWorkerError)])
async def test_a_server_that_was_never_reached_is_not_waited_for_for_ever(
    stock: list[str], error: type[TransientError]
) -> None:
    """It may lack the file as well as those that are known; where it is known to have it, nothing was begun."""
    shop = Shop(workers=2)
    shop.stock(shop.workers[0], "c.ckpt")
    shop.stock(shop.workers[1], *stock)
    shop.workers[1].health.is_up = False
    if stock == ["b.ckpt"]:
        shop.workers[1].health.catalogue = None
    waiting = shop.ask("a.ckpt")
    await settle()
    shop.clock.advance(30)
    with pytest.raises(error) as caught:
        await waiting
    assert type(caught.value) is error
    assert ("'a.ckpt' is not in checkpoints" in caught.value.message) == (error is TransientError)


async def test_room_is_waited_for_no_longer_than_a_turn_may_last() -> None:
    shop = Shop()
    shop.workers[0].reserve()
    waiting = shop.ask()
    await settle()
    shop.clock.advance(TURN.total_seconds() - 1)
    await settle()
    assert not waiting.done()
    shop.clock.advance(1)
    with pytest.raises(NoWorkerError, match="room"):
        await waiting


async def test_patience_starts_anew_when_a_worker_was_there_in_between() -> None:
    shop = Shop()
    (worker,) = shop.workers
    worker.reserve()
    waiting = shop.ask()
    for _ in range(3):
        worker.health.is_up = False
        shop.dispatch.turned()
        await settle()
        shop.clock.advance(29)
        await settle()
        worker.health.is_up = True
        shop.dispatch.turned()
        await settle()
    assert not waiting.done()
    worker.release()
    await until(waiting.done)


async def test_of_several_workers_that_lack_files_the_account_is_that_of_the_best() -> None:
    shop = Shop(workers=2)
    shop.stocks["gpu0"] = {}
    shop.workers[0].health.catalogue = read_catalogue({}, ())
    with pytest.raises(JobError) as caught:
        await shop.ask("ab.ckpt")
    assert caught.value.message == (
        "No ComfyUI server can run this graph: 'ab.ckpt' is not in checkpoints (nearest: b.ckpt, a.ckpt)."
    )


async def test_a_node_that_nobody_has_is_told_with_what_it_is_for() -> None:
    shop = Shop()
    node: Any = {"class_type": "PiDiNetPreprocessor", "inputs": {}, "_meta": {"title": "preprocessor SoftedgePidinet"}}
    with pytest.raises(JobError) as caught:
        await shop.dispatch.offer(Search(graph={"1": node}, resources={}))
    assert "it has no node 'PiDiNetPreprocessor' (preprocessor SoftedgePidinet)" in caught.value.message


async def test_a_search_that_failed_everywhere_ends_with_the_last_reason() -> None:
    shop = Shop()
    search = search_for("a.ckpt")
    search.failed["gpu0"] = NotTakenError("full disk")
    with pytest.raises(NotTakenError, match="full disk"):
        await shop.dispatch.offer(search)


@pytest.mark.parametrize("has_to_wait", [False, True])
async def test_a_search_tells_whether_time_has_passed(has_to_wait: bool) -> None:
    shop = Shop()
    search = search_for("a.ckpt")
    if has_to_wait:
        shop.workers[0].reserve()
    offering = asyncio.create_task(shop.dispatch.offer(search))
    await settle()
    if has_to_wait:
        shop.workers[0].release()
    await offering
    assert search.waited is has_to_wait
