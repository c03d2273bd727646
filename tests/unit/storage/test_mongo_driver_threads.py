"""The line before the driver's threads: calls wait for their turn, but not for a server that is away."""

import asyncio
import gc
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import pytest
from pymongo.errors import AutoReconnect

from civitai_mock.storage.mongo.driver_threads import DriverThreads

PATIENCE_SECONDS = 60
COLOUR: ContextVar[str] = ContextVar("COLOUR")


@dataclass
class PlayedServer:
    """Keeps calls waiting in their threads until it lets one go."""

    is_away: bool = False
    begun: list[int] = field(default_factory=list)
    _has_begun: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    _may_go: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def call(self, number: int) -> int:
        self.begun.append(number)
        self._has_begun.release()
        assert self._may_go.acquire(timeout=PATIENCE_SECONDS)
        return number

    def fail(self) -> None:
        self.call(99)
        raise AutoReconnect("away")

    async def await_begin(self, count: int) -> None:
        for _ in range(count):
            assert await asyncio.to_thread(self._has_begun.acquire, timeout=PATIENCE_SECONDS)

    def let_go(self, count: int) -> None:
        self._may_go.release(count)


@pytest.fixture
def server() -> PlayedServer:
    return PlayedServer()


@pytest.fixture
def threads(server: PlayedServer) -> Iterator[DriverThreads]:
    threads = DriverThreads(is_away=lambda: server.is_away, patience=0.0, threads=2)
    yield threads
    threads.close()


def started(threads: DriverThreads, server: PlayedServer, count: int) -> list[asyncio.Future[Any]]:
    loop = asyncio.get_running_loop()
    return [threads.run_on_executor(loop, server.call, number) for number in range(count)]


async def outcomes(calls: list[asyncio.Future[Any]]) -> list[object]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return list(await asyncio.gather(*calls, return_exceptions=True))


async def test_calls_begin_in_their_order_as_threads_become_free(threads: DriverThreads, server: PlayedServer) -> None:
    calls = started(threads, server, 5)
    await server.await_begin(2)
    server.let_go(5)
    assert await outcomes(calls) == [0, 1, 2, 3, 4]
    assert sorted(server.begun[:2]) == [0, 1]


async def test_a_call_sees_the_context_of_its_caller_and_raises_to_it(threads: DriverThreads) -> None:
    COLOUR.set("red")
    loop = asyncio.get_running_loop()
    assert await threads.run_on_executor(loop, COLOUR.get) == "red"
    with pytest.raises(ZeroDivisionError):
        await threads.run_on_executor(loop, lambda: 1 / 0)


async def test_one_call_looks_for_a_server_that_is_away_and_the_others_fail(
    threads: DriverThreads, server: PlayedServer
) -> None:
    server.is_away = True
    first, *others = started(threads, server, 4)
    assert [type(error) for error in await outcomes(others)] == [AutoReconnect] * 3
    assert not first.done()
    server.let_go(1)
    assert await outcomes([first]) == [0]
    assert server.begun == [0]


async def test_calls_that_wait_fail_with_the_one_that_found_the_server_away(
    threads: DriverThreads, server: PlayedServer
) -> None:
    calls = started(threads, server, 5)
    server.is_away = True
    server.let_go(1)
    refused = await outcomes(calls[2:])
    assert [type(error) for error in refused] == [AutoReconnect] * 3
    server.let_go(1)
    assert await outcomes(calls[:2]) == [0, 1]


async def test_all_go_on_when_the_server_is_back(threads: DriverThreads, server: PlayedServer) -> None:
    server.is_away = True
    probe, refused = started(threads, server, 2)
    assert [type(error) for error in await outcomes([refused])] == [AutoReconnect]
    server.is_away = False
    calls = started(threads, server, 4)
    server.let_go(5)
    assert await outcomes([probe, *calls]) == [0, 0, 1, 2, 3]


async def test_nobody_is_refused_before_patience_is_over(server: PlayedServer) -> None:
    threads = DriverThreads(is_away=lambda: True, patience=3600.0, threads=2)
    calls = started(threads, server, 4)
    server.let_go(4)
    assert await outcomes(calls) == [0, 1, 2, 3]
    threads.close()


async def test_a_caller_that_is_gone_takes_no_turn(threads: DriverThreads, server: PlayedServer) -> None:
    calls = started(threads, server, 4)
    calls[2].cancel()
    server.let_go(4)
    assert [type(outcome) for outcome in await outcomes(calls)] == [int, int, asyncio.CancelledError, int]
    assert 2 not in server.begun


async def test_an_error_whose_caller_is_gone_is_not_reported(server: PlayedServer) -> None:
    """With one thread, the last call begins when the error has been handed on, and `let_go` is for one call only."""
    threads = DriverThreads(is_away=lambda: False, threads=1)
    loop, reports = asyncio.get_running_loop(), list[str]()
    loop.set_exception_handler(lambda _, report: reports.append(report["message"]))
    before = started(threads, server, 1)
    failing = threads.run_on_executor(loop, server.fail)
    last = threads.run_on_executor(loop, int)
    server.let_go(1)
    await outcomes(before)
    await server.await_begin(2)
    failing.cancel()
    server.let_go(1)
    assert await outcomes([last]) == [0]
    threads.close()
    del failing
    gc.collect()
    assert reports == []
