"""Run one claimed job through its stages to its end."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

import orjson
import structlog

from civitai_mock.domain.blob import Slot
from civitai_mock.domain.claims import Claim
from civitai_mock.domain.dotnet import format_timespan
from civitai_mock.domain.errors import (
    ClaimLost,
    JobError,
    MockError,
    NotStartedError,
    NoWorkerError,
    StageError,
    TransientError,
)
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.domain.stages import NEXT_STAGE, Outcome, Stage
from civitai_mock.generation.job_types import job_work
from civitai_mock.scheduler.executors import executor_for
from civitai_mock.scheduler.executors.context import JobContext, RunnerServices
from civitai_mock.scheduler.job_writer import JobWriter
from civitai_mock.services.offload import beside_others

MILLISECOND = timedelta(milliseconds=1)


async def accept(work: JobContext) -> None:
    """The member is that of capture v1-job-claimed-detailed; ours counts from the job's creation."""
    work.context = {"ActualStartDateOffsetMS": (work.tools.clock.now() - work.job.created_at) // MILLISECOND}


LONG_REQUEST_BYTES = 2048  # a hundred networks in a prompt are a graph that takes a tenth of a second


async def prepare(work: JobContext) -> None:
    job = work.job
    make, size = partial(job_work, job, work.tools.skeletons), len(orjson.dumps(dict(job.request)))
    work.way = executor_for(await beside_others(make, size=size, large=LONG_REQUEST_BYTES))
    ecosystems = sorted({resource.air.ecosystem for resource in job.resources if resource.air.ecosystem})
    work.context = {
        "worker_group": work.tools.provider.name,
        "job_type": job.type[:1].lower() + job.type[1:],
        **({"ecosystems": ",".join(ecosystems)} if ecosystems else {}),
    }
    await work.way.prepare(work)


async def send(work: JobContext) -> None:
    """Raise what the provider raises: `JobError` for what it refuses."""
    await work.way.send(work)


async def collect(work: JobContext) -> None:
    await work.way.collect(work)
    work.context["trace_id"] = work.job.trace_id.split("-")[1]


Step = Callable[[JobContext], Awaitable[None]]

STEPS: Mapping[Stage, Step] = {
    Stage.CLAIMED: accept,
    Stage.PROMPT_PREPARED: prepare,
    Stage.SENT_TO_COMFY: send,
    Stage.COMFY_RESULT: collect,
}


logger = structlog.stdlib.get_logger()

LAST_STAGE = Stage.COMFY_RESULT
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
CANCEL_SECONDS = 5.0
DIED = "The worker that ran the job died, its work is lost, and no retry is left."
LONGEST_QUEUE = 10  # times the job's timeout: how long a claim may take altogether


@dataclass(slots=True, kw_only=True)
class JobRunner:
    """`run` ends with the job's outcome, or with the claim let go."""

    job: Job
    claim: Claim
    tools: RunnerServices
    ledger: JobWriter
    lease: timedelta
    lost: bool = field(default=False, init=False)
    timed_out: bool = field(default=False, init=False)
    is_writing: bool = field(default=False, init=False)
    was_claimed_before: bool = field(init=False)

    def __post_init__(self) -> None:
        self.was_claimed_before = self.job.last_event.claim_has_completed

    @property
    def is_held(self) -> bool:
        """True while the claim on the job is this walk's to end."""
        return not self.lost and self.job.claim is not None and self.job.outcome is None

    @property
    def time_is_up_at(self) -> datetime | None:
        """None without a claim; what a prompt waits for others does not count, up to a bound."""
        claim, timeout, prompt_id = self.job.claim, self.job.timeout, self.job.prompt_id
        if claim is None:
            return None
        turn_came_at = self.tools.provider.waited_until(prompt_id) if prompt_id else None
        return min(max(turn_came_at or claim.at, claim.at) + timeout, claim.at + LONGEST_QUEUE * timeout)

    async def run(self) -> None:
        """Nothing but a cancellation comes out of here; what goes wrong is logged, and costs the job a retry."""
        structlog.contextvars.bind_contextvars(
            trace_id=self.job.trace_id, job_id=self.job.id, worker_id=self.claim.worker_id
        )
        try:
            await self._walk()
        except asyncio.CancelledError:
            await self._let_go()
            raise
        except ClaimLost:
            self.lost = True
            await self._stop_prompt()
        except Exception:
            logger.exception("walk broke off", stage=self.job.stage)
            await self._give_up()

    async def _walk(self) -> None:
        work = JobContext(job=self.job, tools=self.tools, tell=self._tell)
        while self.job.outcome is None and self.job.claim is not None:
            try:
                await self._step(work)
            except JobError as error:
                await self._fail(error)
            except TransientError as error:
                await self._retry_later(error)

    async def _step(self, work: JobContext) -> None:
        stage = NEXT_STAGE[self.job.stage]
        started = self.tools.clock.now()
        await self._do(stage, work)
        uses_retry = stage is Stage.SENT_TO_COMFY and await self._begins_again(work)
        now = self.tools.clock.now()
        work.job = await self._write(self._advanced(stage, work, at=now, uses_retry=uses_retry))
        logger.info("stage done", stage=stage, duration_ms=_milliseconds(now - started))

    def _advanced(self, stage: Stage, work: JobContext, *, at: datetime, uses_retry: bool) -> Job:
        if stage is LAST_STAGE:
            return self.job.ended(Outcome.SUCCEEDED, at=at, context=work.context, slots=work.slots, result=work.result)
        if uses_retry and self.job.retry_attempt >= self.job.max_retry_attempt:
            return self.job.claim_expired(at=at, reason=DIED)
        return self.job.entered(
            stage,
            at=at,
            lease=self.lease,
            context=dict(work.context),
            prompt_id=work.prompt_id,
            uses_retry=uses_retry,
        )

    async def _begins_again(self, work: JobContext) -> bool:
        """Whether work that a dead worker had begun is lost: only now is that known, so only now it costs a retry."""
        return self.was_claimed_before and not work.found and await self.ledger.owes_retry(self.job)

    async def _write(self, after: Job) -> Job:
        """Raise `ClaimLost` if somebody else has changed the job."""
        self.is_writing = True
        try:
            self.job = await self.ledger.write(self.job, after)
        finally:
            self.is_writing = False
        return self.job

    async def _tell(self, context: JsonObject, slots: Sequence[Slot]) -> None:
        """News of the work that is going on; like every write it extends the lease."""
        now = self.tools.clock.now()
        news = self.job.progressed(at=now, context=context, slots=slots)
        claim = news.claim and replace(news.claim, until=now + self.lease)
        await self._write(replace(news, claim=claim))

    async def _do(self, stage: Stage, work: JobContext) -> None:
        """The stage boundary: whatever is no `MockError` is a bug of ours, and ends the job."""
        try:
            await STEPS[stage](work)
        except MockError:
            raise
        except Exception as error:
            logger.exception("bug in a stage", stage=stage)
            raise StageError("The job failed because of an error in this server; see its log.") from error

    async def _fail(self, error: MockError) -> None:
        """`error`, `message` and `reason` are what v1 clients read of a failed job."""
        evidence: JsonObject = {name: _plain(value) for name, value in error.evidence.items()}
        context: JsonObject = {"error": error.code, "message": error.message, "reason": error.message, **evidence}
        failed = self.job.ended(Outcome.FAILED, at=self.tools.clock.now(), context=context)
        await self._write(failed)
        logger.warning("job failed", stage=self.job.stage, error=error.code, reason=error.message)

    async def _retry_later(self, error: TransientError) -> None:
        """Keep the claim for a pause that grows with each retry, then use one up, unless nothing was begun."""
        not_started = isinstance(error, NotStartedError)
        doublings = 0 if not_started else self.job.retry_attempt
        pause = min(FIRST_PAUSE_SECONDS * 2**doublings, LONGEST_PAUSE_SECONDS)
        log = logger.debug if isinstance(error, NoWorkerError) else logger.warning
        log("retry later", stage=self.job.stage, error=error.code, reason=error.message, pause_s=pause)
        await self.tools.clock.sleep(pause)
        give_back = self.job.released if not_started else self.job.claim_expired
        back = give_back(at=self.tools.clock.now(), reason=error.message)
        await self._write(back)

    async def _let_go(self) -> None:
        """Cancelled: the claim is lost or took too long, or this worker is stopping and gives the job back."""
        if self.lost:
            await self._stop_prompt()
        elif self.timed_out:
            await _unless_cancelled_again(self._expire())
        else:
            await _unless_cancelled_again(self._release())

    async def _expire(self) -> None:
        """The prompt is cancelled first, and the next claim sends another: this one may take its time to stop."""
        logger.warning("claim timed out", stage=self.job.stage, timeout_s=self.job.timeout.total_seconds())
        await self._stop_prompt(only_if_over=False)
        reason = f"timeout: the claim took longer than {format_timespan(self.job.timeout)}"
        self.job = await self.ledger.expire(self.job, reason=reason, prompt_stopped=True)

    async def _give_up(self) -> None:
        """A bug outside the stages; without this the job would wait until its lease is over."""
        try:
            self.job = await self.ledger.expire(self.job, reason="An error in this server; see its log.")
        except Exception:
            logger.exception("claim not ended", stage=self.job.stage)

    async def _release(self) -> None:
        try:
            await self.ledger.release(self.job, reason="The worker is stopping.")
            self.lost = True
        except TransientError as error:
            logger.debug("job not given back", error=error.message)  # the scheduler counts those that it still holds

    async def _stop_prompt(self, *, only_if_over: bool = True) -> None:
        """A job that somebody ended must not go on burning a provider's time; one taken over keeps its prompt."""
        prompt_id = self.job.prompt_id
        async with cancelling(prompt_id):
            if prompt_id is not None and (not only_if_over or await self.ledger.is_over(self.job.id)):
                await self.tools.provider.cancel(prompt_id)


@asynccontextmanager
async def cancelling(prompt_id: str | None) -> AsyncIterator[None]:
    """Give the block `CANCEL_SECONDS`; a prompt that cannot be cancelled is logged, and changes nothing for its job."""
    try:
        async with asyncio.timeout(CANCEL_SECONDS):
            yield
    except (MockError, TimeoutError) as error:
        logger.warning("prompt not cancelled", prompt_id=prompt_id, error=str(error))


async def _unless_cancelled_again(last_words: Coroutine[None, None, None]) -> None:
    """Whoever was cancelled may still say them; a second cancellation breaks them off."""
    saying = asyncio.ensure_future(last_words)
    try:
        await asyncio.shield(saying)
    except asyncio.CancelledError:
        saying.cancel()
        raise


def _milliseconds(duration: timedelta) -> float:
    return round(duration / timedelta(milliseconds=1), 1)


def _plain(value: object) -> Json:
    return value if isinstance(value, str | int | float | bool | dict | list) else str(value)
