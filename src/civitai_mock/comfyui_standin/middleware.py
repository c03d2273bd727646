"""Rules for every request before a route sees it: paths, foreign origins, size limits, CORS, caching, compression."""

import gzip
import ipaddress
import zlib
from urllib.parse import quote, unquote, urlsplit

from starlette.convertors import Convertor, register_url_convertor
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from civitai_mock.comfyui_standin.routes.control import PREFIX
from civitai_mock.comfyui_standin.routes.responses import UNKNOWN_TYPE, body_too_large, command_refused, empty
from civitai_mock.comfyui_standin.standin import Standin
from civitai_mock.services.origin_policy import OriginPolicy

UNQUOTED = "~!$&'()*+,;=:@"
COMPRESSED_TYPES = frozenset({"application/json", "text/plain"})
IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
CORS_HEADERS = {
    "access-control-allow-methods": "POST, GET, DELETE, PUT, OPTIONS",
    "access-control-allow-headers": "Content-Type, Authorization",
    "access-control-allow-credentials": "true",
}
UNTOUCHED_STATUSES = frozenset({405, 500})  # aiohttp raises them, so that ComfyUI's own middleware never sees them


class Segment(Convertor[str]):
    """Matches what is between two slashes of a path that `canonical` has made."""

    regex = "[^{}/]+"

    def convert(self, value: str) -> str:
        return unquote(value)

    def to_string(self, value: str) -> str:
        return quote(value, safe=UNQUOTED)


register_url_convertor("segment", Segment())


def canonical(raw_path: str) -> str:
    """Return the same path with each segment encoded in one way only."""
    return "/".join(quote(unquote(segment), safe=UNQUOTED) for segment in raw_path.split("/"))


class RequestRules:
    """Refuses foreign origins and bodies that are too large, and applies the faults that concern all of HTTP.

    The routes /standin, which no ComfyUI has, obey `command_origins`, whatever the options say.
    """

    def __init__(self, app: ASGIApp, *, standin: Standin, command_origins: OriginPolicy) -> None:
        self._app = app
        self._standin = standin
        self._command_origins = command_origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        scope["path"] = canonical(scope["raw_path"].decode("latin-1"))
        options, headers = self._standin.state.options, Headers(scope=scope)
        is_command = scope["type"] == "http" and scope["path"].startswith(PREFIX)
        if is_command and (refusal := self._refusal(headers)):
            await command_refused(refusal, status=403)(scope, receive, send)
        elif options.cors_origin is None and is_foreign(headers):
            await _refuse(scope, receive, send)
        elif scope["type"] == "websocket" or is_command:
            await self._app(scope, receive, send)
        else:
            self._count(scope)
            await self._delay()
            accepted = headers.get("accept-encoding", "") if options.compress else ""
            send = with_cors_headers(options.cors_origin, with_compression(accepted, send))
            await self._call_with_size_limit(scope, receive, with_cache_control(scope["path"], send))

    def _refusal(self, headers: Headers) -> str | None:
        return self._command_origins.refusal(host=headers.get("host"), origin=headers.get("origin"))

    def _count(self, scope: Scope) -> None:
        """Count the request by the start of its path: whole paths would make an endless list."""
        start = scope["path"].removeprefix("/api").lstrip("/").partition("/")[0]
        self._standin.state.stats.requests[f"{scope['method']} /{start}"] += 1

    async def _delay(self) -> None:
        faults = self._standin.faults
        await faults.until(lambda current: not current.hang)
        if faults.current.slow_seconds > 0:
            await self._standin.state.clock.sleep(faults.current.slow_seconds)

    async def _call_with_size_limit(self, scope: Scope, receive: Receive, send: Send) -> None:
        limit = self._standin.state.options.max_upload_bytes
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
            await body_too_large(limit)(scope, receive, send)


class _TooLargeError(Exception):
    """The body went over the limit."""


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
    else:
        await empty(403)(scope, receive, send)


def is_foreign(headers: Headers) -> bool:
    """Tell whether a web page from elsewhere reaches for a ComfyUI on the user's own machine."""
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


def with_compression(accepted: str, send: Send) -> Send:
    """Compress JSON and plain text for a client with this Accept-Encoding; deflate is preferred, as in ComfyUI."""
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


def with_cors_headers(origin: str | None, send: Send) -> Send:
    """Let web pages of this origin read the answers (--enable-cors-header)."""
    if origin is None:
        return send

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] not in UNTOUCHED_STATUSES:
            MutableHeaders(scope=message).update({"access-control-allow-origin": origin, **CORS_HEADERS})
        await send(message)

    return send_with_headers


def with_cache_control(path: str, send: Send) -> Send:
    """Say how long an answer may be cached, which ComfyUI decides by the end of the path."""

    async def send_with_header(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            is_page_file = headers.get("content-type") == UNKNOWN_TYPE
            cache_control = _cache_control(path, message["status"], is_page_file=is_page_file)
            if cache_control is not None:
                headers.setdefault("cache-control", cache_control)
        await send(message)

    return send_with_header


def _cache_control(path: str, status: int, *, is_page_file: bool) -> str | None:
    """Return the header; a missing file of the web page counts as found, as it is only missed when it is sent."""
    name = path.rpartition("/")[2]
    if status in UNTOUCHED_STATUSES:
        return None
    if name.endswith((".js", ".css")) or (name.startswith("index") and name.endswith(".json")):
        return "no-cache"
    if not name.lower().endswith(IMAGE_ENDINGS):
        return None
    if status == 404 and not is_page_file:
        return "public, max-age=3600"
    return "public, max-age=86400" if status == 404 or 200 <= status < 300 else None
