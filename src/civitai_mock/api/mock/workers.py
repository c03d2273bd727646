"""Show what runs the jobs: the workers of the provider, as health tells of them."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.context import use_cases
from civitai_mock.api.health import worker_health
from civitai_mock.api.mock import CONTROL_TAG, READ_PROBLEMS
from civitai_mock.api.mock.lists import LIST_PARAMETERS, page_of
from civitai_mock.api.mock.routes import ControlRoute
from civitai_mock.api.mock.schemas import WorkerList
from civitai_mock.api.openapi import Operation


async def list_workers(request: Request) -> Response:
    check = use_cases(request).health
    found = await check()
    render = partial(worker_health, counts=check.runs_jobs)
    return page_of(request, found.workers, key=lambda worker: worker.id, render=render)


ROUTES = [
    ControlRoute(
        "/workers",
        list_workers,
        method="GET",
        operation=Operation(
            id="listWorkers",
            summary="List the workers that run jobs",
            tag=CONTROL_TAG,
            parameters=LIST_PARAMETERS,
            responses={200: WorkerList},
            problems=READ_PROBLEMS,
        ),
    )
]
