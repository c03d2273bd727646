"""The clock of a namespace: see it, stop it, set it, and advance it past whatever takes time."""

from datetime import datetime, timedelta
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.context import exchange, use_cases
from civitai_mock.api.mock import CHANGE_PROBLEMS, CONTROL_TAG, READ_PROBLEMS
from civitai_mock.api.mock.bodies import read_change
from civitai_mock.api.mock.changes import changed
from civitai_mock.api.mock.lists import MOST, listing
from civitai_mock.api.mock.routes import ControlRoute
from civitai_mock.api.mock.schemas import ClockAdvance, ClockDocument, ClockSettings, DueItemList
from civitai_mock.api.openapi import Operation, count_parameter
from civitai_mock.api.query_params import count
from civitai_mock.api.responses import JsonResponse
from civitai_mock.domain.clock_state import FASTEST, SLOWEST, ClockMode
from civitai_mock.domain.dotnet import format_date
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.members import Members
from civitai_mock.services.namespace_clock import ShownClock

PATH = "/clock"
BY, TO, TO_NEXT = "by", "to", "toNext"
USUAL_DUE = 20


async def get_clock(request: Request) -> Response:
    return JsonResponse(render_clock(use_cases(request).control_clock.show()))


async def put_clock(request: Request) -> Response:
    exchange(request).context.options.check_simulated()
    mode, now, rate = await read_change(request, _read_setting)
    shown = await use_cases(request).control_clock.set(mode, now=now, rate=rate)
    return changed(render_clock(shown), shown.not_yet)


async def advance_clock(request: Request) -> Response:
    exchange(request).context.options.check_simulated()
    by, to = await read_change(request, _read_advance)
    shown = await use_cases(request).control_clock.advance(by=by, to=to)
    if shown.is_advancing:
        return JsonResponse(render_clock(shown), status_code=HTTPStatus.ACCEPTED)
    return changed(render_clock(shown), shown.not_yet)


async def list_due(request: Request) -> Response:
    take = count(request, "take", default=USUAL_DUE, most=MOST)
    found = await use_cases(request).looking_in.list_due(take=take)
    return listing([{"at": format_date(due.at), "what": due.what, "jobId": due.job_id} for due in found])


def render_clock(shown: ShownClock) -> JsonObject:
    return {
        "mode": shown.state.mode.value,
        "now": format_date(shown.now),
        "rate": 0.0 if shown.state.mode is ClockMode.FROZEN else shown.state.rate,
        "status": "advancing" if shown.is_advancing else "ready",
    }


def _read_setting(members: Members) -> tuple[ClockMode, datetime | None, float | None]:
    mode = members.required("mode", members.word("mode", ClockMode)) or ClockMode.REAL
    now, rate = members.date("now"), members.number("rate", least=SLOWEST, most=FASTEST)
    if now is not None and mode is ClockMode.REAL:
        members.note("now", "A real clock shows the time of this machine; leave this out, or choose another mode.")
    if rate is not None and mode is not ClockMode.SCALED:
        members.note("rate", "Only a clock in mode scaled has a rate.")
    return mode, now, rate


def _read_advance(members: Members) -> tuple[timedelta | None, datetime | None]:
    members.exactly_one(BY, TO, TO_NEXT)
    if members.flag(TO_NEXT) is False:
        members.note(TO_NEXT, "Expected true.")
    return members.duration(BY), members.date(TO)


ROUTES = [
    ControlRoute(
        PATH,
        get_clock,
        method="GET",
        operation=Operation(
            id="getClock",
            summary="Get the time of the namespace, and how its clock goes",
            tag=CONTROL_TAG,
            responses={200: ClockDocument},
            problems=READ_PROBLEMS,
        ),
    ),
    ControlRoute(
        PATH,
        put_clock,
        method="PUT",
        operation=Operation(
            id="putClock",
            summary="Stop the clock, set it, or let it go at another rate",
            tag=CONTROL_TAG,
            body=[ClockSettings],
            responses={200: ClockDocument},
            problems=[*CHANGE_PROBLEMS, 409],
            description="What falls due by the date that is set happens at that date; advance the clock to have"
            " everything happen at its own time.",
        ),
    ),
    ControlRoute(
        f"{PATH}/advance",
        advance_clock,
        method="POST",
        operation=Operation(
            id="advanceClock",
            summary="Advance the clock; what falls due on the way happens in order",
            tag=CONTROL_TAG,
            body=[ClockAdvance],
            responses={200: ClockDocument, 202: ClockDocument},
            problems=[*CHANGE_PROBLEMS, 409],
            description="With status ready everything is stored, and its callbacks were tried. An advance that takes"
            " longer than 30 seconds is answered with 202 and goes on. A real clock goes on from there as fast as"
            " before.",
        ),
    ),
    ControlRoute(
        "/clock/due",
        list_due,
        method="GET",
        operation=Operation(
            id="listDue",
            summary="List what falls due next, by the clock of the namespace",
            description=(
                "That is when jobs go on that the process works on which answers, and when those expire that have not"
                " ended, in any process."
            ),
            tag=CONTROL_TAG,
            parameters=[count_parameter("take", default=USUAL_DUE, most=MOST)],
            responses={200: DueItemList},
            problems=READ_PROBLEMS,
        ),
    ),
]
