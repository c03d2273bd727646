"""The client of outgoing requests: when it is made, and where httpx itself fails in a way of its own."""

import asyncio
import ssl
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from civitai_mock.domain.errors import TransientError
from civitai_mock.network.client import LateHttpClient
from civitai_mock.network.http import HttpTransport
from civitai_mock.providers.comfyui.address import parse_servers
from civitai_mock.providers.comfyui.transport.http import ComfyHttp


def break_connections(monkeypatch: pytest.MonkeyPatch, attribute: str) -> None:
    """Let every connection fail as one does whose socket is gone before anyio asks for its `attribute`."""

    async def fail(*_: Any) -> httpx.Response:
        gone: Any = None
        return httpx.Response(200, content=getattr(gone, attribute))

    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", fail)


async def test_a_connection_that_is_lost_as_soon_as_it_is_open_was_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    break_connections(monkeypatch, "getpeername")
    async with httpx.AsyncClient(transport=HttpTransport()) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get("http://gpu:8188/")


async def test_a_bug_is_not_taken_for_a_lost_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    break_connections(monkeypatch, "content")
    async with httpx.AsyncClient(transport=HttpTransport()) as client:
        with pytest.raises(AttributeError):
            await client.get("http://gpu:8188/")


async def test_a_server_whose_connections_are_lost_at_once_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    break_connections(monkeypatch, "getpeername")
    (server,) = parse_servers("http://gpu:8188")
    async with ComfyHttp(server) as http:
        with pytest.raises(TransientError, match=r"^gpu:8188/system_stats: the connection was broken off$"):
            await http.system_stats()


def late_client(make_tls_context: Callable[[], ssl.SSLContext]) -> LateHttpClient:
    return LateHttpClient(user_agent="test/1", make_tls_context=make_tls_context)


async def test_a_client_is_made_once_in_a_thread_however_many_send_at_first() -> None:
    makers: list[threading.Thread] = []

    def make_tls_context() -> ssl.SSLContext:
        makers.append(threading.current_thread())
        return ssl.create_default_context()

    late = late_client(make_tls_context)
    clients = await asyncio.gather(*(late() for _ in range(5)))
    assert len({*map(id, clients)}) == len(makers) == 1
    assert makers[0] is not threading.current_thread()
    await late.aclose()
    assert clients[0].is_closed


async def test_a_client_is_made_where_no_thread_can_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    late = late_client(ssl.create_default_context)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        assert not (await late()).is_closed
    await late.aclose()


async def test_a_client_that_nobody_needed_is_not_made_to_be_closed() -> None:
    def fail() -> ssl.SSLContext:
        raise AssertionError("made")

    await late_client(fail).aclose()
