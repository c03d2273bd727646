"""Submit, look up and cancel jobs over HTTP."""

from collections.abc import Sequence
from functools import partial
from http import HTTPStatus

import structlog
from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.answer_cache import Settled, answers_of
from civitai_mock.api.context import caller, count_look, exchange, owner, use_cases, while_connected
from civitai_mock.api.openapi import DescribedRoute, Operation, flag_parameter, path_parameter, text_parameter
from civitai_mock.api.query_params import flag, required
from civitai_mock.api.responses import JsonResponse
from civitai_mock.api.v1 import BODY_PROBLEMS, JOB_PATH, JOBS_PATH, JOBS_TAG, READ_PROBLEMS
from civitai_mock.api.v1.job_types import JOB_TYPES_BY_TYPE
from civitai_mock.api.v1.render import renderer_for
from civitai_mock.api.v1.schemas import InsufficientBuzz, JobStatus, JobStatusCollection, JobTemplateList
from civitai_mock.api.v1.submission import read_submission
from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.job import Job, JobSummary
from civitai_mock.domain.tokens import encode_token

logger = structlog.stdlib.get_logger()

DETAILED, WAIT, WHATIF = flag_parameter("detailed"), flag_parameter("wait"), flag_parameter("whatif")
CHARGE, FORCE = flag_parameter("charge", default=True), flag_parameter("force", default=True)


async def submit_jobs(request: Request) -> Response:
    detailed, wait, charge = flag(request, "detailed"), flag(request, "wait"), flag(request, "charge", default=True)
    what_if = flag(request, "whatif")
    templates = await read_submission(request)
    submit, size = use_cases(request).submit, exchange(request).body_size
    if what_if:
        planned = await submit.what_if(templates, caller(request), charged=charge, size=size)
        return JsonResponse((await renderer_for(request, planned)).planned(planned, detailed=detailed))
    jobs = await submit(templates, caller(request), charged=charge, size=size)
    token = encode_token([job.id for job in jobs], namespace=exchange(request).namespace_name)
    single = {"jobId": jobs[0].id} if len(jobs) == 1 else {}
    if wait:
        jobs = await _wait_for_accepted(request, jobs, detailed=detailed)
    answer = (await renderer_for(request, jobs)).collection(token, jobs, detailed=detailed)
    return JsonResponse({**answer, **single}, status_code=_http_status(jobs))


async def _wait_for_accepted(request: Request, jobs: Sequence[Job], *, detailed: bool) -> Sequence[Job]:
    """Wait, but return the jobs as they were accepted if the store goes away: a 503 would have them submitted again."""
    try:
        return await _wait_until_ended(request, jobs, detailed=detailed)
    except TransientError as error:
        logger.warning("store away", error=error.message)
        return jobs


async def get_jobs(request: Request) -> Response:
    token, detailed, wait = required(request, "token"), flag(request, "detailed"), flag(request, "wait")
    jobs = await use_cases(request).query.by_token(token, owner=owner(request))
    if wait:
        jobs = await _wait_until_ended(request, jobs, detailed=detailed)
    answer = (await renderer_for(request, jobs)).collection(token, jobs, detailed=detailed)
    if not wait:
        await count_look(request, jobs)
    return JsonResponse(answer, status_code=_http_status(jobs))


async def _wait_until_ended(request: Request, jobs: Sequence[Job], *, detailed: bool) -> Sequence[Job]:
    """Return the jobs once all have ended, or as they are when the wait is over; taints are right where `detailed`."""
    unfinished = [job.id for job in jobs if job.outcome is None]
    if not unfinished:
        return jobs
    cases = use_cases(request)
    wait = partial(cases.wait, unfinished)
    if any(map(cases.polls.concerns, jobs)):
        find = partial(cases.query.by_ids, unfinished)
        wait = partial(cases.polls.run_while, wait, find=find, ids=unfinished)
    heard = await while_connected(request, wait)
    ended = {} if detailed else heard
    others = [job.id for job in jobs if job.id not in ended]
    read = await cases.query.by_ids(others, owner=owner(request)) if others else ()
    found = {**ended, **{job.id: job for job in read}}
    return [found[job.id] for job in jobs if job.id in found]


def _http_status(jobs: Sequence[Job]) -> HTTPStatus:
    """Return 202 while there is something to wait for."""
    return HTTPStatus.ACCEPTED if any(job.outcome is None for job in jobs) else HTTPStatus.OK


async def get_job(request: Request) -> Response:
    job_id, detailed = request.path_params["jobId"], flag(request, "detailed")
    cases = use_cases(request)
    begun = cases.clock.now()
    job: JobSummary
    if detailed:
        job = await cases.query.by_id(job_id, owner=owner(request))
        response = JsonResponse((await renderer_for(request, [job])).status(job, detailed=True))
    else:
        job = await cases.query.summary(job_id, owner=owner(request))
        response = JsonResponse((await renderer_for(request, [job])).summary(job))
    if job.outcome is None:
        await count_look(request, [job])
    if job.settled_at is not None:
        settled = Settled(job.id, job.settled_at, cases.query.settled_at)
        answers_of(request.scope).keep(exchange(request), response, settled=settled, begun=begun)
    return response


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
        is_hot=True,
        operation=Operation(
            id="getV1ConsumerJobsByJobId",
            summary="Get the status of a job",
            tag=JOBS_TAG,
            parameters=[path_parameter("jobId"), DETAILED],
            responses={200: JobStatus},
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
            tag=JOBS_TAG,
            parameters=[path_parameter("jobId"), FORCE],
            responses={200: None},
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
            tag=JOBS_TAG,
            parameters=[text_parameter("token"), FORCE],
            responses={200: None},
            problems=[*READ_PROBLEMS, 404],
        ),
    ),
    DescribedRoute(
        JOBS_PATH,
        submit_jobs,
        method="POST",
        is_hot=True,
        operation=Operation(
            id="postV1ConsumerJobs",
            summary="Submit one job or several",
            tag=JOBS_TAG,
            parameters=[WAIT, DETAILED, WHATIF, CHARGE],
            body=[*JOB_TYPES_BY_TYPE.values(), JobTemplateList],
            responses={200: JobStatusCollection, 202: JobStatusCollection, 403: InsufficientBuzz},
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
            tag=JOBS_TAG,
            parameters=[text_parameter("token"), WAIT, DETAILED],
            responses={200: JobStatusCollection, 202: JobStatusCollection},
            problems=READ_PROBLEMS,
        ),
    ),
]
