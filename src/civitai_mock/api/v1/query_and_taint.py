"""Find jobs by type and properties, and taint jobs, over HTTP."""

from functools import partial
from typing import Annotated, TypeVar

import orjson
from pydantic import AfterValidator, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.context import owner, use_cases
from civitai_mock.api.json_body import read_as
from civitai_mock.api.openapi import DescribedRoute, Operation, flag_parameter, path_parameter, text_parameter
from civitai_mock.api.query_params import flag, optional
from civitai_mock.api.responses import JsonResponse
from civitai_mock.api.v1 import BODY_PROBLEMS, JOB_PATH, JOBS_PATH, JOBS_TAG
from civitai_mock.api.v1.job_types import SPELLINGS
from civitai_mock.api.v1.render import renderer_for
from civitai_mock.api.v1.schemas import QueryJobsResult, TaintJobsResult
from civitai_mock.api.v1.wire import JsonMembers, Properties, RequestModel, Text
from civitai_mock.api.validation import from_validation
from civitai_mock.domain.errors import invalid
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.search import JobCriteria, property_paths

T = TypeVar("T", bound=RequestModel)

MAX_CONTEXT_BYTES = 65_536
MAX_REASON_LENGTH = 20_000
NO_SELECTION = "A token or properties are required."


def _check_size(context: JsonMembers) -> JsonMembers:
    """Raise `ValueError` for a large context: it is stored and shown with each of the jobs."""
    size = len(orjson.dumps(context))
    if size > MAX_CONTEXT_BYTES:
        raise ValueError(f"The context must have at most {MAX_CONTEXT_BYTES} bytes of JSON; found {size}.")
    return context


Context = Annotated[JsonMembers, AfterValidator(_check_size)]
Reason = Annotated[Text, Field(max_length=MAX_REASON_LENGTH)]


class TaintJobRequest(RequestModel):
    """Says what is wrong with a job."""

    reason: Reason | None = None
    context: Context | None = None

    @property
    def taint(self) -> JsonObject:
        """Return what is shown with the job."""
        return TaintJobRequest.model_dump(self, include={"reason", "context"}, exclude_none=True)


class TaintJobsRequest(TaintJobRequest):
    """Says what is wrong with several jobs: those that have all of `properties`."""

    properties: Properties | None = None


class QueryJobsRequest(RequestModel):
    """Asks for jobs of one type that have all of `properties`; both may be left out."""

    cursor: Text | None = None
    job_type: Annotated[Text | None, Field(description="`$type` or `jobType`, such as textToImage")] = None
    properties: Properties | None = None


async def query_jobs(request: Request) -> Response:
    """Answer with the youngest first; without criteria, with all jobs that the caller may see."""
    detailed = flag(request, "detailed")
    asked = await read_as(request, partial(_parse, model=QueryJobsRequest))
    criteria = JobCriteria(
        issued_by=owner(request),
        job_type=_job_type(asked.job_type),
        property_paths=property_paths(asked.properties or {}),
    )
    page = await use_cases(request).search(criteria, cursor=asked.cursor)
    renderer = await renderer_for(request, page.jobs)
    answer = QueryJobsResult(jobs=renderer.statuses(page.jobs, detailed=detailed))
    return JsonResponse(answer if page.cursor is None else {"cursor": page.cursor, **answer})


def _job_type(text: str | None) -> str | None:
    """Return the job type of a `$type` in any spelling; an unknown one stays as it is, and no job has it."""
    known = SPELLINGS.get(text.lower()) if text else None
    return known.job_type if known else text or None


async def taint_job(request: Request) -> Response:
    asked = await read_as(request, partial(_parse, model=TaintJobRequest))
    await use_cases(request).taint.by_id(request.path_params["jobId"], asked.taint, owner=owner(request))
    return Response()


async def taint_jobs(request: Request) -> Response:
    """Taint the jobs of the token, those with the properties, or of the token those that have the properties."""
    asked = await read_as(request, partial(_parse, model=TaintJobsRequest))
    taint, whose = use_cases(request).taint, owner(request)
    if token := optional(request, "token"):
        jobs = await taint.by_token(token, asked.taint, owner=whose, properties=asked.properties)
    elif asked.properties:
        jobs = await taint.by_properties(asked.properties, asked.taint, owner=whose)
    else:
        raise invalid({"token": [NO_SELECTION], "properties": [NO_SELECTION]})
    return JsonResponse(TaintJobsResult(jobs=jobs))


def _parse(body: JsonObject, model: type[T]) -> T:
    """Parse the body; raise `InvalidRequestError` with each fault by its path."""
    try:
        return model.model_validate(body, by_alias=True, by_name=False)
    except ValidationError as error:
        raise from_validation(error, path="") from error


ROUTES = [
    DescribedRoute(
        JOB_PATH,
        taint_job,
        method="PUT",
        operation=Operation(
            id="putV1ConsumerJobsByJobId",
            summary="Taint a job",
            tag=JOBS_TAG,
            parameters=[path_parameter("jobId")],
            body=[TaintJobRequest],
            responses={200: None},
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
            tag=JOBS_TAG,
            parameters=[text_parameter("token", required=False)],
            body=[TaintJobsRequest],
            responses={200: TaintJobsResult},
            problems=BODY_PROBLEMS,
        ),
    ),
    DescribedRoute(
        JOBS_PATH + "/query",
        query_jobs,
        method="POST",
        operation=Operation(
            id="postV1ConsumerJobsQuery",
            summary="Find jobs by type and properties",
            tag=JOBS_TAG,
            parameters=[flag_parameter("detailed")],
            body=[QueryJobsRequest],
            responses={200: QueryJobsResult},
            problems=BODY_PROBLEMS,
        ),
    ),
]
