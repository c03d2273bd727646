"""Look up and cancel one job, and cancel the jobs of a token."""

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.answers import JsonAnswer
from civitai_mock.api.context import owner, use_cases
from civitai_mock.api.described import DescribedRoute, Operation, flag_parameter, path_parameter, text_parameter
from civitai_mock.api.parameters import flag, required
from civitai_mock.api.v1.paths import JOB_PATH, JOBS_PATH, READ_PROBLEMS, TAG
from civitai_mock.api.v1.presenting import renderer_for
from civitai_mock.api.v1.schemas import JobStatus

DETAILED, FORCE = flag_parameter("detailed"), flag_parameter("force", default=True)


async def get_job(request: Request) -> Response:
    detailed = flag(request, "detailed")
    job = await use_cases(request).query.by_id(request.path_params["jobId"], owner=owner(request))
    renderer = await renderer_for(request, [job])
    return JsonAnswer(renderer.status(job, detailed=detailed))


async def cancel_job(request: Request) -> Response:
    flag(request, "force", default=True)
    await use_cases(request).cancel.by_id(request.path_params["jobId"], owner=owner(request))
    return Response()


async def cancel_jobs(request: Request) -> Response:
    token = required(request, "token")
    flag(request, "force", default=True)
    await use_cases(request).cancel.by_token(token, owner=owner(request))
    return Response()


ROUTES = [
    DescribedRoute(
        JOB_PATH,
        get_job,
        method="GET",
        operation=Operation(
            id="getV1ConsumerJobsByJobId",
            summary="Get the status of a job",
            tag=TAG,
            parameters=[path_parameter("jobId"), DETAILED],
            answers={200: JobStatus},
            problems=[*READ_PROBLEMS, 404],
        ),
    ),
    DescribedRoute(
        JOB_PATH,
        cancel_job,
        method="DELETE",
        operation=Operation(
            id="deleteV1ConsumerJobsByJobId",
            summary="Cancel a job",
            tag=TAG,
            parameters=[path_parameter("jobId"), FORCE],
            answers={200: None},
            problems=[*READ_PROBLEMS, 404],
        ),
    ),
    DescribedRoute(
        JOBS_PATH,
        cancel_jobs,
        method="DELETE",
        operation=Operation(
            id="deleteV1ConsumerJobs",
            summary="Cancel the jobs of a token",
            tag=TAG,
            parameters=[text_parameter("token"), FORCE],
            answers={200: None},
            problems=[*READ_PROBLEMS, 404],
        ),
    ),
]
