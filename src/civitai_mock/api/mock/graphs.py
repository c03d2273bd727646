"""Look at graphs: those of jobs, those that a template would make, and what differs between two."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.context import exchange, use_cases
from civitai_mock.api.json_body import read_as
from civitai_mock.api.mock import CHANGE_PROBLEMS, CONTROL_TAG, READ_PROBLEMS
from civitai_mock.api.mock.jobs import JOB_PATH
from civitai_mock.api.mock.routes import ControlRoute
from civitai_mock.api.mock.schemas import GraphDiff, GraphNodes
from civitai_mock.api.openapi import Operation, path_parameter, text_parameter
from civitai_mock.api.query_params import required
from civitai_mock.api.responses import JsonResponse
from civitai_mock.api.v1.job_types import JOB_TYPES_BY_TYPE
from civitai_mock.api.v1.submission import parse_styled, styles_of
from civitai_mock.services.consumers import EVERYBODY, Caller


async def get_graph(request: Request) -> Response:
    graphs = use_cases(request).looking_in.show_graphs
    return JsonResponse(await graphs.of_job(request.path_params["jobId"]))


async def build_graph(request: Request) -> Response:
    template = await read_as(request, partial(parse_styled, styles=styles_of(request)))
    current = exchange(request)
    caller = Caller(trace_id=current.trace_id, consumer=EVERYBODY)
    graphs = use_cases(request).looking_in.show_graphs
    return JsonResponse(await graphs.of_template(template, caller, size=current.body_size))


async def compare_graphs(request: Request) -> Response:
    graphs = use_cases(request).looking_in.show_graphs
    found = await graphs.changes(required(request, "a"), required(request, "b"))
    changes = [{"path": change.path, "a": change.before, "b": change.after} for change in found]
    return JsonResponse({"equal": not changes, "changes": changes})


ROUTES = [
    ControlRoute(
        JOB_PATH + "/graph",
        get_graph,
        method="GET",
        operation=Operation(
            id="getMockJobGraph",
            summary="Get the graph of a job, which ComfyUI loads as it is",
            tag=CONTROL_TAG,
            parameters=[path_parameter("jobId")],
            responses={200: GraphNodes},
            problems=[*READ_PROBLEMS, 404, 409],
        ),
    ),
    ControlRoute(
        "/graph",
        build_graph,
        method="POST",
        operation=Operation(
            id="buildGraph",
            summary="Build the graph of a template of version 1 without submitting it",
            tag=CONTROL_TAG,
            body=[*JOB_TYPES_BY_TYPE.values()],
            responses={200: GraphNodes},
            problems=[*CHANGE_PROBLEMS, 409],
        ),
    ),
    ControlRoute(
        "/graph/diff",
        compare_graphs,
        method="GET",
        operation=Operation(
            id="compareGraphs",
            summary="Compare the graphs of two jobs",
            tag=CONTROL_TAG,
            parameters=[text_parameter("a"), text_parameter("b")],
            responses={200: GraphDiff},
            problems=[*READ_PROBLEMS, 404, 409],
        ),
    ),
]
