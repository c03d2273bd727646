"""The client of the soak: it tries again what may be repeated, and checks how it was refused."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.bench.soak.ledger import Ledger

ANSWER_SECONDS = 30.0
PATIENCE_SECONDS = 90.0
RETRY_SECONDS = 0.2
LONGEST_RETRY_SECONDS = 5
HEALTH = "/health"  # which says so when nothing can be written
NAMESPACE = "x-mock-namespace"  # of which the first request may have to make it, also a GET
VERIFY, NOT_VERIFIED = "/_mock/verify", 409  # is what it tells, and no fault by itself
GOOD_OR_REFUSED = frozenset({200, 201, 202, 204, 206, 404, 418, 503})  # 418 is asked for


class UnansweredError(Exception):
    """A request had no good answer for as long as the client waits."""


@dataclass(kw_only=True)
class SoakClient:
    """`must_read` tells whether a GET that began at a time has to be answered well."""

    http: httpx.AsyncClient
    ledger: Ledger
    must_read: Callable[[float], bool] = field(default=lambda _: False)

    async def send(self, method: str, path: str, **members: Any) -> httpx.Response | None:
        """Send once; None if the answer got lost."""
        began = time.monotonic()
        try:
            answer = await self.http.request(method, path, **members)
        except httpx.TimeoutException as error:
            self.ledger.fault(f"{method} {path}: no answer within {ANSWER_SECONDS:g} s ({type(error).__name__})")
            return None
        except httpx.TransportError as error:
            self.ledger.counts[f"lost: {type(error).__name__}"] += 1
            return None
        self.ledger.counts[f"{method} {answer.status_code}"] += 1
        self._check(answer, began)
        return answer

    async def repeat(self, method: str, path: str, **members: Any) -> httpx.Response:
        """Send until there is an answer other than 503."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            answer = await self.send(method, path, **members)
            if answer is not None and answer.status_code != 503:
                return answer
            await asyncio.sleep(RETRY_SECONDS if answer is None else _retry_after(answer.headers))
            self.ledger.counts["tried again"] += 1
        raise UnansweredError(f"{method} {path} had no good answer for {PATIENCE_SECONDS:g} s")

    async def get_json(self, path: str, **members: Any) -> Any:
        answer = await self.repeat("GET", path, **members)
        return answer.raise_for_status().json()

    def _check(self, answer: httpx.Response, began: float) -> None:
        request = f"{answer.request.method} {answer.request.url.path}"
        is_told = answer.request.url.path == VERIFY and answer.status_code == NOT_VERIFIED
        if answer.status_code not in GOOD_OR_REFUSED and not is_told:
            self.ledger.fault(f"{request} was answered {answer.status_code}: {answer.text[:300]}")
        if answer.status_code != 503:
            return
        if "retry-after" not in answer.headers:
            self.ledger.fault(f"{request} was answered 503 without Retry-After: {answer.text[:300]}")
        may_write = answer.request.url.path == HEALTH or NAMESPACE in answer.request.headers
        if answer.request.method == "GET" and not may_write and self.must_read(began):
            self.ledger.fault(f"{request} was answered 503, though only writes are locked: {answer.text[:300]}")


def _retry_after(headers: Mapping[str, str]) -> float:
    return min(int(headers.get("retry-after", "1")), LONGEST_RETRY_SECONDS)
