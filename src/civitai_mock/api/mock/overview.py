"""Look at what goes on now: the jobs that wait, that run, and that ended in the last minute, in one answer."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.context import use_cases
from civitai_mock.api.mock import CONTROL_TAG, READ_PROBLEMS
from civitai_mock.api.mock.jobs import render_item
from civitai_mock.api.mock.routes import ControlRoute
from civitai_mock.api.mock.schemas import OverviewDocument
from civitai_mock.api.openapi import Operation
from civitai_mock.api.responses import JsonResponse
from civitai_mock.domain.dotnet import format_date
from civitai_mock.domain.job import Job
from civitai_mock.domain.progress import SamplingProgress
from civitai_mock.services.overview import WaitingJob


async def get_overview(request: Request) -> Response:
    cases = use_cases(request)
    found = await cases.looking_in.show_overview()
    progress = cases.running_progress(found.running)
    document = {
        "waiting": [_render_waiting(waiting) for waiting in found.waiting],
        "running": [_render_running(job, progress.get(job.id)) for job in found.running],
        "ended": [render_item(job) for job in found.ended],
        "counts": {"waiting": found.waits, "running": found.runs},
        "perSecond": round(found.per_second, 4),
    }
    return JsonResponse(document)


def _render_waiting(waiting: WaitingJob) -> Mapping[str, object]:
    position, start = waiting.position, waiting.estimated_start_at
    return {
        **render_item(waiting.job),
        "waitsFor": waiting.waits_for,
        **({} if position is None else {"position": position}),
        **({} if start is None else {"estimatedStartDate": format_date(start)}),
    }


def _render_running(job: Job, progress: SamplingProgress | None) -> Mapping[str, object]:
    steps = {} if progress is None else {"step": progress.step, "steps": progress.steps}
    return {**render_item(job), **steps}


ROUTES = [
    ControlRoute(
        "/overview",
        get_overview,
        method="GET",
        operation=Operation(
            id="getOverview",
            summary="Get the jobs that wait, that run, and that ended in the last minute",
            description=(
                "Of many there are the first 100; `counts` has all that wait for a worker, and up to 1,000 others."
                " `perSecond` is how many ended a second, of five minutes. Only the youngest 100 jobs count as"
                " ended in the last minute."
            ),
            tag=CONTROL_TAG,
            responses={200: OverviewDocument},
            problems=READ_PROBLEMS,
        ),
    )
]
