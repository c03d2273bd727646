"""Limit rates: how many requests, and how many wrong tokens, a caller may send in a period."""

import math
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network

from starlette.types import Scope

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import MockError
from civitai_mock.ports import Clock
from civitai_mock.services.host_policy import parse_address

PERIODS: Mapping[str, timedelta] = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
}
WRONG_TOKENS = "20/minute"
SUBSCRIBER_BITS = 64  # who has one IPv6 address has all that begin like it
CACHED_KEYS = 4096
MAX_CALLERS = 100_000  # beyond that, those are forgotten whose windows began first


class RateLimitedError(MockError):
    """The caller sent too many requests, and may try again after `retry_after` seconds."""

    code = "rate_limited"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message, retry_after=retry_after)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """Says what a caller has left until `reset`, `wait` seconds from now, and whether this request is `granted`."""

    granted: bool
    limit: int
    remaining: int
    reset: float
    wait: float

    @property
    def headers(self) -> Sequence[tuple[bytes, bytes]]:
        return (
            (b"x-ratelimit-limit", b"%d" % self.limit),
            (b"x-ratelimit-remaining", b"%d" % self.remaining),
            (b"x-ratelimit-reset", b"%d" % math.ceil(self.reset)),
        )

    def refusal(self, complaint: str) -> RateLimitedError | None:
        """Return the error to answer with if this was too much."""
        if self.granted:
            return None
        seconds = max(math.ceil(self.wait), 1)
        message = f"{complaint}: more than {self.limit}; wait for {seconds} seconds."
        return RateLimitedError(message, retry_after=seconds)


@dataclass(slots=True)
class Window:
    """Is the period of one caller: when it `ends`, and how many requests there were."""

    ends: float
    used: int = 0


class RateLimit:
    """Counts requests by caller; with `60/minute` as limit, the first request begins a window of a minute."""

    def __init__(self, limit: str, *, clock: Clock, max_callers: int = MAX_CALLERS) -> None:
        amount, _, period = limit.partition("/")
        self._amount = int(amount)
        self._seconds = PERIODS[period].total_seconds()
        self._clock = clock
        self._max_callers = max_callers
        self._windows: OrderedDict[str, Window] = OrderedDict()  # all equally long, so they end in this order

    def take(self, key: str) -> Allowance:
        """Count one request of the caller that has this key."""
        now = self._now()
        self._forget_ended(now)
        window = self._windows.setdefault(key, Window(ends=now + self._seconds))
        window.used += 1
        if len(self._windows) > self._max_callers:
            self._windows.popitem(last=False)
        return self._allowance(window, now, used=window.used)

    def peek(self, key: str) -> Allowance:
        """Return what one more request would get, without counting it."""
        now = self._now()
        self._forget_ended(now)
        window = self._windows.get(key) or Window(ends=now + self._seconds)
        return self._allowance(window, now, used=window.used + 1)

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _forget_ended(self, now: float) -> None:
        """Forget windows that have ended, and all if the last one began later than now, as the clock was set back."""
        if self._windows and next(reversed(self._windows.values())).ends > now + self._seconds:
            self._windows.clear()
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
    """Counts wrong tokens by address: beyond the limit no token from there is checked, right or wrong.

    A token that was right from the same address before is no guess, so nobody shuts out those beside them.
    """

    def __init__(self, *, clock: Clock, limit: str = WRONG_TOKENS, max_callers: int = MAX_CALLERS) -> None:
        self._wrong = RateLimit(limit, clock=clock, max_callers=max_callers)
        self._right: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._max_callers = max_callers

    def refusal(self, address: str, consumer_id: str) -> RateLimitedError | None:
        """Return the error to answer with if the token may not even be checked."""
        if (address, consumer_id) in self._right:
            return None
        return self._wrong.peek(address).refusal("Too many wrong tokens from your address")

    def count_wrong(self, address: str) -> None:
        self._wrong.take(address)

    def remember_right(self, address: str, consumer_id: str) -> None:
        self._right[address, consumer_id] = None
        self._right.move_to_end((address, consumer_id))
        if len(self._right) > self._max_callers:
            self._right.popitem(last=False)


@lru_cache(CACHED_KEYS)
def address_key(host: str) -> str:
    """Return a key that is the same for all addresses of one subscriber."""
    address = parse_address(host)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address), SUBSCRIBER_BITS), strict=False))
    return host if address is None else str(address)


def peer_host(scope: Scope) -> str:
    """Return nothing where the server does not know, as with a Unix socket."""
    client = scope.get("client")
    return str(client[0]) if client else ""
