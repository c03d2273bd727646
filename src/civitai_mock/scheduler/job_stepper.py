"""Move jobs at the request of somebody: one stage at a time, or at once to their end."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from functools import partial

import structlog

from civitai_mock.domain.blob import Slot
from civitai_mock.domain.changed import changed
from civitai_mock.domain.claims import Claim
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.dotnet import format_timespan
from civitai_mock.domain.errors import ClaimLost, ConflictError, JobError, MockError, NotStartedError, TransientError
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.progress_modes import INSTANT
from civitai_mock.domain.stages import NEXT_STAGE, Outcome, Stage
from civitai_mock.ports import Timer
from civitai_mock.scheduler.executors.context import JobContext, PutBackError, RunnerServices
from civitai_mock.scheduler.steps import catch_up, do_step, failed
from civitai_mock.scheduler.workflows import Advance
from civitai_mock.services.event_bus import EventBus
from civitai_mock.services.order_jobs import Overlay

logger = structlog.stdlib.get_logger()

WORKER = "requests"  # who holds a job during a step, as its events say
MOST_CONTEXTS = 200  # of jobs that are half way


@dataclass(slots=True, kw_only=True)
class JobStepper:
    """Does what a runner does with a job, but stores each order as one write, which nobody sees half done.

    Between two orders nobody holds the job: there is no lease to renew, no worker to die, and a scheduler that may have
    it runs it on. Nothing takes time but what a step has to wait for. The workflow of a job that has ended is advanced.
    Each method returns the job as it is stored then, or None if somebody else has changed it meanwhile.
    """

    services: RunnerServices
    event_bus: EventBus
    get_advance: Callable[[], Advance]
    _timeouts: dict[str, Timer] = field(default_factory=dict, init=False)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set, init=False)
    _contexts: OrderedDict[tuple[str, int, Stage], JobContext] = field(default_factory=OrderedDict, init=False)

    async def advance(self, job: Job) -> Job | None:
        """Move a job one stage on; raise `ConflictError` if it cannot be moved."""
        changes = await self._moved(job, NEXT_STAGE.get(job.stage))
        return None if changes is None else await self._save(job, changes)

    async def succeed(self, job: Job, overlay: Overlay | None = None) -> Job | None:
        """Move a job to its end, with what is laid over its result; it may fail all the same."""
        changes = await self._moved(job, Stage.COMFY_RESULT)
        if changes and overlay is not None and changes[-1].outcome is Outcome.SUCCEEDED:
            changes[-1] = changed(changes[-1], slots=overlay(changes[-1].slots))
        return None if changes is None else await self._save(job, changes)

    async def fail(self, job: Job, context: JsonObject) -> Job | None:
        """End a job as Failed."""
        _check_unfinished(job)
        held = job if job.stage is Stage.QUEUED else self._held(job)
        return await self._save(job, [held.ended(Outcome.FAILED, at=self.services.clock.now(), context=context)])

    async def reject(self, job: Job, *, reason: str) -> Job | None:
        """Have a job refused by whoever has it, so that it waits again."""
        _check_movable(job)
        return await self._save(job, [self._held(job).rejected(at=self.services.clock.now(), reason=reason)])

    def stop(self) -> None:
        """Time nothing out any more."""
        for timer in self._timeouts.values():
            timer.cancel()
        for task in self._tasks:
            task.cancel()
        self._timeouts.clear()

    async def _moved(self, job: Job, until: Stage | None) -> list[Job] | None:
        """Return what becomes of a job on its way to a stage, change by change; nothing if nobody can begin with it.

        Return None if somebody else decides meanwhile what goes wrong with it.
        """
        _check_movable(job)
        held = self._held(job)
        if self.services.job_faults.concern(job):
            decided = await self.services.job_faults.decisions.decided_alone(held)
            if decided is None:
                return None
            held = decided
        if self._time_left(held) <= timedelta():
            return [_timed_out(held, at=self.services.clock.now())]
        changes: list[Job] = []
        try:
            await self._move(held, until, changes)
        except JobError as error:
            changes.append(failed(changes[-1] if changes else held, error, at=self.services.clock.now()))
            logger.warning("job failed", job_id=job.id, error=error.code, reason=error.message)
        except PutBackError as end:
            changes.append(end.change(changes[-1] if changes else held, self.services.clock.now()))
        except ClaimLost as error:
            changes.clear()
            logger.debug("job not moved", job_id=job.id, error=error.code, reason=error.message)
        except NotStartedError as error:
            logger.debug("job not moved", job_id=job.id, error=error.code, reason=error.message)
        except TransientError as error:
            latest = changes[-1] if changes else held
            changes.append(latest.claim_expired(at=self.services.clock.now(), reason=error.message))
            logger.warning("job waits again", job_id=job.id, error=error.code, reason=error.message)
        return changes

    async def _move(self, held: Job, until: Stage | None, changes: list[Job]) -> None:
        """Go on with what the step before has left here; do its steps again if there is nothing, or if it is lost."""
        kept = self._contexts.pop((held.id, held.seq, held.stage), None)
        if kept is not None:
            try:
                await self._go_on(kept, held, until, changes)
            except TransientError as error:
                logger.debug("steps done again", job_id=held.id, reason=error.message)
                changes.clear()
            else:
                return
        context = self._context(held)
        await catch_up(context)
        await self._go_on(context, held, until, changes)

    async def _go_on(self, context: JobContext, held: Job, until: Stage | None, changes: list[Job]) -> None:
        context.job, context.publish = held, partial(self._publish, held, changes)
        while context.job.stage is not until:
            await self._enter_next(context, changes)
        self._keep(context)

    async def _enter_next(self, context: JobContext, changes: list[Job]) -> None:
        stage = NEXT_STAGE[context.job.stage]
        await do_step(stage, context)
        job, now = changes[-1] if changes else context.job, self.services.clock.now()
        if stage is Stage.COMFY_RESULT:
            context.job = context.succeeded(job, at=now)
        else:
            context.job = job.entered(
                stage, at=now, until=now, context=dict(context.event_context), prompt_id=context.prompt_id
            )
        changes.append(context.job)

    def _context(self, held: Job) -> JobContext:
        async def store_with_the_rest() -> None:
            pass

        return JobContext(
            job=held,
            services=self.services,
            publish=partial(self._publish, held, []),
            before_waiting=store_with_the_rest,
            plan=INSTANT,
        )

    async def _publish(self, held: Job, changes: list[Job], event_context: JsonObject, slots: Sequence[Slot]) -> None:
        now, latest = self.services.clock.now(), changes[-1] if changes else held
        changes.append(latest.progressed(at=now, context=event_context, slots=slots))

    def _keep(self, context: JobContext) -> None:
        """Keep what a step left, for the next one if it comes here; another process does the steps again."""
        job = context.job
        if job.outcome is None:
            self._contexts[job.id, job.seq, job.stage] = context
            if len(self._contexts) > MOST_CONTEXTS:
                self._contexts.popitem(last=False)

    def _held(self, job: Job) -> Job:
        """Return a job with a claim for this moment, which began with the first step of its attempt.

        What a scheduler has sent for it may take its time: then nothing is asked for again.
        """
        if job.claim is not None:
            return changed(job, prompt_id=None)
        now, since = self.services.clock.now(), job.last_event.claim_duration
        began = now if since is None or job.stage is Stage.QUEUED else job.last_event.at - since
        claim = Claim(provider=self.services.provider.name, worker_id=WORKER, at=began, until=now)
        return changed(job, claim=claim, prompt_id=None if job.stage is Stage.QUEUED else job.prompt_id)

    async def _save(self, before: Job, changes: Sequence[Job]) -> Job | None:
        """Store what became of a job, and publish it."""
        if not changes:
            return before
        left = [changed(job, claim=None) for job in changes]
        *passed, after = left
        if not await self.services.jobs.replace(before, after, between=[job.last_event for job in passed]):
            return None  # also where somebody else has written the same: then it is theirs
        self._watch(after)
        self.event_bus.publish_changes(left)
        if after.outcome is not None or before.claim is not None:
            self.event_bus.publish_ends([after])
        if after.outcome is None:
            self.event_bus.publish_work()
        if after.workflow is not None:
            await self._advance(after, after.workflow.workflow_id)
        return after

    async def _advance(self, job: Job, workflow_id: str) -> None:
        """Have the workflow of a job that begins or ends go on before the answer; if the store is away, others will."""
        advance = self.get_advance()
        begins = job.stage is Stage.SENT_TO_COMFY and not advance.is_quiet(workflow_id)
        try:
            if begins or job.outcome is not None:
                await advance(workflow_id)
        except TransientError as error:
            logger.warning("store away", error=error.message)

    def _watch(self, job: Job) -> None:
        """Time a job out when its steps have taken too long altogether, as a claim would be."""
        earlier = self._timeouts.pop(job.id, None)
        if earlier is not None:
            earlier.cancel()
        if job.outcome is None and job.stage is not Stage.QUEUED:
            seconds = self._time_left(self._held(job)).total_seconds()
            self._timeouts[job.id] = self.services.clock.call_later(seconds, partial(self._start_time_out, job.id))

    def _start_time_out(self, job_id: str) -> None:
        """Begin to time a job out; time that is moved goes on when that is done."""
        self._timeouts.pop(job_id, None)
        self.event_bus.activity.begin()
        task = asyncio.create_task(self._time_out(job_id), name=f"time out {job_id}")
        self._tasks.add(task)
        task.add_done_callback(self._end_time_out)

    def _end_time_out(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self.event_bus.activity.end()

    async def _time_out(self, job_id: str) -> None:
        """Put a job back whose steps took too long; what is not written now is written at its next order."""
        try:
            job = await self.services.jobs.get(job_id)
            if job is not None and job.outcome is None and job.claim is None and job.stage is not Stage.QUEUED:
                held = self._held(job)
                if self._time_left(held) <= timedelta():
                    await self._save(job, [_timed_out(held, at=self.services.clock.now())])
        except MockError as error:
            logger.warning("job not timed out", job_id=job_id, error=error.message)
        except Exception:
            logger.exception("job not timed out", job_id=job_id)

    def _time_left(self, held: Job) -> timedelta:
        now = self.services.clock.now()
        if held.faults and self.services.job_faults.decisions.keeps(held):
            return held.timeout
        return held.timeout - (now - held.claim.at) if held.claim else held.timeout


def _timed_out(held: Job, *, at: datetime) -> Job:
    reason = f"timeout: the claim took longer than {format_timespan(held.timeout)}"
    return held.claim_expired(at=at, reason=reason, prompt_stopped=True)


def _check_movable(job: Job) -> None:
    """Raise `ConflictError` for a job that has ended, or that waits for others."""
    _check_unfinished(job)
    if job.is_blocked:
        waits_for = ", ".join(job.dependencies)
        raise ConflictError(f"The job '{job.id}' waits for others, which have to succeed first: {waits_for}.")


def _check_unfinished(job: Job) -> None:
    if job.outcome is not None:
        raise ConflictError(f"The job '{job.id}' has ended already: {job.last_event.type}.")
