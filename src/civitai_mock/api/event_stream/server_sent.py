"""Send a stream as server-sent events, which curl and a browser's EventSource read."""

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.context import exchange
from civitai_mock.api.errors import NotAcceptableError
from civitai_mock.api.event_stream.opening import (
    OpenStream,
    open_control_stream,
    open_job_stream,
    open_namespace_stream,
    open_token_stream,
)
from civitai_mock.api.responses import StreamedResponse
from civitai_mock.services.event_stream.messages import StreamMessage
from civitai_mock.services.event_stream.reader import End

MEDIA_TYPE = "text/event-stream"
ACCEPTED = frozenset({MEDIA_TYPE, "text/*", "*/*"})
HEADERS = {"cache-control": "no-cache, no-transform", "x-accel-buffering": "no"}
FIRST = b"retry: 2000\n\n"
HEARTBEAT = b":\n\n"
AS_MESSAGES = "civitai_mock.messages"  # an extension of the scope: each part of the answer is the JSON of one message

Open = Callable[[Request], Awaitable[OpenStream | None]]


async def _answer(request: Request, open_stream: Open) -> Response:
    found = exchange(request)
    accept = found.header(b"accept")
    if accept is not None and not _accepts(accept):
        raise NotAcceptableError(f"A stream of events is of type {MEDIA_TYPE}, or a WebSocket.")
    stream = await open_stream(request)
    if stream is None:
        return Response(status_code=204)
    before = found.on_end

    def end() -> None:
        stream.close()
        if before is not None:
            before()

    found.on_end = end  # what is sent may be another answer, if a fault has its way
    if found.method == "HEAD":
        return Response(headers=HEADERS, media_type=MEDIA_TYPE)
    messages = request.scope.get("extensions", {}).get(AS_MESSAGES)
    parts = _parts(stream) if messages is None else _messages(stream, messages["on_end"])
    return StreamedResponse(parts, headers=HEADERS, media_type=MEDIA_TYPE)


def _accepts(accept: str) -> bool:
    ranges = [part.partition(";") for part in accept.lower().split(",")]
    return any(name.strip() in ACCEPTED and params.replace(" ", "") != "q=0" for name, _, params in ranges)


async def _parts(stream: OpenStream) -> AsyncIterator[bytes]:
    yield FIRST
    while True:
        batch = await stream.next()
        if batch.messages:
            yield b"".join(map(_sent, batch.messages))
        if batch.end is not None:
            return
        if not batch.messages:
            yield HEARTBEAT


async def _messages(stream: OpenStream, on_end: Callable[[End], None]) -> AsyncIterator[bytes]:
    """Yield each message by itself; whoever reads them shows by himself that the stream is still there."""
    while True:
        batch = await stream.next()
        for message in batch.messages:
            yield message.data
        if batch.end is not None:
            on_end(batch.end)
            return


def _sent(message: StreamMessage) -> bytes:
    cursor = b"" if message.cursor is None else b"id: %s\n" % message.cursor.encode()
    return b"%sevent: %s\ndata: %s\n\n" % (cursor, message.type.encode(), message.data)


get_job_events = partial(_answer, open_stream=open_job_stream)
get_token_events = partial(_answer, open_stream=open_token_stream)
get_namespace_events = partial(_answer, open_stream=open_namespace_stream)
get_control_events = partial(_answer, open_stream=open_control_stream)
