"""Send a webhook to its receiver, behind a circuit breaker for receivers that do not answer."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field
from datetime import timedelta

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import MockError
from civitai_mock.network.client import GuardedHttpClient
from civitai_mock.network.outbound import (
    ConnectionFailedError,
    InvalidUrlError,
    OutboundRequest,
    TooManyRedirectsError,
)

MAX_SILENT = 1000  # then all are forgotten, which costs one failed attempt for each


class NotDeliveredError(MockError):
    """Says that an attempt failed; `status` is that of the answer, if there was one."""

    code = "not_delivered"

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message, status=status)
        self.status = status


class CircuitBreaker:
    """Keeps receivers that do not answer from taking the time of others.

    After an attempt without an answer, only one attempt at a time may probe the receiver. All others fail at once:
    they would have waited for the same silence.
    """

    def __init__(self) -> None:
        self._silent: set[str] = set()
        self._probed: set[str] = set()

    @contextmanager
    def attempt(self, receiver: str) -> Iterator[None]:
        """Guard one attempt; raise `NotDeliveredError` at once if the receiver is silent and already probed."""
        if receiver in self._silent & self._probed:
            raise NotDeliveredError("the receiver does not answer")
        self._probed.add(receiver)
        try:
            yield
        except NotDeliveredError as error:
            self._mark(receiver, is_silent=error.status is None)
            raise
        else:
            self._mark(receiver, is_silent=False)
        finally:
            self._probed.discard(receiver)

    def _mark(self, receiver: str, *, is_silent: bool) -> None:
        if not is_silent:
            self._silent.discard(receiver)
            return
        if len(self._silent) >= MAX_SILENT:
            self._silent.clear()
        self._silent.add(receiver)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSender:
    """Posts webhooks; an attempt may take `timeout`, redirects included."""

    client: GuardedHttpClient
    timeout: timedelta
    circuit_breaker: CircuitBreaker = field(default_factory=CircuitBreaker, init=False)

    async def post(
        self, url: str, *, content: bytes, headers: Mapping[str, str], follows_redirects: bool = True
    ) -> int:
        """Return the status of a 2xx answer, or of a redirect that is not followed.

        Raise `NotDeliveredError`, or `ForbiddenError` for a host that is not allowed. No message repeats the URL, which
        may hold a secret.
        """
        receiver = url.partition("://")[2].partition("/")[0]
        message = OutboundRequest(method="POST", content=content, headers=headers, follows_redirects=follows_redirects)
        with self.circuit_breaker.attempt(receiver):
            return await self._post(url, message)

    async def _post(self, url: str, message: OutboundRequest) -> int:
        try:
            async with asyncio.timeout(self.timeout.total_seconds()), self.client.send(url, message) as answer:
                status = answer.status_code
        except TimeoutError as error:
            raise NotDeliveredError("no answer in time") from error
        except TooManyRedirectsError as error:
            raise NotDeliveredError(error.message, status=error.status) from error
        except InvalidUrlError as error:
            raise NotDeliveredError("the URL cannot be used") from error
        except ConnectionFailedError as error:
            raise NotDeliveredError(error.message) from error
        is_taken = 200 <= status < 300 or (not message.follows_redirects and 300 <= status < 400)
        if not is_taken:
            raise NotDeliveredError("the answer is not 2xx", status=status)
        return status
