"""Scenarios: named states, in each of which something else goes wrong, until another one has its turn."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.context import exchange
from civitai_mock.api.json_body import read_any, read_bytes
from civitai_mock.api.mock import CHANGE_PROBLEMS, CONTROL_TAG, READ_PROBLEMS
from civitai_mock.api.mock.bodies import read_change
from civitai_mock.api.mock.changes import changed, done
from civitai_mock.api.mock.faults import routes_to_check
from civitai_mock.api.mock.lists import LIST_PARAMETERS, page_of
from civitai_mock.api.mock.routes import JSON, ControlRoute
from civitai_mock.api.mock.schemas import NotYet, ScenarioDocument, ScenarioList, ScenarioSettings, ScenarioStateChange
from civitai_mock.api.mock.scopes import namespace_of
from civitai_mock.api.openapi import Operation, path_parameter
from civitai_mock.api.responses import JsonResponse
from civitai_mock.domain.errors import ROOT, fault
from civitai_mock.domain.faults.scenarios import STATE, Scenario, parse_scenario
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.namespaces import check_name
from civitai_mock.services.faults.edit_scenarios import EditScenarios, ShownScenario
from civitai_mock.services.yaml_text import YamlError, parse_yaml

PATH = "/scenarios"
ONE_PATH = f"{PATH}/{{name}}"
YAML_TYPES = ("application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml")
YAML_COST = 10  # times as long as JSON


async def list_scenarios(request: Request) -> Response:
    shown = await _edit(request).all(namespace_of(request))
    return page_of(request, shown, key=lambda each: each.scenario.name, render=_render)


async def get_scenario(request: Request) -> Response:
    return JsonResponse(_render(await _edit(request).get(namespace_of(request), request.path_params["name"])))


async def put_scenario(request: Request) -> Response:
    scenario = await _read_scenario(request, check_name(request.path_params["name"], field="name"))
    put = await _edit(request).put(namespace_of(request), scenario)
    return changed(_render(put), put.not_yet)


async def delete_scenario(request: Request) -> Response:
    return done(await _edit(request).remove(namespace_of(request), request.path_params["name"]))


async def put_state(request: Request) -> Response:
    state = await read_change(request, lambda members: members.required(STATE, members.text(STATE))) or ""
    return JsonResponse(
        _render(await _edit(request).set_state(namespace_of(request), request.path_params["name"], state))
    )


async def _read_scenario(request: Request, name: str) -> Scenario:
    parse = partial(parse_scenario, name=name)
    media_type = (exchange(request).header(b"content-type") or JSON).partition(";")[0].strip().lower()
    if media_type in YAML_TYPES:
        scenario = await read_bytes(request, partial(_parse_yaml_scenario, name=name), costly=YAML_COST)
    else:
        scenario = await read_any(request, parse, if_empty={})
    if (routes := await routes_to_check(request, [state.rule for state in scenario.states.values()])) is not None:
        parse(dict(scenario.document), routes=routes)
    return scenario


def _parse_yaml_scenario(content: bytes, *, name: str) -> Scenario:
    try:
        located = parse_yaml(content)
    except YamlError as error:
        raise fault(ROOT, f"Line {error.line}: {error.message}") from error
    return parse_scenario(located.value, name=name)


def _edit(request: Request) -> EditScenarios:
    return exchange(request).context.namespaces.edit_scenarios


def _render(shown: ShownScenario) -> JsonObject:
    return {"name": shown.scenario.name, **shown.scenario.document, "state": shown.state}


NAMED = [path_parameter("name")]
ROUTES = [
    ControlRoute(
        PATH,
        list_scenarios,
        method="GET",
        operation=Operation(
            id="listScenarios",
            summary="List the scenarios by name, each with its state",
            tag=CONTROL_TAG,
            parameters=LIST_PARAMETERS,
            responses={200: ScenarioList},
            problems=READ_PROBLEMS,
        ),
    ),
    ControlRoute(
        ONE_PATH,
        get_scenario,
        method="GET",
        operation=Operation(
            id="getScenario",
            summary="Get a scenario, and the state in which it is",
            tag=CONTROL_TAG,
            parameters=NAMED,
            responses={200: ScenarioDocument},
            problems=[*READ_PROBLEMS, 404],
        ),
    ),
    ControlRoute(
        ONE_PATH,
        put_scenario,
        method="PUT",
        operation=Operation(
            id="putScenario",
            summary="Set a scenario, which begins anew",
            tag=CONTROL_TAG,
            parameters=NAMED,
            body=[ScenarioSettings],
            media_types=(JSON, *YAML_TYPES),
            responses={200: ScenarioDocument},
            problems=[*CHANGE_PROBLEMS, 409],
            description=(
                "The state in which it is has one rule. When that fires, the state named by `next` has its turn, over"
                " all processes; without `next` it stays. A state without `preset` and `action` only waits for its"
                " match. Rules of faults come before scenarios."
            ),
        ),
    ),
    ControlRoute(
        ONE_PATH,
        delete_scenario,
        method="DELETE",
        operation=Operation(
            id="deleteScenario",
            summary="Remove a scenario",
            tag=CONTROL_TAG,
            parameters=NAMED,
            responses={204: None, 200: NotYet},
            problems=[*CHANGE_PROBLEMS, 404],
        ),
    ),
    ControlRoute(
        f"{ONE_PATH}/state",
        put_state,
        method="PUT",
        operation=Operation(
            id="putScenarioState",
            summary="Put a scenario into a state",
            tag=CONTROL_TAG,
            parameters=NAMED,
            body=[ScenarioStateChange],
            responses={200: ScenarioDocument},
            problems=[*CHANGE_PROBLEMS, 404],
        ),
    ),
]
