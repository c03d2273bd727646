"""What waits, what runs, what has ended; and how to stop or forget it."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from civitai_mock.providers.simulator.comfyui_server.routes.answers import (
    JsonAnswer,
    empty,
    json_body,
    standin_of,
    trouble,
)


async def get_queue(request: Request) -> Response:
    """Pending ones in heap order: that of a list which is only sorted at its first place."""
    queue = standin_of(request).life.queue
    running = [queue.running.wire] if queue.running else []
    return JsonAnswer({"queue_running": running, "queue_pending": [item.wire for item in queue.pending]})


async def post_queue(request: Request) -> Response:
    try:
        document = await json_body(request)
        queue = standin_of(request).life.queue
        if _wants_clear(document):
            queue.clear()
        if "delete" in document:
            for prompt_id in document["delete"]:
                queue.delete(prompt_id)
    except (ValueError, TypeError, AttributeError):
        return trouble()
    return empty()


def _wants_clear(document: Any) -> bool:
    """Look into anything that ComfyUI can look into; raise `TypeError` for what it cannot."""
    return "clear" in document and bool(document["clear"])


async def post_interrupt(request: Request) -> Response:
    """Without a prompt id, whatever runs; with one, only that."""
    try:
        document = await json_body(request)
    except ValueError:
        document = {}
    if not isinstance(document, dict):
        return trouble()
    life, wanted = standin_of(request).life, document.get("prompt_id")
    running = life.queue.running
    if wanted and (running is None or running.prompt_id != wanted):
        life.log.write(f"Prompt {wanted} is not currently running, skipping interrupt")
        return empty()
    life.log.write(f"Interrupting prompt {wanted}" if wanted else "Global interrupt (no prompt_id specified)")
    life.worker.interrupt.ask()
    return empty()


async def post_free(request: Request) -> Response:
    """200 only says that it was heard."""
    try:
        document: Any = await json_body(request)
        for what in ("unload_models", "free_memory"):
            if document.get(what):
                standin_of(request).life.queue.ask_to_free(what)
    except (ValueError, AttributeError):
        return trouble()
    return empty()


async def get_histories(request: Request) -> Response:
    try:
        most = int(request.query_params["max_items"]) if "max_items" in request.query_params else None
        offset = int(request.query_params.get("offset", "-1"))
    except ValueError:
        return trouble()
    return JsonAnswer(standin_of(request).life.history.page(most=most, offset=offset))


async def get_history(request: Request) -> Response:
    return JsonAnswer(standin_of(request).life.history.of(request.path_params["prompt_id"]))


async def post_history(request: Request) -> Response:
    try:
        document = await json_body(request)
        history = standin_of(request).life.history
        if _wants_clear(document):
            history.clear()
        if "delete" in document:
            history.delete(document["delete"])
    except (ValueError, TypeError, AttributeError):
        return trouble()
    return empty()


ROUTES: list[BaseRoute] = [
    Route("/queue", get_queue, methods=["GET"]),
    Route("/queue", post_queue, methods=["POST"]),
    Route("/interrupt", post_interrupt, methods=["POST"]),
    Route("/free", post_free, methods=["POST"]),
    Route("/history", get_histories, methods=["GET"]),
    Route("/history", post_history, methods=["POST"]),
    Route("/history/{prompt_id:segment}", get_history, methods=["GET"]),
]
