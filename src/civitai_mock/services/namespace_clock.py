"""The clock of a namespace as the control plane has it: shown, set, and advanced."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from civitai_mock.domain.clock_setting import CLOCK, AdvanceOrder, ClockSetting, stored_clock
from civitai_mock.domain.clock_state import ClockMode, ClockState, added, is_date
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import ConflictError, fault
from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.ports import Clock, Ids, Metrics, MovedClock
from civitai_mock.services.controls import Controls
from civitai_mock.services.namespaces import ManageNamespaces

ANSWERS_AFTER = timedelta(seconds=30)  # an advance that takes longer goes on after its answer
NO_DATE = "no clock can go beyond the year 9000."


class ObeyedClock:
    """Has the clock of a namespace go in this process as it was set, and knows what it is to be advanced to."""

    def __init__(self, clock: MovedClock, controls: Controls) -> None:
        self.setting = ClockSetting()
        self.clock = clock
        self._controls = controls
        self._listeners: list[Callable[[], None]] = []
        self._obey()
        controls.subscribe(self._obey)

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Have a listener called when the setting has changed; it must not block."""
        self._listeners.append(listener)

    def _obey(self) -> None:
        before, self.setting = self.setting, stored_clock(self._controls.document.get(CLOCK))
        if self.setting == before:
            return
        if self.setting.state not in {before.state, self.clock.state}:
            self.clock.set(self.setting.state)
        for listener in self._listeners:
            listener()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownClock:
    """Says what time it is in a namespace, how its clock goes, and which processes do not obey that yet."""

    state: ClockState
    now: datetime
    is_advancing: bool
    not_yet: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EditClock:
    """Changes what a store keeps of the clock of a namespace."""

    name: str
    manage: ManageNamespaces

    async def __call__(self, change: Callable[[ClockSetting], ClockSetting]) -> Sequence[str]:
        """Return the processes that do not obey the change in time; `change` may be called several times."""

        def edit(document: ReadOnlyJson) -> ReadOnlyJson:
            setting = change(stored_clock(document.get(CLOCK))).document()
            others = {name: value for name, value in document.items() if name != CLOCK}
            return others if setting is None else {**others, CLOCK: setting}

        return (await self.manage.edit(self.name, edit)).not_yet

    async def finish(self, order: AdvanceOrder, state: ClockState) -> None:
        """Note that an advance is done, and how the clock goes on, unless there is another order by now."""

        def change(setting: ClockSetting) -> ClockSetting:
            is_this = setting.advance is not None and setting.advance.id == order.id
            return ClockSetting(state=state) if is_this else setting

        await self(change)


class ControlClock:
    """Shows and changes the clock of a namespace, in all processes; who runs its jobs carries an advance out."""

    def __init__(
        self,
        *,
        epoch: Epoch,
        edit: EditClock,
        obeyed: ObeyedClock,
        system_clock: Clock,
        ids: Ids,
        metrics: Metrics,
    ) -> None:
        """`ids` are not those of the namespace, whose jobs draw the same whether its clock was advanced or not."""
        self._epoch = epoch
        self._edit = edit
        self._obeyed = obeyed
        self._clock = obeyed.clock
        self._system_clock = system_clock
        self._ids = ids
        self._metrics = metrics
        self._is_stopped = False
        self._changed = asyncio.Event()
        obeyed.subscribe(self._changed.set)

    def show(self, not_yet: Sequence[str] = ()) -> ShownClock:
        setting, now = self._obeyed.setting, self._clock.now()
        return ShownClock(state=setting.state, now=now, is_advancing=setting.advance is not None, not_yet=not_yet)

    def sleeping(self, *, limit: int) -> Sequence[tuple[datetime, tuple[datetime, str]]]:
        """Return when the first of the jobs go on that this process works on, with the age and the id of each."""
        return self._clock.sleeping(limit=limit)

    def stop(self) -> None:
        """Answer all who wait for an advance."""
        self._is_stopped = True
        self._changed.set()

    async def set(self, mode: ClockMode, *, now: datetime | None, rate: float | None) -> ShownClock:
        """Have the clock go another way, from `now` or else from where it is.

        What falls due by that happens then. Raise `ConflictError` while the clock is advanced.
        """

        def change(setting: ClockSetting) -> ClockSetting:
            if setting.advance is not None:
                raise ConflictError("The clock is being advanced; wait until its status is ready.")
            if mode is ClockMode.REAL:
                return ClockSetting()
            real = self._system_clock.now()
            at = setting.state.now(real) if now is None else now
            return ClockSetting(state=ClockState(mode=mode, at=at, since=real, rate=rate or 1.0))

        return self.show(await self._edit(change))

    async def advance(
        self,
        *,
        by: timedelta | None = None,
        to: datetime | None = None,
        answers_after: timedelta = ANSWERS_AFTER,
    ) -> ShownClock:
        """Advance the clock by a duration or to a date, or to what falls due next if neither is given.

        Return when that is done, or after `answers_after`. A clock that was real then goes on at the same rate.
        """
        answers_at = asyncio.get_running_loop().time() + answers_after.total_seconds()
        waits_first = self._is_moving_to_next() or (by is None and to is None)
        if waits_first and not await self._is_done(answers_at):
            return self.show()
        await self._edit(lambda setting: self._ordered(setting, by, to))
        self._metrics.clock_advances += 1
        if not await self._is_done(answers_at):
            return self.show()
        return self.show(await self._edit(lambda setting: setting))

    async def _is_done(self, answers_at: float) -> bool:
        """Wait until nothing is left to advance; return False if that takes too long.

        Raise `NamespaceResetError` if the namespace is reset meanwhile.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout_at(answers_at):
                while self._obeyed.setting.advance is not None and not self._is_stopped:
                    self._changed.clear()
                    await self._changed.wait()
        self._epoch.check()
        return self._obeyed.setting.advance is None

    def _is_moving_to_next(self) -> bool:
        advance = self._obeyed.setting.advance
        return advance is not None and advance.to is None

    def _ordered(self, setting: ClockSetting, by: timedelta | None, to: datetime | None) -> ClockSetting:
        """Return the setting with an order; one that is being carried out goes on to the later of both dates."""
        real = self._system_clock.now()
        pending, now = setting.advance, setting.state.now(real)
        state = setting.state.moved_to(now, real) if pending is None else setting.state
        if pending is not None and pending.to is None:
            raise ConflictError("The clock is being advanced to what falls due next; wait until its status is ready.")
        if by is None and to is None:
            return replace(setting, state=state, advance=AdvanceOrder(id=self._ids.uuid(), to=None))
        ends_at = now if pending is None or pending.to is None else pending.to
        if to is not None and to < now:
            raise fault("to", f"a clock only goes forward; it is {now.isoformat()} in this namespace.")
        target = max(ends_at, to) if to is not None else added(ends_at, by or timedelta())
        if not is_date(target):
            raise fault("by" if to is None else "to", NO_DATE)
        return replace(setting, state=state, advance=AdvanceOrder(id=self._ids.uuid(), to=target))
