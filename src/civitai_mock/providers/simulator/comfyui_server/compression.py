"""--enable-compress-response-body: JSON and plain text are sent compressed to clients that take gzip."""

import gzip
import zlib

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

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
