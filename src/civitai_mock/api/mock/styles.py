"""Styles: what requests get that name one, and say nothing themselves; some are built in."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.context import exchange
from civitai_mock.api.json_body import read_any
from civitai_mock.api.mock import CHANGE_PROBLEMS, CONTROL_TAG, READ_PROBLEMS
from civitai_mock.api.mock.changes import changed, done
from civitai_mock.api.mock.lists import LIST_PARAMETERS, page_of
from civitai_mock.api.mock.routes import ControlRoute
from civitai_mock.api.mock.schemas import NotYet, StyleDocument, StyleList, StyleSettings
from civitai_mock.api.mock.scopes import namespace_of
from civitai_mock.api.openapi import Operation, path_parameter
from civitai_mock.api.responses import JsonResponse
from civitai_mock.api.v1.style_defaults import check_style
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.domain.namespaces import check_name
from civitai_mock.domain.styles import Style, parse_style
from civitai_mock.services.styles import EditStyles, ShownStyle

PATH = "/styles"
ONE_PATH = f"{PATH}/{{name}}"


async def list_styles(request: Request) -> Response:
    shown = await _edit(request).all(namespace_of(request))
    return page_of(request, shown, key=lambda each: each.style.name, render=_render)


async def get_style(request: Request) -> Response:
    return JsonResponse(_render(await _edit(request).get(namespace_of(request), request.path_params["name"])))


async def put_style(request: Request) -> Response:
    name = check_name(request.path_params["name"], field="name")
    style = await read_any(request, partial(_parse, name=name), if_empty={})
    put = await _edit(request).put(namespace_of(request), style)
    return changed(_render(put), put.not_yet)


async def delete_style(request: Request) -> Response:
    return done(await _edit(request).remove(namespace_of(request), request.path_params["name"]))


def _parse(value: Json, *, name: str) -> Style:
    style = parse_style(value, name=name)
    check_style(style)
    return style


def _edit(request: Request) -> EditStyles:
    return exchange(request).context.namespaces.edit_styles


def _render(shown: ShownStyle) -> JsonObject:
    return {"name": shown.style.name, **shown.style.document(), "builtIn": shown.is_built_in}


NAMED = [path_parameter("name")]
ROUTES = [
    ControlRoute(
        PATH,
        list_styles,
        method="GET",
        operation=Operation(
            id="listStyles",
            summary="List the styles by name",
            tag=CONTROL_TAG,
            parameters=LIST_PARAMETERS,
            responses={200: StyleList},
            problems=READ_PROBLEMS,
        ),
    ),
    ControlRoute(
        ONE_PATH,
        get_style,
        method="GET",
        operation=Operation(
            id="getStyle",
            summary="Get a style",
            tag=CONTROL_TAG,
            parameters=NAMED,
            responses={200: StyleDocument},
            problems=[*READ_PROBLEMS, 404],
        ),
    ),
    ControlRoute(
        ONE_PATH,
        put_style,
        method="PUT",
        operation=Operation(
            id="putStyle",
            summary="Set a style, in place of one that is built in, too",
            tag=CONTROL_TAG,
            parameters=NAMED,
            body=[StyleSettings],
            responses={200: StyleDocument},
            problems=[*CHANGE_PROBLEMS, 409],
            description="Jobs that were submitted before stay as they are.",
        ),
    ),
    ControlRoute(
        ONE_PATH,
        delete_style,
        method="DELETE",
        operation=Operation(
            id="deleteStyle",
            summary="Remove a style; one that is built in comes back in its place",
            tag=CONTROL_TAG,
            parameters=NAMED,
            responses={204: None, 200: NotYet},
            problems=[*CHANGE_PROBLEMS, 404, 409],
        ),
    ),
]
