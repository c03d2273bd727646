"""Look at jobs: all of a namespace, of version 1 and 2, whoever submitted them."""

from datetime import datetime

import orjson
from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.context import use_cases, vocabulary
from civitai_mock.api.mock import CONTROL_TAG, READ_PROBLEMS
from civitai_mock.api.mock.lists import LIST_PARAMETERS, invalid_cursor, listing, requested_page
from civitai_mock.api.mock.routes import ControlRoute
from civitai_mock.api.mock.schemas import (
    AttemptItem,
    CallbackItem,
    JobCount,
    JobDetails,
    JobItem,
    JobItemList,
    ResultItem,
)
from civitai_mock.api.openapi import Operation, choice_parameter, path_parameter, text_parameter
from civitai_mock.api.query_params import moment, optional
from civitai_mock.api.responses import JsonResponse, as_members
from civitai_mock.api.v1.job_types import SPELLINGS
from civitai_mock.api.v1.render import render_event, renderer_for
from civitai_mock.api.v1.schemas import JobStatus, Members
from civitai_mock.domain.blob import Slot
from civitai_mock.domain.callbacks import CallbackAttempt
from civitai_mock.domain.dotnet import format_date
from civitai_mock.domain.durations import parse_duration
from civitai_mock.domain.errors import fault
from civitai_mock.domain.job import Job
from civitai_mock.domain.job_fault import JobFault
from civitai_mock.domain.nearest import unknown_name
from civitai_mock.domain.search import Position
from civitai_mock.domain.stages import JobEventType
from civitai_mock.generation.job_types import runs_graphs
from civitai_mock.network.redaction import redacted
from civitai_mock.services.callback_views import CallbackView
from civitai_mock.services.job_listing import JobFilter, known_job_type, prompt_of

JOB_PATH = "/jobs/{jobId}"


async def list_jobs(request: Request) -> Response:
    page, wanted = requested_page(request), _wanted(request)
    before = None if page.after is None else read_position(page.after)
    found = await use_cases(request).looking_in.list_jobs(wanted, before=before, take=page.take)
    last = None if found.last is None else position_text(found.last)
    return listing([render_item(job) for job in found.jobs], last=last)


async def count_jobs(request: Request) -> Response:
    counted = await use_cases(request).looking_in.count_jobs(_wanted(request))
    count: JobCount = {"count": counted.count, "exact": counted.exact}
    return JsonResponse(count)


def _wanted(request: Request) -> JobFilter:
    return JobFilter(
        status=_status(optional(request, "status")),
        job_type=_job_type(optional(request, "type")),
        ecosystem=optional(request, "ecosystem") or None,
        provider=optional(request, "provider") or None,
        text=optional(request, "q") or None,
        since=since_of(request),
        rule=optional(request, "fault") or None,
    )


def since_of(request: Request) -> datetime | None:
    """Return a date, which may be said as how long ago it was, by the clock of the namespace."""
    text = optional(request, "since")
    if not text:
        return None
    try:
        return use_cases(request).clock.now() - parse_duration(text)
    except (ValueError, OverflowError):
        return moment(request, "since")


async def get_job(request: Request) -> Response:
    cases = use_cases(request)
    job = await cases.query.by_id(request.path_params["jobId"])
    events = await cases.query.events(job.id)
    callbacks = await cases.looking_in.show_callbacks(job, events)
    details: JobDetails = {
        **render_item(job),
        "runsGraph": runs_graphs(job),
        "properties": as_members(job.properties),
        "spec": as_members(job.spec),
        "events": [render_event(event, vocabulary(request)) for event in events],
        "results": [_render_result(slot) for slot in job.slots],
        "callbacks": [_render_callback(callback) for callback in callbacks],
        "faults": [
            *(_render_fault(fault) for fault in job.faults if fault.rule is not None),
            *await cases.looking_in.show_blob_faults(job),
        ],
    }
    return JsonResponse(details)


async def get_job_status(request: Request) -> Response:
    """Answer with the status that version 1 has, which nobody counts as a look at the job."""
    job = await use_cases(request).query.by_id(request.path_params["jobId"])
    return JsonResponse((await renderer_for(request, [job])).status(job, detailed=True))


def render_item(job: Job) -> JobItem:
    """Render a job as it stands in lists; what does not apply to it is left out."""
    event, claim, place = job.last_event, job.claim, job.workflow
    item: JobItem = {
        "jobId": job.id,
        "status": event.type,
        "stage": job.stage,
        "type": job.type,
        "consumer": job.issued_by,
        "createdAt": format_date(job.created_at),
        "changedAt": format_date(event.at),
        "expireAt": format_date(job.expire_at),
        "cost": job.cost,
        "priority": job.priority,
        "retryAttempt": job.retry_attempt,
        "traceId": job.trace_id,
    }
    if job.outcome is not None:
        item["outcome"] = job.outcome
    if (prompt := prompt_of(job.spec)) is not None:
        item["prompt"] = prompt
    if job.resources:
        item["model"] = str(job.resources[0].air)
    if event.provider is not None:
        item["provider"] = event.provider
    if (made := next((slot for slot in job.slots if slot.available), None)) is not None:
        item["blobKey"] = made.blob_key
    if claim is not None:
        item["workerId"] = claim.shown_worker_id
    if place is not None:
        item["workflowId"] = place.workflow_id
        item["step"] = place.step
    return item


def _render_fault(fault: JobFault) -> Members:
    return {"attempt": fault.attempt, "rule": fault.rule, **fault.does}


def _render_result(slot: Slot) -> ResultItem:
    item: ResultItem = {"blobKey": slot.blob_key, "available": slot.available}
    if slot.seed is not None:
        item["seed"] = slot.seed
    if slot.name is not None:
        item["name"] = slot.name
    return item


def _render_callback(callback: CallbackView) -> CallbackItem:
    item: CallbackItem = {
        "url": redacted(callback.url),
        "seq": callback.seq,
        "scope": callback.scope,
        "subject": callback.subject,
        "status": callback.status,
        "delivery": callback.delivered,
        "attempts": [_render_attempt(attempt) for attempt in callback.attempts],
    }
    if callback.due_at is not None:
        item["dueAt"] = format_date(callback.due_at)
    if callback.fault is not None:
        item["fault"] = as_members(callback.fault)
    return item


def _render_attempt(attempt: CallbackAttempt) -> AttemptItem:
    item: AttemptItem = {"at": format_date(attempt.at)}
    if attempt.status is not None:
        item["status"] = attempt.status
    if attempt.error is not None:
        item["error"] = attempt.error
    return item


def _status(text: str | None) -> JobEventType | None:
    """Return the type of an event, in any case."""
    if not text:
        return None
    found = {status.lower(): status for status in JobEventType}.get(text.lower())
    if found is None:
        raise fault("status", unknown_name("status", text, JobEventType))
    return found


def _job_type(text: str | None) -> str | None:
    """Return the name by which jobs of a type are stored; it may be said as the `$type` of a request, too."""
    if not text:
        return None
    request_class = SPELLINGS.get(text.lower())
    return request_class.job_type if request_class else known_job_type(text)


def position_text(position: Position) -> str:
    return orjson.dumps([position.created_at.isoformat(), position.submission_id, position.job_id]).decode()


def read_position(text: str) -> Position:
    try:
        created_at, submission_id, job_id = orjson.loads(text)
        return Position(datetime.fromisoformat(created_at), str(submission_id), str(job_id))
    except (ValueError, TypeError) as error:
        raise invalid_cursor() from error


FILTERS = [
    choice_parameter("status", list(JobEventType)),
    *(text_parameter(name, required=False) for name in ("type", "ecosystem", "provider", "q", "since", "fault")),
]
ROUTES = [
    ControlRoute(
        "/jobs",
        list_jobs,
        method="GET",
        operation=Operation(
            id="listMockJobs",
            summary="List the jobs of a namespace, the youngest first",
            description=(
                "`q` is a part of an id, of a prompt text, of a model or of anything else that was asked for, `since`"
                " a date, or how long ago it was (`15m`), `provider` who had the job last, and `fault` the id of a rule"
                " that hit an attempt at the job, or one of its callbacks. A search looks at 2,000 jobs for one page"
                " (200, if their callbacks have to be looked up), which may have fewer items than asked for, or none,"
                " though `next` is there."
            ),
            tag=CONTROL_TAG,
            parameters=[*FILTERS, *LIST_PARAMETERS],
            responses={200: JobItemList},
            problems=READ_PROBLEMS,
        ),
    ),
    ControlRoute(
        "/jobs/count",
        count_jobs,
        method="GET",
        operation=Operation(
            id="countMockJobs",
            summary="Count the jobs that a list would have, up to 1,000",
            description="If it is not `exact`, there may be more: no more than 2,000 jobs are looked at.",
            tag=CONTROL_TAG,
            parameters=FILTERS,
            responses={200: JobCount},
            problems=READ_PROBLEMS,
        ),
    ),
    ControlRoute(
        JOB_PATH,
        get_job,
        method="GET",
        operation=Operation(
            id="getMockJob",
            summary="Get a job with its events and callbacks",
            tag=CONTROL_TAG,
            parameters=[path_parameter("jobId")],
            responses={200: JobDetails},
            problems=[*READ_PROBLEMS, 404],
        ),
    ),
    ControlRoute(
        JOB_PATH + "/status",
        get_job_status,
        method="GET",
        operation=Operation(
            id="getMockJobStatus",
            summary="Get the detailed status that version 1 has of a job, without that being a look at it",
            tag=CONTROL_TAG,
            parameters=[path_parameter("jobId")],
            responses={200: JobStatus},
            problems=[*READ_PROBLEMS, 404],
        ),
    ),
]
