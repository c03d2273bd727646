"""Look at the queue: the jobs of a namespace that could be claimed now."""

from datetime import UTC, datetime, timedelta
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.context import use_cases
from civitai_mock.api.mock import CONTROL_TAG, READ_PROBLEMS
from civitai_mock.api.mock.lists import LIST_PARAMETERS, page_of
from civitai_mock.api.mock.routes import ControlRoute
from civitai_mock.api.mock.schemas import QueueItem, QueueItemList
from civitai_mock.api.openapi import Operation
from civitai_mock.domain.dotnet import format_date
from civitai_mock.domain.search import QueuedJob

BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
HIGHEST_PRIORITY = 10**9
MICROSECOND = timedelta(microseconds=1)


async def list_queue(request: Request) -> Response:
    queued = await use_cases(request).looking_in.list_queue()
    places = {job.id: place for place, job in enumerate(queued)}
    return page_of(request, queued, key=_key, render=partial(_render, places=places))


def _key(job: QueuedJob) -> str:
    """Return a text that sorts jobs as they will be claimed."""
    age = (job.created_at - BEGIN) // MICROSECOND
    return f"{HIGHEST_PRIORITY - job.priority:010d} {age:020d} {job.id}"


def _render(job: QueuedJob, *, places: dict[str, int]) -> QueueItem:
    return {
        "jobId": job.id,
        "precedingJobs": places[job.id],
        "priority": job.priority,
        "createdAt": format_date(job.created_at),
        "cost": job.cost,
    }


ROUTES = [
    ControlRoute(
        "/queue",
        list_queue,
        method="GET",
        operation=Operation(
            id="listQueue",
            summary="List the jobs that wait to be claimed, in the order in which they will be",
            tag=CONTROL_TAG,
            parameters=LIST_PARAMETERS,
            responses={200: QueueItemList},
            problems=READ_PROBLEMS,
        ),
    )
]
