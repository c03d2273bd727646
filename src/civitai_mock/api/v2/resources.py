"""Serve resources: known fields of a document are checked, unknown ones are kept as they are."""

from functools import partial
from http import HTTPStatus
from typing import Annotated, TypeAlias
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Query
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.context import namespace_path, use_cases
from civitai_mock.api.json_body import read_as
from civitai_mock.api.openapi import problems, request_body
from civitai_mock.api.responses import JsonResponse
from civitai_mock.api.v2.resource_schemas import ResourceDocument, ResourceFields, ResourceInfo, ResourceList
from civitai_mock.api.validation import from_validation
from civitai_mock.domain.air import Air, Reference, parse_reference
from civitai_mock.domain.errors import InvalidRequestError, fault
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.domain.resource import Resource, is_named
from civitai_mock.services.resources import ManageResources

AIR = "air"
DOCUMENT = TypeAdapter(ResourceDocument)
FIELDS = TypeAdapter(ResourceFields)
KNOWN_FIELDS = ResourceDocument.__required_keys__ | ResourceDocument.__optional_keys__
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


async def _air_of_path(
    air: Annotated[str, Path(description="In any spelling, raw or percent-encoded; it may contain slashes.")],
) -> Reference:
    return parse_named(air)


Resources: TypeAlias = Annotated[ManageResources, Depends(_manage_resources)]
AirOfPath: TypeAlias = Annotated[Reference, Depends(_air_of_path)]

router = APIRouter(prefix=RESOURCES_PATH, tags=["Resources"])


@router.get("", operation_id="ListResources", response_model=ResourceList, responses=problems(*READ_PROBLEMS))
async def list_resources(
    resources: Resources,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    page: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 1,
    q: Annotated[str, Query(description="Looked for literally in AIR, names and tags, in any case.")] = "",
) -> Response:
    found = await resources.page(query=q, offset=(page - 1) * limit, limit=limit)
    items = [resource.info for resource in found.items]
    return JsonResponse({"page": page, "limit": limit, "total": found.total, "items": items})


@router.post(
    "",
    operation_id="CreateResource",
    status_code=HTTPStatus.CREATED,
    response_model=ResourceInfo,
    responses=problems(*BODY_PROBLEMS, 409),
    openapi_extra={"requestBody": request_body(ResourceDocument)},
)
async def create_resource(resources: Resources, request: Request) -> Response:
    resource = await resources.add(await read_as(request, parse_document))
    location = f"{namespace_path(request)}{RESOURCES_PATH}/{quote(str(resource.air), safe=':@/')}"
    return JsonResponse(resource.info, status_code=HTTPStatus.CREATED, headers={"location": location})


@router.get(
    RESOURCE_PATH, operation_id="GetResource", response_model=ResourceInfo, responses=problems(*READ_PROBLEMS, 404)
)
async def get_resource(resources: Resources, air: AirOfPath) -> Response:
    return JsonResponse((await resources.get(air)).info)


@router.put(
    RESOURCE_PATH,
    operation_id="ReplaceResource",
    response_model=ResourceInfo,
    responses=problems(*BODY_PROBLEMS, 404),
    openapi_extra={"requestBody": request_body(ResourceDocument)},
)
async def replace_resource(resources: Resources, air: AirOfPath, request: Request) -> Response:
    resource = await read_as(request, partial(parse_document, expected=air))
    return JsonResponse((await resources.put(resource)).info)


@router.patch(
    RESOURCE_PATH,
    operation_id="UpdateResource",
    response_model=ResourceInfo,
    responses=problems(*BODY_PROBLEMS, 404),
    openapi_extra={"requestBody": request_body(ResourceFields)},
)
async def update_resource(resources: Resources, air: AirOfPath, request: Request) -> Response:
    changes = await read_as(request, partial(parse_changes, expected=air))
    return JsonResponse((await resources.patch(air, changes)).info)


@router.delete(
    RESOURCE_PATH,
    operation_id="DeleteResource",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems(*WRITE_PROBLEMS, 404),
)
async def delete_resource(resources: Resources, air: AirOfPath) -> Response:
    await resources.delete(air)
    return Response(status_code=HTTPStatus.NO_CONTENT)


def parse_named(air: str, *, path: str = AIR) -> Reference:
    """Return which resource is named; raise `InvalidRequestError` with the `path` of a name that is not an AIR."""
    try:
        return parse_reference(air)
    except InvalidRequestError as error:
        raise fault(path, error.message) from error


def parse_document(body: JsonObject, *, expected: Reference | None = None) -> Resource:
    """Parse a whole resource, in which a known field that is null counts as missing.

    `expected` is what the path named, in any spelling.
    """
    given = {name: value for name, value in body.items() if value is not None or name not in KNOWN_FIELDS}
    _check(DOCUMENT, given)
    air = _checked_air(given.pop(AIR), expected)
    return Resource(air=air, fields=given)


def parse_changes(body: JsonObject, *, expected: Reference) -> JsonObject:
    """Parse the fields to change; a field that is null is to be removed."""
    _check(FIELDS, {name: value for name, value in body.items() if value is not None})
    if AIR in body:
        _checked_air(body[AIR], expected)
    return {name: value for name, value in body.items() if name != AIR}


def _check(adapter: TypeAdapter[ResourceDocument] | TypeAdapter[ResourceFields], given: JsonObject) -> None:
    try:
        adapter.validate_python(given)
    except ValidationError as error:
        raise from_validation(error, path="") from error


def _checked_air(text: Json, expected: Reference | None) -> Air:
    try:
        air = Air.parse(text if isinstance(text, str) else "")
    except InvalidRequestError as error:
        raise fault(AIR, error.message) from error
    if expected is not None and not is_named(expected, air):
        raise fault(AIR, f"A resource cannot become another one; expected '{expected}', found '{air}'.")
    return air
