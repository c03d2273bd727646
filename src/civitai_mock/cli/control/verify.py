"""The command `verify`: have the server check which requests it got, and print what is different."""

from typing import TYPE_CHECKING

from civitai_mock.cli.control.faults import match_of
from civitai_mock.cli.control.output import Color
from civitai_mock.cli.control.session import Session
from civitai_mock.domain.json_types import JsonObject, as_list, as_object

if TYPE_CHECKING:
    from civitai_mock.network.control_plane_client import RefusedError

FAILED = 1
NEAREST = "nearest"


def verify(session: Session) -> int:
    """Return 1 if the requests are not as expected."""
    from civitai_mock.network.control_plane_client import RefusedError

    arguments = session.arguments
    expected: JsonObject = {}
    if match := match_of(arguments.method, arguments.route):
        expected["match"] = match
    if arguments.count is not None:
        expected["count"] = arguments.count
    try:
        answer = session.server.change("POST", "verify", expected)
    except RefusedError as refused:
        if NEAREST not in refused.problem:  # it could not be checked
            raise
        _print_difference(session, refused)
        return FAILED
    count = as_object(answer).get("count")
    session.done(answer, f"as expected: {count} request{'' if count == 1 else 's'}")
    return 0


def _print_difference(session: Session, refused: "RefusedError") -> None:
    problem = refused.problem
    if session.as_json:
        session.output.json(dict(problem))
        return
    session.output.line(session.output.colored(session.output.text(refused.message), Color.BAD))
    session.show({}, {name: problem.get(name) for name in ("expected", "actual", "incomplete")})
    nearest = [as_object(request) for request in as_list(problem.get(NEAREST))]
    if nearest:
        session.output.line()
        session.table(
            (NEAREST, "method", "path", "difference"),
            [[[each.get(name) for name in ("id", "method", "path", "difference")] for each in nearest]],
        )
