"""Who may do what to a job: the rules of claims, as data.

A job that nobody works on has to stay one that somebody may take. So a lease is renewed only for work that is alive in
the process that renews it, and whoever ends a claim of somebody else says which claim that was.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.stages import JobEventType, Stage

ON_PROCESS = "@"  # between the worker of a fleet and the process that runs its jobs, in the id of a claim's worker
MAX_DEATHS = 20  # of workers in a row; more than MAX_RETRY_ATTEMPT, as most of them lose nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Says who holds a job, since when, by the clock of its namespace, and (the lease) until when, in real time."""

    provider: str
    worker_id: str
    at: datetime
    until: datetime

    @property
    def process_worker_id(self) -> str:
        """Return the worker that lives as long as a process does; a pod of a fleet is not one."""
        return process_worker_of(self.worker_id)

    @property
    def is_of_fleet(self) -> bool:
        """Return whether the job runs on a fleet."""
        return ON_PROCESS in self.worker_id

    @property
    def shown_worker_id(self) -> str:
        """Return the worker that events name: that of a fleet, if the job runs on one."""
        return self.worker_id.rpartition(ON_PROCESS)[0] or self.worker_id

    def is_same(self, other: "Claim | None") -> bool:
        """Return whether both are one claim, whose lease may have been renewed in between.

        A worker never makes two claims at the same moment.
        """
        return other is not None and (self.worker_id, self.at) == (other.worker_id, other.at)


def process_worker_of(worker_id: str) -> str:
    """Return which worker of a process is behind the worker of a claim."""
    return worker_id.rpartition(ON_PROCESS)[2]


class Holding(StrEnum):
    """Says who has a job, if anybody has."""

    BLOCKED = "BLOCKED"  # it waits for other jobs
    QUEUED = "QUEUED"
    HELD = "HELD"  # whether its lease runs or is over
    ENDED = "ENDED"


class Actor(StrEnum):
    """Says who changes a job."""

    HOLDER = "HOLDER"  # the worker that runs the job under the claim that is stored
    SCHEDULER = "SCHEDULER"  # any other one
    CONSUMER = "CONSUMER"


class Change(StrEnum):
    """Names what may be done to a job."""

    CLAIM = "CLAIM"
    RENEW = "RENEW"
    ADVANCE = "ADVANCE"
    SUCCEED = "SUCCEED"
    FAIL = "FAIL"
    RELEASE = "RELEASE"
    USE_RETRY = "USE_RETRY"
    ABANDON = "ABANDON"  # take it from a holder whose lease is over, or who is known to be dead
    UNBLOCK = "UNBLOCK"
    CANCEL = "CANCEL"
    EXPIRE = "EXPIRE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Lets `by` make a change while the job is in one of `before`; then it is in one of `after`."""

    by: Actor
    before: frozenset[Holding]
    after: frozenset[Holding]


_BLOCKED, _QUEUED, _HELD, _ENDED = (frozenset({holding}) for holding in Holding)

RULES: Mapping[Change, Sequence[Rule]] = {
    Change.CLAIM: (Rule(by=Actor.SCHEDULER, before=_QUEUED, after=_HELD),),
    Change.RENEW: (Rule(by=Actor.HOLDER, before=_HELD, after=_HELD),),
    Change.ADVANCE: (Rule(by=Actor.HOLDER, before=_HELD, after=_HELD),),
    Change.SUCCEED: (Rule(by=Actor.HOLDER, before=_HELD, after=_ENDED),),
    Change.FAIL: (
        Rule(by=Actor.HOLDER, before=_HELD, after=_ENDED),
        Rule(by=Actor.SCHEDULER, before=_BLOCKED, after=_ENDED),
    ),
    Change.RELEASE: (Rule(by=Actor.HOLDER, before=_HELD, after=_QUEUED),),
    Change.USE_RETRY: (Rule(by=Actor.HOLDER, before=_HELD, after=_QUEUED | _ENDED),),
    Change.ABANDON: (Rule(by=Actor.SCHEDULER, before=_HELD, after=_QUEUED | _ENDED),),
    Change.UNBLOCK: (Rule(by=Actor.SCHEDULER, before=_BLOCKED, after=_QUEUED),),
    Change.CANCEL: (Rule(by=Actor.CONSUMER, before=_BLOCKED | _QUEUED | _HELD, after=_ENDED),),
    Change.EXPIRE: (Rule(by=Actor.SCHEDULER, before=_BLOCKED | _QUEUED | _HELD, after=_ENDED),),
}


def allows(change: Change, holding: Holding) -> bool:
    """Return whether anybody may make the change to a job that is held like this."""
    return any(holding in rule.before for rule in RULES[change])


def deaths_in_a_row(events: Sequence[JobEvent]) -> int:
    """Return how many claims ended with their workers since the prompt last got on; `events` are in order of `seq`.

    The first Updated event in SENT_TO_COMFY says that the prompt is there, those after it that it gets on.
    """
    deaths = 0
    for index in range(len(events) - 1, 0, -1):
        event = events[index]
        if _is_of_prompt(event) and _is_of_prompt(events[index - 1]):
            break
        deaths += event.type is JobEventType.CLAIM_EXPIRED
    return deaths


def owes_retry(events: Sequence[JobEvent], *, retry_attempt: int) -> bool:
    """Return whether a worker died with the prompt of this attempt.

    That costs a retry if the prompt is not found again.
    """
    return any(
        event.type is JobEventType.CLAIM_EXPIRED
        and event.stage is Stage.SENT_TO_COMFY
        and event.retry_attempt == retry_attempt
        for event in events
    )


def _is_of_prompt(event: JobEvent) -> bool:
    return event.type is JobEventType.UPDATED and event.stage is Stage.SENT_TO_COMFY
