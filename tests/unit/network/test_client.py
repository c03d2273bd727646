"""The transport of outgoing requests, where httpx itself fails in a way of its own."""

from typing import Any

import httpx
import pytest

from civitai_mock.domain.errors import TransientError
from civitai_mock.network.client import HttpTransport
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
