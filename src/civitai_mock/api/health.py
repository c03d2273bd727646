"""Health, liveness and readiness: is the server up, and would work that comes get on.

The routes are plain, as the first of them is asked before FastAPI is loaded.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NotRequired, cast

from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import TypedDict

from civitai_mock.api.context import use_cases
from civitai_mock.api.openapi import DescribedRoute, Operation
from civitai_mock.api.responses import JsonResponse
from civitai_mock.ports import WorkerReport

SYSTEM_TAG = "System"
HEALTH_URL, METRICS_URL = "/health", "/metrics"
LIVE_URL, READY_URL = "/health/live", "/health/ready"
# Asked every other second: only a bad answer is news.
CHECK_URLS = frozenset({HEALTH_URL, LIVE_URL, READY_URL, METRICS_URL})


class WorkerHealth(TypedDict):
    """One worker of the provider; `reason` says why it is not ready, `models` how many files it has in each folder.

    One that is `draining` gets no new jobs. `inFlight` counts the prompts that this process has there; a process
    without a scheduler has none to count.
    """

    id: str
    ready: bool
    reason: NotRequired[str]
    version: NotRequired[str]
    inFlight: NotRequired[int]
    maxInFlight: NotRequired[int]
    ecosystems: Sequence[str]
    models: NotRequired[Mapping[str, int]]
    draining: NotRequired[bool]


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


async def get_health(request: Request) -> Response:
    check = use_cases(request).health
    found = await check()
    workers = [worker_health(worker, counts=check.runs_jobs) for worker in found.workers]
    status: Literal["ok", "degraded"] = "ok" if found.is_healthy else "degraded"
    body = Health(status=status, store=found.store, provider=found.provider, workers=workers)
    if found.reason is not None:
        body["reason"] = found.reason
    return JsonResponse(body)


async def get_liveness(_: Request) -> Response:
    """Answer if the process does; nothing else is asked, as no restart mends that."""
    return JsonResponse(Probe(status="live"))


async def get_readiness(request: Request) -> Response:
    """Answer 503 with the reason while work that comes would not get on: because of store, scheduler or workers."""
    await use_cases(request).readiness()
    return JsonResponse(Probe(status="ready"))


def worker_health(report: WorkerReport, *, counts: bool) -> WorkerHealth:
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
        "draining": report.is_draining or None,
    }
    known = {name: value for name, value in members.items() if value is not None}
    return cast("WorkerHealth", known)


ROUTES = [
    DescribedRoute(
        HEALTH_URL,
        get_health,
        method="GET",
        is_hot=True,
        operation=Operation(
            id="GetHealth", summary="Get Health", tag=SYSTEM_TAG, responses={200: Health}, problems=[503]
        ),
    ),
    DescribedRoute(
        LIVE_URL,
        get_liveness,
        method="GET",
        is_hot=True,
        operation=Operation(
            id="GetLiveness",
            summary="Get Liveness",
            tag=SYSTEM_TAG,
            responses={200: Probe},
            problems=[],
            description="Answer if the process does; nothing else is asked, as no restart mends that.",
        ),
    ),
    DescribedRoute(
        READY_URL,
        get_readiness,
        method="GET",
        is_hot=True,
        operation=Operation(
            id="GetReadiness",
            summary="Get Readiness",
            tag=SYSTEM_TAG,
            responses={200: Probe},
            problems=[503],
            description=(
                "Answer 503 with the reason while work that comes would not get on:"
                " because of store, scheduler or workers."
            ),
        ),
    ),
]
