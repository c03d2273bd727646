"""Health and index: is the server up, and what does it serve."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, cast

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from typing_extensions import TypedDict

from civitai_mock.api.context import options, use_cases
from civitai_mock.api.openapi import problems
from civitai_mock.api.responses import JsonResponse
from civitai_mock.api.ui.pages import DOCS_URL, index_page, prefers_html
from civitai_mock.ports import WorkerReport

NAME = "civitai-mock"
OPENAPI_URL, HEALTH_URL, METRICS_URL = "/openapi.json", "/health", "/metrics"
LIVE_URL, READY_URL = "/health/live", "/health/ready"
# Asked every other second: only a bad answer is news.
CHECK_URLS = frozenset({HEALTH_URL, LIVE_URL, READY_URL, METRICS_URL})
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"  # the text format of Prometheus
INDEX_PAGE: dict[int | str, dict[str, Any]] = {200: {"content": {"text/html": {"schema": {"type": "string"}}}}}


class WorkerHealth(TypedDict):
    """One worker of the provider; `reason` says why it is not ready, `models` how many files it has in each folder.

    `inFlight` counts the prompts that this process has there; a process without a scheduler has none to count.
    """

    id: str
    ready: bool
    reason: NotRequired[str]
    version: NotRequired[str]
    inFlight: NotRequired[int]
    maxInFlight: NotRequired[int]
    ecosystems: Sequence[str]
    models: NotRequired[Mapping[str, int]]


class Health(TypedDict):
    """`degraded` while no worker is ready, or no scheduler takes jobs (`reason`): they are kept, and wait for one."""

    status: Literal["ok", "degraded"]
    reason: NotRequired[str]
    store: str
    provider: str
    workers: Sequence[WorkerHealth]


class Probe(TypedDict):
    """The answer to whoever starts and stops processes."""

    status: Literal["live", "ready"]


class Index(TypedDict):
    """Where to go from here."""

    name: str
    version: str
    docs: str
    openapi: str
    health: str


SCHEMAS = (WorkerHealth, Health, Probe, Index)

router, index_router = APIRouter(tags=["System"]), APIRouter(tags=["System"])


@router.head(HEALTH_URL, include_in_schema=False)
@router.get(HEALTH_URL, operation_id="GetHealth", response_model=Health, responses=problems(503))
async def get_health(request: Request) -> Response:
    check = use_cases(request).health
    found = await check()
    workers = [_worker(worker, counts=check.runs_jobs) for worker in found.workers]
    status: Literal["ok", "degraded"] = "ok" if found.is_healthy else "degraded"
    body = Health(status=status, store=found.store, provider=found.provider, workers=workers)
    if found.reason is not None:
        body["reason"] = found.reason
    return JsonResponse(body)


@router.head(LIVE_URL, include_in_schema=False)
@router.get(LIVE_URL, operation_id="GetLiveness", response_model=Probe, responses=problems())
async def get_liveness(_: Request) -> Response:
    """Answer if the process does; nothing else is asked, as no restart mends that."""
    return JsonResponse(Probe(status="live"))


@router.head(READY_URL, include_in_schema=False)
@router.get(READY_URL, operation_id="GetReadiness", response_model=Probe, responses=problems(503))
async def get_readiness(request: Request) -> Response:
    """Answer 503 with the reason while work that comes would not get on: because of store, scheduler or workers."""
    await use_cases(request).readiness()
    return JsonResponse(Probe(status="ready"))


@router.head(METRICS_URL, include_in_schema=False)
@router.get(METRICS_URL, operation_id="GetMetrics", response_class=PlainTextResponse, responses=problems())
async def get_metrics(request: Request) -> Response:
    """Answer in the text format of Prometheus; a store that is away leaves the queue out, and nothing else."""
    return Response(await use_cases(request).scrape(), media_type=METRICS_TYPE)


@index_router.head("/", include_in_schema=False)
@index_router.get("/", operation_id="GetIndex", response_model=Index, responses=INDEX_PAGE | problems())
async def get_index(request: Request) -> Response:
    """Answer with a page to browsers, and with JSON to everybody else."""
    version = options(request).version
    index = Index(name=NAME, version=version, docs=DOCS_URL, openapi=OPENAPI_URL, health=HEALTH_URL)
    answer = index_page(request) if prefers_html(request) else JsonResponse(index)
    answer.headers["vary"] = "Accept"
    return answer


def _worker(report: WorkerReport, *, counts: bool) -> WorkerHealth:
    """Describe a worker; what is unknown is left out."""
    members = {
        "id": report.id,
        "ready": report.ready,
        "reason": report.reason or None,
        "version": report.version or None,
        "inFlight": report.in_flight if counts else None,
        "maxInFlight": report.max_in_flight,
        "ecosystems": report.ecosystems,
        "models": {folder: len(names) for folder, names in report.models.items()} or None,
    }
    known = {name: value for name, value in members.items() if value is not None}
    return cast("WorkerHealth", known)
