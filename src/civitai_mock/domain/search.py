"""Questions about many jobs, and their answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from civitai_mock.domain.job import Job

MOST_BYTES_FOUND = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the list of jobs by age; jobs of one instant stand in order of submission, then of id."""

    created_at: datetime
    submission_id: str
    job_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCriteria:
    """What a job must match to be found; None and no `leaves` (of its properties) match all."""

    issued_by: str | None = None
    job_type: str | None = None
    leaves: frozenset[str] = frozenset()
    before: Position | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """`images` are those of succeeded jobs; `cost` is in Buzz, of charged jobs that were not refunded."""

    images: int
    cost: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A consumer may have at most `limit` Buzz of jobs at once, those that were refunded aside."""

    issued_by: str
    limit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedJob:
    """`cost` is in Buzz."""

    id: str
    priority: int
    created_at: datetime
    cost: float


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueState:
    """`jobs` in the order in which they will be claimed; `recent` jobs ended within the time that was asked about."""

    jobs: Sequence[QueuedJob]
    recent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DueWebhook:
    """A job whose receiver does not know all of its events yet.

    `delivered_seq` is the `seq` of the last event that the receiver knows, or -1; `failures` counts the attempts that
    have failed since then.
    """

    job: Job
    delivered_seq: int
    failures: int
