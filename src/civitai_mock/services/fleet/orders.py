"""Orders to a fleet: boot a pod, take one away, shut one down. Whoever moves the pods carries them out.

That is one process at a time, which need not be the one that was asked: they meet by notes in the store.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from secrets import token_hex
from typing import Final

import orjson

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import ConflictError, MockError, NotFoundError, TransientError
from civitai_mock.domain.json_types import JsonObject, as_number, as_object, as_text
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.ports import Clock, NamespaceStore
from civitai_mock.services.error_boundary import ErrorBoundary

ORDERS, ANSWERS = "fleet-order", "fleet-answer"
PATIENCE: Final = timedelta(seconds=10)
LOOK_SECONDS: Final = 0.02
POD_ID, REFUSED, IS_UNKNOWN = "podId", "refused", "isUnknown"
NOBODY = "Nobody moves the pods of this namespace at present: is there a scheduler?"


class OrderKind(StrEnum):
    """Says what is to be done with pods."""

    BOOT = "boot"
    PREEMPT = "preempt"
    SHUTDOWN = "shutdown"


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetOrder:
    """Is what is to be done: BOOT with a `provider`, the first of pods if there is none, the others with a `pod_id`.

    A preemption is told `warning_seconds` before, or as the provider has it.
    """

    kind: OrderKind
    pod_id: str | None = None
    provider: str | None = None
    warning_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenOrder:
    """Is an order that somebody waits for, by the name of its note."""

    name: str
    order: FleetOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetOrders:
    """Gives orders to whoever moves the pods of an epoch, whom `wake` lets look at once if that is this process.

    `clock` is the real one.
    """

    store: NamespaceStore
    epoch: Epoch
    clock: Clock
    wake: Callable[[], None]

    async def give(self, order: FleetOrder) -> str:
        """Return the id of the pod once the order is carried out.

        Raise `ConflictError` or `NotFoundError` if it is refused, and `TransientError` if nobody takes it.
        """
        now = self.clock.now()
        name, until = f"{int(now.timestamp() * 1_000_000):020}-{token_hex(8)}", now + PATIENCE
        asks, answers = self._note(ORDERS, name), self._note(ANSWERS, name)
        try:
            await self.store.post(asks, orjson.dumps(_written(order, until)).decode(), until=until, is_news=True)
            self.wake()
            return _outcome(await self._answer(answers, until))
        finally:
            with ErrorBoundary("order not taken down"):
                await self.store.take_down(asks)
                await self.store.take_down(answers)

    async def waiting(self) -> Sequence[GivenOrder]:
        """Return the orders that somebody waits for, the oldest first."""
        posted = await self.store.posted(self._note(ORDERS, ""))
        given = [(name, as_object(orjson.loads(posted[name]))) for name in sorted(posted)]
        now = self.clock.now()
        return [GivenOrder(name=name, order=_read(note)) for name, note in given if now < _date(note["until"])]

    async def answer(self, given: GivenOrder, pod_id: str) -> None:
        """Say that an order is carried out, and with which pod."""
        await self._post_answer(given, {POD_ID: pod_id})

    async def refuse(self, given: GivenOrder, error: MockError) -> None:
        """Say that an order cannot be carried out."""
        await self._post_answer(given, {REFUSED: error.message, IS_UNKNOWN: isinstance(error, NotFoundError)})

    async def _post_answer(self, given: GivenOrder, answer: JsonObject) -> None:
        """Take the order down as well: it is not carried out twice."""
        until = self.clock.now() + PATIENCE
        await self.store.post(self._note(ANSWERS, given.name), orjson.dumps(answer).decode(), until=until)
        await self.store.take_down(self._note(ORDERS, given.name))

    async def _answer(self, note: str, until: datetime) -> JsonObject:
        while not (found := await self.store.posted(note)):
            if self.clock.now() >= until:
                raise TransientError(NOBODY)
            self.epoch.check()
            await asyncio.sleep(LOOK_SECONDS)
        return as_object(orjson.loads(found[""]))

    def _note(self, what: str, name: str) -> str:
        return f"{what}/{self.epoch.number}/{name}"


def _written(order: FleetOrder, until: datetime) -> JsonObject:
    return {
        "kind": order.kind.value,
        "podId": order.pod_id,
        "provider": order.provider,
        "warningSeconds": order.warning_seconds,
        "until": until.isoformat(),
    }


def _read(note: JsonObject) -> FleetOrder:
    return FleetOrder(
        kind=OrderKind(as_text(note["kind"])),
        pod_id=as_text(note["podId"]) or None,
        provider=as_text(note["provider"]) or None,
        warning_seconds=as_number(note["warningSeconds"]),
    )


def _date(value: object) -> datetime:
    return datetime.fromisoformat(str(value))


def _outcome(answer: JsonObject) -> str:
    if REFUSED not in answer:
        return as_text(answer[POD_ID])
    message = as_text(answer[REFUSED])
    raise NotFoundError(message) if answer[IS_UNKNOWN] else ConflictError(message)
