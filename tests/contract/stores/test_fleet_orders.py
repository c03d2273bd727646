"""Orders to a fleet reach whoever moves its pods, in any process on one store, and each is carried out once."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from civitai_mock.clock import SystemClock
from civitai_mock.domain.errors import ConflictError, MockError, NamespaceResetError, NotFoundError, TransientError
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.ports import NamespaceStore
from civitai_mock.services.fleet import orders as module
from civitai_mock.services.fleet.orders import FleetOrder, FleetOrders, OrderKind

PREEMPT = FleetOrder(kind=OrderKind.PREEMPT, pod_id="spot-1", warning_seconds=0.0)
BOOT = FleetOrder(kind=OrderKind.BOOT, provider="spot")


class Asked:
    """Is a process that gives orders, beside one that carries them out."""

    def __init__(self, namespaces: NamespaceStore, epoch: Epoch | None = None) -> None:
        self.store = namespaces
        self.epoch = epoch or Epoch()
        self.leader = self.process(lambda: None)

    def process(self, wake: Callable[[], None], *, epoch: Epoch | None = None) -> FleetOrders:
        return FleetOrders(store=self.store, epoch=epoch or self.epoch, clock=SystemClock(), wake=wake)

    async def give(self, order: FleetOrder) -> asyncio.Task[str]:
        """Give an order, and return once it is there to be carried out."""
        woken = asyncio.Event()
        giving = asyncio.create_task(self.process(woken.set).give(order))
        await woken.wait()
        return giving


@pytest.fixture
def asked(namespaces: NamespaceStore) -> Asked:
    return Asked(namespaces)


@pytest.mark.parametrize("order", [PREEMPT, BOOT, FleetOrder(kind=OrderKind.SHUTDOWN, pod_id="a/b")])
async def test_an_order_is_carried_out_once_and_answered(asked: Asked, order: FleetOrder) -> None:
    giving = await asked.give(order)
    (given,) = await asked.leader.waiting()
    assert given.order == order
    await asked.leader.answer(given, "spot-7")
    assert list(await asked.leader.waiting()) == []
    assert await giving == "spot-7"
    assert await asked.store.posted("fleet-") == {}


@pytest.mark.parametrize("error", [ConflictError("It is gone already."), NotFoundError("There is none.")])
async def test_what_is_refused_is_told(asked: Asked, error: MockError) -> None:
    giving = await asked.give(PREEMPT)
    (given,) = await asked.leader.waiting()
    await asked.leader.refuse(given, error)
    with pytest.raises(type(error)) as caught:
        await giving
    assert caught.value.message == error.message


async def test_orders_come_in_the_order_in_which_they_were_given(asked: Asked) -> None:
    orders = [replace(BOOT, provider=str(number)) for number in range(5)]
    giving = [await asked.give(order) for order in orders]
    found = await asked.leader.waiting()
    assert [given.order for given in found] == orders
    for given in reversed(found):
        await asked.leader.answer(given, str(given.order.provider))
    assert await asyncio.gather(*giving) == [str(number) for number in range(5)]


async def test_another_life_hears_nothing_and_a_reset_ends_the_wait(namespaces: NamespaceStore) -> None:
    asked = Asked(namespaces, Epoch("default", 1))
    giving = await asked.give(BOOT)
    assert list(await asked.process(lambda: None, epoch=Epoch("default", 11)).waiting()) == []
    asked.epoch.end()
    with pytest.raises(NamespaceResetError):
        await giving
    assert await namespaces.posted("fleet-") == {}


async def test_what_nobody_takes_is_refused_and_forgotten(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", module.PATIENCE * 0)
    giving = await asked.give(BOOT)
    assert list(await asked.leader.waiting()) == []
    with pytest.raises(TransientError, match="is there a scheduler"):
        await giving
    assert await asked.store.posted("fleet-") == {}
