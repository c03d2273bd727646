"""Messages that clients send over the stand-in's socket, and their effects."""

import json
from collections.abc import AsyncIterator

import pytest

from civitai_mock.comfyui_standin.options import StandinOptions
from tests.support.comfyui_listener import Listener, listen_to
from tests.support.standin_session import StandinSession, standin_session, text_to_image, with_node

HELLO = {"type": "feature_flags", "data": {"supports_preview_metadata": True}}


@pytest.fixture
async def session() -> AsyncIterator[StandinSession]:
    async with standin_session(options=StandinOptions(previews=True)) as opened:
        yield opened


async def _run(session: StandinSession, listener: Listener, prompt_id: str = "p") -> None:
    await session.submit(text_to_image(), prompt_id=prompt_id, client_id="c")
    await listener.until_ended(prompt_id)


def _image_events(listener: Listener) -> list[int]:
    return [frame[3] for frame in listener.heard if isinstance(frame, bytes)]


async def test_a_socket_without_a_client_id_gets_one(session: StandinSession) -> None:
    async with listen_to(session.running) as one, listen_to(session.running) as other:
        sids = [listener.heard[0]["data"]["sid"] for listener in (one, other)]  # type: ignore[call-overload]
    assert len(set(sids)) == 2
    assert all(len(sid) == 32 for sid in sids)


@pytest.mark.parametrize("junk", ["{", "[]", "7", "{}", "null", b"\x00\x01", ""])
async def test_junk_does_not_disturb_the_socket(session: StandinSession, junk: str | bytes) -> None:
    async with listen_to(session.running, "c") as listener:
        await listener.connection.send(junk)
        await _run(session, listener)
    assert _image_events(listener) == [1]


async def test_features_count_in_the_first_message_only(session: StandinSession) -> None:
    async with listen_to(session.running, "c") as listener:
        await listener.connection.send('{"type": "hello"}')
        await listener.connection.send(json.dumps(HELLO))
        await _run(session, listener)
    assert "feature_flags" not in listener.types
    assert _image_events(listener) == [1]


async def test_features_are_forgotten_with_the_socket(session: StandinSession) -> None:
    async with listen_to(session.running, "c", flags=True) as listener:
        await _run(session, listener, "first")
        assert _image_events(listener) == [4]
    await session.client.post("/free", json={"free_memory": True})
    async with listen_to(session.running, "c") as listener:
        await _run(session, listener, "second")
        assert _image_events(listener) == [1]


async def test_a_streamed_image_is_described_to_a_client_that_knows_how(session: StandinSession) -> None:
    graph = with_node(text_to_image(), "9", "SaveImageWebsocket", images=["8", 0])
    async with listen_to(session.running, "c", flags=True) as listener:
        await session.submit(graph, prompt_id="p", client_id="c")
        await listener.until_ended("p")
    frame = [heard for heard in listener.heard if isinstance(heard, bytes)][-1]
    length = int.from_bytes(frame[4:8], "big")
    assert json.loads(frame[8 : 8 + length])["image_type"] == "image/png"
    assert frame[8 + length :].startswith(b"\x89PNG")


async def test_without_previews_only_streamed_images_are_binary() -> None:
    async with standin_session() as session, listen_to(session.running, "c") as listener:
        await _run(session, listener)
        assert _image_events(listener) == []


async def test_a_client_id_that_is_a_number_is_nobody(session: StandinSession) -> None:
    async with listen_to(session.running, "5") as listener:
        await session.submit(text_to_image(), client_id=5)
        await listener.until_idle()
    assert set(listener.types) == {"status"}


async def test_the_socket_is_under_api_as_well(session: StandinSession) -> None:
    session.running.socket_path = "/api/ws"
    async with listen_to(session.running, "c") as listener:
        await _run(session, listener)
    assert "execution_success" in listener.types
