"""A load generator in a process of its own: HTTP/1.1 over many connections, one request at a time on each."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import cycle, islice
from multiprocessing import get_context
from typing import Self, TypeVar, cast

import uvloop

P = TypeVar("P")
R = TypeVar("R")
HOST = "127.0.0.1"
CONNECTED_AT_ONCE = 100
PATIENCE_SECONDS = 300.0
GRACE_SECONDS = 10.0
HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length:"


class LoadError(Exception):
    """A server refused a request, did not answer in time, or hung up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to send: `messages` in turn, again from the first, until there were so many requests.

    All connections are open before the first request is sent.
    """

    port: int
    messages: Sequence[bytes]
    requests: int
    connections: int = 1
    keep_bodies: bool = False
    pause_seconds: float = 0.0
    patience_seconds: float = PATIENCE_SECONDS


@dataclass(slots=True, kw_only=True)
class Load:
    """What came of a plan; latencies are in seconds, in the order of the answers.

    `ended` is a reading of `time.perf_counter`, which all processes of a machine share.
    """

    seconds: float = 0.0
    ended: float = 0.0
    latencies: list[float] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        return sorted(self.latencies)[min(int(len(self.latencies) * share), len(self.latencies) - 1)]


def message(method: str, path: str, body: bytes = b"") -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + HEAD_END + body


class LoadProcess:
    """Runs plans, one after the other, in one process beside this one."""

    def __init__(self) -> None:
        self._pool = ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn"))

    def __enter__(self) -> Self:
        self._pool.submit(int).result(PATIENCE_SECONDS)  # the process is there before anything is measured
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def run(self, plan: Plan) -> Load:
        return self.call(run, plan, plan.patience_seconds)

    def call(self, carry_out: Callable[[P], R], plan: P, patience_seconds: float) -> R:
        """Have another plan carried out there."""
        return self._pool.submit(carry_out, plan).result(patience_seconds + GRACE_SECONDS)


def run(plan: Plan) -> Load:
    """Carry out a plan; raise `LoadError` at the first thing that goes wrong."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_run(plan))


async def _run(plan: Plan) -> Load:
    load, connections = Load(), list[_Connection]()
    try:
        async with asyncio.timeout(plan.patience_seconds):
            await _connect(plan, load, connections)
            started = time.perf_counter()
            for connection in connections:
                connection.send_next()
            await asyncio.gather(*(connection.ended for connection in connections))
            load.ended = time.perf_counter()
            load.seconds = load.ended - started
    except TimeoutError as error:
        answers = f"{len(load.latencies)} of {plan.requests} answers"
        raise LoadError(f"{answers} came within {plan.patience_seconds:g} s") from error
    except OSError as error:
        raise LoadError(str(error)) from error
    finally:
        for connection in connections:
            connection.abort()  # uvloop would wait for it for ever
    return load


async def _connect(plan: Plan, load: Load, connections: "list[_Connection]") -> None:
    """Open them by the hundred, as the queue of a listening socket is short."""
    loop, todo = asyncio.get_running_loop(), islice(cycle(plan.messages), plan.requests)

    def new() -> _Connection:
        connections.append(_Connection(plan, todo, load))
        return connections[-1]

    while missing := min(plan.connections, plan.requests) - len(connections):
        part = range(min(CONNECTED_AT_ONCE, missing))
        await asyncio.gather(*(loop.create_connection(new, HOST, plan.port) for _ in part))


class _Connection(asyncio.Protocol):
    """Sends the next message as soon as the last is answered. `ended` is done when none is left, or holds an error."""

    def __init__(self, plan: Plan, todo: Iterator[bytes], load: Load) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._plan, self._todo, self._load = plan, todo, load
        self._received, self._sent = b"", 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def send_next(self) -> None:
        following = next(self._todo, None)
        if following is None or self._transport is None:
            self._end(None)
        else:
            self._sent = time.perf_counter()
            self._transport.write(following)

    def data_received(self, data: bytes) -> None:
        self._received += data
        answer = answer_in(self._received)
        if answer is None:
            return
        status, body = answer
        self._received = b""
        self._load.latencies.append(time.perf_counter() - self._sent)
        if self._plan.keep_bodies:
            self._load.bodies.append(body)
        if status >= 400:
            self._end(LoadError(f"status {status}: {body[:500]!r}"))
        elif self._plan.pause_seconds:
            asyncio.get_running_loop().call_later(self._plan.pause_seconds, self.send_next)
        else:
            self.send_next()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(LoadError(f"the server hung up: {exc}"))

    def abort(self) -> None:
        self.ended.cancel()
        if self._transport is not None:
            self._transport.abort()

    def _end(self, error: LoadError | None) -> None:
        if self.ended.done():
            return
        if error is None:
            self.ended.set_result(None)
        else:
            self.ended.set_exception(error)


def answer_in(received: bytes) -> tuple[int, bytes] | None:
    """Status and body; None while some of the answer is still to come. It needs Content-Length, or to be a 204."""
    end = received.find(HEAD_END)
    if end < 0:
        return None
    head, start = received[:end].lower(), end + len(HEAD_END)
    status = int(head[9:12])
    length = 0 if status == HTTPStatus.NO_CONTENT else int(head.partition(LENGTH)[2].partition(b"\r\n")[0])
    return (status, received[start:]) if len(received) >= start + length else None
