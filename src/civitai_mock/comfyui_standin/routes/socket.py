"""The WebSocket at /ws: it sends messages of the hub, and reads the features of a client."""

import asyncio
import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from civitai_mock.comfyui_standin import messages
from civitai_mock.comfyui_standin.routes.responses import standin_of, text
from civitai_mock.comfyui_standin.socket_hub import SocketConnection
from civitai_mock.comfyui_standin.standin import ServerLife


async def serve_socket(websocket: WebSocket) -> None:
    """Serve one connection; a dropped one ends without a close frame, as if the server had died."""
    standin = standin_of(websocket)
    await websocket.accept()
    life = standin.life
    connection = life.hub.connect(websocket.query_params.get("clientId", ""))
    _greet(life, connection)
    upload_limit = standin.state.options.reported_upload_bytes
    coroutines = (
        _send_frames(websocket, connection),
        _receive_messages(websocket, life, connection, upload_limit),
        connection.dropped.wait(),
    )
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        life.hub.disconnect(connection)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _greet(life: ServerLife, connection: SocketConnection) -> None:
    """Send the queue's length and the node that runs; messages that the client missed are not repeated."""
    life.hub.send(messages.status(life.queue.remaining, connection.sid), connection.sid)
    run = life.worker.current_run
    if run is not None and run.client_id == connection.sid and run.last_node is not None:
        life.hub.send(messages.executing_on_connect(run.last_node), connection.sid)


async def _send_frames(websocket: WebSocket, connection: SocketConnection) -> None:
    while True:
        frame = await connection.next_frame()
        await (websocket.send_bytes(frame) if isinstance(frame, bytes) else websocket.send_text(frame))


async def _receive_messages(
    websocket: WebSocket, life: ServerLife, connection: SocketConnection, upload_limit: float
) -> None:
    """Receive until the client leaves.

    Only a first message with the client's features has an effect; junk before it is ignored.
    """
    is_first = True
    while (message := await websocket.receive())["type"] != "websocket.disconnect":
        document = _json_object(message.get("text") or "")
        if is_first and document.get("type") == "feature_flags" and isinstance(document.get("data"), dict):
            connection.flags = document["data"]
            life.hub.send(messages.feature_flags(upload_limit), connection.sid)
        is_first = is_first and not document


def _json_object(text: str) -> dict[str, Any]:
    """Return an empty object for what is not a JSON object."""
    try:
        document = json.loads(text)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


async def refuse_plain_http(request: Request) -> Response:
    """Answer as aiohttp a request that does not ask for a WebSocket."""
    upgrade = request.headers.get("upgrade")
    return text(f'No WebSocket UPGRADE hdr: {upgrade}\n Can "Upgrade" only to "WebSocket".', 400)


ROUTES: list[BaseRoute] = [WebSocketRoute("/ws", serve_socket), Route("/ws", refuse_plain_http, methods=["GET"])]
