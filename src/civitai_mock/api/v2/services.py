"""Serve the list of services, with what the provider of this server can do of them now."""

from collections.abc import Callable, Sequence
from enum import StrEnum

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.context import base_url, use_cases
from civitai_mock.api.query_params import count, optional, repeated, word
from civitai_mock.api.responses import JsonResponse
from civitai_mock.api.v2.service_catalog import RECIPES_ONLY, Service, Worker, services
from civitai_mock.domain.errors import NotFoundError
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.services.health import HealthReport

WINDOWS, INTERVALS = ("1h", "24h", "7d"), ("5m", "1h", "1d")
USUAL_INTERVAL = "1h"
USUAL_LIMIT, MOST = 100, 1000  # services on a page; real clients ask for 200
MAX_OFFSET = 10**8
STAND_IN = "No model runs: this server makes something up that has the declared form."


class ServiceStatus(StrEnum):
    """Says whether a service can be used now, in the words of the official description."""

    UNKNOWN = "unknown"
    AVAILABLE = "available"
    DEGRADED = "degraded"
    UNAVAILABLE = "unavailable"


async def list_services(request: Request) -> Response:
    limit = count(request, "limit", default=USUAL_LIMIT, most=MOST)
    offset = count(request, "offset", default=0, least=0, most=MAX_OFFSET)
    word(request, "window", WINDOWS)
    is_asked = _filter_of(request)
    render = await _renderer(request)
    status = word(request, "status", list(ServiceStatus))
    documents = [render(service) for service in services().values() if is_asked(service)]
    found: list[Json] = [document for document in documents if status is None or document["status"] == status]
    page: JsonObject = {
        "items": found[offset : offset + limit],
        "totalCount": len(found),
        "limit": limit,
        "offset": offset,
    }
    return JsonResponse(page)


async def get_service(request: Request) -> Response:
    """Answer with one service; no statistics of it are kept, so that its history has no buckets."""
    word(request, "window", WINDOWS)
    interval = word(request, "interval", INTERVALS) or USUAL_INTERVAL
    service_id: str = request.path_params["serviceId"]
    service = services().get(service_id)
    if service is None:
        raise NotFoundError(f"There is no service '{service_id[:100]}'.")
    render = await _renderer(request)
    return JsonResponse(render(service) | {"history": {"interval": interval, "buckets": []}})


def _filter_of(request: Request) -> Callable[[Service], bool]:
    """Return whether a service is asked for by everything but its status."""
    category, prefix = optional(request, "category"), optional(request, "prefix")
    tags, query = frozenset(repeated(request, "tags")), (optional(request, "query") or "").lower()

    def is_asked(service: Service) -> bool:
        return (
            (not category or service.category == category.lower())
            and (not prefix or f"{service.id}/".startswith(f"{prefix.rstrip('/')}/"))
            and tags <= frozenset(service.tags)
            and service.has_text(query)
        )

    return is_asked


async def _renderer(request: Request) -> Callable[[Service], JsonObject]:
    """Return what makes the document of a service, in the order of the official description."""
    health, base = await use_cases(request).health(), base_url(request)

    def render(service: Service) -> JsonObject:
        submit = base + service.submit_path
        step: JsonObject = {} if service.step in RECIPES_ONLY else {"step": service.step}
        return {
            "id": service.id,
            "category": service.category,
            "parameters": dict(service.parameters),
            **step,
            "submit": submit,
            "estimate": f"{submit}?whatif=true",
            "name": service.name,
            "description": _description(service, health),
            "tags": list(service.tags),
            "modalities": {"input": list(service.inputs), "output": [service.output]},
            "status": _status(service, health),
        }

    return render


def _description(service: Service, health: HealthReport) -> str:
    if service.worker is Worker.STAND_IN:
        return STAND_IN
    return f"The provider '{health.provider}' runs a ComfyUI graph."


def _status(service: Service, health: HealthReport) -> ServiceStatus:
    """Return whether jobs of a service get on: somebody takes jobs, and workers are ready for its graphs."""
    if health.reason is not None:
        return ServiceStatus.UNAVAILABLE
    if service.worker is Worker.STAND_IN:
        return ServiceStatus.AVAILABLE
    able = [worker for worker in health.workers if worker.ready and _has_ecosystem(worker.ecosystems, service)]
    if not able:
        return ServiceStatus.UNAVAILABLE
    return ServiceStatus.AVAILABLE if all(worker.ready for worker in health.workers) else ServiceStatus.DEGRADED


def _has_ecosystem(ecosystems: Sequence[str], service: Service) -> bool:
    return not service.ecosystem or service.ecosystem in ecosystems
