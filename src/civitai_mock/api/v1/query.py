"""Find jobs by what they are like."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.answers import JsonAnswer
from civitai_mock.api.body import read_as
from civitai_mock.api.context import owner, use_cases
from civitai_mock.api.described import DescribedRoute, Operation, flag_parameter
from civitai_mock.api.parameters import flag
from civitai_mock.api.v1.paths import BODY_PROBLEMS, JOBS_PATH, TAG
from civitai_mock.api.v1.presenting import renderer_for
from civitai_mock.api.v1.questions import QueryJobsRequest, parse
from civitai_mock.api.v1.schemas import QueryJobsResult
from civitai_mock.domain.search import JobCriteria, property_paths
from civitai_mock.generation.job_types import SPELLINGS


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
    return JsonAnswer(answer if page.cursor is None else {"cursor": page.cursor, **answer})


def _job_type(text: str | None) -> str | None:
    """As jobs have it, of a `$type` in any of its spellings; what is no type is one that no job has."""
    known = SPELLINGS.get(text.lower()) if text else None
    return known.job_type if known else text or None


ROUTES = [
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
            answers={200: QueryJobsResult},
            problems=BODY_PROBLEMS,
        ),
    ),
]
