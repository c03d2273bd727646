"""Job events are dated facts about a job, which are only ever appended."""

from datetime import datetime, timedelta

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.domain.stages import ENDS_CLAIM, ENDS_JOB, JobEventType, Stage

GRAPH_MEMBER = "comfy_prompt_request"  # of a context: the text of the graph of a job

ODD_STATUS = "mockStatus"  # of a context: how its event, and the status of version 2, are called instead

LONG_TEXT = 256  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEvent:
    """Says what happened to a job, and when; `seq` counts from 0 (Initialized) without gaps.

    `claim_duration` runs from the claim, `job_duration` from the job's creation.
    """

    job_id: str
    seq: int
    type: JobEventType
    stage: Stage
    at: datetime
    job_type: str
    trace_id: str
    context: ReadOnlyJson
    job_duration: timedelta
    retry_attempt: int
    claim_duration: timedelta | None = None
    provider: str | None = None
    worker_id: str | None = None

    @property
    def claim_has_completed(self) -> bool:
        return self.type in ENDS_CLAIM

    @property
    def long_text(self) -> str | None:
        """Return the name of the longest text in the context, if that is long; stores keep such a text once for a job.

        It is mostly the graph, which several events of a job repeat.
        """
        longest, found = LONG_TEXT, None
        for name, value in self.context.items():
            if type(value) is str and len(value) >= longest:
                longest, found = len(value), name
        return found

    @property
    def job_has_completed(self) -> bool:
        return self.type in ENDS_JOB
