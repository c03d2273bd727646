"""Submit, look up and cancel jobs."""

from collections.abc import Sequence
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.answers import JsonAnswer
from civitai_mock.api.body import read_object
from civitai_mock.api.context import base_url, caller, use_cases
from civitai_mock.api.described import DescribedRoute, Operation, flag_parameter, path_parameter, text_parameter
from civitai_mock.api.parameters import flag, required
from civitai_mock.api.v1.render import JobRenderer
from civitai_mock.api.v1.schemas import JobStatus, JobStatusCollection, JobTemplateList
from civitai_mock.api.v1.templates import parse_submission
from civitai_mock.domain.job import Job
from civitai_mock.domain.token import encode_token
from civitai_mock.generation.job_types import JOB_TYPES_BY_TYPE
from civitai_mock.generation.request_errors import fault

JOBS_PATH = "/v1/consumer/jobs"
JOB_PATH = JOBS_PATH + "/{jobId}"
TAG = "Jobs"
DETAILED, WAIT, FORCE = flag_parameter("detailed"), flag_parameter("wait"), flag_parameter("force", default=True)


async def submit_jobs(request: Request) -> Response:
    detailed = flag(request, "detailed")
    _check_unused(request)
    requests = parse_submission(await read_object(request))
    jobs = await use_cases(request).submit(requests, caller(request))
    answer = _renderer(request).collection(encode_token([job.id for job in jobs]), jobs, detailed=detailed)
    if len(jobs) == 1:
        answer["jobId"] = jobs[0].id
    return JsonAnswer(answer, status_code=_status(jobs))


async def get_jobs(request: Request) -> Response:
    token, detailed = required(request, "token"), flag(request, "detailed")
    flag(request, "wait")
    jobs = await use_cases(request).query.by_token(token)
    return JsonAnswer(_renderer(request).collection(token, jobs, detailed=detailed), status_code=_status(jobs))


async def get_job(request: Request) -> Response:
    detailed = flag(request, "detailed")
    job = await use_cases(request).query.by_id(request.path_params["jobId"])
    return JsonAnswer(_renderer(request).status(job, detailed=detailed))


async def cancel_jobs(request: Request) -> Response:
    token = required(request, "token")
    flag(request, "force", default=True)
    await use_cases(request).cancel.by_token(token)
    return Response()


async def cancel_job(request: Request) -> Response:
    flag(request, "force", default=True)
    await use_cases(request).cancel.by_id(request.path_params["jobId"])
    return Response()


def _check_unused(request: Request) -> None:
    """`wait` and `charge` change nothing here; `whatif` must not queue a job, so it is refused."""
    flag(request, "wait")
    flag(request, "charge")
    if flag(request, "whatif"):
        raise fault("whatif", "whatif is not supported by this server; without it the job would run.")


def _status(jobs: Sequence[Job]) -> HTTPStatus:
    """202 while there is something to wait for."""
    return HTTPStatus.ACCEPTED if any(job.outcome is None for job in jobs) else HTTPStatus.OK


def _renderer(request: Request) -> JobRenderer:
    cases = use_cases(request)
    return JobRenderer(base_url=base_url(request), blob_urls=cases.blob_urls, provider_name=cases.provider_name)


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
            problems=[400, 404],
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
            problems=[400, 404],
        ),
    ),
    DescribedRoute(
        JOBS_PATH,
        submit_jobs,
        method="POST",
        operation=Operation(
            id="postV1ConsumerJobs",
            summary="Submit one job or several",
            tag=TAG,
            parameters=[WAIT, DETAILED, flag_parameter("whatif"), flag_parameter("charge")],
            body=[*JOB_TYPES_BY_TYPE.values(), JobTemplateList],
            answers={200: JobStatusCollection, 202: JobStatusCollection},
            problems=[400, 408, 413, 415],
        ),
    ),
    DescribedRoute(
        JOBS_PATH,
        get_jobs,
        method="GET",
        operation=Operation(
            id="getV1ConsumerJobs",
            summary="Get the status of the jobs of a token",
            tag=TAG,
            parameters=[text_parameter("token"), WAIT, DETAILED],
            answers={200: JobStatusCollection, 202: JobStatusCollection},
            problems=[400],
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
            problems=[400, 404],
        ),
    ),
]
