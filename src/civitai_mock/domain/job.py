"""A job is the unit that is claimed; every change that it may go through is a method."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Self

from civitai_mock.domain.air import Air
from civitai_mock.domain.blob import Slot
from civitai_mock.domain.changed import changed
from civitai_mock.domain.claims import MAX_DEATHS, Change, Claim, Holding, allows
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.job_fault import JobFault
from civitai_mock.domain.json_types import Json, JsonObject, ReadOnlyJson
from civitai_mock.domain.named_ids import named_uuid
from civitai_mock.domain.stages import (
    ENDS_JOB,
    NEXT_STAGE,
    OUTCOME_EVENT,
    STAGE_EVENT,
    JobEventType,
    MovedBy,
    Outcome,
    Stage,
)

MAX_RETRY_ATTEMPT = 5  # capture v1-job-claimed-detailed
LOW, NORMAL, HIGH = -10, 0, 10
NAMED_PRIORITIES = {"low": LOW, "normal": NORMAL, "high": HIGH}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobResource:
    """Is a resource as a job found it when it was submitted; its `hashes` are those of `Resource`."""

    air: Air
    file_name: str
    trained_words: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowPlace:
    """Says which job of a workflow one is: the step's place, the job's place in it, and how often it was made before.

    A job that failed and has retries left is made again, as the next `attempt`.
    """

    workflow_id: str
    step: int
    index: int
    attempt: int = 0

    @property
    def job_id(self) -> str:
        """Return the id that the job has, so that whoever makes it twice makes the same."""
        return named_uuid(f"{self.workflow_id}/{self.step}/{self.index}/{self.attempt}")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSummary:
    """Is what a short answer says of a job.

    `issued_by` is the consumer. `result` is that of a job type whose results are not images, `taint` is what a consumer
    found wrong with the job.
    """

    id: str
    issued_by: str
    cost: float
    properties: ReadOnlyJson
    slots: tuple[Slot, ...]
    last_event: JobEvent
    outcome: Outcome | None = None
    result: Json = None
    taint: ReadOnlyJson | None = None

    @property
    def settled_at(self) -> datetime | None:
        """Return when a job ended that is as it was then: only a taint, a lost blob or its deletion can change it."""
        if self.outcome is None or self.taint is not None:
            return None
        for slot in self.slots:  # without a call for each, as this is asked of every answer
            if slot.is_lost or slot.expired_at is not None:
                return None
        return self.last_event.at


@dataclass(frozen=True, slots=True, kw_only=True)
class Job(JobSummary):
    """Holds what never changes of a job, the first block, and its state; a change makes a new one.

    `last_event.seq` is the version that a conditional write is compared with. `spec` is what was asked for, complete,
    as JSON (see `generation.job_types`). `submission_id` is shared by the jobs of one request. `dependencies` are the
    ids of jobs that have to succeed first; until they have, the job `is_blocked` and cannot be claimed. A job that is
    not `charged` costs its consumer nothing, or its `workflow` was charged, whose jobs v2 makes. `client_compat` is the
    kind of client that its webhooks are worded for, if its request asked for one. `moved_by` is None if its namespace
    says what moves it; otherwise its request did, by the mode `progress` (see `progress_modes`). `asked_fault` is the
    rule that its request asked for, `faults` were decided for its attempts. One that `keeps_cost` costs what it says
    when it ends: canceled, it may be less, and nothing for results that were there already. Those are found by the
    `result_key` (see `domain.result_keys`), if they are looked for.
    """

    type: str
    trace_id: str
    created_at: datetime
    expire_at: datetime
    keep_until: datetime
    priority: int
    timeout: timedelta
    max_retry_attempt: int
    spec: ReadOnlyJson
    resources: tuple[JobResource, ...]
    submission_id: str
    name: str | None = None
    callback_url: str | None = None
    client_compat: str | None = None
    providers: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()
    charged: bool = True
    workflow: WorkflowPlace | None = None
    moved_by: MovedBy | None = None
    progress: ReadOnlyJson | None = None
    asked_fault: ReadOnlyJson | None = None
    result_key: str | None = None

    stage: Stage
    retry_attempt: int
    claim: Claim | None = None
    prompt_id: str | None = None
    is_blocked: bool = False
    keeps_cost: bool = False
    faults: tuple[JobFault, ...] = ()

    @property
    def seq(self) -> int:
        return self.last_event.seq

    @property
    def was_free(self) -> bool:
        """Return whether it has succeeded with results that were there already."""
        return self.keeps_cost and not self.cost and self.has_succeeded

    @property
    def has_succeeded(self) -> bool:
        return self.outcome is Outcome.SUCCEEDED

    @property
    def holding(self) -> Holding:
        if self.outcome is not None:
            return Holding.ENDED
        if self.claim is not None:
            return Holding.HELD
        return Holding.BLOCKED if self.is_blocked else Holding.QUEUED

    def entered(
        self,
        stage: Stage,
        *,
        at: datetime,
        until: datetime,
        context: JsonObject,
        prompt_id: str | None = None,
        uses_retry: bool = False,
    ) -> Self:
        """Return the claimed job one stage on, with a lease `until` then; the last stage comes with `ended`.

        A job `uses_retry` if it has to begin again with what was lost when its last worker died.
        """
        if self.claim is None or NEXT_STAGE.get(self.stage) is not stage or STAGE_EVENT[stage] in ENDS_JOB:
            raise ValueError(f"a job in {self.stage} cannot enter {stage}")
        attempt = self.retry_attempt + uses_retry
        event = self._event(STAGE_EVENT[stage], at=at, context=context, stage=stage, retry_attempt=attempt)
        return changed(
            self,
            stage=stage,
            retry_attempt=attempt,
            claim=changed(self.claim, until=until),
            prompt_id=prompt_id or self.prompt_id,
            last_event=event,
        )

    def ended(
        self,
        outcome: Outcome,
        *,
        at: datetime,
        context: JsonObject,
        slots: Sequence[Slot] | None = None,
        result: Json = None,
    ) -> Self:
        """Return the job with its outcome.

        Only a job in SENT_TO_COMFY can succeed, any unfinished job can end otherwise.
        """
        if self.outcome is not None or (outcome is Outcome.SUCCEEDED and self.stage is not Stage.SENT_TO_COMFY):
            raise ValueError(f"a job in {self.stage} that ended {self.outcome} cannot end {outcome}")
        stage = Stage.COMFY_RESULT if outcome is Outcome.SUCCEEDED else self.stage
        event = self._event(OUTCOME_EVENT[outcome], at=at, context=context, stage=stage)
        kept = self.slots if slots is None else tuple(slots)
        return changed(
            self,
            stage=stage,
            outcome=outcome,
            claim=None,
            slots=kept,
            result=result,
            is_blocked=False,
            last_event=event,
        )

    def progressed(self, *, at: datetime, context: JsonObject, slots: Sequence[Slot] | None = None) -> Self:
        """Return the claimed job where it was, with an Updated event that reports its progress."""
        self._check(Change.ADVANCE)
        event = self._event(JobEventType.UPDATED, at=at, context=context, stage=self.stage)
        return changed(self, last_event=event, slots=self.slots if slots is None else tuple(slots))

    def unblocked(self, *, at: datetime) -> Self:
        """Return the job as one that can be claimed, as every job that it depends on has succeeded."""
        self._check(Change.UNBLOCK)
        event = self._event(JobEventType.UPDATED, at=at, context={"dependencies": "succeeded"}, stage=self.stage)
        return changed(self, is_blocked=False, last_event=event)

    def released(self, *, at: datetime, reason: str) -> Self:
        """Put the job back into the queue, as its worker stops or cannot go on; no retry is used up."""
        self._check(Change.RELEASE)
        return self._requeued(JobEventType.LATE_REJECTED, at=at, context={"reason": reason})

    def rejected(self, *, at: datetime, reason: str) -> Self:
        """Put the job back into the queue, as its worker refuses it; no retry is used up."""
        self._check(Change.RELEASE)
        return self._requeued(JobEventType.REJECTED, at=at, context={"reason": reason})

    def claim_expired(self, *, at: datetime, reason: str, prompt_stopped: bool = False) -> Self:
        """Put the job back into the queue with one retry used up, or let it fail when none is left.

        A prompt that we stopped is not asked for again: it would seem to have ended by somebody's wish. That is what
        ends a job of a workflow, whose step may make it again.
        """
        self._check(Change.USE_RETRY)
        prompt_id = None if prompt_stopped else self.prompt_id
        is_timeout_of_step = prompt_stopped and self.workflow is not None
        if is_timeout_of_step or self.retry_attempt >= self.max_retry_attempt:
            return changed(self._failed_for_good(at=at, reason=reason), prompt_id=prompt_id)
        expired = self._requeued(JobEventType.CLAIM_EXPIRED, at=at, context={"reason": reason})
        return changed(expired, retry_attempt=self.retry_attempt + 1, prompt_id=prompt_id)

    def abandoned(self, *, at: datetime, reason: str, deaths: int = 0) -> Self:
        """Put the job of a worker that is gone back into the queue, or let it fail after too many such `deaths`.

        `deaths` counts those in a row before this one. This one costs no retry yet: the next worker may find the prompt
        again (see `owes_retry`).
        """
        self._check(Change.ABANDON)
        if deaths >= MAX_DEATHS:
            return self._failed_for_good(at=at, reason=f"{deaths + 1} workers died one after the other with this job.")
        return self._requeued(JobEventType.CLAIM_EXPIRED, at=at, context={"reason": reason})

    def _failed_for_good(self, *, at: datetime, reason: str) -> Self:
        """Let the job fail, as nobody is to claim it again."""
        context: JsonObject = {"error": "claim_expired", "message": reason, "reason": reason}
        return self.ended(Outcome.FAILED, at=at, context=context)

    def _check(self, change: Change) -> None:
        if not allows(change, self.holding):
            raise ValueError(f"{change} cannot be done to a job that is {self.holding}, in {self.stage}")

    def _requeued(self, event_type: JobEventType, *, at: datetime, context: JsonObject) -> Self:
        event = self._event(event_type, at=at, context=context, stage=self.stage)
        return changed(self, stage=Stage.QUEUED, claim=None, last_event=event)

    def _event(
        self,
        event_type: JobEventType,
        *,
        at: datetime,
        context: JsonObject,
        stage: Stage,
        retry_attempt: int | None = None,
    ) -> JobEvent:
        """Return the next event; it is never dated before the last one, whatever clock its author has."""
        claim, at = self.claim, max(at, self.last_event.at)
        return JobEvent(
            job_id=self.id,
            job_type=self.last_event.job_type,
            trace_id=self.trace_id,
            seq=self.seq + 1,
            type=event_type,
            stage=stage,
            at=at,
            context=context,
            job_duration=at - self.created_at,
            retry_attempt=self.retry_attempt if retry_attempt is None else retry_attempt,
            claim_duration=max(at - claim.at, timedelta()) if claim else None,
            provider=claim.provider if claim else None,
            worker_id=claim.shown_worker_id if claim else None,
        )


def initialized_event(job_id: str, job_type: str, *, trace_id: str, at: datetime) -> JobEvent:
    """Return the first event of every job."""
    return JobEvent(
        job_id=job_id,
        seq=0,
        type=JobEventType.INITIALIZED,
        stage=Stage.QUEUED,
        at=at,
        job_type=job_type,
        trace_id=trace_id,
        context={},
        job_duration=timedelta(),
        retry_attempt=0,
    )
