"""Ports of a store for jobs, by role: store, queue, search, the feed of events, and the outbox of webhooks."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from civitai_mock.domain.blob import Slot
from civitai_mock.domain.callbacks import CallbackAttempt, CallbackState
from civitai_mock.domain.claims import Claim
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.job import Job, JobSummary
from civitai_mock.domain.job_fault import JobFault
from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.domain.search import Backlog, Budget, DueWebhook, FeedPage, JobCriteria, QueueState, Spending
from civitai_mock.domain.stages import Outcome


class JobStore(Protocol):
    """Stores jobs and their events. Every method raises `TransientError` while the store is away."""

    async def add(self, jobs: Sequence[Job], *, budget: Budget | None = None) -> None:
        """Store new jobs, each with its `last_event` (Initialized): all of them or none, durable on return.

        Raise `InsufficientBuzzError` if, with them, the charged and not refunded jobs of the budget's consumer would
        cost more than its limit; two submissions at once never exceed it together. Raise `ConflictError` if a job with
        one of the ids exists already.
        """
        ...

    async def spent(self, issued_by: str) -> float:
        """Return what counts against the budget of a consumer: its kept jobs and workflows, refunds aside."""
        ...

    async def has_open_workflows(self) -> bool:
        """Return whether a workflow has no memo, or something to deliver to its callbacks.

        This needs nothing of what workflows are.
        """
        ...

    async def get(self, job_id: str) -> Job | None: ...

    async def get_summary(self, job_id: str) -> JobSummary | None:
        """Return an unfinished job whole, and of one that has ended at least its summary, where that is cheaper."""
        ...

    async def settled_at(self, job_id: str) -> datetime | None:
        """Return `Job.settled_at`, and None for an unknown job; this is much cheaper than the job."""
        ...

    async def get_many(self, job_ids: Sequence[str]) -> Sequence[Job]:
        """Return the known ones among `job_ids`, in that order."""
        ...

    async def replace(
        self, before: Job, after: Job, *, between: Sequence[JobEvent] = (), if_not_renewed: bool = False
    ) -> bool:
        """Write what may change of a job, and append `after.last_event`, if nobody changed it since `before`.

        The events that the job had `between` the two, the oldest first, are appended before that one: all of them or
        none. This holds only while the stored job has `before.seq`, `before.claim`'s worker (or none) and no outcome,
        and, with `if_not_renewed`, the very lease of `before.claim`; otherwise nothing is written and False is
        returned.
        """
        ...

    async def events(self, job_id: str) -> Sequence[JobEvent]:
        """Return a job's events in order of `seq`, complete up to the job's `last_event`."""
        ...

    async def count_poll(self, job_id: str, seq: int) -> int:
        """Count that somebody was shown an unfinished job with this `seq`, and return how often now.

        Return 0, and count nothing, if the job has another `seq` by now, has ended or is unknown. `replace` begins
        anew.
        """
        ...

    async def keep_faults(self, job: Job, faults: Sequence[JobFault]) -> bool:
        """Write what was decided for a job, at least one, if nobody changed it, or decided something, since `job`."""
        ...

    async def delete(self, job_id: str) -> bool:
        """Delete a job with its events, whatever its state; False if there is none. Its blobs stay."""
        ...

    async def latest_event_at(self) -> datetime | None:
        """Return the date of the last event of all jobs; None if there are no jobs."""
        ...

    async def set_taint(self, job_ids: Sequence[str], taint: ReadOnlyJson) -> int:
        """Write `Job.taint`, whatever state the jobs are in, and return how many of them there are."""
        ...

    async def change_slot(self, job_id: str, slot: Slot) -> bool:
        """Put a slot in the place of the one with its blob, whatever state the job is in; False if there is none."""
        ...

    async def sweep(self, now: datetime) -> int:
        """Delete workflows with their jobs, jobs and events whose `keep_until` has passed, and return how many jobs.

        The jobs of a workflow are never kept longer than it.
        """
        ...


class JobQueue(Protocol):
    """Hands jobs to workers, and finds those that need a scheduler. Raises `TransientError` while the store is away."""

    async def claim(self, claim: Claim, *, limit: int, only_timed: bool = False) -> Sequence[Job]:
        """Stamp `claim` on at most `limit` unclaimed unfinished jobs; highest priority first, then oldest, then id.

        Blocked jobs (`Job.is_blocked`) and those moved by requests are passed over; with `only_timed`, so are those
        whose namespace says what moves them. A claim is atomic between any number of claimers. It writes no
        event: the claimer's first `replace` does.
        """
        ...

    async def set_priority(self, job_id: str, priority: int) -> bool:
        """Change the priority of an unfinished job, by which it is claimed if nobody has it; False if there is none."""
        ...

    async def claim_jobs(self, claim: Claim, job_ids: Collection[str]) -> Sequence[Job]:
        """Stamp `claim` on those of `job_ids` that `claim` could get, and return them in its order."""
        ...

    async def renew(self, worker_id: str, job_ids: Collection[str], until: datetime) -> frozenset[str]:
        """Extend the leases of a worker on those of `job_ids` that it still holds, and return which these are."""
        ...

    async def with_expired_lease(self, now: datetime, *, limit: int) -> Sequence[Job]:
        """Return claimed unfinished jobs whose lease ended before `now`, the longest ended first."""
        ...

    async def held_by_dead(self, *, limit: int) -> Sequence[Job]:
        """Return claimed unfinished jobs whose worker's process is known to be gone; none if a store cannot know."""
        ...

    async def past_deadline(self, now: datetime, *, limit: int) -> Sequence[Job]:
        """Return unfinished jobs whose `expire_at` is at or before `now`."""
        ...

    async def blocked(self, *, after: str, limit: int) -> Sequence[Job]:
        """Return blocked jobs whose id is greater than `after`, in order of id."""
        ...

    async def snapshot(self, *, recent_since: datetime) -> QueueState:
        """Return every job that could be claimed now, and how many have ended since `recent_since`."""
        ...

    async def backlog(self) -> Backlog:
        """Return how many jobs could be claimed now, and how old they are; this is cheaper than the jobs."""
        ...

    async def is_stalled(self, *, since: datetime, now: datetime) -> bool:
        """Return whether a job that could be claimed is older than `since` while no lease is valid at `now`."""
        ...


class JobSearch(Protocol):
    """Answers questions about many jobs. Every method raises `TransientError` while the store is away."""

    async def find(self, criteria: JobCriteria, *, limit: int) -> Sequence[Job]:
        """Return the youngest matching jobs first (`Position`, descending); an index answers, however many there are.

        Fewer than `limit`, but never none, are returned if they are large: the job that brings the stored size to
        `MOST_BYTES_FOUND` is the last.
        """
        ...

    async def outcomes(self, job_ids: Sequence[str]) -> Mapping[str, Outcome | None]:
        """Return the outcomes of the known ones among `job_ids`; this is cheaper than the jobs."""
        ...

    async def spending(self, issued_by: str | None, *, since: datetime | None, until: datetime | None) -> Spending:
        """Sum up jobs created at `since` or later and before `until`, of one consumer or of all (None)."""
        ...


class EventFeed(Protocol):
    """Says which jobs got events, by any process, in the order of their positions; those of a job never go back.

    Whoever goes on from the `position` of the last page that it read misses nothing, however long ago that was. A write
    may become visible after one with a later position, up to `settling` later: so much of the feed is read again, and
    entries come again from there. A job that has changed since comes with its last events alone, as it has all up to
    their `seq`. Both methods raise `TransientError` while the store is away.
    """

    @property
    def settling(self) -> timedelta: ...

    async def last_position(self) -> str:
        """Return the position from which everything is read that is written from now on."""
        ...

    async def after(self, position: str, *, limit: int) -> FeedPage:
        """Return at most `limit` entries after a position of this feed; an empty one is before all others."""
        ...


class WebhookOutbox(Protocol):
    """Keeps the events that receivers do not know yet. Every method raises `TransientError` while the store is away.

    A new event of a job with a `callback_url` makes the job due at once, unless it waits for another attempt.
    """

    async def take_due(self, now: datetime, *, hold_until: datetime, limit: int) -> Sequence[DueWebhook]:
        """Take jobs with events to deliver that are due at `now`, the longest due first.

        They are held until `hold_until`: before that nobody else gets them, unless `mark_delivered` releases them.
        """
        ...

    async def next_due(self) -> datetime | None:
        """Return when the first job is due that has events to deliver, held or not; None if there is none."""
        ...

    async def mark_delivered(self, job_id: str, *, seq: int, attempt: CallbackAttempt | None = None) -> None:
        """Mark events up to `seq` as delivered, by an attempt that is kept; if newer ones exist, the job is due now."""
        ...

    async def mark_failed(
        self, job_id: str, *, retry_at: datetime | None, attempt: CallbackAttempt | None = None
    ) -> None:
        """Count a failed attempt, keep it, and make the job due at `retry_at`; None gives up all events so far."""
        ...

    async def postpone(self, job_id: str, *, until: datetime) -> None:
        """Make a job that has events to deliver due at that time, and count no failure."""
        ...

    async def await_next(self, job_id: str, *, seq: int) -> bool:
        """Let a job be due when it gets its next event, if the one with this `seq` is its last; else return False."""
        ...

    async def keep_fault(self, job_id: str, *, seq: int, fault: ReadOnlyJson) -> ReadOnlyJson | None:
        """Keep what goes wrong with the callback with this `seq`, unless that is decided already; return what is kept.

        Return None for an unknown job, or one with nobody to tell.
        """
        ...

    async def state(self, job_id: str) -> CallbackState | None:
        """Return what is known of the callbacks of a job; None for an unknown one."""
        ...
