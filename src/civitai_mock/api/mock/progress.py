"""The progress mode of a namespace, or of all: what moves jobs, and how long their stages last."""

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.context import options
from civitai_mock.api.json_body import read_any
from civitai_mock.api.mock import CHANGE_PROBLEMS, CONTROL_TAG, READ_PROBLEMS
from civitai_mock.api.mock.changes import changed, done
from civitai_mock.api.mock.routes import ControlRoute
from civitai_mock.api.mock.schemas import NotYet, ProgressModeDocument
from civitai_mock.api.mock.scopes import SCOPE_PARAMETER, manage_of, record_name
from civitai_mock.api.openapi import Operation
from civitai_mock.api.responses import JsonResponse
from civitai_mock.domain.json_types import JsonObject, ReadOnlyJson, as_object
from civitai_mock.domain.progress_modes import SIMULATED, parse_progress_mode
from civitai_mock.services.progress_policy import PROGRESS

PATH = "/progress"


async def get_progress(request: Request) -> Response:
    """Answer the mode of jobs whose requests name none: the namespace's, or the server's, or the simulation's way."""
    manage = manage_of(request)
    own = (await manage.get(name)).document if (name := record_name(request)) else manage.control.server_document
    return JsonResponse(mode_of(own, manage.control.server_document))


def mode_of(own: ReadOnlyJson, server: ReadOnlyJson) -> JsonObject:
    """Return the mode that holds by the documents of a namespace and of the server."""
    return as_object(own.get(PROGRESS)) or as_object(server.get(PROGRESS)) or dict(SIMULATED)


async def put_progress(request: Request) -> Response:
    name = record_name(request)
    mode = await read_any(request, parse_progress_mode, if_empty={})
    options(request).check_simulated()
    found = await manage_of(request).edit(name, lambda document: {**document, PROGRESS: dict(mode.document)})
    return changed(mode.document, found.not_yet)


async def delete_progress(request: Request) -> Response:
    found = await manage_of(request).edit(record_name(request), _without_progress)
    return done(found.not_yet)


def _without_progress(document: ReadOnlyJson) -> ReadOnlyJson:
    return {name: value for name, value in document.items() if name != PROGRESS}


ROUTES = [
    ControlRoute(
        PATH,
        get_progress,
        method="GET",
        operation=Operation(
            id="getProgress",
            summary="Get the progress mode of jobs whose requests name none",
            tag=CONTROL_TAG,
            parameters=[SCOPE_PARAMETER],
            responses={200: ProgressModeDocument},
            problems=READ_PROBLEMS,
        ),
    ),
    ControlRoute(
        PATH,
        put_progress,
        method="PUT",
        operation=Operation(
            id="putProgress",
            summary="Set the progress mode of a namespace, or of all that have none of their own",
            tag=CONTROL_TAG,
            parameters=[SCOPE_PARAMETER],
            body=[ProgressModeDocument],
            responses={200: ProgressModeDocument},
            problems=[*CHANGE_PROBLEMS, 409],
            description=(
                "`instant`: nothing takes time. `time`: stages last as told: a duration, a range, or median and p99 of"
                " a log-normal distribution. `polls`: each GET of a status shows a stage, `each` of them, then it"
                " moves. `manual`: jobs move by `/_mock/jobs/{jobId}/advance` and the like."
            ),
        ),
    ),
    ControlRoute(
        PATH,
        delete_progress,
        method="DELETE",
        operation=Operation(
            id="deleteProgress",
            summary="Have no progress mode of its own any more",
            tag=CONTROL_TAG,
            parameters=[SCOPE_PARAMETER],
            responses={204: None, 200: NotYet},
            problems=CHANGE_PROBLEMS,
        ),
    ),
]
