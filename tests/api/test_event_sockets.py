"""The stream of events by WebSockets: the same messages, and codes that say why it ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from starlette.types import Message, Scope

from tests.api.test_event_stream import claim, fail, of_job
from tests.support.asgi import http_scope
from tests.support.listener import listening
from tests.support.served_app import JOBS, Served, serve

UNKNOWN = "00000000-0000-4000-8000-000000000000"
MINE = "/v1/consumer/events"
PATIENCE_SECONDS = 60


@dataclass(slots=True, kw_only=True)
class Peer:
    """Is who has connected; `close` is what the server closed with."""

    task: asyncio.Future[None]
    sent: list[Message] = field(default_factory=list)

    @property
    def told(self) -> list[Any]:
        return [orjson.loads(message["text"]) for message in self.sent if message["type"] == "websocket.send"]

    async def close(self) -> Message:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.task
        assert self.sent[-1]["type"] == "websocket.close"
        return self.sent[-1]

    async def hears(self, count: int) -> list[Any]:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.told) < count and not self.task.done():  # noqa: ASYNC110 - whatever is sent counts
                await asyncio.sleep(0)
        return self.told


@asynccontextmanager
async def connected(served: Served, path: str, *, query: str = "", **headers: str) -> AsyncIterator[Peer]:
    left = asyncio.Event()
    begun = iter([True])

    async def receive() -> Message:
        if next(begun, False):
            return {"type": "websocket.connect"}
        await left.wait()
        return {"type": "websocket.disconnect", "code": 1001}

    async def send(message: Message) -> None:
        peer.sent.append(message)

    http = http_scope("GET", path, host="mock.test:3000", **headers)
    scope: Scope = {**http, "type": "websocket", "scheme": "ws", "query_string": query.encode(), "subprotocols": []}
    del scope["method"]
    peer = Peer(task=asyncio.ensure_future(served.app(scope, receive, send)))
    try:
        yield peer
    finally:
        left.set()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.gather(peer.task, return_exceptions=True)


async def test_a_socket_is_told_what_a_stream_is_and_closed_when_all_is_told(served: Served) -> None:
    job_id = await served.submit_one()
    await fail(served, await claim(served))
    async with connected(served, of_job(job_id)) as peer, listening(served.app, of_job(job_id)) as listener:
        assert (await peer.close())["code"] == 1000
        await listener.ended()
    assert peer.sent[0] == {"type": "websocket.accept"}
    assert peer.told == [message.data for message in listener.told]
    assert [told["cursor"] for told in peer.told] == [message.id for message in listener.told]
    async with connected(served, of_job(job_id), query=f"after={peer.told[0]['cursor']}") as again:
        await again.close()
    assert again.told == peer.told[1:]
    async with connected(served, of_job(job_id), query=f"after={peer.told[-1]['cursor']}") as at_end:
        assert (await at_end.close())["code"] == 1000
    assert at_end.told == []


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        (of_job(UNKNOWN), "", 4404),
        (of_job("nonsense"), "", 4400),
        (MINE, "after=nonsense", 4400),
        ("/_mock/events", "types=nonsense", 4400),
        ("/_mock/events", "namespace=nobody", 4404),
    ],
)
async def test_a_socket_that_gets_no_stream_is_told_why(served: Served, path: str, query: str, code: int) -> None:
    async with connected(served, path, query=query) as peer:
        close = await peer.close()
    assert (close["code"], bool(close["reason"])) == (code, True)


async def test_a_socket_needs_the_token_that_a_stream_needs() -> None:
    async with serve(auth="tokens", auth_tokens="alice", max_streams=1) as served:
        async with connected(served, MINE) as peer:
            assert (await peer.close())["code"] == 4401
        async with connected(served, MINE, query="access_token=alice") as peer:
            await asyncio.sleep(0)
            async with connected(served, MINE, authorization="Bearer alice") as second:
                assert (await second.close())["code"] == 1013
        assert served.app.context.streams.taken == 0


@pytest.mark.parametrize(
    ("origin", "is_refused"),
    [("http://elsewhere.example", True), ("null", True), ("http://mock.test:3000", False), ("http://mock.test", True)],
)
async def test_the_page_of_another_server_gets_no_socket(served: Served, origin: str, is_refused: bool) -> None:
    async with connected(served, of_job(await served.submit_one()), origin=origin) as peer:
        if is_refused:
            assert (await peer.close())["code"] == 4403
        else:
            await peer.hears(1)
        assert (peer.sent[0]["type"] == "websocket.close") is is_refused


async def test_a_stop_closes_sockets_as_one(served: Served) -> None:
    async with connected(served, of_job(await served.submit_one())) as peer:
        await peer.hears(1)
        served.application.begin_stop()
        assert (await peer.close())["code"] == 1012


async def test_nothing_is_left_of_a_peer_that_is_gone(served: Served) -> None:
    async with connected(served, MINE) as peer:
        await asyncio.sleep(0)
    assert peer.task.done()
    assert served.app.context.streams.taken == served.use_cases.event_streams.count == 0


async def test_a_path_without_a_stream_takes_no_socket(served: Served) -> None:
    async with connected(served, f"{JOBS}/{await served.submit_one()}") as peer:
        await peer.close()
    assert [message["type"] for message in peer.sent] == ["websocket.close"]
