"""Ports of the system: the clock, and the source of random ids and seeds."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from civitai_mock.domain.clock_state import ClockState


class Timer(Protocol):
    """Is a call that a clock will make."""

    def cancel(self) -> None:
        """Have the call not made; after it was made, this does nothing."""
        ...


class Sleep(Awaitable[None], Protocol):
    """Is a sleep that has begun; whoever awaits it goes on when it is over."""

    def wake(self, *_: object) -> None:
        """End it now; after its end this does nothing."""
        ...


class Clock(Protocol):
    """Tells the time in aware UTC, and waits for it."""

    @property
    def is_moved(self) -> bool:
        """Return whether it is moved, or goes at a rate of its own, so that one process runs its jobs at a time."""
        ...

    def lasting(self, duration: timedelta) -> timedelta:
        """Return by how much it goes on while so much real time passes; if it stands, the same."""
        ...

    def now(self) -> datetime: ...

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds, never before."""
        ...

    def begin_sleep(self, seconds: float) -> Sleep:
        """Begin a sleep that somebody may end sooner, without a task; it has to be awaited at once."""
        ...

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Call back after so many seconds, never before, without a task that would wait for it."""
        ...


class MovedClock(Clock, Protocol):
    """Is a clock that stands while somebody moves it; see `domain.clock_state`."""

    state: ClockState

    def set(self, state: ClockState) -> None:
        """Go another way from now on; what falls due by that is called soon, in order of its time."""
        ...

    def next_due(self) -> datetime | None:
        """Return when the next call is due that does not come by itself."""
        ...

    def sleeping(self, *, limit: int) -> Sequence[tuple[datetime, tuple[datetime, str]]]:
        """Return when the first of the workers go on that sleep, with the age and the id of each one's job."""
        ...

    def run_next(self) -> None:
        """Move to the time of the next call, and make that."""
        ...

    def move_to(self, moment: datetime) -> None:
        """Move to a time before the next call."""
        ...


class Ids(Protocol):
    """Draws everything random, so that tests and namespaces with a seed can draw the same again."""

    @property
    def is_seeded(self) -> bool:
        """Return whether the same is drawn for the same requests, however they are mixed."""
        ...

    def uuid(self) -> str:
        """Return a lower-case hyphenated UUID, the form of ComfyUI's prompt ids."""
        ...

    def seed(self) -> int:
        """Return a number from 0 to 2**32 - 1, the range of v1 seeds."""
        ...

    async def of_request(self, content: Callable[[], bytes]) -> "Ids":
        """Return what is drawn for one request; of equal ones each has its own, in the order of their coming.

        `content` is only asked for where something depends on it.
        """
        ...

    def of_job(self, job_id: str, purpose: str) -> "Ids":
        """Return what is drawn for one purpose of a job, or of anything else with an id."""
        ...
