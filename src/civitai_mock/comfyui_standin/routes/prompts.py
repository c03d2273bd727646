"""The routes about prompts: /prompt, /queue, /history, /interrupt and /free."""

import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from civitai_mock.comfyui_standin import messages
from civitai_mock.comfyui_standin.routes.responses import (
    BrokenResponse,
    ComfyJsonResponse,
    empty,
    json_body,
    server_error,
    standin_of,
)
from civitai_mock.comfyui_standin.standin import Standin
from civitai_mock.comfyui_standin.state.queue import QueueItem
from civitai_mock.comfyui_standin.validation.input_checks import Refusal
from civitai_mock.comfyui_standin.validation.validate import MALFORMED_GRAPH_ERRORS, NO_PROMPT, validate
from civitai_mock.domain.json_types import JsonObject


async def get_prompt(request: Request) -> Response:
    return ComfyJsonResponse(messages.exec_info(standin_of(request).life.queue.remaining))


async def post_prompt(request: Request) -> Response:
    standin = standin_of(request)
    if standin.faults.current.disk_full or standin.faults.consume("prompt_errors"):
        return server_error()
    try:
        answer = submit(standin, await json_body(request))
    except MALFORMED_GRAPH_ERRORS:
        return server_error()
    if answer.status_code == 200:
        if standin.faults.consume("prompt_errors_after_queueing"):
            return server_error()
        if standin.faults.consume("lost_answers"):
            return BrokenResponse(bytes(answer.body), share=0.0)
    return answer


def submit(standin: Standin, document: Any) -> ComfyJsonResponse:
    """Validate a prompt and put it into the queue.

    A document of an unexpected shape raises an exception; by then it may be in the queue, as in ComfyUI.
    """
    log = standin.life.log
    log.write("got prompt")
    number = _queue_number(standin, document)
    if "prompt" not in document:
        return _refused(NO_PROMPT, {})
    graph, prompt_id = document["prompt"], str(document.get("prompt_id", uuid.uuid4()))
    result = validate(graph, document.get("partial_execution_targets"), standin.state.validation_rules)
    extra_data = document.get("extra_data", {})
    if "client_id" in document:
        extra_data["client_id"] = document["client_id"]
    if result.refusal:
        log.write(f"invalid prompt: {result.refusal.wire}")
        return _refused(result.refusal, result.node_errors)
    standin.state.stats.facts_of(prompt_id).accepted += 1
    standin.life.queue.put(QueueItem(number, prompt_id, graph, extra_data, result.outputs))
    return ComfyJsonResponse({"prompt_id": prompt_id, "number": number, "node_errors": result.node_errors})


def _queue_number(standin: Standin, document: Any) -> float:
    if "number" in document:
        return float(document["number"])
    return standin.life.queue.next_number(front="front" in document and bool(document["front"]))


def _refused(refusal: Refusal, node_errors: JsonObject) -> ComfyJsonResponse:
    return ComfyJsonResponse({"error": refusal.wire, "node_errors": node_errors}, 400)


async def get_queue(request: Request) -> Response:
    """List running and pending prompts; pending ones in heap order, in which only the first is sure to be smallest."""
    queue = standin_of(request).life.queue
    running = [queue.running.wire] if queue.running else []
    return ComfyJsonResponse({"queue_running": running, "queue_pending": [item.wire for item in queue.pending]})


async def post_queue(request: Request) -> Response:
    try:
        document = await json_body(request)
        queue = standin_of(request).life.queue
        if _has_clear(document):
            queue.clear()
        if "delete" in document:
            for prompt_id in document["delete"]:
                queue.delete(prompt_id)
    except (ValueError, TypeError, AttributeError):
        return server_error()
    return empty()


def _has_clear(document: Any) -> bool:
    """Tell whether `clear` is set; raise `TypeError` for what ComfyUI cannot search, either."""
    return "clear" in document and bool(document["clear"])


async def post_interrupt(request: Request) -> Response:
    """Interrupt the prompt of an id, or whatever runs."""
    try:
        document = await json_body(request)
    except ValueError:
        document = {}
    if not isinstance(document, dict):
        return server_error()
    life, prompt_id = standin_of(request).life, document.get("prompt_id")
    running = life.queue.running
    if prompt_id and (running is None or running.prompt_id != prompt_id):
        life.log.write(f"Prompt {prompt_id} is not currently running, skipping interrupt")
        return empty()
    life.log.write(f"Interrupting prompt {prompt_id}" if prompt_id else "Global interrupt (no prompt_id specified)")
    life.worker.interrupt.request()
    return empty()


async def post_free(request: Request) -> Response:
    """Request to free memory; it is done later, between prompts."""
    try:
        document: Any = await json_body(request)
        for flag in ("unload_models", "free_memory"):
            if document.get(flag):
                standin_of(request).life.queue.request_free(flag)
    except (ValueError, AttributeError):
        return server_error()
    return empty()


async def get_whole_history(request: Request) -> Response:
    try:
        limit = int(request.query_params["max_items"]) if "max_items" in request.query_params else None
        offset = int(request.query_params.get("offset", "-1"))
    except ValueError:
        return server_error()
    return ComfyJsonResponse(standin_of(request).life.history.page(limit=limit, offset=offset))


async def get_history(request: Request) -> Response:
    return ComfyJsonResponse(standin_of(request).life.history.get(request.path_params["prompt_id"]))


async def post_history(request: Request) -> Response:
    try:
        document = await json_body(request)
        history = standin_of(request).life.history
        if _has_clear(document):
            history.clear()
        if "delete" in document:
            history.delete(document["delete"])
    except (ValueError, TypeError, AttributeError):
        return server_error()
    return empty()


ROUTES: list[BaseRoute] = [
    Route("/prompt", get_prompt, methods=["GET"]),
    Route("/prompt", post_prompt, methods=["POST"]),
    Route("/queue", get_queue, methods=["GET"]),
    Route("/queue", post_queue, methods=["POST"]),
    Route("/interrupt", post_interrupt, methods=["POST"]),
    Route("/free", post_free, methods=["POST"]),
    Route("/history", get_whole_history, methods=["GET"]),
    Route("/history", post_history, methods=["POST"]),
    Route("/history/{prompt_id:segment}", get_history, methods=["GET"]),
]
