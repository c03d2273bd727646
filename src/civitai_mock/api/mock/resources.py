"""Look at resources and change them, whatever goes wrong on purpose, and without an entry in the journal."""

from functools import partial
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.context import use_cases
from civitai_mock.api.json_body import read_as
from civitai_mock.api.mock import CHANGE_PROBLEMS, CONTROL_TAG, READ_PROBLEMS
from civitai_mock.api.mock.changes import done
from civitai_mock.api.mock.lists import LIST_PARAMETERS, invalid_cursor, listing, requested_page
from civitai_mock.api.mock.routes import ControlRoute
from civitai_mock.api.mock.schemas import ResourceItemList
from civitai_mock.api.openapi import Operation, path_parameter, text_parameter
from civitai_mock.api.query_params import optional
from civitai_mock.api.responses import JsonResponse
from civitai_mock.api.v2.resource_schemas import ResourceDocument, ResourceInfo
from civitai_mock.api.v2.resources import AIR, MAX_PAGE, parse_document, parse_named
from civitai_mock.domain.air import Reference

PATH = "/resources"
RESOURCE_PATH = PATH + "/{air:path}"


async def list_resources(request: Request) -> Response:
    page = requested_page(request)
    before = 0 if page.after is None else _read_place(page.after)
    found = await use_cases(request).resources.page(query=optional(request, "q") or "", offset=before, limit=page.take)
    last = before + len(found.items)
    return listing(
        [resource.info for resource in found.items],
        last=str(last) if found.items and last < found.total else None,
        more={"first": before + 1, "total": found.total},
    )


async def add_resource(request: Request) -> Response:
    added = await use_cases(request).resources.add(await read_as(request, parse_document))
    return JsonResponse(added.info, status_code=HTTPStatus.CREATED)


async def get_resource(request: Request) -> Response:
    return JsonResponse((await use_cases(request).resources.get(_named(request))).info)


async def put_resource(request: Request) -> Response:
    resource = await read_as(request, partial(parse_document, expected=_named(request)))
    return JsonResponse((await use_cases(request).resources.put(resource)).info)


async def delete_resource(request: Request) -> Response:
    await use_cases(request).resources.delete(_named(request))
    return done([])


def _named(request: Request) -> Reference:
    return parse_named(request.path_params[AIR])


def _read_place(text: str) -> int:
    """Return how many resources stood on the pages before."""
    if not (text.isascii() and text.isdecimal() and int(text) <= MAX_PAGE):
        raise invalid_cursor()
    return int(text)


NAMED = [path_parameter(AIR)]
ROUTES = [
    ControlRoute(
        PATH,
        list_resources,
        method="GET",
        operation=Operation(
            id="listMockResources",
            summary="List the resources that jobs may name, in the order of their AIR",
            description="`q` is looked for literally in AIR, names and tags, in any case.",
            tag=CONTROL_TAG,
            parameters=[text_parameter("q", required=False), *LIST_PARAMETERS],
            responses={200: ResourceItemList},
            problems=READ_PROBLEMS,
        ),
    ),
    ControlRoute(
        PATH,
        add_resource,
        method="POST",
        operation=Operation(
            id="addMockResource",
            summary="Add a resource",
            tag=CONTROL_TAG,
            body=[ResourceDocument],
            responses={201: ResourceInfo},
            problems=[*CHANGE_PROBLEMS, 409],
        ),
    ),
    ControlRoute(
        RESOURCE_PATH,
        get_resource,
        method="GET",
        operation=Operation(
            id="getMockResource",
            summary="Get a resource by its AIR in any spelling",
            tag=CONTROL_TAG,
            parameters=NAMED,
            responses={200: ResourceInfo},
            problems=[*READ_PROBLEMS, 404],
        ),
    ),
    ControlRoute(
        RESOURCE_PATH,
        put_resource,
        method="PUT",
        operation=Operation(
            id="putMockResource",
            summary="Put another document into the place of a resource",
            tag=CONTROL_TAG,
            parameters=NAMED,
            body=[ResourceDocument],
            responses={200: ResourceInfo},
            problems=[*CHANGE_PROBLEMS, 404],
        ),
    ),
    ControlRoute(
        RESOURCE_PATH,
        delete_resource,
        method="DELETE",
        operation=Operation(
            id="deleteMockResource",
            summary="Delete a resource",
            tag=CONTROL_TAG,
            parameters=NAMED,
            responses={204: None},
            problems=[*CHANGE_PROBLEMS, 404],
        ),
    ),
]
