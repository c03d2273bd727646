"""Who listens to streams in the bench, against a server of a few lines."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from tests.bench.listeners import Listening, listen
from tests.bench.load import LoadError
from tests.bench.servers import free_port

LATE = timedelta(seconds=3)


@asynccontextmanager
async def serving(*, is_cut: bool) -> AsyncIterator[int]:
    """Serve streams of an event each 10 ms that each say they are `LATE`, with comments and a line between."""
    streams: set[asyncio.Task[None]] = set()

    async def stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        streams.add(task)
        try:
            await write_events(reader, writer)
            writer.close()
        except ConnectionError:
            pass
        finally:
            if not writer.is_closing():
                writer.transport.abort()

    async def write_events(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1]
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nretry: 2000\n\n:\n\n")
        while not writer.is_closing():
            at = (datetime.now(UTC) - LATE).isoformat().removesuffix("+00:00").encode()
            writer.write(b'event: a\ndata: {"type":"a","at":"%s0Z","path":"%s"' % (at, path))
            await writer.drain()
            await asyncio.sleep(0.01)
            writer.write(b"}\n\n")
            if is_cut:
                break

    port = free_port()
    async with await asyncio.start_server(stream, "127.0.0.1", port):
        yield port
        for task in streams:
            task.cancel()
        await asyncio.gather(*streams, return_exceptions=True)


def plan(port: int, *, seconds: float = 0.2) -> Listening:
    paths = [f"/{number}" for number in range(5)]
    return Listening(port=port, paths=paths, pids=[os.getpid()], seconds=seconds, settling_seconds=0.05)


async def test_each_event_of_each_stream_counts_with_the_time_that_it_took() -> None:
    async with serving(is_cut=False) as port:
        heard = await asyncio.to_thread(listen, plan(port))
    assert len(heard.latencies) >= 5
    assert all(latency >= LATE.total_seconds() for latency in heard.latencies)
    assert heard.percentile(0.0) == min(heard.latencies)
    assert heard.cpu_seconds >= 0


async def test_a_stream_that_ends_is_an_error() -> None:
    async with serving(is_cut=True) as port:
        with pytest.raises(LoadError, match="a stream ended"):
            await asyncio.to_thread(listen, plan(port))


async def test_a_server_that_is_not_there_is_an_error() -> None:
    with pytest.raises(LoadError, match="not all streams began"):
        await asyncio.to_thread(listen, plan(free_port()))
