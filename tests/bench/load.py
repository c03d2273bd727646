"""A load generator: HTTP/1.1 over keep-alive connections, one request at a time on each."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import repeat

CONNECTIONS = 32


Address = tuple[str, int]


@dataclass(slots=True, kw_only=True)
class Load:
    """What came of a run; latencies in seconds."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        return sorted(self.latencies)[min(int(len(self.latencies) * share), len(self.latencies) - 1)]


def request(method: str, path: str, body: bytes = b"") -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


async def run(address: Address, message: bytes, *, requests: int, keep_bodies: bool = False) -> Load:
    """Send `message` that many times over all connections."""
    load, todo, started = Load(), repeat(message, requests), time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(min(CONNECTIONS, requests)):
            group.create_task(_connection(address, todo, load, keep_bodies=keep_bodies))
    load.seconds = time.perf_counter() - started
    return load


async def _connection(address: Address, todo: Iterator[bytes], load: Load, *, keep_bodies: bool) -> None:
    reader, writer = await asyncio.open_connection(*address)
    try:
        for message in todo:
            started = time.perf_counter()
            writer.write(message)
            body = await _answer(reader)
            load.latencies.append(time.perf_counter() - started)
            if keep_bodies:
                load.bodies.append(body)
    finally:
        writer.close()
        await writer.wait_closed()


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = int(head.split(b" ", 2)[1])
    length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
    body = await reader.readexactly(length)
    if status >= 400:
        raise RuntimeError(f"{status}: {body[:500]!r}")
    return body
