"""Find jobs by what they are like, and taint jobs."""

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
from civitai_mock.api.v1.render import renderer_for
from civitai_mock.api.v1.schemas import BODY_PROBLEMS, JOB_PATH, JOBS_PATH, TAG, QueryJobsResult, TaintJobsResult
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.search import JobCriteria, property_paths
from civitai_mock.generation.job_types import SPELLINGS
from civitai_mock.generation.wire import JsonMembers, Properties, Text, WireModel, from_validation, invalid

T = TypeVar("T", bound=WireModel)

MAX_CONTEXT_BYTES = 65_536
MAX_REASON_LENGTH = 20_000


def _short(context: JsonMembers) -> JsonMembers:
    """It is stored with each of the jobs, and shown with them."""
    if len(orjson.dumps(context)) > MAX_CONTEXT_BYTES:
        raise ValueError(f"At most {MAX_CONTEXT_BYTES} bytes of JSON are taken.")
    return context


Context = Annotated[JsonMembers, AfterValidator(_short)]
Reason = Annotated[Text, Field(max_length=MAX_REASON_LENGTH)]


class TaintJobRequest(WireModel):
    """What is wrong with a job."""

    reason: Reason | None = None
    context: Context | None = None

    @property
    def taint(self) -> JsonObject:
        """As it is shown with the job."""
        return TaintJobRequest.model_dump(self, include={"reason", "context"}, exclude_none=True)


class TaintJobsRequest(TaintJobRequest):
    """The same of several jobs, those that have all of `properties`."""

    properties: Properties | None = None


class QueryJobsRequest(WireModel):
    """Jobs of one type, and that have all of `properties`; both may be left out."""

    cursor: Text | None = None
    job_type: Annotated[Text | None, Field(description="`$type` or `jobType`, such as textToImage")] = None
    properties: Properties | None = None


def parse(body: JsonObject, form: type[T]) -> T:
    """Raise `InvalidRequestError` with each fault by its path."""
    try:
        return form.model_validate(body, by_alias=True, by_name=False)
    except ValidationError as error:
        raise from_validation(error, path="") from error


async def query_jobs(request: Request) -> Response:
    """The youngest first; without a question, all jobs that the caller may see."""
    detailed = flag(request, "detailed")
    asked = await read_as(request, partial(parse, form=QueryJobsRequest))
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
    """As jobs have it, of a `$type` in any of its spellings; what is no type is one that no job has."""
    known = SPELLINGS.get(text.lower()) if text else None
    return known.job_type if known else text or None


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
    return JsonResponse(TaintJobsResult(jobs=jobs))


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
            tag=TAG,
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
            tag=TAG,
            parameters=[flag_parameter("detailed")],
            body=[QueryJobsRequest],
            responses={200: QueryJobsResult},
            problems=BODY_PROBLEMS,
        ),
    ),
]
