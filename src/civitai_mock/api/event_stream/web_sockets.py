"""Serve streams to WebSockets: as the GET of the same path would be, with a message of its own for each event.

So rights, limits, faults, log and journal are those of server-sent events, and so is the JSON.
"""

from http import HTTPStatus

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from civitai_mock.api.event_stream.server_sent import AS_MESSAGES, MEDIA_TYPE
from civitai_mock.services.event_stream.reader import End
from civitai_mock.services.origin_policy import OriginPolicy

SCHEMES = {"ws": "http", "wss": "https"}
END_CODES = {End.TOLD: 1000, End.STOPPED: 1012, End.OVERRUN: 1008}
TRY_LATER, BROKEN = 1013, 1011
OWN_CODES = 4000  # and the status that the GET would have
MOST_REASON_BYTES = 123


async def serve_socket(app: ASGIApp, origins: OriginPolicy, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one WebSocket; a web page of another server gets none, as no browser asks before it connects."""
    headers = dict(reversed(scope["headers"]))
    origin, host = headers.get(b"origin"), headers.get(b"host", b"")
    await receive()  # the wish to connect
    if origin is not None and origins.refusal(host=host.decode("latin-1"), origin=origin.decode("latin-1")):
        await send({"type": "websocket.close", "code": OWN_CODES + HTTPStatus.FORBIDDEN})
        return
    socket = Socket(receive, send)
    asked = {
        **scope,
        "type": "http",
        "method": "GET",
        "scheme": SCHEMES[scope["scheme"]],
        "headers": [pair for pair in scope["headers"] if pair[0] != b"accept"],
        "extensions": {AS_MESSAGES: {"on_end": socket.note_end}},
    }
    try:
        await app(asked, socket.receive_request, socket.send_answer)
    finally:
        await socket.close()


class Socket:
    """Hands the parts of an answer on as messages, and closes with what became of it."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._status = 0
        self._is_stream = self._is_gone = False
        self._refusal = b""
        self._code = BROKEN

    def note_end(self, end: End) -> None:
        self._code = END_CODES[end]

    async def receive_request(self) -> Message:
        """Return that the peer is gone, once it is; what it sends is ignored."""
        while (await self._receive())["type"] != "websocket.disconnect":
            pass
        self._is_gone = True
        return {"type": "http.disconnect"}

    async def send_answer(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = int(message["status"])
            kind = dict(message["headers"]).get(b"content-type", b"")
            self._is_stream = self._status == HTTPStatus.OK and kind.startswith(MEDIA_TYPE.encode())
            await self._send({"type": "websocket.accept"})
        elif not self._is_stream:
            self._refusal += message.get("body", b"")
        elif body := message.get("body"):
            await self._send({"type": "websocket.send", "text": body.decode()})

    async def close(self) -> None:
        if self._is_gone:
            return
        if not self._status:
            await self._send({"type": "websocket.close", "code": BROKEN})
            return
        code, reason = (self._code, "") if self._is_stream else self._refused()
        await self._send({"type": "websocket.close", "code": code, "reason": reason})

    def _refused(self) -> tuple[int, str]:
        """Return the code and the reason of an answer that is no stream."""
        if self._status == HTTPStatus.NO_CONTENT:
            return END_CODES[End.TOLD], ""
        code = TRY_LATER if self._status == HTTPStatus.SERVICE_UNAVAILABLE else OWN_CODES + self._status
        try:
            problem = orjson.loads(self._refusal)
        except orjson.JSONDecodeError:
            return code, ""
        text = str(problem.get("detail") or problem.get("title") or "") if isinstance(problem, dict) else ""
        return code, text.encode()[:MOST_REASON_BYTES].decode(errors="ignore")
