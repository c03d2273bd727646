"""Run one claimed job through its stages to its end."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import field, replace
from datetime import datetime, timedelta
from enum import IntEnum
from typing import TYPE_CHECKING

import structlog

from civitai_mock.domain.blob import Slot
from civitai_mock.domain.changed import changed
from civitai_mock.domain.claims import Claim
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.dotnet import format_timespan
from civitai_mock.domain.errors import (
    ClaimLost,
    JobError,
    MockError,
    NamespaceResetError,
    NotStartedError,
    NoWorkerError,
    TransientError,
)
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.stages import NEXT_STAGE, Outcome, Stage
from civitai_mock.scheduler.executors.context import (
    POD_GONE,
    PREEMPTED,
    JobContext,
    JobPlace,
    PutBackError,
    RunnerServices,
    StagesNotStoredError,
)
from civitai_mock.scheduler.job_spans import JobSpans
from civitai_mock.scheduler.job_writer import JobWriter
from civitai_mock.scheduler.steps import catch_up, do_step, failed
from civitai_mock.services.activity import Worker, current_worker

if TYPE_CHECKING:
    from civitai_mock.domain.progress_modes import StagePlan

logger = structlog.stdlib.get_logger()

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
CANCEL_SECONDS = 5.0
DIED = "The worker that ran the job died, its work is lost, and no retry is left."
LONGEST_QUEUE = 10  # times the job's timeout: how long a claim may take altogether


class CancelReason(IntEnum):
    """Why a run is cancelled; of several reasons the greatest counts."""

    STOPPING = 1  # the process is: the job goes back into the queue
    PREEMPTED = 2  # its pod is taken away, which was told before: the job goes back into the queue
    POD_GONE = 3  # its pod was taken away: the job uses up a retry
    TIMED_OUT = 4  # the claim has lasted as long as it may: the job uses up a retry
    LOST = 5  # somebody else ended or took the job: nothing is written
    ABANDONED = 6  # its namespace was reset: the job is not there any more


@dataclass(slots=True, kw_only=True)
class JobRunner:
    """Works on one job while its claim holds; `run` ends with the job's outcome, or with the claim let go.

    `job` is what was stored last. Stages that take no time are stored with what comes next (see `JobContext`): until
    then they are in `_passed`, and are lost with the process, as if the job had not entered them yet.
    """

    job: Job
    claim: Claim
    services: RunnerServices
    writer: JobWriter
    lease: timedelta
    worker: Worker
    place: JobPlace | None = None
    task: asyncio.Task[None] = field(init=False)
    is_writing: bool = field(default=False, init=False)
    _passed: list[Job] = field(default_factory=list, init=False)
    _entered_at: datetime = field(init=False)
    _stages_ms: dict[str, float] = field(default_factory=dict, init=False)
    _has_let_go: bool = field(default=False, init=False)
    _has_begun: bool = field(default=False, init=False)
    _is_cancelled: bool = field(default=False, init=False)
    _cancel_reason: CancelReason = field(default=CancelReason.STOPPING, init=False)
    _was_claimed_before: bool = field(init=False)
    _work_begins_at: datetime | None = field(default=None, init=False)
    _is_kept: bool = field(default=False, init=False)
    _spans: JobSpans = field(init=False)

    def __post_init__(self) -> None:
        self._was_claimed_before = self.job.last_event.claim_has_completed

    def start(self, group: asyncio.TaskGroup) -> None:
        """Run in a task of the group."""
        self.task = group.create_task(self.run(), name=f"job {self.job.id}")

    def cancel(self, reason: CancelReason) -> None:
        """Cancel the run; a second time also breaks off what the first one made it do.

        A claim that was let go, or that a fault keeps, does not time out. A run that has not begun has to begin, to
        give its job back.
        """
        if (self._has_let_go or self._is_kept) and reason is CancelReason.TIMED_OUT:
            return
        self._has_let_go |= reason >= CancelReason.LOST
        self._cancel_reason = max(self._cancel_reason, reason)
        self._is_cancelled = True
        if self._has_begun:
            self.task.cancel()

    @property
    def is_holding(self) -> bool:
        """Return whether the claim on the job is this runner's to end."""
        return not self._has_let_go and self.job.claim is not None and self.job.outcome is None

    @property
    def times_out_at(self) -> datetime | None:
        """Return when the claim will have lasted too long; None without a claim.

        The time that its prompt waits for others does not count, up to `LONGEST_QUEUE` times the job's timeout.
        """
        claim, timeout, prompt_id = self.job.claim, self.job.timeout, self.job.prompt_id
        if claim is None:
            return None
        begins_at = max(self._work_begins_at or claim.at, claim.at)
        if self._is_kept:
            return self.services.clock.now() + timeout
        waited_until = self.services.provider.waited_until(prompt_id) if prompt_id else None
        return min(max(waited_until or begins_at, begins_at) + timeout, begins_at + LONGEST_QUEUE * timeout)

    async def run(self) -> None:
        """Raise nothing but a cancellation; what goes wrong is logged, and costs the job a retry."""
        self._has_begun = True
        current_worker.set(self.worker)
        self._spans = JobSpans(self.job, self.services.metrics.record_span)
        structlog.contextvars.bind_contextvars(
            trace_id=self.job.trace_id, job_id=self.job.id, worker_id=self.claim.worker_id
        )
        if self.job.workflow is not None:
            structlog.contextvars.bind_contextvars(workflow_id=self.job.workflow.workflow_id)
        try:
            await self._run_stages()
        except asyncio.CancelledError:
            await self._let_go()
            raise
        except ClaimLost:
            self._has_let_go = True
            await self._stop_prompt()
        except NamespaceResetError:
            self._has_let_go = True
            await self._stop_prompt(only_if_ended=False)
        except Exception:
            logger.exception("job runner failed", stage=self.job.stage)
            await self._give_up()
        finally:
            self._spans.end(self.job)

    async def _run_stages(self) -> None:
        if self._is_cancelled:
            raise asyncio.CancelledError
        self._entered_at = self.services.clock.now()
        if self.services.job_faults.concern(self.job):
            self.job = await self.writer.decided(self.job, self.services.job_faults.decisions.decided)
        context = JobContext(
            job=self.job,
            services=self.services,
            publish=self._publish,
            before_waiting=self._before_waiting,
            hold=self._hold,
            place=self.place,
        )
        context.plan = self.services.progress_policy.plan_of(self.job)
        if context.plan is not None:
            await self._find_entries(context, context.plan)
        elif self.place is not None:
            context.plan = _plan_of(self.place)
        is_half_way = self.job.stage is not Stage.QUEUED
        while self.job.outcome is None and self.job.claim is not None:
            try:
                if is_half_way:
                    await catch_up(context)
                    is_half_way = False
                await self._run_stage(context)
            except JobError as error:
                await self._fail(error)
            except PutBackError as end:
                await self._save(end.change(self._latest, self.services.clock.now()))
            except TransientError as error:
                await self._retry_later(error)

    async def _hold(self, rest: Callable[[], Awaitable[bool]]) -> None:
        """Return when nothing keeps the job where it is, as `rest` says; the time until then does not count."""
        await self._before_waiting()
        self._is_kept = True
        try:
            while await rest():
                pass
        finally:
            self._is_kept = False
        self._work_begins_at = self.services.clock.now()

    async def _run_stage(self, context: JobContext) -> None:
        before = self._latest.stage
        stage = NEXT_STAGE[before]
        if context.plan is not None and before is not Stage.SENT_TO_COMFY:
            await context.wait_out(before)
        await do_step(stage, context)
        if context.plan is not None and stage is Stage.COMFY_RESULT:
            await context.wait_out(stage)
        uses_retry = stage is Stage.SENT_TO_COMFY and await self._uses_retry(context)
        now = self.services.clock.now()
        context.job = self._advanced(stage, context, at=now, uses_retry=uses_retry)
        if uses_retry and context.job.faults:
            from civitai_mock.domain.faults.job_effects import carried_over  # noqa: PLC0415 - as mostly there are none

            context.job = carried_over(self._latest, context.job)
        context.entries.setdefault(stage, now)
        self._passed.append(context.job)
        self._note_duration(stage, now - self._entered_at)
        self._entered_at = now
        if context.job.claim is None:
            await self._save_passed()
        if context.job.outcome is Outcome.SUCCEEDED:
            duration_ms = round(sum(self._stages_ms.values()), 1)
            logger.info("job done", duration_ms=duration_ms, stages_ms=self._stages_ms)

    async def _find_entries(self, context: JobContext, plan: "StagePlan") -> None:
        """Find out how long stages have lasted already, in earlier claims."""
        from civitai_mock.domain.progress_modes import stage_entries  # noqa: PLC0415 - only who set a mode needs it

        if self._was_claimed_before or self.job.stage is not Stage.QUEUED:
            events = await self.writer.events(self.job.id)
            context.entries.update(stage_entries(events, retry_attempt=self.job.retry_attempt))
        else:
            context.entries[Stage.QUEUED] = self.job.last_event.at
        self._work_begins_at = context.entries[Stage.QUEUED] + plan.lasts(Stage.QUEUED)

    def _note_duration(self, stage: Stage, duration: timedelta) -> None:
        seconds = duration.total_seconds()
        self.services.metrics.stages.observe((stage,), seconds)
        self._spans.end_stage(stage)
        milliseconds = self._stages_ms[str(stage)] = round(seconds * 1000, 1)
        logger.debug("stage done", stage=stage, duration_ms=milliseconds)

    async def _uses_retry(self, context: JobContext) -> bool:
        """Return whether a dead worker's work is lost: only now is that known, so only now it costs a retry."""
        return self._was_claimed_before and not context.is_resumed and await self.writer.owes_retry(self.job)

    def _advanced(self, stage: Stage, context: JobContext, *, at: datetime, uses_retry: bool) -> Job:
        job = self._latest
        if stage is Stage.COMFY_RESULT:
            return context.succeeded(job, at=at)
        if uses_retry and job.retry_attempt >= job.max_retry_attempt:
            return job.claim_expired(at=at, reason=DIED)
        begun = self._work_begins_at
        if stage is Stage.CLAIMED and job.claim is not None and begun is not None and begun > job.claim.at:
            job = changed(job, claim=changed(job.claim, at=begun))  # what was only held back was not worked on
        return job.entered(
            stage,
            at=at,
            until=self._lease_end(),
            context=dict(context.event_context),
            prompt_id=context.prompt_id,
            uses_retry=uses_retry,
        )

    def _lease_end(self) -> datetime:
        return self.services.system_clock.now() + self.lease

    @property
    def _latest(self) -> Job:
        """Return the job with all that happened to it, stored or not."""
        return self._passed[-1] if self._passed else self.job

    async def _before_waiting(self) -> None:
        try:
            await self._save_passed()
        except MockError:
            raise
        except Exception as error:
            raise StagesNotStoredError from error

    async def _save(self, after: Job) -> None:
        self._passed.append(after)
        await self._save_passed()

    async def _save_passed(self) -> None:
        """Store what was not stored yet, in one write; raise `ClaimLost` if somebody else has changed the job."""
        if not self._passed:
            return
        self.is_writing = True
        try:
            self.job = await self.writer.save(self.job, tuple(self._passed))
            self.claim = self.job.claim or self.claim
            self._passed.clear()
        finally:
            self.is_writing = False

    async def _publish(self, event_context: JsonObject, slots: Sequence[Slot]) -> None:
        """Save the progress of a step that goes on; like every write it extends the lease."""
        now = self.services.clock.now()
        progressed = self._latest.progressed(at=now, context=event_context, slots=slots)
        claim = progressed.claim and replace(progressed.claim, until=self._lease_end())
        await self._save(replace(progressed, claim=claim))

    async def _fail(self, error: MockError) -> None:
        await self._save(failed(self._latest, error, at=self.services.clock.now()))
        logger.warning("job failed", stage=self.job.stage, error=error.code, reason=error.message)

    async def _retry_later(self, error: TransientError) -> None:
        """Keep the claim for a pause that grows with each retry, then use one up, unless nothing was begun."""
        await self._save_passed()
        not_started = isinstance(error, NotStartedError)
        doublings = 0 if not_started else self.job.retry_attempt
        pause = min(FIRST_PAUSE_SECONDS * 2**doublings, LONGEST_PAUSE_SECONDS)
        log = logger.debug if isinstance(error, NoWorkerError) else logger.warning
        log("retry later", stage=self.job.stage, error=error.code, reason=error.message, pause_s=pause)
        await self.services.clock.sleep(pause)
        put_back = self.job.released if not_started else self.job.claim_expired
        await self._save(put_back(at=self.services.clock.now(), reason=error.message))

    async def _let_go(self) -> None:
        match self._cancel_reason:
            case CancelReason.LOST:
                await self._stop_prompt()
            case CancelReason.ABANDONED:
                await self._stop_prompt(only_if_ended=False)
            case CancelReason.PREEMPTED | CancelReason.POD_GONE:
                await _unless_cancelled_again(self._leave_pod())
            case CancelReason.TIMED_OUT:
                await _unless_cancelled_again(self._expire())
            case CancelReason.STOPPING:
                await _unless_cancelled_again(self._release())

    async def _expire(self) -> None:
        """Cancel the prompt first; the next claim sends another, as this one may take its time to stop."""
        logger.warning("claim timed out", stage=self.job.stage, timeout_s=self.job.timeout.total_seconds())
        await self._stop_prompt(only_if_ended=False)
        reason = f"timeout: the claim took longer than {format_timespan(self.job.timeout)}"
        self.job = await self.writer.expire(self.job, reason=reason, prompt_stopped=True)

    async def _leave_pod(self) -> None:
        """Stop the prompt, and put the job back; a pod that went without a word costs it a retry."""
        await self._stop_prompt(only_if_ended=False)
        is_warned = self._cancel_reason is CancelReason.PREEMPTED

        def put_back(held: Job, at: datetime) -> Job:
            held = _with_fault_over(held)
            return held.released(at=at, reason=PREEMPTED) if is_warned else held.claim_expired(at=at, reason=POD_GONE)

        self.job = await self.writer.hand_back(self.job, put_back)

    async def _release(self) -> None:
        try:
            await self.writer.release(self.job, reason="The worker is stopping.")
            self._has_let_go = True
        except TransientError as error:
            logger.debug("job not given back", error=error.message)  # the scheduler counts those that it still holds

    async def _give_up(self) -> None:
        """End the claim after a bug outside the stages; else the job would wait until its lease is over."""
        try:
            self.job = await self.writer.expire(self.job, reason="An error in this server; see its log.")
        except Exception:
            logger.exception("claim not ended", stage=self.job.stage)

    async def _stop_prompt(self, *, only_if_ended: bool = True) -> None:
        """Cancel the prompt of a job that somebody ended; the next holder of one that was taken over needs it."""
        prompt_id = self._latest.prompt_id
        async with cancelling(prompt_id):
            if prompt_id is not None and (not only_if_ended or await self.writer.has_ended(self.job.id)):
                await self.services.provider.cancel(prompt_id)


def _with_fault_over(job: Job) -> Job:
    """Return a job whose fault, if it has any, is not to take its next worker away as well."""
    if not job.faults:
        return job
    from civitai_mock.domain.faults.job_effects import with_fault_over  # noqa: PLC0415 - as mostly there are none

    return with_fault_over(job)


def _plan_of(place: JobPlace) -> "StagePlan":
    from civitai_mock.domain.progress_modes import StagePlan  # noqa: PLC0415 - only a fleet needs it here

    return StagePlan(durations={Stage.SENT_TO_COMFY: place.lasts})


@asynccontextmanager
async def cancelling(prompt_id: str | None) -> AsyncIterator[None]:
    """Give the block `CANCEL_SECONDS`; a prompt that cannot be cancelled is logged, and changes nothing for its job."""
    try:
        async with asyncio.timeout(CANCEL_SECONDS):
            yield
    except (MockError, TimeoutError) as error:
        logger.warning("prompt not cancelled", prompt_id=prompt_id, error=str(error))


async def _unless_cancelled_again(last_work: Coroutine[None, None, None]) -> None:
    """Finish the last work of a task that was cancelled; a second cancellation breaks it off."""
    finishing = asyncio.ensure_future(last_work)
    try:
        await asyncio.shield(finishing)
    except asyncio.CancelledError:
        finishing.cancel()
        raise
