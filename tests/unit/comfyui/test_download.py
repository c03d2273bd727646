"""An image arrives whole, or not at all."""

from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from civitai_mock.clock import SystemClock
from civitai_mock.domain.errors import TransientError
from civitai_mock.generation.graph_reader.outputs import media_type_of
from civitai_mock.providers.comfyui.address import parse_servers
from civitai_mock.providers.comfyui.protocol.messages import SavedFile
from civitai_mock.providers.comfyui.transport.http import ComfyHttp, FileGoneError, download
from tests.support.standin import plain_png

(SERVER,) = parse_servers("http://gpu:8188")
PNG = plain_png(256, 256)


class InstantClock(SystemClock):
    async def sleep(self, seconds: float) -> None:
        """Pauses between tries are not what is tested here."""


async def fetch(handler: Callable[[httpx.Request], httpx.Response], filename: str = "a.png") -> bytes:
    async with ComfyHttp(SERVER, transport=httpx.MockTransport(handler)) as http:
        file = SavedFile(filename, "", "output")
        return b"".join([chunk async for chunk in download(http, file, InstantClock())])


async def broken(content: bytes) -> AsyncIterator[bytes]:
    yield content
    raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")


@pytest.mark.parametrize("understands_ranges", [True, False])
async def test_a_broken_download_goes_on_where_it_left_off(understands_ranges: bool) -> None:
    starts: list[int] = []

    def handle(request: httpx.Request) -> httpx.Response:
        start = int(request.headers.get("range", "bytes=0-")[6:-1])
        starts.append(start)
        if len(starts) < 3:
            return httpx.Response(206 if start else 200, content=broken(PNG[start : start + 50]))
        served = start if understands_ranges else 0
        return httpx.Response(206 if served else 200, content=PNG[served:])

    assert await fetch(handle) == PNG
    assert starts == [0, 50, 100]


async def test_a_server_that_always_breaks_off_is_given_up() -> None:
    with pytest.raises(TransientError, match="the connection was broken off") as caught:
        await fetch(lambda _: httpx.Response(200, content=broken(b"")))
    assert not isinstance(caught.value, FileGoneError)


@pytest.mark.parametrize(
    ("filename", "content"), [("a.png", PNG[:-1]), ("a.PNG", b""), ("a.jpg", b"\xff\xd8\xff"), ("a.png", PNG[:100])]
)
async def test_an_image_that_is_cut_short_is_no_image(filename: str, content: bytes) -> None:
    with pytest.raises(FileGoneError, match="cut short"):
        await fetch(lambda _: httpx.Response(200, content=content), filename)


async def test_a_file_of_another_kind_may_end_as_it_likes() -> None:
    assert await fetch(lambda _: httpx.Response(200, content=b"anything"), "a.webp") == b"anything"


async def test_an_image_that_is_gone_is_not_asked_for_again() -> None:
    asked: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(404)

    with pytest.raises(FileGoneError, match=r"a\.png"):
        await fetch(handle)
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("filename", "content_type"),
    [("a.png", "image/png"), ("a.JPG", "image/jpeg"), ("a.mp4", "video/mp4"), ("a", "application/octet-stream")],
)
def test_the_type_follows_from_the_name(filename: str, content_type: str) -> None:
    assert media_type_of(filename) == content_type
