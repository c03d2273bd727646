"""Take what broke in the dashboard, and log it: who runs the server sees it beside everything else."""

from http import HTTPStatus

import structlog
from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.mock import CHANGE_PROBLEMS, CONTROL_TAG
from civitai_mock.api.mock.bodies import read_change
from civitai_mock.api.mock.routes import ControlRoute
from civitai_mock.api.mock.schemas import ClientError
from civitai_mock.api.openapi import Operation
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.members import Members

MOST_LOGGED = 4000

logger = structlog.stdlib.get_logger()


async def log_client_error(request: Request) -> Response:
    told = await read_change(request, _read)
    logger.warning("dashboard failed", **told)
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _read(members: Members) -> JsonObject:
    members.required("message", members.text("message"))
    texts = {name: members.text(name) for name in ("kind", "message", "stack", "page")}
    return {name: text[:MOST_LOGGED] for name, text in texts.items() if text}


ROUTES = [
    ControlRoute(
        "/client-errors",
        log_client_error,
        method="POST",
        operation=Operation(
            id="logClientError",
            summary="Log what broke in the dashboard",
            tag=CONTROL_TAG,
            body=[ClientError],
            responses={204: None},
            problems=CHANGE_PROBLEMS,
        ),
    )
]
