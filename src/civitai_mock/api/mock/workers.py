"""What runs the jobs: the workers of the provider, what can be done with its servers, and the processes."""

from collections.abc import Mapping, Sequence
from typing import cast

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.context import exchange, use_cases
from civitai_mock.api.health import worker_health
from civitai_mock.api.mock import CHANGE_PROBLEMS, CONTROL_TAG, READ_PROBLEMS
from civitai_mock.api.mock.bodies import read_change
from civitai_mock.api.mock.changes import changed
from civitai_mock.api.mock.lists import LIST_PARAMETERS, page_of
from civitai_mock.api.mock.routes import ControlRoute
from civitai_mock.api.mock.schemas import ProcessItem, ProcessList, WorkerItem, WorkerList
from civitai_mock.api.openapi import Operation, path_parameter, text_parameter
from civitai_mock.api.query_params import optional
from civitai_mock.api.v2.resources import parse_named
from civitai_mock.domain.dotnet import format_date
from civitai_mock.ports import WorkerReport
from civitai_mock.services.health import GetHealth
from civitai_mock.services.processes import PromptCount, ShownProcess
from civitai_mock.services.workers import ManageWorkers

PATH, RESOURCE = "/workers", "resource"
WORKER_PATH = f"{PATH}/{{workerId:path}}"  # the id of a server may have slashes


async def list_workers(request: Request) -> Response:
    check = _check(request)
    found, prompts = await check(), await _prompts(request)
    files = await _files(request, found.workers)

    def render(worker: WorkerReport) -> WorkerItem:
        item = _render(worker, check, prompts)
        if worker.id in files:
            item["hasFile"] = files[worker.id]
        return item

    return page_of(request, found.workers, key=lambda worker: worker.id, render=render)


async def list_processes(request: Request) -> Response:
    found = await exchange(request).context.namespaces.processes()
    return page_of(request, found, key=lambda process: process.id, render=_render_process)


async def drain_worker(request: Request) -> Response:
    worker_id, others = await _read(request)
    return await _changed(request, worker_id, await _manage(request).drain(worker_id, others=others))


async def resume_worker(request: Request) -> Response:
    worker_id, others = await _read(request)
    return await _changed(request, worker_id, await _manage(request).resume(worker_id, others=others))


async def retry_worker(request: Request) -> Response:
    worker_id, others = await _read(request)
    return await _changed(request, worker_id, await _manage(request).retry(worker_id, others=others))


async def _read(request: Request) -> tuple[str, Sequence[str]]:
    """Return the id of the worker that a change is about, and those of all that are no servers."""
    await read_change(request, lambda _: None)
    shown = (await _check(request)()).workers
    return request.path_params["workerId"], [worker.id for worker in shown if worker.url is None]


async def _changed(request: Request, worker_id: str, not_yet: Sequence[str]) -> Response:
    """Answer the server as it is now, also where a fleet is shown in its place."""
    check = _check(request)
    (worker,) = (worker for worker in check.provider.workers if worker.id == worker_id)
    return changed(_render(worker, check, await _prompts(request)), not_yet)


async def _files(request: Request, workers: Sequence[WorkerReport]) -> Mapping[str, bool]:
    """Return which workers have the file of the resource that is asked for, if one is."""
    named = optional(request, RESOURCE)
    if named is None:
        return {}
    cases = use_cases(request)
    return cases.coverage.files(await cases.resources.get(parse_named(named, path=RESOURCE)), workers)


async def _prompts(request: Request) -> Mapping[str, PromptCount]:
    """Return what servers have of all processes; none where there are no servers."""
    found = exchange(request).context.namespaces
    return await found.processes.prompts() if found.manage_workers.servers is not None else {}


def _render(worker: WorkerReport, check: GetHealth, prompts: Mapping[str, PromptCount]) -> WorkerItem:
    item = cast("WorkerItem", worker_health(worker, counts=check.runs_jobs))
    if worker.url is not None:
        item["url"] = worker.url
        counted = prompts.get(worker.id)
        item["inFlight"] = 0 if counted is None else counted.in_flight
        if counted is not None and counted.most > 0:
            item["maxInFlight"] = counted.most
    return item


def _render_process(process: ShownProcess) -> ProcessItem:
    facts = process.facts
    item: ProcessItem = {
        "id": process.id,
        "alive": process.is_alive,
        "answering": process.is_own,
        "host": facts.host,
        "pid": facts.pid,
        "startedAt": format_date(facts.started_at),
        "lastSeenAt": format_date(process.seen_at),
        "runsJobs": facts.runs_jobs,
    }
    if facts.runs_jobs:
        item["jobs"] = facts.jobs
        item["leaseSeconds"] = facts.lease.total_seconds()
    if facts.leased_until is not None:
        item["leasedUntil"] = format_date(facts.leased_until)
    return item


def _check(request: Request) -> GetHealth:
    return use_cases(request).health


def _manage(request: Request) -> ManageWorkers:
    return exchange(request).context.namespaces.manage_workers


OF_WORKER = [path_parameter("workerId")]
ROUTES = [
    ControlRoute(
        PATH,
        list_workers,
        method="GET",
        operation=Operation(
            id="listWorkers",
            summary="List the workers that run jobs",
            description=(
                "What a ComfyUI server has `inFlight` is told for all processes together. With the AIR of a `resource`,"
                " each that is ready says whether it `hasFile`."
            ),
            tag=CONTROL_TAG,
            parameters=[text_parameter(RESOURCE, required=False), *LIST_PARAMETERS],
            responses={200: WorkerList},
            problems=[*READ_PROBLEMS, 404],
        ),
    ),
    ControlRoute(
        "/processes",
        list_processes,
        method="GET",
        operation=Operation(
            id="listProcesses",
            summary="List the processes that work on the store, with their leases and their last sign of life",
            description=(
                "One that was not heard of for 5 s is not `alive`; it is listed for 10 minutes. Its jobs are free from"
                " `leasedUntil` on at the latest. A process that was stopped takes leave, and is gone at once."
            ),
            tag=CONTROL_TAG,
            parameters=LIST_PARAMETERS,
            responses={200: ProcessList},
            problems=READ_PROBLEMS,
        ),
    ),
    ControlRoute(
        f"{WORKER_PATH}/drain",
        drain_worker,
        method="POST",
        operation=Operation(
            id="drainWorker",
            summary="Let a ComfyUI server have no new jobs",
            tag=CONTROL_TAG,
            parameters=OF_WORKER,
            responses={200: WorkerItem},
            problems=[*CHANGE_PROBLEMS, 404, 409],
            description=(
                "Jobs that it has, or that are on their way there, go on. This holds for all namespaces and processes,"
                " also after a restart, until it is resumed. Simulated workers are a 409."
            ),
        ),
    ),
    ControlRoute(
        f"{WORKER_PATH}/resume",
        resume_worker,
        method="POST",
        operation=Operation(
            id="resumeWorker",
            summary="Let a ComfyUI server have jobs again",
            tag=CONTROL_TAG,
            parameters=OF_WORKER,
            responses={200: WorkerItem},
            problems=[*CHANGE_PROBLEMS, 404, 409],
        ),
    ),
    ControlRoute(
        f"{WORKER_PATH}/retry",
        retry_worker,
        method="POST",
        operation=Operation(
            id="retryWorker",
            summary="Ask a ComfyUI server at once whether it is there",
            tag=CONTROL_TAG,
            parameters=OF_WORKER,
            responses={200: WorkerItem},
            problems=[*CHANGE_PROBLEMS, 404, 409],
            description=(
                "All processes ask it, instead of at their next planned try; one that was put aside gets a prompt as a"
                " trial. The answer is how it is then, after 5 s at most."
            ),
        ),
    ),
]
