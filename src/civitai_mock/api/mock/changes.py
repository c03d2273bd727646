"""Answer a change of the control plane: what is set now, and which processes do not obey it yet."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from starlette.responses import Response

from civitai_mock.api.responses import JsonResponse

NOT_YET = "notYet"


def done(not_yet: Sequence[str]) -> Response:
    """Answer 204, or 200 with the ids of the processes that have not confirmed the change in time."""
    if not_yet:
        return JsonResponse({NOT_YET: list(not_yet)})
    return Response(status_code=HTTPStatus.NO_CONTENT)


def changed(body: Mapping[str, object], not_yet: Sequence[str], *, status: int = HTTPStatus.OK) -> Response:
    """Answer what is set now, and in it who has not confirmed that in time."""
    members = {**body, NOT_YET: list(not_yet)} if not_yet else body
    return JsonResponse(members, status_code=HTTPStatus.OK if not_yet else status)
