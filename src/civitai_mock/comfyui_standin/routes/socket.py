"""The WebSocket at /ws."""

import asyncio
import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from civitai_mock.comfyui_standin import messages
from civitai_mock.comfyui_standin.routes.answers import standin_of, text
from civitai_mock.comfyui_standin.standin import ServerLife, Standin
from civitai_mock.comfyui_standin.websockets import SocketConnection


async def socket(websocket: WebSocket) -> None:
    """Returning without a close frame is how a server that died looks."""
    standin = standin_of(websocket)
    await websocket.accept()
    life = standin.life
    connection = life.hub.connect(websocket.query_params.get("clientId", ""))
    _greet(life, connection)
    works = (_send(websocket, connection), _receive(websocket, life, connection, standin), connection.dropped.wait())
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        life.hub.disconnect(connection)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _greet(life: ServerLife, connection: SocketConnection) -> None:
    """What was missed is not told again, only which node is at work."""
    life.hub.greet(messages.status(life.queue.remaining, connection.sid), connection)
    run = life.worker.run
    if run is not None and run.client_id == connection.sid and run.last_node is not None:
        life.hub.greet(messages.executing_on_connect(run.last_node), connection)


async def _send(websocket: WebSocket, connection: SocketConnection) -> None:
    while True:
        frame = await connection.next_frame()
        await (websocket.send_bytes(frame) if isinstance(frame, bytes) else websocket.send_text(frame))


async def _receive(websocket: WebSocket, life: ServerLife, connection: SocketConnection, standin: Standin) -> None:
    """Until the client leaves. Only a first message that tells the client's features means anything; junk does not."""
    is_first = True
    while (message := await websocket.receive())["type"] != "websocket.disconnect":
        document = _decoded(message.get("text") or "")
        if is_first and document.get("type") == "feature_flags" and isinstance(document.get("data"), dict):
            connection.flags = document["data"]
            life.hub.greet(messages.feature_flags(standin.workshop.options.told_upload_bytes), connection)
        is_first = is_first and not document


def _decoded(text: str) -> dict[str, Any]:
    """Nothing for what is no JSON object."""
    try:
        document = json.loads(text)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


async def no_socket(request: Request) -> Response:
    """A request of HTTP alone."""
    upgrade = request.headers.get("upgrade")
    return text(f'No WebSocket UPGRADE hdr: {upgrade}\n Can "Upgrade" only to "WebSocket".', 400)


ROUTES: list[BaseRoute] = [WebSocketRoute("/ws", socket), Route("/ws", no_socket, methods=["GET"])]
