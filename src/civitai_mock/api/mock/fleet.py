"""The simulated fleet of a namespace: what it is made of, its pods and orders to them, and what it has cost."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.context import exchange, use_cases
from civitai_mock.api.json_body import read_any
from civitai_mock.api.mock import CHANGE_PROBLEMS, CONTROL_TAG, READ_PROBLEMS
from civitai_mock.api.mock.bodies import read_change
from civitai_mock.api.mock.changes import changed, done
from civitai_mock.api.mock.fleet_schemas import (
    FleetCosts,
    FleetSettings,
    FleetSettingsSet,
    PodItem,
    PodList,
    PodOrder,
    PreemptOrder,
)
from civitai_mock.api.mock.lists import LIST_PARAMETERS, page_of
from civitai_mock.api.mock.routes import ControlRoute
from civitai_mock.api.mock.schemas import NotYet
from civitai_mock.api.mock.scopes import namespace_of
from civitai_mock.api.openapi import Operation, moment_parameter, path_parameter, text_parameter
from civitai_mock.api.query_params import moment, optional
from civitai_mock.api.responses import JsonResponse
from civitai_mock.domain.dotnet import format_date
from civitai_mock.domain.errors import fault
from civitai_mock.domain.fleet.document import MOST_SECONDS, as_json
from civitai_mock.domain.fleet.pods import PodState, may_follow
from civitai_mock.domain.members import Members
from civitai_mock.services.fleet.costs import BY_PROVIDER
from civitai_mock.services.fleet.edit import EditFleet
from civitai_mock.services.fleet.orders import FleetOrder, OrderKind
from civitai_mock.services.fleet.use_cases import ShownPod

ORDERED: Mapping[Literal["preempt", "shutdown"], PodState] = {
    "preempt": PodState.PREEMPTION_WARN,
    "shutdown": PodState.SHUTDOWN,
}
PATH, PODS_PATH, COSTS_PATH = "/fleet", "/fleet/pods", "/costs"
POD_PATH = f"{PODS_PATH}/{{podId}}"


async def get_fleet(request: Request) -> Response:
    return JsonResponse(as_json(await _edit(request).get(namespace_of(request))))


async def put_fleet(request: Request) -> Response:
    fleet = await read_any(request, _edit(request).parse, if_empty={})
    return changed(as_json(fleet), await _edit(request).put(namespace_of(request), fleet))


async def delete_fleet(request: Request) -> Response:
    return done(await _edit(request).remove(namespace_of(request)))


async def list_pods(request: Request) -> Response:
    shown = await use_cases(request).fleet.pods()
    return page_of(request, shown, key=lambda each: each.pod.pod_id, render=_render)


async def boot_pod(request: Request) -> Response:
    provider = await read_change(request, lambda members: members.text("provider"))
    return await _carry_out(request, FleetOrder(kind=OrderKind.BOOT, provider=provider), status=HTTPStatus.CREATED)


async def preempt_pod(request: Request) -> Response:
    warning = await read_change(request, _warning)
    pod_id = request.path_params["podId"]
    return await _carry_out(request, FleetOrder(kind=OrderKind.PREEMPT, pod_id=pod_id, warning_seconds=warning))


async def shut_down_pod(request: Request) -> Response:
    await read_change(request, lambda _: None)
    return await _carry_out(request, FleetOrder(kind=OrderKind.SHUTDOWN, pod_id=request.path_params["podId"]))


async def get_costs(request: Request) -> Response:
    since, until = moment(request, "from"), moment(request, "to")
    if since is not None and until is not None and since > until:
        raise fault("from", f"from must be at most to; found {format_date(since)}, {format_date(until)}.")
    group_by = optional(request, "groupBy") or BY_PROVIDER
    return JsonResponse(await use_cases(request).fleet.costs(since=since, until=until, group_by=group_by))


async def _carry_out(request: Request, order: FleetOrder, *, status: int = HTTPStatus.OK) -> Response:
    return JsonResponse(_render(await use_cases(request).fleet.give(order)), status_code=status)


def _warning(members: Members) -> float | None:
    return members.number("warningSeconds", least=0, most=MOST_SECONDS)


def _edit(request: Request) -> EditFleet:
    return exchange(request).context.namespaces.edit_fleet


def _render(shown: ShownPod) -> PodItem:
    pod = shown.pod
    item = PodItem(
        podId=pod.pod_id,
        provider=pod.provider,
        state=pod.state.value,
        status=pod.coarse_state.value,
        text=shown.text,
        since=format_date(pod.since),
        jobsInQueue=shown.jobs_in_queue,
        billed=shown.billed,
        orders=[order for order, state in ORDERED.items() if may_follow(pod.state, state)],
    )
    if pod.engine is not None:
        item["engine"] = pod.engine
    if pod.booted_at is not None:
        item["bootedAt"] = format_date(pod.booted_at)
    if pod.last_job_at is not None:
        item["lastJobAt"] = format_date(pod.last_job_at)
    return item


OF_POD = [path_parameter("podId")]
ROUTES = [
    ControlRoute(
        PATH,
        get_fleet,
        method="GET",
        operation=Operation(
            id="getFleet",
            summary="Get the fleet of a namespace",
            tag=CONTROL_TAG,
            responses={200: FleetSettings},
            problems=[*READ_PROBLEMS, 404],
        ),
    ),
    ControlRoute(
        PATH,
        put_fleet,
        method="PUT",
        operation=Operation(
            id="putFleet",
            summary="Give a namespace a fleet, on which all of its jobs run from now on",
            tag=CONTROL_TAG,
            body=[FleetSettings],
            responses={200: FleetSettingsSet},
            problems=CHANGE_PROBLEMS,
            description=(
                "`{}` is the built-in one: spot pods, and serverless workers as their reserve. Each pod may have a"
                " ComfyUI server of COMFY_HTTP_URL as its engine, which runs its jobs."
            ),
        ),
    ),
    ControlRoute(
        PATH,
        delete_fleet,
        method="DELETE",
        operation=Operation(
            id="deleteFleet",
            summary="Take the fleet away; jobs run as they do without one",
            tag=CONTROL_TAG,
            responses={204: None, 200: NotYet},
            problems=CHANGE_PROBLEMS,
        ),
    ),
    ControlRoute(
        PODS_PATH,
        list_pods,
        method="GET",
        operation=Operation(
            id="listPods",
            summary="List the pods of the fleet by their ids, those that were shut down lately included",
            tag=CONTROL_TAG,
            parameters=LIST_PARAMETERS,
            responses={200: PodList},
            problems=[*READ_PROBLEMS, 404],
        ),
    ),
    ControlRoute(
        PODS_PATH,
        boot_pod,
        method="POST",
        operation=Operation(
            id="bootPod",
            summary="Boot a pod",
            tag=CONTROL_TAG,
            body=[PodOrder],
            responses={201: PodItem},
            problems=[*CHANGE_PROBLEMS, 404, 409],
        ),
    ),
    ControlRoute(
        f"{POD_PATH}/preempt",
        preempt_pod,
        method="POST",
        operation=Operation(
            id="preemptPod",
            summary="Take a pod away, as its cloud does",
            tag=CONTROL_TAG,
            parameters=OF_POD,
            body=[PreemptOrder],
            responses={200: PodItem},
            problems=[*CHANGE_PROBLEMS, 404, 409],
            description="Jobs that do not end before `warningSeconds` are over go to the reserve; 0 warns nobody.",
        ),
    ),
    ControlRoute(
        f"{POD_PATH}/shutdown",
        shut_down_pod,
        method="POST",
        operation=Operation(
            id="shutDownPod",
            summary="Shut down a pod that has nothing to do",
            tag=CONTROL_TAG,
            parameters=OF_POD,
            responses={200: PodItem},
            problems=[*CHANGE_PROBLEMS, 404, 409],
        ),
    ),
    ControlRoute(
        COSTS_PATH,
        get_costs,
        method="GET",
        operation=Operation(
            id="getCosts",
            summary="Tell what the fleet has cost, by provider, and what it has saved",
            tag=CONTROL_TAG,
            parameters=[
                moment_parameter("from"),
                moment_parameter("to"),
                text_parameter("groupBy", required=False),
            ],
            responses={200: FleetCosts},
            problems=READ_PROBLEMS,
            description=(
                "Jobs count that ended in this period, pods by the time of it. `groupBy` is `provider`, `job`, or a"
                " property of jobs like `properties.comicId`, which adds `groups`."
            ),
        ),
    ),
]
