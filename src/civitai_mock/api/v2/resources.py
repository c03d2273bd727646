"""Manage resources."""

from functools import partial
from http import HTTPStatus
from typing import Annotated, TypeAlias
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.answers import JsonAnswer
from civitai_mock.api.body import read_as
from civitai_mock.api.context import use_cases
from civitai_mock.api.described import problems, request_body
from civitai_mock.api.v2.documents import parse_changes, parse_document
from civitai_mock.api.v2.schemas import ResourceDocument, ResourceFields, ResourceInfo, ResourceList
from civitai_mock.domain.air import Reference, parse_reference
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.generation.wire import fault
from civitai_mock.services.resources import ManageResources

RESOURCES_PATH = "/v2/resources"
RESOURCE_PATH = "/{air:path}"
READ_PROBLEMS = (400, 429)
WRITE_PROBLEMS = (*READ_PROBLEMS, 401)
BODY_PROBLEMS = (*WRITE_PROBLEMS, 408, 413, 415)
MAX_PAGE = 2**31 - 1
SCHEMAS = (ResourceDocument, ResourceFields, ResourceInfo, ResourceList)


# Dependencies are coroutines because FastAPI runs plain functions in a thread.
async def _manage_resources(request: Request) -> ManageResources:
    return use_cases(request).resources


async def _named(
    air: Annotated[str, Path(description="In any spelling, raw or percent-encoded; it may contain slashes.")],
) -> Reference:
    try:
        return parse_reference(air)
    except InvalidRequestError as error:
        raise fault("air", error.message) from error


Manage: TypeAlias = Annotated[ManageResources, Depends(_manage_resources)]
Named: TypeAlias = Annotated[Reference, Depends(_named)]

router = APIRouter(prefix=RESOURCES_PATH, tags=["Resources"])


@router.get("", operation_id="ListResources", response_model=ResourceList, responses=problems(*READ_PROBLEMS))
async def list_resources(
    manage: Manage,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    page: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 1,
    q: Annotated[str, Query(description="Looked for literally in AIR, names and tags, in any case.")] = "",
) -> Response:
    found = await manage.page(query=q, page=page, limit=limit)
    items = [resource.info for resource in found.items]
    return JsonAnswer({"page": page, "limit": limit, "total": found.total, "items": items})


@router.post(
    "",
    operation_id="CreateResource",
    status_code=HTTPStatus.CREATED,
    response_model=ResourceInfo,
    responses=problems(*BODY_PROBLEMS, 409),
    openapi_extra={"requestBody": request_body(ResourceDocument)},
)
async def create_resource(manage: Manage, request: Request) -> Response:
    resource = await manage.add(await read_as(request, parse_document))
    location = f"{RESOURCES_PATH}/{quote(str(resource.air), safe=':@/')}"
    return JsonAnswer(resource.info, status_code=HTTPStatus.CREATED, headers={"location": location})


@router.get(
    RESOURCE_PATH, operation_id="GetResource", response_model=ResourceInfo, responses=problems(*READ_PROBLEMS, 404)
)
async def get_resource(manage: Manage, air: Named) -> Response:
    return JsonAnswer((await manage.get(air)).info)


@router.put(
    RESOURCE_PATH,
    operation_id="ReplaceResource",
    response_model=ResourceInfo,
    responses=problems(*BODY_PROBLEMS, 404),
    openapi_extra={"requestBody": request_body(ResourceDocument)},
)
async def replace_resource(manage: Manage, air: Named, request: Request) -> Response:
    resource = await read_as(request, partial(parse_document, expected=air))
    return JsonAnswer((await manage.put(resource)).info)


@router.patch(
    RESOURCE_PATH,
    operation_id="UpdateResource",
    response_model=ResourceInfo,
    responses=problems(*BODY_PROBLEMS, 404),
    openapi_extra={"requestBody": request_body(ResourceFields)},
)
async def update_resource(manage: Manage, air: Named, request: Request) -> Response:
    changes = await read_as(request, partial(parse_changes, expected=air))
    return JsonAnswer((await manage.patch(air, changes)).info)


@router.delete(
    RESOURCE_PATH,
    operation_id="DeleteResource",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems(*WRITE_PROBLEMS, 404),
)
async def delete_resource(manage: Manage, air: Named) -> Response:
    await manage.delete(air)
    return Response(status_code=HTTPStatus.NO_CONTENT)
