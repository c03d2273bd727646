"""What faults do to a job: which of its effects hold in the attempt that it is in, and what is seen of them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from civitai_mock.domain.changed import changed
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.fault_presets import Hook
from civitai_mock.domain.faults.actions import Action, Effect, PresetEffect, PresetWord, StickJob
from civitai_mock.domain.faults.kept import DOES, RULE, asked_rule_at, kept_effects
from civitai_mock.domain.faults.rules import FaultRule
from civitai_mock.domain.job import Job
from civitai_mock.domain.job_fault import JobFault
from civitai_mock.domain.json_types import Json, JsonObject, as_object
from civitai_mock.domain.stages import Stage

E = TypeVar("E")

EARLY_WORDS = frozenset({PresetWord.FLOOD, PresetWord.OUTAGE, PresetWord.ODD_PROVIDER})
KEEPS_WAITING = frozenset({PresetWord.FLOOD, PresetWord.OUTAGE})


def attempt_of(job: Job) -> int:
    """Return which attempt a job is in, the first being 1; a step of a workflow that makes its job again goes on."""
    made_before = 0 if job.workflow is None else job.workflow.attempt
    return made_before + job.retry_attempt + 1


def decided_for(job: Job) -> JobFault | None:
    """Return what was decided for the attempt that a job is in."""
    attempt = attempt_of(job)
    return next((fault for fault in reversed(job.faults) if fault.attempt == attempt), None)


def with_decision(job: Job, decided: JobFault) -> Job:
    """Return the job with what is decided for an attempt, in place of what was before."""
    others = [fault for fault in job.faults if fault.attempt != decided.attempt]
    return changed(job, faults=(*others, decided))


def with_fault_over(job: Job) -> Job:
    """Return the job with what is done about its attempt, so that it is not done again."""
    decided = decided_for(job)
    if decided is None:
        return job
    over = JobFault(attempt=decided.attempt, rule=decided.rule, does=decided.does, is_over=True)
    return with_decision(job, over)


def carried_over(before: Job, after: Job) -> Job:
    """Return a job that began anew with what a dead worker had lost, in another attempt: its fault goes on, too."""
    decided = decided_for(before)
    return after if decided is None else with_decision(after, replace(decided, attempt=attempt_of(after)))


def effects_on(job: Job) -> Sequence[Effect]:
    """Return what a fault does to the attempt that a job is in; nothing if that is over."""
    decided = decided_for(job)
    return () if decided is None or decided.is_over else _effects(decided)


def preset_value(job: Job, word: PresetWord) -> Json:
    """Return the value that a word of presets has for the attempt that a job is in; None without such a fault."""
    return next((effect.value for effect in _of_kind(job, PresetEffect) if effect.word is word), None)


def held_in(job: Job) -> Stage | None:
    """Return the stage in which a fault keeps a job; None if none does.

    Version 2 shows a job that was only claimed as being prepared, and one that hangs as being processed. In
    COMFY_RESULT a job is over: one that is never to come to an end stays before that.
    """
    for stick in _of_kind(job, StickJob):
        is_shown_processing = job.workflow is not None and stick.stage is Stage.CLAIMED
        return Stage.SENT_TO_COMFY if is_shown_processing or stick.stage is Stage.COMFY_RESULT else stick.stage
    waits = any(effect.word in KEEPS_WAITING for effect in _of_kind(job, PresetEffect))
    return Stage.QUEUED if waits else None


def is_stuck(job: Job) -> bool:
    """Return whether a fault keeps a job in its stage until it expires, whatever becomes of the rule."""
    return next(_of_kind(job, StickJob), None) is not None


def is_unsupported(job: Job) -> bool:
    """Return whether nobody seems to be able to run a job."""
    waits = any(stick.stage is Stage.QUEUED for stick in _of_kind(job, StickJob))
    return waits or preset_value(job, PresetWord.OUTAGE) is not None


def shows_in_queue(action: Action) -> bool:
    """Return whether an action is seen before anybody begins with a job, so that it is decided when that comes."""
    return any(
        (isinstance(effect, StickJob) and effect.stage is Stage.QUEUED)
        or (isinstance(effect, PresetEffect) and effect.word in EARLY_WORDS)
        for effect in action.effects
    )


def was_preempted(job: Job) -> bool:
    """Return whether a fault has taken away a worker of the job before."""
    attempt = attempt_of(job)
    return any(
        isinstance(effect, PresetEffect) and effect.word is PresetWord.PREEMPT
        for fault in job.faults
        if fault.is_over or fault.attempt != attempt
        for effect in _effects(fault)
    )


def canceled_cost(job: Job) -> float | None:
    """Return what a job costs if it is canceled now, where a fault has it cost what was delivered; else None."""
    if preset_value(job, PresetWord.REPRICE_CANCELED) is None:
        return None
    delivered = sum(slot.available for slot in job.slots)
    return job.cost * delivered / max(len(job.slots), 1)


def waits_for_ever(job: Job) -> bool:
    """Return whether nobody is ever to begin with a job."""
    return any(stick.stage is Stage.QUEUED for stick in _of_kind(job, StickJob))


def asked_for_job(job: Job) -> FaultRule | None:
    """Return the rule that the request of a job asked for, if it is about jobs."""
    return asked_rule_at(Hook.JOB, job.asked_fault)


def _effects(decided: JobFault) -> Sequence[Effect]:
    """Return what a fault does; nothing for a word that another version, or whoever wrote a snapshot, has put there."""
    if decided.rule is None:
        return ()
    kept: JsonObject = {RULE: decided.rule, DOES: as_object(dict(decided.does))}
    try:
        return kept_effects(kept)
    except InvalidRequestError:
        return ()


def _of_kind(job: Job, kind: type[E]) -> Iterator[E]:
    return (effect for effect in effects_on(job) if isinstance(effect, kind))
