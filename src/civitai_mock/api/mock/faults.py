"""Rules of faults: what is to go wrong in a namespace, or in all, when, and how often."""

import asyncio
from collections.abc import Collection, Iterable
from datetime import datetime
from functools import partial
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.context import exchange, use_cases
from civitai_mock.api.json_body import read_any
from civitai_mock.api.mock import CHANGE_PROBLEMS, CONTROL_TAG, READ_PROBLEMS
from civitai_mock.api.mock.changes import changed, done
from civitai_mock.api.mock.lists import LIST_PARAMETERS, MOST, USUAL, page_of
from civitai_mock.api.mock.routes import ControlRoute
from civitai_mock.api.mock.schemas import FaultRuleDocument, FaultRuleList, FaultRuleSettings, NotYet, TriedRule
from civitai_mock.api.mock.scopes import SCOPE_PARAMETER, record_name
from civitai_mock.api.openapi import Operation, count_parameter, path_parameter
from civitai_mock.api.query_params import count
from civitai_mock.api.responses import JsonResponse
from civitai_mock.domain.dotnet import format_date
from civitai_mock.domain.faults.conditions import METHODS
from civitai_mock.domain.faults.rules import FaultRule, check_available, parse_rule
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.namespaces import SERVER
from civitai_mock.services.faults.edit_rules import EditFaults, ShownRule

PATH = "/faults"
ONE_PATH = f"{PATH}/{{id}}"


async def list_faults(request: Request) -> Response:
    shown = await _edit(request).all(record_name(request))
    return page_of(request, shown, key=lambda each: f"{each.stored.number:012}", render=render_rule)


async def add_fault(request: Request) -> Response:
    name, now = record_name(request), _now(request)
    rule = await _read_rule(request, now)
    added = await _edit(request).add(name, rule, now=now)
    return changed(render_rule(added.shown), added.not_yet, status=HTTPStatus.CREATED)


async def get_fault(request: Request) -> Response:
    return JsonResponse(render_rule(await _edit(request).get(record_name(request), request.path_params["id"])))


async def put_fault(request: Request) -> Response:
    name, now = record_name(request), _now(request)
    rule = await _read_rule(request, now)
    put = await _edit(request).replace(name, rule, now=now)
    return changed(render_rule(put.shown), put.not_yet)


async def delete_fault(request: Request) -> Response:
    return done(await _edit(request).remove(record_name(request), request.path_params["id"]))


async def delete_faults(request: Request) -> Response:
    return done(await _edit(request).clear(record_name(request)))


async def try_fault(request: Request) -> Response:
    """Answer what a rule would have hit; it is read as one that is to be added."""
    take = count(request, "take", default=USUAL, most=MOST)
    rule = await _read_rule(request, _now(request))
    tried = await use_cases(request).looking_in.try_rule(rule, take=take)
    found: JsonObject = {"count": tried.count, "items": [*tried.items]}
    return JsonResponse({**found, "incomplete": True} if tried.is_incomplete else found)


async def _read_rule(request: Request, now: datetime) -> FaultRule:
    """Read a rule by the id in the path, if there is one; a new one has none yet."""
    parse = partial(parse_rule, rule_id=request.path_params.get("id", ""), set_at=now)
    rule = await read_any(request, parse, if_empty={})
    check_available(rule)
    if (routes := await routes_to_check(request, [rule])) is not None:
        parse(dict(rule.document), routes=routes)
    return rule


async def routes_to_check(request: Request, rules: Iterable[FaultRule]) -> Collection[str] | None:
    """Return all paths of the description, if a rule names a route or a method that may be unknown.

    They take a while to make.
    """
    matches = [rule.match for rule in rules]
    is_known = all(match.method is None or match.method.upper() in METHODS for match in matches)
    if is_known and {match.route for match in matches} - {None} <= request.app.plain_paths:
        return None
    return await asyncio.to_thread(request.app.described_paths)


def _edit(request: Request) -> EditFaults:
    return exchange(request).context.namespaces.edit_faults


def _now(request: Request) -> datetime:
    """Return the time by the clock that a rule goes by: that of its namespace, or for all namespaces the real one."""
    if record_name(request) == SERVER:
        return exchange(request).context.namespaces.manage.clock.now()
    return use_cases(request).clock.now()


def render_rule(shown: ShownRule) -> JsonObject:
    rule: JsonObject = {"id": shown.stored.rule.id, **shown.stored.rule.document, "hits": shown.hits}
    if shown.left is not None:
        rule["left"] = shown.left
    if shown.last_hit_at is not None:
        rule["lastHitAt"] = format_date(shown.last_hit_at)
    return rule


ROUTES = [
    ControlRoute(
        PATH,
        list_faults,
        method="GET",
        operation=Operation(
            id="listFaults",
            summary="List the rules of faults, in the order in which they are looked at",
            tag=CONTROL_TAG,
            parameters=[*LIST_PARAMETERS, SCOPE_PARAMETER],
            responses={200: FaultRuleList},
            problems=READ_PROBLEMS,
        ),
    ),
    ControlRoute(
        PATH,
        add_fault,
        method="POST",
        operation=Operation(
            id="addFault",
            summary="Add a rule of faults behind those that are there",
            tag=CONTROL_TAG,
            parameters=[SCOPE_PARAMETER],
            body=[FaultRuleSettings],
            responses={201: FaultRuleDocument, 200: FaultRuleDocument},
            problems=[*CHANGE_PROBLEMS, 409],
            description=(
                "Of all rules that match, one fires: what the header `X-Mock-Fault` asks for, else the first rule of"
                " the namespace, else the first of the server. `forSeconds` and `until` are by the clock of the"
                " namespace; for rules of the server by the real one."
            ),
        ),
    ),
    ControlRoute(
        PATH,
        delete_faults,
        method="DELETE",
        operation=Operation(
            id="deleteFaults",
            summary="Remove all rules of faults",
            tag=CONTROL_TAG,
            parameters=[SCOPE_PARAMETER],
            responses={204: None, 200: NotYet},
            problems=CHANGE_PROBLEMS,
        ),
    ),
    ControlRoute(
        f"{PATH}/dry-run",
        try_fault,
        method="POST",
        operation=Operation(
            id="tryFault",
            summary="Tell what a rule of faults would have hit in the journal",
            tag=CONTROL_TAG,
            parameters=[count_parameter("take", default=USUAL, most=MOST)],
            body=[FaultRuleSettings],
            responses={200: TriedRule},
            problems=[*CHANGE_PROBLEMS, 409],
            description=(
                "`times`, `after` and `every` count; dice, `until` and `enabled` do not. A rule about jobs, their blobs"
                " or callbacks is held against submissions; one about blobs that asks for nothing of a job, against"
                " those who asked for one. Nothing goes wrong, and nothing is counted."
            ),
        ),
    ),
    ControlRoute(
        ONE_PATH,
        get_fault,
        method="GET",
        operation=Operation(
            id="getFault",
            summary="Get a rule of faults, how often it has fired, and when last",
            tag=CONTROL_TAG,
            parameters=[path_parameter("id"), SCOPE_PARAMETER],
            responses={200: FaultRuleDocument},
            problems=[*READ_PROBLEMS, 404],
        ),
    ),
    ControlRoute(
        ONE_PATH,
        put_fault,
        method="PUT",
        operation=Operation(
            id="putFault",
            summary="Put a rule of faults into the place of another, which it keeps in the order",
            tag=CONTROL_TAG,
            parameters=[path_parameter("id"), SCOPE_PARAMETER],
            body=[FaultRuleSettings],
            responses={200: FaultRuleDocument},
            problems=[*CHANGE_PROBLEMS, 404, 409],
            description="It begins anew with its counts and its time, unless only `enabled` is another than before.",
        ),
    ),
    ControlRoute(
        ONE_PATH,
        delete_fault,
        method="DELETE",
        operation=Operation(
            id="deleteFault",
            summary="Remove a rule of faults",
            tag=CONTROL_TAG,
            parameters=[path_parameter("id"), SCOPE_PARAMETER],
            responses={204: None, 200: NotYet},
            problems=[*CHANGE_PROBLEMS, 404],
        ),
    ),
]
