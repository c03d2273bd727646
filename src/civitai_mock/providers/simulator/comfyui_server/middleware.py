"""What happens to every request before a route sees it."""

import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from civitai_mock.providers.simulator.comfyui_server.routes.answers import empty, too_large
from civitai_mock.providers.simulator.comfyui_server.routes.management import PREFIX
from civitai_mock.providers.simulator.comfyui_server.standin import Standin


class Gate:
    """Foreign origins, bodies that are too large, and the faults that concern all of HTTP."""

    def __init__(self, app: ASGIApp, *, standin: Standin) -> None:
        self._app = app
        self._standin = standin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif is_foreign(Headers(scope=scope)):
            await self._refuse(scope, receive, send)
        elif scope["type"] == "websocket" or scope["path"].startswith(PREFIX):
            await self._app(scope, receive, send)
        else:
            self._note(scope)
            await self._delay()
            await self._limited(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await empty(403)(scope, receive, send)

    def _note(self, scope: Scope) -> None:
        """By the start of the path: what is behind it would make a list without end."""
        start = scope["path"].removeprefix("/api").split("/")[1]
        self._standin.workshop.ledger.requests[f"{scope['method']} /{start}"] += 1

    async def _delay(self) -> None:
        faults = self._standin.faults
        await faults.until(lambda now: not now.hang)
        if faults.now.slow_seconds > 0:
            await self._standin.workshop.clock.sleep(faults.now.slow_seconds)

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        limit = self._standin.workshop.options.max_upload_bytes
        received = 0

        async def receive_counting() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise _TooLargeError
            return message

        try:
            await self._app(scope, receive_counting, send)
        except _TooLargeError:
            await too_large(limit)(scope, receive, send)


class _TooLargeError(Exception):
    """The body went over the limit."""


def is_foreign(headers: Headers) -> bool:
    """A web page from elsewhere that reaches for a ComfyUI on the user's own machine."""
    if "host" not in headers or "origin" not in headers:
        return False
    host, origin = urlsplit(f"//{headers['host'].lower()}"), urlsplit(headers["origin"].lower())
    if not _is_loopback(host.hostname) or not origin.hostname:
        return False
    if host.port is None or origin.port is None:
        return host.hostname != origin.hostname
    return host.netloc != origin.netloc


def _is_loopback(name: str | None) -> bool:
    if name is None:
        return False
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"
