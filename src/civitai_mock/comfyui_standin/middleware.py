"""What happens to every request before a route sees it: paths, CORS, caching, limits, compression."""

import gzip
import ipaddress
import zlib
from urllib.parse import quote, unquote, urlsplit

from starlette.convertors import Convertor, register_url_convertor
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from civitai_mock.comfyui_standin.routes.answers import UNKNOWN_TYPE, empty, too_large
from civitai_mock.comfyui_standin.routes.control import PREFIX
from civitai_mock.comfyui_standin.standin import Standin

COMPRESSED_TYPES = frozenset({"application/json", "text/plain"})


def compressed(accepted: str, send: Send) -> Send:
    """`accepted` is the client's Accept-Encoding; of the two that it may take, deflate comes first, as in ComfyUI."""
    if "gzip" not in accepted:
        return send
    started: list[Message] = []

    async def send_compressed(message: Message) -> None:
        if message["type"] == "http.response.start" and _is_text(message):
            started.append(message)
            return
        if started and message["type"] == "http.response.body":
            start, body = started.pop(), message.get("body", b"")
            if body and not message.get("more_body"):
                coding = "deflate" if "deflate" in accepted else "gzip"
                message = {**message, "body": zlib.compress(body) if coding == "deflate" else gzip.compress(body)}
                MutableHeaders(scope=start).update(
                    {"content-encoding": coding, "content-length": str(len(message["body"]))}
                )
            await send(start)
        await send(message)

    return send_compressed


def _is_text(message: Message) -> bool:
    media_type = MutableHeaders(scope=message).get("content-type", "")
    return media_type.partition(";")[0] in COMPRESSED_TYPES


UNQUOTED = "~!$&'()*+,;=:@"


class Segment(Convertor[str]):
    """What is between two slashes of a path that `canonical` has made."""

    regex = "[^{}/]+"

    def convert(self, value: str) -> str:
        return unquote(value)

    def to_string(self, value: str) -> str:
        return quote(value, safe=UNQUOTED)


def canonical(raw_path: str) -> str:
    """The same path with each segment encoded in one way only."""
    return "/".join(quote(unquote(segment), safe=UNQUOTED) for segment in raw_path.split("/"))


register_url_convertor("segment", Segment())


IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
CORS = {
    "access-control-allow-methods": "POST, GET, DELETE, PUT, OPTIONS",
    "access-control-allow-headers": "Content-Type, Authorization",
    "access-control-allow-credentials": "true",
}
RAISED = frozenset({405, 500})  # these never come by ComfyUI's own layers


class RequestRules:
    """Foreign origins, bodies that are too large, and the faults that concern all of HTTP."""

    def __init__(self, app: ASGIApp, *, standin: Standin) -> None:
        self._app = app
        self._standin = standin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        scope["path"] = canonical(scope["raw_path"].decode("latin-1"))
        origin = self._standin.workshop.options.cors_origin
        if origin is None and is_foreign(Headers(scope=scope)):
            await self._refuse(scope, receive, send)
        elif scope["type"] == "websocket" or scope["path"].startswith(PREFIX):
            await self._app(scope, receive, send)
        else:
            self._note(scope)
            await self._delay()
            accepted = (
                Headers(scope=scope).get("accept-encoding", "") if self._standin.workshop.options.compress else ""
            )
            await self._limited(scope, receive, cached(scope["path"], shared(origin, compressed(accepted, send))))

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await empty(403)(scope, receive, send)

    def _note(self, scope: Scope) -> None:
        """By the start of the path: what is behind it would make a list without end."""
        start = scope["path"].removeprefix("/api").lstrip("/").partition("/")[0]
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


def shared(origin: str | None, send: Send) -> Send:
    """--enable-cors-header: web pages of this origin may read the answers."""
    if origin is None:
        return send

    async def send_shared(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] not in RAISED:
            MutableHeaders(scope=message).update({"access-control-allow-origin": origin, **CORS})
        await send(message)

    return send_shared


def cached(path: str, send: Send) -> Send:
    """Says how long an answer may be kept, as ComfyUI decides it by the end of the path."""

    async def send_cached(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            told = _cache_control(path, message["status"], is_page_file=headers.get("content-type") == UNKNOWN_TYPE)
            if told is not None:
                headers.setdefault("cache-control", told)
        await send(message)

    return send_cached


def _cache_control(path: str, status: int, *, is_page_file: bool) -> str | None:
    """A file of the web page that is not there counts as found, as it is only missed when it is sent."""
    name = path.rpartition("/")[2]
    if status in RAISED:
        return None
    if name.endswith((".js", ".css")) or (name.startswith("index") and name.endswith(".json")):
        return "no-cache"
    if not name.lower().endswith(IMAGE_ENDINGS):
        return None
    if status == 404 and not is_page_file:
        return "public, max-age=3600"
    return "public, max-age=86400" if status == 404 or 200 <= status < 300 else None


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
