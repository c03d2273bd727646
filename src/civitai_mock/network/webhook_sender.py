"""Send one webhook to its receiver, unless the circuit breaker of that receiver is open."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import httpx

from civitai_mock.domain.errors import MockError
from civitai_mock.network.client import GuardedHttpClient, OutboundRequest, TooManyRedirectsError
from civitai_mock.network.trust import why

MOST = 1000  # then all are forgotten, at the price of one attempt in vain for each


class NotDeliveredError(MockError):
    """An attempt in vain; `status` is that of the answer, if there was one."""

    code = "not_delivered"

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message, status=status)
        self.status = status


class CircuitBreaker:
    """A receiver that did not answer last time is tried by one attempt at a time, so that others have room.

    The rest count as attempts in vain at once: they would have waited for the same silence.
    """

    def __init__(self) -> None:
        self._absent: set[str] = set()
        self._tried: set[str] = set()

    @contextmanager
    def attempt(self, place: str) -> Iterator[None]:
        """Raise `NotDeliveredError` in the place of an attempt that is not worth its time."""
        if place in self._absent & self._tried:
            raise NotDeliveredError("the receiver does not answer")
        self._tried.add(place)
        try:
            yield
        except NotDeliveredError as error:
            self._note(place, absent=error.status is None)
            raise
        else:
            self._note(place, absent=False)
        finally:
            self._tried.discard(place)

    def _note(self, place: str, *, absent: bool) -> None:
        if not absent:
            self._absent.discard(place)
            return
        if len(self._absent) >= MOST:
            self._absent.clear()
        self._absent.add(place)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSender:
    """Waits no longer than `timeout` for all that one attempt takes."""

    outbound: GuardedHttpClient
    timeout: timedelta
    absentees: CircuitBreaker = field(default_factory=CircuitBreaker, init=False)

    async def post(self, url: str, *, content: bytes, headers: Mapping[str, str]) -> int:
        """The status of a good answer; raise `NotDeliveredError`, or `ForbiddenError` for a host that is not allowed.

        No message tells the URL, which may hold a secret.
        """
        place = url.partition("://")[2].partition("/")[0]
        with self.absentees.attempt(place):
            return await self._post(url, OutboundRequest(method="POST", content=content, headers=headers))

    async def _post(self, url: str, message: OutboundRequest) -> int:
        try:
            async with asyncio.timeout(self.timeout.total_seconds()), self.outbound.send(url, message) as answer:
                status = answer.status_code
        except TimeoutError as error:
            raise NotDeliveredError("no answer in time") from error
        except TooManyRedirectsError as error:
            raise NotDeliveredError(error.message, status=error.status) from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            raise NotDeliveredError(why(error)) from error
        if not 200 <= status < 300:
            raise NotDeliveredError("the answer is no 2xx", status=status)
        return status
