"""The queue: the jobs of a namespace that could be claimed now, and whether schedulers claim any."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.context import use_cases
from civitai_mock.api.mock import CHANGE_PROBLEMS, CONTROL_TAG, READ_PROBLEMS
from civitai_mock.api.mock.bodies import read_change
from civitai_mock.api.mock.changes import changed
from civitai_mock.api.mock.lists import LIST_PARAMETERS, page_of
from civitai_mock.api.mock.routes import ControlRoute
from civitai_mock.api.mock.schemas import Claiming, QueueItem, QueueItemList
from civitai_mock.api.mock.scopes import manage_of, namespace_of
from civitai_mock.api.openapi import Operation
from civitai_mock.api.responses import JsonResponse
from civitai_mock.domain.dotnet import format_date
from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.domain.search import QueuedJob
from civitai_mock.services.progress_policy import PAUSED

HIGHEST_PRIORITY = 10**9


async def list_queue(request: Request) -> Response:
    queued = await use_cases(request).looking_in.list_queue()
    places = {job.id: place for place, job in enumerate(queued)}
    return page_of(request, queued, key=_key, render=partial(_render, places=places))


async def get_claiming(request: Request) -> Response:
    record = await manage_of(request).get(namespace_of(request))
    return JsonResponse({PAUSED: record.document.get(PAUSED) is True})


async def put_claiming(request: Request) -> Response:
    paused = await read_change(request, lambda members: members.required(PAUSED, members.flag(PAUSED)))
    found = await manage_of(request).edit(namespace_of(request), partial(_with_paused, is_paused=bool(paused)))
    return changed({PAUSED: bool(paused)}, found.not_yet)


def _with_paused(document: ReadOnlyJson, *, is_paused: bool) -> ReadOnlyJson:
    others = {name: value for name, value in document.items() if name != PAUSED}
    return {**others, PAUSED: True} if is_paused else others


def _key(job: QueuedJob) -> str:
    """Return a text that sorts jobs as they will be claimed."""
    return f"{HIGHEST_PRIORITY - job.priority:010d} {job.created_micros:020d} {job.id}"


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
    ),
    ControlRoute(
        "/queue/claiming",
        get_claiming,
        method="GET",
        operation=Operation(
            id="getClaiming",
            summary="Get whether the claiming of jobs is paused",
            tag=CONTROL_TAG,
            responses={200: Claiming},
            problems=READ_PROBLEMS,
        ),
    ),
    ControlRoute(
        "/queue/claiming",
        put_claiming,
        method="PUT",
        operation=Operation(
            id="putClaiming",
            summary="Pause the claiming of jobs in a namespace, or let it go on",
            description="Jobs that a worker has go on; the others wait, in their order, until their time is over.",
            tag=CONTROL_TAG,
            body=[Claiming],
            responses={200: Claiming},
            problems=CHANGE_PROBLEMS,
        ),
    ),
]
