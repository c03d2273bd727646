"""Faults of callbacks: decided once for each, kept with it, and done to its delivery."""

from dataclasses import replace
from datetime import datetime
from typing import Protocol

import structlog

from civitai_mock.domain.callbacks import CallbackAttempt, CallbackFaults
from civitai_mock.domain.clock_state import added
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.fault_presets import Hook
from civitai_mock.domain.faults.actions import CallbackMishap, Effect, Late, PresetEffect, PresetWord
from civitai_mock.domain.faults.conditions import FaultSubject
from civitai_mock.domain.faults.kept import asked_rule_at, kept_effects, kept_fault
from civitai_mock.domain.faults.rules import FaultRule
from civitai_mock.domain.json_types import JsonObject, ReadOnlyJson, as_object, as_text
from civitai_mock.ports import Clock
from civitai_mock.scheduler.delivery import Delivery, Next
from civitai_mock.services.faults.firing import Faults
from civitai_mock.services.faults.subjects import JobSubjects

logger = structlog.stdlib.get_logger()

UNTIL, TOLD = "until", "told"
SENT_TWICE = 2


class Outgoing(Protocol):
    """Is the place in an outbox of one event that is due: what may be done with it and those after it."""

    @property
    def faults(self) -> CallbackFaults:
        """Return what was decided for callbacks of the same job or workflow, by `seq`."""
        ...

    async def keep_fault(self, seq: int, fault: ReadOnlyJson) -> ReadOnlyJson | None:
        """Keep a fault, unless there is one; return what is kept, None if everything is gone."""
        ...

    async def skip(self, attempt: CallbackAttempt | None) -> None:
        """Note that there is nothing to send any more."""
        ...

    async def postpone(self, until: datetime) -> None:
        """Hold it back until then; what follows it waits."""
        ...

    async def await_next(self) -> None:
        """Hold it back until another event has come."""
        ...

    async def next_delivery(self) -> Delivery | Next:
        """Return the event after it that its subscriber is to be told of."""
        ...

    async def post(self, delivery: Delivery) -> CallbackAttempt | None:
        """Send another event; None, and the first one is tried again later, if it does not arrive."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultyCallbacks:
    """Decides the faults of callbacks of a namespace, and lets them happen."""

    chooser: Faults
    subjects: JobSubjects
    clock: Clock

    async def delivery(self, outgoing: Outgoing, delivery: Delivery) -> Delivery | None:
        """Return what is to be sent now, as its fault has it; None for nothing."""
        fault = outgoing.faults.get(str(delivery.seq))
        if fault is None and not delivery.failures:
            fault = await self._decide(outgoing, delivery)
        if fault is None:
            return delivery
        if TOLD in fault:
            await outgoing.skip(_attempt(delivery.seq, as_object(fault[TOLD])))
            return None
        for effect in kept_effects(fault):
            changed = await self._changed(outgoing, delivery, fault, effect)
            if changed is None:
                return None
            delivery = changed
        return delivery

    async def _decide(self, outgoing: Outgoing, delivery: Delivery) -> ReadOnlyJson | None:
        """Choose a rule; that none of those which matched had its turn is kept, too."""
        asked = self._asked(delivery)
        if asked is None and not self.chooser.hits(Hook.CALLBACK):
            return None
        attempt = max([job.retry_attempt + 1 for job in delivery.jobs], default=None)
        subject = FaultSubject(hook=Hook.CALLBACK, attempt=attempt)
        choice = await self.chooser.choose(await self.subjects.described(subject, delivery.jobs), asked=asked)
        if choice.rule is None:
            return await outgoing.keep_fault(delivery.seq, {}) if choice.turns else None
        fault = kept_fault(choice.rule)
        for effect in choice.rule.action.effects:
            if isinstance(effect, Late):
                lasts = self.chooser.lateness(effect.delay, of=delivery.key)
                fault[UNTIL] = added(delivery.at, lasts).isoformat()
        logger.info("fault of a callback", seq=delivery.seq, rule=choice.rule.id)
        return await outgoing.keep_fault(delivery.seq, fault)

    def _asked(self, delivery: Delivery) -> FaultRule | None:
        """Return the rule that the request of the jobs asked for, if it is about callbacks."""
        asked = next((job.asked_fault for job in delivery.jobs if job.asked_fault is not None), None)
        return asked_rule_at(Hook.CALLBACK, asked)

    async def _changed(
        self, outgoing: Outgoing, delivery: Delivery, fault: ReadOnlyJson, effect: Effect
    ) -> Delivery | None:
        match effect:
            case Late():
                until = datetime.fromisoformat(as_text(fault[UNTIL]))
                if self.clock.now() < until:
                    await outgoing.postpone(until)
                    return None
            case CallbackMishap.DROP:
                await outgoing.skip(None)
                return None
            case CallbackMishap.DUPLICATE:
                return replace(delivery, times=SENT_TWICE)
            case CallbackMishap.REORDER:
                return delivery if await self._is_overtaken(outgoing, fault) else None
            case PresetEffect(PresetWord.IGNORE_REDIRECT):
                return replace(delivery, follows_redirects=False)
        return delivery

    async def _is_overtaken(self, outgoing: Outgoing, fault: ReadOnlyJson) -> bool:
        """Send the next event before this one, and return whether it is this one's turn; the last one has no next."""
        found = await outgoing.next_delivery()
        if found is Next.EXPECTED:
            await outgoing.await_next()
            return False
        if isinstance(found, Next) or TOLD in outgoing.faults.get(str(found.seq), {}):
            return True
        attempt = await outgoing.post(found)
        if attempt is None:
            return False
        told: JsonObject = {"at": attempt.at.isoformat(), "status": attempt.status}
        await outgoing.keep_fault(found.seq, {**fault, TOLD: told})
        return True


def _attempt(seq: int, told: JsonObject) -> CallbackAttempt:
    status = told.get("status")
    at = datetime.fromisoformat(as_text(told.get("at")))
    return CallbackAttempt(seq=seq, at=at, status=status if isinstance(status, int) else None)
