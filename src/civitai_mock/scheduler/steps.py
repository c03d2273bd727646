"""What is done before a job enters each stage, and what becomes of the job by it."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

import orjson
import structlog

from civitai_mock.domain.errors import MockError, OrderedFailureError, StageError
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.domain.stages import NEXT_STAGE, Outcome, Stage
from civitai_mock.generation.job_types import job_work
from civitai_mock.scheduler.executors import executor_for
from civitai_mock.scheduler.executors.context import Executor, JobContext, PutBackError, StagesNotStoredError
from civitai_mock.services.threads import in_thread_if_large

logger = structlog.stdlib.get_logger()

MILLISECOND = timedelta(milliseconds=1)
LONG_REQUEST_BYTES = 2048  # a hundred networks in a prompt are a graph that takes a tenth of a second


async def accept(context: JobContext) -> None:
    """Say when the work begins, in the member of capture v1-job-claimed-detailed, from the job's creation on."""
    offset = context.services.clock.now() - context.job.created_at
    context.event_context = {"ActualStartDateOffsetMS": offset // MILLISECOND, **_place(context)}


def _place(context: JobContext) -> JsonObject:
    """Say where a fleet has the job run, and why."""
    place = context.place
    return {} if place is None else {"worker_group": place.provider, "fleet_reason": place.reason}


async def prepare(context: JobContext) -> None:
    """Choose the executor; building a long request's graph must not hold up other jobs."""
    job, services = context.job, context.services
    make, size = partial(job_work, job, services.skeletons), len(orjson.dumps(dict(job.spec)))
    if size >= LONG_REQUEST_BYTES:
        await context.before_waiting()
    executor = executor_for(await in_thread_if_large(make, size=size, large=LONG_REQUEST_BYTES))
    context.executor = executor if job.result_key is None else _finding_results(executor, job.result_key, context)
    ecosystems = sorted({resource.air.ecosystem for resource in job.resources if resource.air.ecosystem})
    context.event_context = {
        "worker_group": services.provider.name,
        "job_type": job.type[:1].lower() + job.type[1:],
        **({"ecosystems": ",".join(ecosystems)} if ecosystems else {}),
        **_place(context),
    }
    await context.executor.prepare(context)


def _finding_results(executor: Executor, key: str, context: JobContext) -> Executor:
    """Return an executor that does the work only if nobody has done it before; what goes wrong is done each time."""
    find = context.services.find_results
    if find is None or context.job.faults or context.job.asked_fault is not None:
        return executor
    from civitai_mock.scheduler.executors.cached import CachedExecutor  # noqa: PLC0415 - as mostly no results are kept

    return CachedExecutor(maker=executor, find=find, key=key)


async def send(context: JobContext) -> None:
    await context.executor.send(context)


async def collect(context: JobContext) -> None:
    if context.plan is not None and not context.executor.spreads_time:
        await context.wait_out(Stage.SENT_TO_COMFY)
    await context.executor.collect(context)
    context.event_context["trace_id"] = context.job.trace_id.split("-")[1]


# What is done before a job enters each stage, in the order of `NEXT_STAGE`.
STEPS: Mapping[Stage, Callable[[JobContext], Awaitable[None]]] = {
    Stage.CLAIMED: accept,
    Stage.PROMPT_PREPARED: prepare,
    Stage.SENT_TO_COMFY: send,
    Stage.COMFY_RESULT: collect,
}


async def do_step(stage: Stage, context: JobContext) -> None:
    """Do what comes before a stage.

    Raise `StageError` for whatever is not a `MockError`: it is a bug of ours, and ends the job.
    """
    try:
        if context.job.faults:
            from civitai_mock.scheduler.faulty_steps import do_faulty_step  # noqa: PLC0415 - as mostly there are none

            await do_faulty_step(stage, context, STEPS[stage])
        else:
            await STEPS[stage](context)
    except (MockError, StagesNotStoredError, PutBackError):
        raise
    except Exception as error:
        logger.exception("bug in a stage", stage=stage)
        raise StageError("The job failed because of an error in this server; see its log.") from error


async def catch_up(context: JobContext) -> None:
    """Do again what comes before the stages that a job has entered already, where nobody knows any more what it left.

    The prompt keeps its id, so it is not sent twice to who still knows it.
    """
    stage = Stage.QUEUED
    while stage is not context.job.stage:
        stage = NEXT_STAGE[stage]
        await do_step(stage, context)


def failed(job: Job, error: MockError, *, at: datetime) -> Job:
    """End a job with `error`, `message` and `reason`, which v1 clients read of a failed job."""
    if isinstance(error, OrderedFailureError):
        return job.ended(Outcome.FAILED, at=at, context=error.context)
    evidence: JsonObject = {name: _plain(value) for name, value in error.evidence.items()}
    context: JsonObject = {"error": error.code, "message": error.message, "reason": error.message, **evidence}
    return job.ended(Outcome.FAILED, at=at, context=context)


def _plain(value: object) -> Json:
    return value if isinstance(value, str | int | float | bool | dict | list) else str(value)
