"""Metrics and index: what the server counts, and what it serves."""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from typing_extensions import TypedDict

from civitai_mock.api.context import exchange, options, use_cases
from civitai_mock.api.health import HEALTH_URL, METRICS_URL, SYSTEM_TAG
from civitai_mock.api.mock import PAGE_PREFIX
from civitai_mock.api.openapi import problems
from civitai_mock.api.responses import JsonResponse
from civitai_mock.api.ui.pages import DOCS_URL, index_page, prefers_html, root_reference

NAME = "civitai-mock"
OPENAPI_URL = "/openapi.json"
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"  # the text format of Prometheus
INDEX_PAGE: dict[int | str, dict[str, Any]] = {200: {"content": {"text/html": {"schema": {"type": "string"}}}}}


class Index(TypedDict):
    """Where to go from here."""

    name: str
    version: str
    docs: str
    openapi: str
    health: str


SCHEMAS = (Index,)

router, index_router = APIRouter(tags=[SYSTEM_TAG]), APIRouter(tags=[SYSTEM_TAG])


@router.head(METRICS_URL, include_in_schema=False)
@router.get(METRICS_URL, operation_id="GetMetrics", response_class=PlainTextResponse, responses=problems())
async def get_metrics(request: Request) -> Response:
    """Answer in the text format of Prometheus; a store that is away leaves the queue out, and nothing else."""
    return Response(await use_cases(request).scrape(), media_type=METRICS_TYPE)


@index_router.head("/", include_in_schema=False)
@index_router.get("/", operation_id="GetIndex", response_model=Index, responses=INDEX_PAGE | problems())
async def get_index(request: Request) -> Response:
    """Send browsers to the dashboard, or to a page where there is none; answer with JSON to everybody else."""
    if prefers_html(request) and exchange(request).context.shows_page_to(exchange(request)):
        where = root_reference(request) + PAGE_PREFIX.removeprefix("/") + "/"
        return RedirectResponse(where, HTTPStatus.SEE_OTHER, headers={"vary": "Accept", "cache-control": "no-cache"})
    version = options(request).version
    index = Index(name=NAME, version=version, docs=DOCS_URL, openapi=OPENAPI_URL, health=HEALTH_URL)
    answer = index_page(request) if prefers_html(request) else JsonResponse(index)
    answer.headers["vary"] = "Accept"
    return answer
