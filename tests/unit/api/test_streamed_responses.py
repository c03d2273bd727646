"""A streamed answer ends what makes it, however it goes."""

from collections.abc import AsyncIterator

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message

from civitai_mock.api.responses import StreamedResponse
from tests.support.asgi import exchange, hang_up, http_scope, silence


async def _parts(ended: list[str]) -> AsyncIterator[bytes]:
    try:
        for _ in range(3):
            yield b"part"
    finally:
        ended.append("ended")


async def test_it_is_sent_in_parts() -> None:
    ended: list[str] = []
    answer = await exchange(StreamedResponse(_parts(ended)), http_scope("GET", "/"), silence)
    bodies = [message["body"] for message in answer.messages[1:]]
    assert (answer.status, bodies, ended) == (200, [b"part"] * 3 + [b""], ["ended"])


async def test_what_makes_it_has_ended_when_the_caller_is_gone() -> None:
    ended: list[str] = []
    await exchange(StreamedResponse(_parts(ended)), http_scope("GET", "/"), hang_up)
    assert ended == ["ended"]


async def test_what_makes_it_has_ended_when_it_is_broken_off() -> None:
    ended: list[str] = []

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            raise ClientDisconnect

    with pytest.raises(ClientDisconnect):
        await StreamedResponse(_parts(ended))(http_scope("GET", "/"), silence, send)
    assert ended == ["ended"]
