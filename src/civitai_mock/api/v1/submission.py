"""Submit jobs, and follow them by their token."""

from collections.abc import Sequence
from functools import partial
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.answers import JsonAnswer
from civitai_mock.api.body import body_size, read_as
from civitai_mock.api.context import caller, options, owner, use_cases
from civitai_mock.api.described import DescribedRoute, Operation, flag_parameter, text_parameter
from civitai_mock.api.hold import while_connected
from civitai_mock.api.parameters import flag, required
from civitai_mock.api.v1.paths import BODY_PROBLEMS, JOBS_PATH, READ_PROBLEMS, TAG
from civitai_mock.api.v1.presenting import renderer_for
from civitai_mock.api.v1.schemas import InsufficientBuzz, JobStatusCollection, JobTemplateList
from civitai_mock.api.v1.templates import parse_submission
from civitai_mock.domain.job import Job
from civitai_mock.domain.tokens import encode_token
from civitai_mock.generation.job_types import JOB_TYPES_BY_TYPE

DETAILED, WAIT = flag_parameter("detailed"), flag_parameter("wait")
WHATIF, CHARGE = flag_parameter("whatif"), flag_parameter("charge", default=True)


async def submit_jobs(request: Request) -> Response:
    detailed, wait, charge = flag(request, "detailed"), flag(request, "wait"), flag(request, "charge", default=True)
    what_if = flag(request, "whatif")
    requests = await read_as(request, partial(parse_submission, max_jobs=options(request).max_jobs))
    submit, size = use_cases(request).submit, body_size(request)
    if what_if:
        planned = await submit.what_if(requests, caller(request), charged=charge, size=size)
        return JsonAnswer((await renderer_for(request, planned)).planned(planned, detailed=detailed))
    jobs = await submit(requests, caller(request), charged=charge, size=size)
    token = encode_token([job.id for job in jobs])
    single = {"jobId": jobs[0].id} if len(jobs) == 1 else {}
    if wait:
        jobs = await _settled(request, jobs)
    answer = (await renderer_for(request, jobs)).collection(token, jobs, detailed=detailed)
    return JsonAnswer({**answer, **single}, status_code=_status(jobs))


async def get_jobs(request: Request) -> Response:
    token, detailed, wait = required(request, "token"), flag(request, "detailed"), flag(request, "wait")
    jobs = await use_cases(request).query.by_token(token, owner=owner(request))
    if wait:
        jobs = await _settled(request, jobs)
    answer = (await renderer_for(request, jobs)).collection(token, jobs, detailed=detailed)
    return JsonAnswer(answer, status_code=_status(jobs))


async def _settled(request: Request, jobs: Sequence[Job]) -> Sequence[Job]:
    """The jobs once all have ended, or as they are when the wait is over."""
    unfinished = [job.id for job in jobs if job.outcome is None]
    if not unfinished:
        return jobs
    cases = use_cases(request)
    await while_connected(request, cases.wait(unfinished))
    return await cases.query.by_ids([job.id for job in jobs], owner=owner(request))


def _status(jobs: Sequence[Job]) -> HTTPStatus:
    """202 while there is something to wait for."""
    return HTTPStatus.ACCEPTED if any(job.outcome is None for job in jobs) else HTTPStatus.OK


ROUTES = [
    DescribedRoute(
        JOBS_PATH,
        submit_jobs,
        method="POST",
        operation=Operation(
            id="postV1ConsumerJobs",
            summary="Submit one job or several",
            tag=TAG,
            parameters=[WAIT, DETAILED, WHATIF, CHARGE],
            body=[*JOB_TYPES_BY_TYPE.values(), JobTemplateList],
            answers={200: JobStatusCollection, 202: JobStatusCollection, 403: InsufficientBuzz},
            problems=BODY_PROBLEMS,
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
            problems=READ_PROBLEMS,
        ),
    ),
]
