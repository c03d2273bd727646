"""Webhooks of the whole server, to a receiver on a real socket."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.metadata import version

import pytest

from civitai_mock.api.v1.render import render_event
from civitai_mock.api.vocabulary import Vocabularies
from tests.support.served_app import JOBS, PATIENCE_SECONDS, serve_all, template

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class SocketReceiver:
    """Is a bare HTTP server on loopback, which keeps what it receives."""

    url: str = ""
    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    complete: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length: ")[2].split()[0])
        self.bodies.append(await reader.readexactly(length))
        self.heads.append(head)
        writer.write(ANSWER)
        await writer.drain()
        writer.close()
        if json.loads(self.bodies[-1])["jobHasCompleted"]:
            self.complete.set()


@asynccontextmanager
async def _listening() -> AsyncIterator[SocketReceiver]:
    received = SocketReceiver()
    async with await asyncio.start_server(received.serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        received.url = f"http://localhost:{port}/hook"
        yield received


async def test_a_receiver_gets_every_event_as_the_api_shows_it() -> None:
    async with _listening() as received, serve_all() as served:
        job = template(callbackUrl=received.url, params={**template()["params"], "width": 64, "height": 64})
        answer = await served.client.post(JOBS, json=job)
        job_id = answer.json()["jobs"][0]["jobId"]
        async with asyncio.timeout(PATIENCE_SECONDS):
            await received.complete.wait()
        events = await served.stores.jobs.events(job_id)
    assert [json.loads(body) for body in received.bodies] == [
        json.loads(json.dumps(render_event(event, Vocabularies().of()))) for event in events
    ]
    assert f"user-agent: civitai-mock/{version('civitai-mock')}" in received.heads[0]
    assert f"idempotency-key: {job_id}/0" in received.heads[0]
    assert "traceparent: 00-" in received.heads[0]


@pytest.mark.parametrize(
    ("compat", "base", "provider"),
    [("default", "/compat/official", "Civitai"), ("official", "/compat/default", "local"), ("official", "", "Civitai")],
)
async def test_a_receiver_gets_the_words_that_the_request_asked_for(compat: str, base: str, provider: str) -> None:
    async with _listening() as received, serve_all(client_compat=compat) as served:
        job = template(callbackUrl=received.url, params={**template()["params"], "width": 64, "height": 64})
        assert (await served.client.post(f"{base}{JOBS}", json=job)).status_code == 202
        async with asyncio.timeout(PATIENCE_SECONDS):
            await received.complete.wait()
    events = [json.loads(body) for body in received.bodies]
    assert {event["provider"] for event in events if "provider" in event} == {provider}


async def test_a_callback_url_that_cannot_be_used_is_refused_at_once() -> None:
    async with serve_all() as served:
        answer = await served.client.post(JOBS, json=template(callbackUrl="http://8.8.8.8/hook"))
    assert answer.status_code == 400
    assert "callbackUrl" in answer.json()["errors"]
