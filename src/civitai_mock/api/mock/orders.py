"""Orders to jobs: take one a stage further, end it, lose it, have it claimed sooner, or do it again."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.context import options, trace_id, use_cases
from civitai_mock.api.mock import CHANGE_PROBLEMS, CONTROL_TAG
from civitai_mock.api.mock.bodies import read_change
from civitai_mock.api.mock.jobs import JOB_PATH, render_item
from civitai_mock.api.mock.routes import ControlRoute
from civitai_mock.api.mock.schemas import FailOrder, JobItem, PriorityOrder, RejectOrder, Resubmitted, SucceedOrder
from civitai_mock.api.openapi import Operation, Schema, path_parameter
from civitai_mock.api.responses import JsonResponse
from civitai_mock.domain.job import Job
from civitai_mock.domain.members import Members
from civitai_mock.services.order_jobs import Failure, OrderJobs, SlotChange

MAX_SEED = 2**32 - 1
INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1


async def advance(request: Request) -> Response:
    await read_change(request, lambda _: None)
    return await _answer(request, lambda orders, job_id: orders.advance(job_id))


async def succeed(request: Request) -> Response:
    changes = await read_change(request, _slot_changes)
    return await _answer(request, lambda orders, job_id: orders.succeed(job_id, changes))


async def fail(request: Request) -> Response:
    failure = await read_change(request, _failure)
    return await _answer(request, lambda orders, job_id: orders.fail(job_id, failure))


async def reject(request: Request) -> Response:
    reason = await read_change(request, lambda members: members.text("reason"))
    return await _answer(request, lambda orders, job_id: orders.reject(job_id, reason))


async def lose(request: Request) -> Response:
    await read_change(request, lambda _: None)
    return await _answer(request, lambda orders, job_id: orders.lose(job_id))


async def set_priority(request: Request) -> Response:
    priority = await read_change(request, _priority)
    return JsonResponse(render_item(await _orders(request).set_priority(request.path_params["jobId"], priority)))


async def resubmit(request: Request) -> Response:
    await read_change(request, lambda _: None)
    made = await _orders(request).resubmit(request.path_params["jobId"], trace_id(request))
    named: Resubmitted = {} if made.job_id is None else {"jobId": made.job_id}
    if made.workflow_id is not None:
        named["workflowId"] = made.workflow_id
    return JsonResponse(named, status_code=HTTPStatus.CREATED)


def _orders(request: Request) -> OrderJobs:
    return use_cases(request).orders


def _priority(members: Members) -> int:
    found = members.required("priority", members.whole("priority", least=INT32_MIN, most=INT32_MAX))
    return 0 if found is None else found


async def cancel(request: Request) -> Response:
    """Cancel a job as its consumer may, also where it runs on real servers."""
    await read_change(request, lambda _: None)
    cases, job_id = use_cases(request), request.path_params["jobId"]
    await cases.cancel.by_id(job_id)
    return JsonResponse(render_item(await cases.query.by_id(job_id)))


async def _answer(request: Request, order: Callable[[OrderJobs, str], Awaitable[Job]]) -> Response:
    """Answer the job as it is after an order."""
    options(request).check_simulated()
    return JsonResponse(render_item(await order(_orders(request), request.path_params["jobId"])))


def _slot_changes(members: Members) -> Sequence[SlotChange]:
    return [
        SlotChange(available=result.flag("available"), seed=result.whole("seed", least=0, most=MAX_SEED))
        for result in members.each("result") or ()
    ]


def _failure(members: Members) -> Failure:
    return Failure(
        error=members.text("error"),
        message=members.text("message"),
        node_id=members.text("nodeId"),
        class_type=members.text("classType"),
    )


def _route(
    word: str,
    endpoint: Callable[[Request], Awaitable[Response]],
    *,
    summary: str,
    description: str = "",
    body: Sequence[Schema] = (),
    method: str = "POST",
    answer: Mapping[int, Schema | None] | None = None,
) -> ControlRoute:
    return ControlRoute(
        f"{JOB_PATH}/{word}",
        endpoint,
        method=method,
        operation=Operation(
            id=f"{word}MockJob",
            summary=summary,
            description=description,
            tag=CONTROL_TAG,
            parameters=[path_parameter("jobId")],
            body=body,
            responses=answer or {200: JobItem},
            problems=[*CHANGE_PROBLEMS, 404, 409],
        ),
    )


ROUTES = [
    _route("advance", advance, summary="Move a job one stage on"),
    _route(
        "succeed",
        succeed,
        summary="Move a job to its end",
        description="`result` is laid over what the results would be, one after the other.",
        body=[SucceedOrder],
    ),
    _route(
        "fail",
        fail,
        summary="Let a job fail",
        description="The context of its event has `error`, `message`, `node_id` and `class_type`.",
        body=[FailOrder],
    ),
    _route("reject", reject, summary="Have a job refused, so that it waits again", body=[RejectOrder]),
    _route(
        "cancel",
        cancel,
        summary="Cancel a job, whosever it is",
        description="It ends as Deleted; one that has ended already stays as it is.",
    ),
    _route(
        "lose",
        lose,
        summary="Lose a job, as a service does that was restarted",
        description="Nobody finds it any more; if it is of a workflow, that is lost as a whole.",
    ),
    _route("priority", set_priority, summary="Have a job claimed sooner or later", body=[PriorityOrder], method="PUT"),
    _route(
        "resubmit",
        resubmit,
        summary="Submit once more what a job was made of",
        description="It is the same to its seed, for the same consumer. A job of a workflow comes with all of that.",
        answer={201: Resubmitted},
    ),
]
