"""/prompt, /queue, /history, /interrupt and /free: what waits, runs and has ended, and how to stop or forget it."""

import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from civitai_mock.comfyui_standin import messages
from civitai_mock.comfyui_standin.routes.answers import BrokenAnswer, JsonAnswer, empty, json_body, standin_of, trouble
from civitai_mock.comfyui_standin.standin import Standin
from civitai_mock.comfyui_standin.state.queue import QueueItem
from civitai_mock.comfyui_standin.validation.input_checks import NO_PROMPT, Refusal
from civitai_mock.comfyui_standin.validation.validate import MALFORMED, validate
from civitai_mock.domain.json_types import JsonObject


async def get_prompt(request: Request) -> Response:
    return JsonAnswer(messages.exec_info(standin_of(request).life.queue.remaining))


async def post_prompt(request: Request) -> Response:
    standin = standin_of(request)
    if standin.faults.now.disk_full or standin.faults.strikes("prompt_errors"):
        return trouble()
    try:
        answer = submit(standin, await json_body(request))
    except MALFORMED:
        return trouble()
    if answer.status_code == 200:
        if standin.faults.strikes("prompt_errors_after_queueing"):
            return trouble()
        if standin.faults.strikes("lost_answers"):
            return BrokenAnswer(bytes(answer.body), share=0.0)
    return answer


def submit(standin: Standin, document: Any) -> JsonAnswer:
    """Raise what a document of an unexpected shape leads to; by then it may be in the queue, as in ComfyUI."""
    log = standin.life.log
    log.write("got prompt")
    number = _number(standin, document)
    if "prompt" not in document:
        return _refused(NO_PROMPT, {})
    graph, prompt_id = document["prompt"], str(document.get("prompt_id", uuid.uuid4()))
    verdict = validate(graph, document.get("partial_execution_targets"), standin.workshop.rules)
    extra_data = document.get("extra_data", {})
    if "client_id" in document:
        extra_data["client_id"] = document["client_id"]
    if verdict.refusal:
        log.write(f"invalid prompt: {verdict.refusal.wire}")
        return _refused(verdict.refusal, verdict.node_errors)
    standin.workshop.ledger.of(prompt_id).accepted += 1
    standin.life.queue.put(QueueItem(number, prompt_id, graph, extra_data, verdict.outputs))
    return JsonAnswer({"prompt_id": prompt_id, "number": number, "node_errors": verdict.node_errors})


def _number(standin: Standin, document: Any) -> float:
    if "number" in document:
        return float(document["number"])
    return standin.life.queue.draw_number(front="front" in document and bool(document["front"]))


def _refused(refusal: Refusal, node_errors: JsonObject) -> JsonAnswer:
    return JsonAnswer({"error": refusal.wire, "node_errors": node_errors}, 400)


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
    Route("/prompt", get_prompt, methods=["GET"]),
    Route("/prompt", post_prompt, methods=["POST"]),
    Route("/queue", get_queue, methods=["GET"]),
    Route("/queue", post_queue, methods=["POST"]),
    Route("/interrupt", post_interrupt, methods=["POST"]),
    Route("/free", post_free, methods=["POST"]),
    Route("/history", get_histories, methods=["GET"]),
    Route("/history", post_history, methods=["POST"]),
    Route("/history/{prompt_id:segment}", get_history, methods=["GET"]),
]
