"""Break off a connection in the middle of an answer, or before it: reset it, or close it, as broken networks do.

A server that can do so has an extension of ASGI for it; where another one has not, an answer that never ends has to do.
"""

from collections.abc import Callable
from typing import TypeAlias

from starlette.types import Scope, Send

BREAK_OFF = "civitai_mock.break_off"

BreakOff: TypeAlias = Callable[[bool], bool]
"""Is the member `call` of the extension, which says whether to reset the connection, or else to close it.

What was sent before a close arrives; a reset may overtake it. It returns False, and has done nothing, if it cannot.
"""


async def break_off(scope: Scope, send: Send, *, resets: bool, has_begun: bool) -> None:
    """End the connection of a request; nothing may be sent after it.

    Servers close a connection whose answer is not complete when its app returns.
    """
    extension = scope.get("extensions", {}).get(BREAK_OFF)
    if extension is not None and extension["call"](resets):
        return
    if not has_begun:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})
        await send({"type": "http.response.body", "body": b"", "more_body": True})
