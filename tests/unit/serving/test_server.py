"""The end of a server: who is still not answered then hears that it should come back."""

import asyncio
from datetime import timedelta

import httpx
from starlette.types import Receive, Scope, Send

from civitai_mock.serving.server import Server, listen

PATIENCE_SECONDS = 60


async def test_a_request_that_outlasts_the_grace_time_is_told_to_come_back() -> None:
    begun = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for event in ("startup", "shutdown"):
                assert (await receive())["type"] == f"lifespan.{event}"
                await send({"type": f"lifespan.{event}.complete"})
            return
        begun.set()
        await asyncio.Event().wait()

    ready = asyncio.Event()
    server = Server(app, grace=timedelta(0), on_ready=ready.set, on_stop=lambda: None)
    listener = listen("127.0.0.1", 0)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    async with asyncio.timeout(PATIENCE_SECONDS), httpx.AsyncClient(trust_env=False, timeout=PATIENCE_SECONDS) as http:
        await ready.wait()
        asking = asyncio.create_task(http.get(url))
        await begun.wait()
        server.begin_stop()
        answer = await asking
        await serving
    assert (answer.status_code, answer.headers["retry-after"], answer.headers["connection"]) == (503, "1", "close")
