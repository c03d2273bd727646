"""Take calls that empty caches of the real service, of which this one has none."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.domain.errors import fault

MOST = 2**31 - 1


async def invalidate(request: Request) -> Response:
    """Answer that it is done, to everybody who may call: nothing is kept here that could be out of date."""
    user_id: str = request.path_params["userId"]
    digits = user_id.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 10 and int(digits) <= MOST):
        raise fault("userId", f"The value '{user_id[:100]}' is not valid; expected the number of a user.")
    return Response(status_code=HTTPStatus.NO_CONTENT)
