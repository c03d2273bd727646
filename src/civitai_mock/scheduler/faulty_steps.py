"""Steps of a job that go wrong on purpose: what its fault does before a stage, in place of the work, and after it."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial

from civitai_mock.domain.blob import BlobFacts, Slot
from civitai_mock.domain.changed import changed
from civitai_mock.domain.durations import parse_duration
from civitai_mock.domain.errors import ClaimLost, ConflictError, NotFoundError, OrderedFailureError
from civitai_mock.domain.events import ODD_STATUS
from civitai_mock.domain.faults.actions import (
    Effect,
    FailJob,
    JobFate,
    PartialResult,
    PresetEffect,
    PresetWord,
    RejectJob,
)
from civitai_mock.domain.faults.job_effects import effects_on, held_in, was_preempted, with_fault_over
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import JsonObject, as_object, as_text
from civitai_mock.domain.maturity import NsfwLevel
from civitai_mock.domain.progress_modes import INSTANT
from civitai_mock.domain.stages import NEXT_STAGE, Stage
from civitai_mock.scheduler.executors.context import POD_GONE, PREEMPTED, JobContext, PutBackError

REFUSED = "The worker refused the job."
GONE = "The worker did not renew its lease."
SAMPLER = "Sampler"

Step = Callable[[JobContext], Awaitable[None]]


async def do_faulty_step(stage: Stage, context: JobContext, step: Step) -> None:
    """Do what comes before a stage, and let happen what the fault of the job has for it.

    What is done again for a job that has come further goes well, as it did before.
    """
    if NEXT_STAGE.get(context.job.stage) is not stage:
        await step(context)
        return
    here, effects = context.job.stage, effects_on(context.job)
    decisions = context.services.job_faults.decisions
    if held_in(context.job) is here and decisions.keeps(context.job):
        await context.hold(partial(decisions.rest, context.job))
    for effect in effects:
        await _before(effect, here, context)
    began_at = context.services.clock.now()
    await step(context)
    for effect in effects:
        await _after(effect, stage, context, began_at=began_at)


async def _before(effect: Effect, here: Stage, context: JobContext) -> None:
    """Do what an effect does to a job that is to leave a stage."""
    match effect:
        case RejectJob(is_late=False) if here is Stage.QUEUED:
            raise PutBackError(_rejected(effect.reason or REFUSED))
        case RejectJob(is_late=True) if here is Stage.SENT_TO_COMFY:
            raise PutBackError(_released(effect.reason or REFUSED))
        case JobFate.EXPIRE_CLAIM if here is Stage.CLAIMED:
            raise PutBackError(_claim_expired)
        case JobFate.LOSE if here is Stage.QUEUED:
            await context.services.lose_job(context.job)
            raise ClaimLost("The job was lost on purpose.", job_id=context.job.id)
        case FailJob() if here is _stage_of(effect) and here is not Stage.COMFY_RESULT:
            await _seem_to_work(here, context)
            raise OrderedFailureError(_failure(effect, context))
        case PresetEffect(PresetWord.COLD_START) if here is Stage.CLAIMED:
            await context.take_time(parse_duration(as_text(effect.value)).total_seconds())
        case PresetEffect(PresetWord.ODD_STATUS) if here is Stage.SENT_TO_COMFY:
            context.event_context.pop(ODD_STATUS, None)
        case PresetEffect(PresetWord.PREEMPT) if here is Stage.SENT_TO_COMFY:
            await _preempt(context, warning=parse_duration(as_text(effect.value)).total_seconds())


async def _after(effect: Effect, stage: Stage, context: JobContext, *, began_at: datetime) -> None:
    """Do what an effect does to a job that is to enter a stage, whose work is done."""
    is_end = stage is Stage.COMFY_RESULT
    match effect:
        case FailJob(stage=Stage.COMFY_RESULT) if is_end:
            await _withhold(context, context.slots)
            raise OrderedFailureError(_failure(effect, context))
        case JobFate.NO_RESULT if is_end:
            await _withhold(context, context.slots)
            context.slots, context.result = (), None
        case PartialResult() if is_end:
            await _keep_first(context, effect.available)
        case PresetEffect(PresetWord.BLOCK) if is_end:
            await _block(context, as_text(effect.value))
        case PresetEffect(PresetWord.MATURE) if is_end:
            await _describe(context, lambda facts: replace(facts, nsfw_level=NsfwLevel.X))
        case PresetEffect(PresetWord.COLD_START) if stage is not Stage.CLAIMED:
            lasted = parse_duration(as_text(effect.value))
            context.event_context["comfy_load_ms"] = round(lasted.total_seconds() * 1000)
        case PresetEffect(PresetWord.ODD_STATUS) if stage is Stage.SENT_TO_COMFY:
            context.event_context[ODD_STATUS] = effect.value
        case PresetEffect(PresetWord.REPRICE_CANCELED):
            await _deliver_early(stage, context, began_at=began_at)


async def _preempt(context: JobContext, *, warning: float) -> None:
    """Take the worker of the job away, once; on a fleet that is its pod, and what is no pod cannot be taken."""
    place = context.place
    if was_preempted(context.job) or (place is not None and place.pod_id is None):
        return
    if place is not None and place.pod_id is not None:
        await context.before_waiting()
        with suppress(ConflictError, NotFoundError):  # it is taken already, or gone
            await context.services.preempt_pod(place.pod_id, warning)
    if context.prompt_id is not None:
        await context.services.provider.cancel(context.prompt_id)
    raise PutBackError(_taken_away if warning else _pod_gone)


def _stage_of(effect: FailJob) -> Stage:
    return effect.stage or Stage.SENT_TO_COMFY


def _rejected(reason: str) -> Callable[[Job, datetime], Job]:
    return lambda job, at: with_fault_over(job).rejected(at=at, reason=reason)


def _released(reason: str) -> Callable[[Job, datetime], Job]:
    return lambda job, at: with_fault_over(job).released(at=at, reason=reason)


def _taken_away(job: Job, at: datetime) -> Job:
    return changed(_released(PREEMPTED)(job, at), prompt_id=None)


def _pod_gone(job: Job, at: datetime) -> Job:
    return changed(job.claim_expired(at=at, reason=POD_GONE), prompt_id=None)


def _claim_expired(job: Job, at: datetime) -> Job:
    return job.claim_expired(at=at, reason=GONE)


async def _seem_to_work(here: Stage, context: JobContext) -> None:
    """Take the time that the work takes, of which nothing is kept."""
    if here is not Stage.SENT_TO_COMFY:
        return
    if context.plan is not None:
        await context.wait_out(here)
    elif context.prompt_id is not None:
        await context.before_waiting()
        await context.services.provider.collect(context.prompt_id)


def _failure(effect: FailJob, context: JobContext) -> JsonObject:
    """Return what the event says: what the fault does, and of an exception the node that it comes from."""
    node_id, class_type = _failing_node(context) if effect.error is not None else (None, None)
    told: JsonObject = {
        "error": effect.error,
        "message": effect.message,
        "reason": effect.message,
        "node_id": effect.node_id or node_id,
        "class_type": effect.class_type or class_type,
    }
    return {name: value for name, value in told.items() if value is not None}


def _failing_node(context: JobContext) -> tuple[str | None, str | None]:
    """Return the id and the class of the first sampler of the graph, or else of its first node."""
    classes = {node_id: as_text(as_object(node).get("class_type")) for node_id, node in context.graph.items()}
    samplers = [node_id for node_id, name in classes.items() if SAMPLER in name]
    node_id = next(iter([*samplers, *classes]), None)
    return node_id, None if node_id is None else classes[node_id]


async def _keep_first(context: JobContext, count: int) -> None:
    """Keep so many results, of all jobs of a step together: those of version 2 have one image each, mostly."""
    place = context.job.workflow
    if place is not None:
        count = max(count - place.index * len(context.slots), 0)
    kept, others = context.slots[:count], context.slots[count:]
    await _withhold(context, others)
    context.slots = (*kept, *map(_missing, others))


def _missing(slot: Slot) -> Slot:
    """Return a slot whose file never comes."""
    facts = None if slot.facts is None else replace(slot.facts, is_missing=True)
    return replace(slot, available=False, facts=facts)


async def _withhold(context: JobContext, slots: tuple[Slot, ...]) -> None:
    """Delete files that nobody is to get."""
    for slot in slots:
        await context.services.blobs.delete(slot.blob_key)


async def _block(context: JobContext, reason: str) -> None:
    """Let nobody have the results; version 2 knows blobs that are blocked, of version 1 nothing is left."""
    context.event_context["blockedReason"] = reason
    await _withhold(context, tuple([slot for slot in context.slots if slot.facts is None]))
    await _describe(context, lambda facts: replace(facts, blocked_reason=reason))
    context.slots = tuple([replace(slot, available=False) for slot in context.slots])


async def _describe(context: JobContext, describe: Callable[[BlobFacts], BlobFacts]) -> None:
    """Change what is known of the results, where something is."""
    slots = []
    for slot in context.slots:
        facts = None if slot.facts is None else describe(slot.facts)
        if facts is not None:
            await context.services.blobs.describe(slot.blob_key, facts, keep_until=context.job.keep_until)
        slots.append(replace(slot, facts=facts))
    context.slots = tuple(slots)


async def _deliver_early(stage: Stage, context: JobContext, *, began_at: datetime) -> None:
    """Deliver a half of the results before the others, which take as long again, so that a cancel finds them."""
    if stage is Stage.SENT_TO_COMFY and context.plan is INSTANT:
        await context.executor.collect(context)
        await _publish_half(context)
    elif stage is Stage.COMFY_RESULT and context.plan is not INSTANT:
        lasted = context.services.clock.now() - began_at
        await _publish_half(context)
        await context.take_time(lasted.total_seconds())


async def _publish_half(context: JobContext) -> None:
    count = (len(context.slots) + 1) // 2
    delivered = (*context.slots[:count], *[replace(slot, available=False) for slot in context.slots[count:]])
    await context.publish({"delivered": count}, delivered)
