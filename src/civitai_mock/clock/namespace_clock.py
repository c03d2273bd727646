"""The clock of one namespace: as real as that of the machine, or one that stands, is moved, or goes at another rate."""

import asyncio
import heapq
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import TypeAlias

from civitai_mock.clock.sleep import ClockSleep
from civitai_mock.domain.clock_state import REAL, ClockMode, ClockState, frozen
from civitai_mock.ports import Clock, Timer
from civitai_mock.services.activity import Activity, Rank, current_worker

# Work that ends in the very moment of its timeout has ended in time: timers of no worker come last.
Place: TypeAlias = tuple[int] | tuple[int, Rank]
OF_NO_WORKER: Place = (1,)
Key: TypeAlias = tuple[datetime, Place, int]
SPARE_ENTRIES = 64


class NamespaceTimer:
    """Is a call that is made when the clock of a namespace comes to its time, however that happens."""

    __slots__ = ("_callback", "_clock", "armed", "key")

    def __init__(self, clock: "NamespaceClock", key: Key, callback: Callable[[], None]) -> None:
        self._clock = clock
        self._callback = callback
        self.key = key
        self.armed: Timer | None = None

    @property
    def due(self) -> datetime:
        return self.key[0]

    def cancel(self) -> None:
        self._clock.forget(self)

    def fire(self) -> None:
        """Make the call, unless it is too early, or was cancelled."""
        if self._clock.ends(self):
            self._callback()


class NamespaceClock:
    """Goes as its `state` says, which may change at any time: whoever waits then waits for the same time as before.

    Each pending call is armed by a timer of the machine's clock, but while the clock stands. Then `next_due` and
    `run_next` are for whoever moves it. A task that is a worker does not count as at work while it sleeps.
    """

    def __init__(self, *, system_clock: Clock, activity: Activity, state: ClockState = REAL) -> None:
        self.state = state
        self._system_clock = system_clock
        self._activity = activity
        self._timers: set[NamespaceTimer] = set()
        self._heap: list[tuple[Key, NamespaceTimer]] = []  # while it stands; may hold some that were cancelled
        self._numbers = count()

    @property
    def is_moved(self) -> bool:
        return self.state is not REAL

    def lasting(self, duration: timedelta) -> timedelta:
        return duration * self.state.rate

    def now(self) -> datetime:
        real = self._system_clock.now()
        return real if self.state is REAL else self.state.now(real)

    async def sleep(self, seconds: float) -> None:
        await self.begin_sleep(seconds)

    def begin_sleep(self, seconds: float) -> ClockSleep:
        sleep = ClockSleep(current_worker.get())
        sleep.timer = self.call_later(seconds, sleep.wake)
        return sleep

    def call_later(self, seconds: float, callback: Callable[[], None]) -> NamespaceTimer:
        worker = current_worker.get()
        place: Place = (0, worker.rank) if worker else OF_NO_WORKER
        key = (self.now() + timedelta(seconds=seconds), place, next(self._numbers))
        timer = NamespaceTimer(self, key, callback)
        self._timers.add(timer)
        if self.state is REAL:
            timer.armed = self._system_clock.call_later(seconds, timer.fire)
        else:
            self._arm(timer)
        return timer

    def set(self, state: ClockState) -> None:
        """Go another way from now on; what falls due by that is called soon, in order of its time."""
        self.state = state
        self._heap.clear()
        for timer in sorted(self._timers, key=lambda each: each.key):
            self._disarm(timer)
            self._arm(timer)

    def next_due(self) -> datetime | None:
        """Return when the next call is due that does not come by itself."""
        while self._heap and self._heap[0][1] not in self._timers:
            heapq.heappop(self._heap)
        return self._heap[0][1].due if self._heap else None

    def sleeping(self, *, limit: int) -> Sequence[tuple[datetime, Rank]]:
        """Return when the sleeps of workers end, the first ones first, with the rank of each worker."""
        of_workers = (timer.key for timer in self._timers if timer.key[1] != OF_NO_WORKER)
        return [(due, place[1]) for due, place, _ in heapq.nsmallest(limit, of_workers) if len(place) > 1]

    def run_next(self) -> None:
        """Move the clock, which stands, to the time of the next call, and make that."""
        due = self.next_due()
        if due is not None:
            _, timer = heapq.heappop(self._heap)
            self.move_to(due)
            timer.fire()

    def move_to(self, moment: datetime) -> None:
        """Move the clock, which stands, to a time before the next call."""
        self.state = frozen(moment)

    def forget(self, timer: NamespaceTimer) -> None:
        """Do not make a call."""
        self._timers.discard(timer)
        self._disarm(timer)

    def ends(self, timer: NamespaceTimer) -> bool:
        """Return whether a timer ends now that its call is to be made."""
        if timer not in self._timers:
            return False
        if self.state.mode is ClockMode.SCALED and self.now() < timer.due:  # by a rounding
            self._arm(timer)
            return False
        self._timers.discard(timer)
        return True

    def _arm(self, timer: NamespaceTimer) -> None:
        """Have the machine's clock make the call, if the time comes by itself, or has come.

        While calls of this very moment are still to be made, another one has its place among them.
        """
        real = self._system_clock.now()
        seconds, now = self.state.seconds_until(timer.due, real), self.state.now(real)
        first = self.next_due()
        if timer.due <= now and (first is None or first > now):
            self._activity.begin()
            timer.armed = _Soon(timer.fire, self._activity)
        elif seconds is not None:
            timer.armed = self._system_clock.call_later(seconds, timer.fire)
        else:
            heapq.heappush(self._heap, (timer.key, timer))
            if len(self._heap) > 2 * len(self._timers) + SPARE_ENTRIES:
                self._heap = [entry for entry in self._heap if entry[1] in self._timers]
                heapq.heapify(self._heap)

    @staticmethod
    def _disarm(timer: NamespaceTimer) -> None:
        if timer.armed is not None:
            timer.armed.cancel()
            timer.armed = None


class _Soon:
    """Makes a call in the next turn of the event loop; until then somebody is at work."""

    def __init__(self, callback: Callable[[], None], activity: Activity) -> None:
        self._callback: Callable[[], None] | None = callback
        self._activity = activity
        self._handle = asyncio.get_running_loop().call_soon(self._call)

    def cancel(self) -> None:
        if self._callback is not None:
            self._callback = None
            self._handle.cancel()
            self._activity.end()

    def _call(self) -> None:
        callback, self._callback = self._callback, None
        if callback is not None:
            try:
                callback()
            finally:
                self._activity.end()
