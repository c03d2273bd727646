"""Who listens to streams of events: many at once, in the load generator's process."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import cast

import uvloop

from tests.bench.load import CONNECTED_AT_ONCE, HOST, LoadError, message
from tests.bench.process_usage import Usage, usage_of

MESSAGE_END = b"\n\n"
AT = b'"at":"'
AT_LENGTH = len("2026-11-26T18:18:42.788990")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Whom to listen to: a stream for each of the `paths`, for so many `seconds` after `settling_seconds`."""

    port: int
    paths: Sequence[str]
    pids: Sequence[int]
    seconds: float
    settling_seconds: float
    patience_seconds: float = 60.0

    @property
    def most_seconds(self) -> float:
        return self.patience_seconds + self.settling_seconds + self.seconds


@dataclass(slots=True, kw_only=True)
class Heard:
    """What was heard: for each event how long it took to come here, by the wall clock, and what the server used."""

    is_counted: bool = False
    latencies: list[float] = field(default_factory=list)
    before: Usage = field(default_factory=Usage)
    begun: Usage = field(default_factory=Usage)
    ended: Usage = field(default_factory=Usage)

    @property
    def cpu_seconds(self) -> float:
        return self.ended.cpu_seconds - self.begun.cpu_seconds

    @property
    def more_bytes(self) -> int:
        """What all streams together take of memory."""
        return self.ended.resident_bytes - self.before.resident_bytes

    def percentile(self, share: float) -> float:
        return sorted(self.latencies)[min(int(len(self.latencies) * share), len(self.latencies) - 1)]


def listen(plan: Listening) -> Heard:
    """Carry out a plan; raise `LoadError` if a stream does not begin, or ends."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_listen(plan))


async def _listen(plan: Listening) -> Heard:
    heard, streams = Heard(before=usage_of(plan.pids)), list[_Stream]()
    try:
        async with asyncio.timeout(plan.patience_seconds):
            for start in range(0, len(plan.paths), CONNECTED_AT_ONCE):
                streams += await _connect(plan, heard, plan.paths[start : start + CONNECTED_AT_ONCE])
        await asyncio.sleep(plan.settling_seconds)
        heard.begun, heard.is_counted = usage_of(plan.pids), True
        await asyncio.sleep(plan.seconds)
        heard.ended, heard.is_counted = usage_of(plan.pids), False
        for stream in streams:
            stream.check()
    except (TimeoutError, OSError) as error:
        raise LoadError(f"not all streams began: {error}") from error
    finally:
        for stream in streams:
            stream.abort()
    return heard


async def _connect(plan: Listening, heard: Heard, paths: Sequence[str]) -> "Sequence[_Stream]":
    loop = asyncio.get_running_loop()
    connecting = [loop.create_connection(partial(_Stream, path, heard), HOST, plan.port) for path in paths]
    streams = [stream for _, stream in await asyncio.gather(*connecting)]
    await asyncio.gather(*(stream.begun for stream in streams))
    return streams


class _Stream(asyncio.Protocol):
    """One stream; `begun` is done with its first message."""

    def __init__(self, path: str, heard: Heard) -> None:
        self.begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._path, self._heard = path, heard
        self._left = b""
        self._transport: asyncio.Transport | None = None
        self._has_ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(message("GET", self._path))

    def data_received(self, data: bytes) -> None:
        now = time.time()
        *messages, self._left = (self._left + data).split(MESSAGE_END)
        for each in messages:
            told = each.partition(AT)[2][:AT_LENGTH]
            if not told:
                continue
            if not self.begun.done():
                self.begun.set_result(None)
            if self._heard.is_counted:
                self._heard.latencies.append(now - datetime.fromisoformat(f"{told.decode()}+00:00").timestamp())

    def connection_lost(self, exc: Exception | None) -> None:
        self._has_ended = True
        if not self.begun.done():
            self.begun.set_exception(LoadError(f"a stream ended: {exc}, {self._left[:200]!r}"))

    def check(self) -> None:
        if self._has_ended:
            raise LoadError("a stream ended before its job did")

    def abort(self) -> None:
        self.begun.cancel()
        if self._transport is not None:
            self._transport.abort()
