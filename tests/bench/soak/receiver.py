"""The receiver of webhooks: it keeps in which order events arrived, and fails now and then."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random

from tests.bench.load import HEAD_END, HOST

GOOD = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"
BAD = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
SHARE_OF_FAILURES, SHARE_OF_HANG_UPS = 0.03, 0.02


@dataclass(kw_only=True)
class WebhookReceiver:
    """`seqs` has the numbers of the events that were answered well, by job, without repetitions."""

    rng: Random
    url: str = ""
    seqs: dict[str, list[int]] = field(default_factory=dict)
    last_types: dict[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while answer := await self._answer(reader):
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            self.counts["webhooks broken off"] += 1
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> bytes:
        """Return nothing to hang up."""
        try:
            head = (await reader.readuntil(HEAD_END)).decode().lower()
        except asyncio.IncompleteReadError as error:
            if error.partial:
                raise
            return b""
        event = json.loads(await reader.readexactly(int(_header(head, "content-length"))))
        luck = self.rng.random()
        if luck < SHARE_OF_HANG_UPS:
            return b""
        if luck < SHARE_OF_HANG_UPS + SHARE_OF_FAILURES:
            return BAD
        self._take(_header(head, "idempotency-key"), event["type"])
        return GOOD

    def _take(self, key: str, event_type: str) -> None:
        job_id, _, seq = key.partition("/")
        seqs = self.seqs.setdefault(job_id, [])
        if int(seq) in seqs:
            self.counts["webhooks repeated"] += 1
            return
        seqs.append(int(seq))
        self.last_types[job_id] = event_type
        self.counts["webhooks"] += 1


def _header(head: str, name: str) -> str:
    return head.partition(f"\r\n{name}:")[2].partition("\r\n")[0].strip()


@asynccontextmanager
async def receiving(rng: Random) -> AsyncIterator[WebhookReceiver]:
    receiver = WebhookReceiver(rng=rng)
    server = await asyncio.start_server(receiver.serve, HOST, 0)
    try:
        receiver.url = f"http://{HOST}:{server.sockets[0].getsockname()[1]}/hook"
        yield receiver
    finally:
        server.close()
