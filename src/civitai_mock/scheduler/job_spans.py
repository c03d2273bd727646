"""The spans of a job while one claim of it lasts: one for the claim, and one for each stage."""

from time import time_ns

from civitai_mock.domain.job import Job
from civitai_mock.domain.stages import Outcome, Stage
from civitai_mock.ports import RecordSpan, Span, SpanKind
from civitai_mock.services.tracing import is_recorded, next_span, work_in_trace


class JobSpans:
    """Is made in the task that runs the job: what this calls from then on belongs to the span of the claim.

    Nothing is measured unless spans are recorded. A stage lasts from the end of the one before.
    """

    def __init__(self, job: Job, record: RecordSpan | None) -> None:
        self._record = record if is_recorded(job.trace_id) else None
        self._trace_id = job.trace_id if self._record is None else next_span(job.trace_id)
        self._started_ns = self._stage_started_ns = 0 if self._record is None else time_ns()
        work_in_trace(self._trace_id, self._record)

    def end_stage(self, stage: Stage) -> None:
        if self._record is None:
            return
        started_ns, self._stage_started_ns = self._stage_started_ns, time_ns()
        self._record(
            Span(
                name=stage.value,
                kind=SpanKind.INTERNAL,
                trace_id=next_span(self._trace_id),
                parent=self._trace_id,
                started_ns=started_ns,
                ended_ns=self._stage_started_ns,
            )
        )

    def end(self, job: Job) -> None:
        """Record the claim, with the job as it is stored."""
        if self._record is None:
            return
        outcome = job.outcome.value if job.outcome else "none"
        self._record(
            Span(
                name=f"job {job.type}",
                kind=SpanKind.INTERNAL,
                trace_id=self._trace_id,
                parent=job.trace_id,
                started_ns=self._started_ns,
                ended_ns=time_ns(),
                attributes={"job.id": job.id, "job.stage": job.stage.value, "job.outcome": outcome},
                error=str(job.last_event.context.get("message", outcome)) if job.outcome is Outcome.FAILED else None,
            )
        )
