"""How far a job is and how it ended, as tables."""

from collections.abc import Mapping
from enum import StrEnum


class JobEventType(StrEnum):
    """Names what happened to a job, in the words of the v1 description."""

    INITIALIZED = "Initialized"
    CLAIMED = "Claimed"
    REJECTED = "Rejected"
    LATE_REJECTED = "LateRejected"
    CLAIM_EXPIRED = "ClaimExpired"
    UPDATED = "Updated"
    FAILED = "Failed"
    SUCCEEDED = "Succeeded"
    EXPIRED = "Expired"
    DELETED = "Deleted"


class Stage(StrEnum):
    """Says how far our scheduler is with a job."""

    QUEUED = "QUEUED"
    CLAIMED = "CLAIMED"
    PROMPT_PREPARED = "PROMPT_PREPARED"
    SENT_TO_COMFY = "SENT_TO_COMFY"
    COMFY_RESULT = "COMFY_RESULT"


class Outcome(StrEnum):
    """Says how a job ended."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"
    DELETED = "DELETED"


class MovedBy(StrEnum):
    """Says what moves a job from stage to stage."""

    TIME = "TIME"  # a scheduler claims it, and its stages take their time
    REQUESTS = "REQUESTS"  # each asked-for status, or each order to advance, moves it one stage


# What a claimed job may enter next, and the event that says so. Every stage may also go back to QUEUED when a claim
# ends early, and any unfinished job may end.
NEXT_STAGE: Mapping[Stage, Stage] = {
    Stage.QUEUED: Stage.CLAIMED,
    Stage.CLAIMED: Stage.PROMPT_PREPARED,
    Stage.PROMPT_PREPARED: Stage.SENT_TO_COMFY,
    Stage.SENT_TO_COMFY: Stage.COMFY_RESULT,
}
STAGE_EVENT: Mapping[Stage, JobEventType] = {
    Stage.CLAIMED: JobEventType.CLAIMED,
    Stage.PROMPT_PREPARED: JobEventType.UPDATED,
    Stage.SENT_TO_COMFY: JobEventType.UPDATED,
    Stage.COMFY_RESULT: JobEventType.SUCCEEDED,
}
OUTCOME_EVENT: Mapping[Outcome, JobEventType] = {
    Outcome.SUCCEEDED: JobEventType.SUCCEEDED,
    Outcome.FAILED: JobEventType.FAILED,
    Outcome.EXPIRED: JobEventType.EXPIRED,
    Outcome.DELETED: JobEventType.DELETED,
}
ENDS_JOB = frozenset(OUTCOME_EVENT.values())
ENDS_CLAIM = ENDS_JOB | {JobEventType.REJECTED, JobEventType.LATE_REJECTED, JobEventType.CLAIM_EXPIRED}
