"""Say that something is wrong with jobs."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.answers import JsonAnswer
from civitai_mock.api.body import read_as
from civitai_mock.api.context import owner, use_cases
from civitai_mock.api.described import DescribedRoute, Operation, path_parameter, text_parameter
from civitai_mock.api.parameters import optional
from civitai_mock.api.v1.paths import BODY_PROBLEMS, JOB_PATH, JOBS_PATH, TAG
from civitai_mock.api.v1.questions import TaintJobRequest, TaintJobsRequest, parse
from civitai_mock.api.v1.schemas import TaintJobsResult
from civitai_mock.generation.wire import invalid

NEITHER = "A token or properties are required."


async def taint_job(request: Request) -> Response:
    asked = await read_as(request, partial(parse, form=TaintJobRequest))
    await use_cases(request).taint.by_id(request.path_params["jobId"], asked.taint, owner=owner(request))
    return Response()


async def taint_jobs(request: Request) -> Response:
    """With both a token and properties, the jobs of the token that have the properties."""
    asked = await read_as(request, partial(parse, form=TaintJobsRequest))
    taint, whose = use_cases(request).taint, owner(request)
    if token := optional(request, "token"):
        jobs = await taint.by_token(token, asked.taint, owner=whose, properties=asked.properties)
    elif asked.properties:
        jobs = await taint.by_properties(asked.properties, asked.taint, owner=whose)
    else:
        raise invalid({"token": [NEITHER], "properties": [NEITHER]})
    return JsonAnswer(TaintJobsResult(jobs=jobs))


ROUTES = [
    DescribedRoute(
        JOB_PATH,
        taint_job,
        method="PUT",
        operation=Operation(
            id="putV1ConsumerJobsByJobId",
            summary="Taint a job",
            tag=TAG,
            parameters=[path_parameter("jobId")],
            body=[TaintJobRequest],
            answers={200: None},
            problems=[*BODY_PROBLEMS, 404],
        ),
    ),
    DescribedRoute(
        JOBS_PATH,
        taint_jobs,
        method="PUT",
        operation=Operation(
            id="putV1ConsumerJobs",
            summary="Taint the jobs of a token, or those that have some properties",
            tag=TAG,
            parameters=[text_parameter("token", required=False)],
            body=[TaintJobsRequest],
            answers={200: TaintJobsResult},
            problems=BODY_PROBLEMS,
        ),
    ),
]
