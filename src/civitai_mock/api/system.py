"""Is it up, and what is there."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import TypedDict

from civitai_mock.api.answers import JsonAnswer
from civitai_mock.api.context import options, use_cases
from civitai_mock.api.described import problems

NAME = "civitai-mock"
DOCS_URL, OPENAPI_URL, HEALTH_URL = "/docs", "/openapi.json", "/health"


class Health(TypedDict):
    status: str
    store: str
    provider: str


class Index(TypedDict):
    """Where to go from here."""

    name: str
    version: str
    docs: str
    openapi: str
    health: str


SCHEMAS = (Health, Index)

router = APIRouter(tags=["System"])


@router.head(HEALTH_URL, include_in_schema=False)
@router.get(HEALTH_URL, operation_id="GetHealth", response_model=Health, responses=problems(503))
async def get_health(request: Request) -> Response:
    cases = use_cases(request)
    await cases.health.ping()
    return JsonAnswer(Health(status="ok", store=cases.health.description, provider=cases.provider_name))


@router.head("/", include_in_schema=False)
@router.get("/", operation_id="GetIndex", response_model=Index, responses=problems())
async def get_index(request: Request) -> Response:
    version = options(request).version
    return JsonAnswer(Index(name=NAME, version=version, docs=DOCS_URL, openapi=OPENAPI_URL, health=HEALTH_URL))
