"""A real server that answers GET with bytes as they are, however wrong."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx

from civitai_mock.network.client import GuardedHttpClient
from civitai_mock.network.http import http_client
from civitai_mock.network.media import ImageLimits, MediaFetcher, MediaLimits
from civitai_mock.network.tls import make_tls_context
from civitai_mock.services.host_policy import image_policy

ADDRESS = "127.0.0.1"
LIMITS = ImageLimits(max_bytes=200_000, max_pixels=10_000)


class ImageHost:
    """`answers` are whole answers by path; one that `goes_on` is followed by more and more of its end."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes] = {}
        self.goes_on: set[str] = set()
        self.stays_open: set[str] = set()
        self.addresses: dict[str, Sequence[str]] = {}
        self.requests: list[str] = []
        self.port = 0

    def url(self, path: str = "/x.png", *, host: str = "images.test") -> str:
        return f"http://{host}:{self.port}{path}"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            path = head.split(" ")[1].partition("?")[0]
            self.requests.append(head)
            answer = self.answers.get(path, answer_of(b"", status=404))
            writer.write(answer)
            await writer.drain()
            while path in self.goes_on:
                writer.write(answer[-1000:])
                await writer.drain()
            if path in self.stays_open:
                await reader.read()
        except ConnectionError:
            pass  # the client has read enough
        finally:
            writer.close()

    async def resolve(self, host: str, _: int) -> Sequence[str]:
        return self.addresses.get(host, (ADDRESS,))


@asynccontextmanager
async def image_host(*, tls: ssl.SSLContext | None = None) -> AsyncIterator[ImageHost]:
    host = ImageHost()
    server = await asyncio.start_server(host.handle, ADDRESS, ssl=tls)
    host.port = server.sockets[0].getsockname()[1]
    async with server:
        yield host


@asynccontextmanager
async def fetching_from(
    host: ImageHost, *patterns: str, limits: ImageLimits = LIMITS, patience: timedelta = timedelta(seconds=5)
) -> AsyncIterator[MediaFetcher]:
    async with http_client(user_agent="test", tls=make_tls_context()) as client:
        hosts = image_policy(patterns or ("private",))

        async def get_client() -> httpx.AsyncClient:
            return client

        guarded = GuardedHttpClient(get_client=get_client, hosts=hosts, resolve=host.resolve)
        media = MediaLimits(max_bytes=limits.max_bytes, images=limits)
        yield MediaFetcher(client=guarded, limits=limits, media_limits=media, timeout=patience)


def answer_of(body: bytes, *, status: int = 200, length: int | None = None, **headers: str) -> bytes:
    """`length` is what the head says of the body's length, if that is not the truth."""
    told = {"Content-Length": str(len(body) if length is None else length), **headers}
    lines = [f"HTTP/1.1 {status} Something", *(f"{name.replace('_', '-')}: {value}" for name, value in told.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body
