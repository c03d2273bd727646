"""POST and GET /prompt."""

import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from civitai_mock.domain.json_types import JsonObject
from civitai_mock.providers.simulator.comfyui_server.checking.refusals import NO_PROMPT, Refusal
from civitai_mock.providers.simulator.comfyui_server.checking.validation import MALFORMED, validate
from civitai_mock.providers.simulator.comfyui_server.keeping.item import QueueItem
from civitai_mock.providers.simulator.comfyui_server.routes.answers import (
    BrokenAnswer,
    JsonAnswer,
    json_body,
    standin_of,
    trouble,
)
from civitai_mock.providers.simulator.comfyui_server.standin import Standin
from civitai_mock.providers.simulator.comfyui_server.talking import messages


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


ROUTES: list[BaseRoute] = [
    Route("/prompt", get_prompt, methods=["GET"]),
    Route("/prompt", post_prompt, methods=["POST"]),
]
