"""A host that answers as a test wants, under any name and address: a webhook receiver, above all."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Self

import httpx

from civitai_mock.bootstrap.runtime import OutboundNetwork
from civitai_mock.network.media import ImageLimits, MediaFetcher, MediaLimits
from civitai_mock.network.webhook_sender import WebhookSender
from civitai_mock.services.host_policy import PRIVATE, callback_policy, image_policy

URL = "http://receiver.test/hook?key=secret"
ADDRESS = "10.0.0.7"
LIMITS = ImageLimits(max_bytes=1_000_000, max_pixels=1_000_000)
PATIENCE = timedelta(seconds=60)

Answer = Callable[[httpx.Request], httpx.Response]
Handle = Callable[[httpx.Request], Awaitable[None]]


class Receiver:
    """Answers 204 to everything; `hold` makes it keep requests waiting, `answer` may raise.

    It does what `on_arrival` does before it answers.
    """

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.answer: Answer = lambda _: httpx.Response(204)
        self.on_arrival: Handle = _nothing
        self.addresses: dict[str, Sequence[str]] = {}
        self._go = asyncio.Event()
        self._go.set()
        self._client = httpx.AsyncClient(transport=httpx.MockTransport(self._handle))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    def hold(self) -> None:
        self._go.clear()

    def go_on(self) -> None:
        self._go.set()

    @property
    def events(self) -> list[str]:
        """Return the number and the type of the event in each request, in order."""
        return [_event(request) for request in self.requests]

    def events_of(self, job_id: str) -> list[str]:
        """Return the same for the requests about one job."""
        return [_event(request) for request in self.requests if _subject(request)[0] == job_id]

    @property
    def network(self) -> OutboundNetwork:
        """Return connections that lead here, whatever the host."""
        return OutboundNetwork(get_client=self._get_client, resolve=self._resolve)

    def webhook_sender(self, *patterns: str, timeout: timedelta = PATIENCE) -> WebhookSender:
        return WebhookSender(client=self.network.guarded_by(callback_policy(patterns or (PRIVATE,))), timeout=timeout)

    def images(self, *patterns: str, limits: ImageLimits = LIMITS, timeout: timedelta = PATIENCE) -> MediaFetcher:
        client = self.network.guarded_by(image_policy(patterns or (PRIVATE,)))
        media = MediaLimits(max_bytes=limits.max_bytes, images=limits)
        return MediaFetcher(client=client, limits=limits, media_limits=media, timeout=timeout)

    async def _get_client(self) -> httpx.AsyncClient:
        return self._client

    async def _resolve(self, host: str, _: int) -> Sequence[str]:
        return self.addresses.get(host, (ADDRESS,))

    async def _handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        await self._go.wait()
        await self.on_arrival(request)
        return self.answer(request)


async def _nothing(_: httpx.Request) -> None:
    pass


def _event(request: httpx.Request) -> str:
    return f"{_subject(request)[1]} {json.loads(request.content)['type']}"


def _subject(request: httpx.Request) -> Sequence[str]:
    """Return the id of the job, and the number of its event."""
    return str(request.headers["Idempotency-Key"]).split("/")
