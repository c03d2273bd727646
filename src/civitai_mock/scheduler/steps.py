"""What is done before a job enters each stage."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial

import orjson

from civitai_mock.domain.stages import Stage
from civitai_mock.generation.job_types import job_work
from civitai_mock.scheduler.executors import executor_for
from civitai_mock.scheduler.executors.context import JobContext
from civitai_mock.services.threads import in_thread_if_large

MILLISECOND = timedelta(milliseconds=1)
LONG_REQUEST_BYTES = 2048  # a hundred networks in a prompt are a graph that takes a tenth of a second


async def accept(context: JobContext) -> None:
    """Say when the work begins, in the member of capture v1-job-claimed-detailed, from the job's creation on."""
    offset = context.services.clock.now() - context.job.created_at
    context.event_context = {"ActualStartDateOffsetMS": offset // MILLISECOND}


async def prepare(context: JobContext) -> None:
    """Choose the executor; building a long request's graph must not hold up other jobs."""
    job, services = context.job, context.services
    make, size = partial(job_work, job, services.skeletons), len(orjson.dumps(dict(job.spec)))
    if size >= LONG_REQUEST_BYTES:
        await context.before_waiting()
    context.executor = executor_for(await in_thread_if_large(make, size=size, large=LONG_REQUEST_BYTES))
    ecosystems = sorted({resource.air.ecosystem for resource in job.resources if resource.air.ecosystem})
    context.event_context = {
        "worker_group": services.provider.name,
        "job_type": job.type[:1].lower() + job.type[1:],
        **({"ecosystems": ",".join(ecosystems)} if ecosystems else {}),
    }
    await context.executor.prepare(context)


async def send(context: JobContext) -> None:
    await context.executor.send(context)


async def collect(context: JobContext) -> None:
    await context.executor.collect(context)
    context.event_context["trace_id"] = context.job.trace_id.split("-")[1]


# What is done before a job enters each stage, in the order of `NEXT_STAGE`.
STEPS: Mapping[Stage, Callable[[JobContext], Awaitable[None]]] = {
    Stage.CLAIMED: accept,
    Stage.PROMPT_PREPARED: prepare,
    Stage.SENT_TO_COMFY: send,
    Stage.COMFY_RESULT: collect,
}
