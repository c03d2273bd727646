"""Look at what is set for a namespace now, in one short answer that the dashboard asks for again and again."""

import hashlib

import orjson
from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.context import exchange, use_cases
from civitai_mock.api.mock import CONTROL_TAG, READ_PROBLEMS, STATE_PATH
from civitai_mock.api.mock.clock import render_clock
from civitai_mock.api.mock.faults import render_rule
from civitai_mock.api.mock.progress import mode_of
from civitai_mock.api.mock.routes import ControlRoute
from civitai_mock.api.mock.schemas import StateDocument
from civitai_mock.api.mock.scopes import namespace_of
from civitai_mock.api.openapi import Operation
from civitai_mock.api.responses import JsonResponse
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.domain.namespaces import SERVER
from civitai_mock.services.faults.edit_rules import ShownRule
from civitai_mock.services.faults.edit_scenarios import ShownScenario


async def get_state(request: Request) -> Response:
    namespaces, name = exchange(request).context.namespaces, namespace_of(request)
    own = (await namespaces.manage.get(name)).document
    server = namespaces.manage.control.server_document
    rules = [*await namespaces.edit_faults.all(name), *await namespaces.edit_faults.all(SERVER)]
    scenarios = await namespaces.edit_scenarios.all(name)
    names: list[Json] = [*sorted(record.name for record in await namespaces.manage.all())]
    state: JsonObject = {
        "namespace": name,
        "namespaces": names,
        "progress": {**mode_of(own, server)},
        "faults": [render_rule(shown) for shown in rules if _is_on(shown)],
        "scenarios": [{"name": each.scenario.name, "state": each.state} for each in scenarios if _goes_wrong(each)],
        "hasFleet": use_cases(request).fleet.policy.document is not None,
    }
    version = _digest([state, {**own}, {**server}, [render_rule(shown) for shown in rules]])
    clock = render_clock(use_cases(request).control_clock.show())
    return JsonResponse({**state, "clock": clock, "version": version})


def _is_on(shown: ShownRule) -> bool:
    rule = render_rule(shown)
    return rule.get("enabled") is not False and rule.get("left") != 0


def _goes_wrong(shown: ShownScenario) -> bool:
    return not shown.scenario.states[shown.state].rule.action.only_looks


def _digest(value: Json) -> str:
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


ROUTES = [
    ControlRoute(
        STATE_PATH,
        get_state,
        method="GET",
        operation=Operation(
            id="getState",
            summary="Get what is set for a namespace now, and the names of all namespaces",
            description=(
                "`faults` are the rules that are on, those of all namespaces behind its own, and `scenarios` those in"
                " whose state something goes wrong. `version` is another one once anything that was set is another; the"
                " clock counts only when it is set."
            ),
            tag=CONTROL_TAG,
            responses={200: StateDocument},
            problems=READ_PROBLEMS,
        ),
    )
]
