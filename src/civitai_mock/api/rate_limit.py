"""Count requests, so that nobody sends too many."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

from limits import parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What a caller has left until `reset`, in seconds since 1970; `granted` is whether this request is within it."""

    granted: bool
    limit: int
    remaining: int
    reset: float

    @property
    def headers(self) -> Mapping[str, str]:
        return {
            "x-ratelimit-limit": str(self.limit),
            "x-ratelimit-remaining": str(self.remaining),
            "x-ratelimit-reset": str(math.ceil(self.reset)),
        }

    @property
    def retry_after(self) -> int:
        """In whole seconds, at least one."""
        return max(math.ceil(self.reset - time.time()), 1)


class RateLimit:
    """`limit` is like `60/minute`; a window of that length begins with a caller's first request."""

    def __init__(self, limit: str) -> None:
        self._limit = parse(limit)
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    async def take(self, key: str) -> Allowance:
        """Count one request of the caller that has this key."""
        granted = await self._limiter.hit(self._limit, key)
        window = await self._limiter.get_window_stats(self._limit, key)
        remaining = max(window.remaining, 0)
        return Allowance(granted=granted, limit=self._limit.amount, remaining=remaining, reset=window.reset_time)
