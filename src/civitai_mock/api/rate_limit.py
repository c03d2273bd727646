"""Count requests, so that nobody sends too many."""

import math
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from civitai_mock.api.errors import RateLimitedError
from civitai_mock.ports import Clock

PERIODS: Mapping[str, timedelta] = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
}
WRONG_TOKENS = "20/minute"
MOST_CALLERS = 100_000  # are remembered; then those go whose windows began first


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What a caller has left until `reset`, `wait` seconds from now; `granted` is whether this was within it."""

    granted: bool
    limit: int
    remaining: int
    reset: float
    wait: float

    @property
    def headers(self) -> Mapping[str, str]:
        return {
            "x-ratelimit-limit": str(self.limit),
            "x-ratelimit-remaining": str(self.remaining),
            "x-ratelimit-reset": str(math.ceil(self.reset)),
        }

    def refusal(self, complaint: str) -> RateLimitedError | None:
        """What to answer if this was too much."""
        if self.granted:
            return None
        seconds = max(math.ceil(self.wait), 1)
        message = f"{complaint}: more than {self.limit}; wait for {seconds} seconds."
        return RateLimitedError(message, retry_after=seconds)


@dataclass(slots=True)
class Window:
    ends: float
    used: int = 0


class RateLimit:
    """`limit` is like `60/minute`; a window of that length begins with a caller's first request."""

    def __init__(self, limit: str, *, clock: Clock, most_callers: int = MOST_CALLERS) -> None:
        amount, _, period = limit.partition("/")
        self._amount = int(amount)
        self._seconds = PERIODS[period].total_seconds()
        self._clock = clock
        self._most_callers = most_callers
        self._windows: OrderedDict[str, Window] = OrderedDict()  # all equally long, so they end in this order

    def take(self, key: str) -> Allowance:
        """Count one request of the caller that has this key."""
        now = self._now()
        self._forget(now)
        window = self._windows.setdefault(key, Window(ends=now + self._seconds))
        window.used += 1
        if len(self._windows) > self._most_callers:
            self._windows.popitem(last=False)
        return self._allowance(window, now, used=window.used)

    def next(self, key: str) -> Allowance:
        """What one more request would be told; it is not counted."""
        now = self._now()
        self._forget(now)
        window = self._windows.get(key) or Window(ends=now + self._seconds)
        return self._allowance(window, now, used=window.used + 1)

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _forget(self, now: float) -> None:
        """Windows that are over."""
        while self._windows and next(iter(self._windows.values())).ends <= now:
            self._windows.popitem(last=False)

    def _allowance(self, window: Window, now: float, *, used: int) -> Allowance:
        return Allowance(
            granted=used <= self._amount,
            limit=self._amount,
            remaining=max(self._amount - used, 0),
            reset=window.ends,
            wait=window.ends - now,
        )


class GuessLimit:
    """Wrong tokens are counted by address: beyond the limit none from there is looked at, right or wrong.

    A token that was right from the same address before is no guess, so nobody shuts out those beside them.
    """

    def __init__(self, *, clock: Clock, limit: str = WRONG_TOKENS, most_callers: int = MOST_CALLERS) -> None:
        self._wrong = RateLimit(limit, clock=clock, most_callers=most_callers)
        self._right: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._most_callers = most_callers

    def refusal(self, address: str, consumer_id: str) -> RateLimitedError | None:
        """What to answer if a token may not even be looked at."""
        if (address, consumer_id) in self._right:
            return None
        return self._wrong.next(address).refusal("Too many wrong tokens from your address")

    def was_wrong(self, address: str) -> None:
        self._wrong.take(address)

    def was_right(self, address: str, consumer_id: str) -> None:
        self._right[address, consumer_id] = None
        self._right.move_to_end((address, consumer_id))
        if len(self._right) > self._most_callers:
            self._right.popitem(last=False)
