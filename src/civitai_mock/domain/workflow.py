"""A workflow has steps, which make jobs; every change that it may go through is a method.

How far it is follows from its jobs: see `workflow_progress`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from civitai_mock.domain.changed import changed
from civitai_mock.domain.cost import StepCost, Tips
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.job import Job, WorkflowPlace
from civitai_mock.domain.json_types import Json, ReadOnlyJson
from civitai_mock.domain.money import Account, Transaction, spent_by_account

MOST_TAGS = 10
LONGEST_TAG = 200  # characters


class WorkflowStatus(StrEnum):
    """Says how far a workflow, a step or a job of one is, in the words of the v2 description; the order is theirs."""

    UNASSIGNED = "unassigned"
    PREPARING = "preparing"
    SCHEDULED = "scheduled"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELED = "canceled"

    @property
    def is_over(self) -> bool:
        return self in OVER

    @property
    def is_failed(self) -> bool:
        """Return whether it is over and did not succeed."""
        return self in FAILURES


FAILURES = frozenset({WorkflowStatus.FAILED, WorkflowStatus.EXPIRED, WorkflowStatus.CANCELED})
OVER = FAILURES | {WorkflowStatus.SUCCEEDED}


class UpgradeMode(StrEnum):
    """Says whether withheld outputs are paid for in yellow Buzz by themselves."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"


UPGRADE_MODES: Mapping[str, UpgradeMode] = {str(mode): mode for mode in UpgradeMode}


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """Says where events of a workflow are sent: those of `types` (`workflow:succeeded`, `step:*`)."""

    url: str
    types: tuple[str, ...]
    detailed: bool = False

    def wants(self, scope: str, status: str) -> bool:
        return f"{scope}:{status}" in self.types or f"{scope}:*" in self.types


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFailure:
    """Says why a step could not be made ready, and when that was found."""

    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowStep:
    """Is a step: what was asked for, the first block, and what was made of it.

    `input` is the echo of what was sent; references to steps whose places are in `sources` stay in it until all of them
    have succeeded. Then the step is made ready, with the ids of its first `jobs`, or it has a `failure`. What the input
    leaves open is drawn by `seed`. `spawned_by` is the place of the `repeat` that made the step.
    """

    name: str
    type: str
    input: Json
    priority: str = "low"
    timeout: timedelta | None = None
    retries: int | None = None
    metadata: ReadOnlyJson = field(default_factory=dict)
    cost: StepCost = field(default_factory=StepCost)
    sources: tuple[int, ...] = ()
    seed: int | None = None
    spawned_by: int | None = None

    jobs: tuple[str, ...] = ()
    ready_at: datetime | None = None
    failure: StepFailure | None = None

    @property
    def waits(self) -> bool:
        return self.ready_at is None and self.failure is None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowMemo:
    """Keeps what follows from the jobs of a workflow that is over, so that it need not be found again."""

    status: WorkflowStatus
    started_at: datetime | None
    completed_at: datetime
    credits: tuple[Transaction, ...] = ()
    nsfw_level: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """Holds what never changes of a workflow, the first block, and what does; a change makes a new one.

    `version` is what a conditional write is compared with. `owner` is the consumer. URLs in it are made with the
    `base_url` of its request. `nsfw_level` is as sent. `external_id` is unique among the workflows of an owner.
    `progress` is the mode in which its jobs move, if its request named one (see `progress_modes`), and `asked_fault`
    the rule of faults that it asked for.
    """

    id: str
    owner: str
    trace_id: str
    base_url: str
    created_at: datetime
    arguments: ReadOnlyJson = field(default_factory=dict)
    callbacks: tuple[Callback, ...] = ()
    currencies: tuple[Account, ...] = ()
    upgrade_mode: UpgradeMode = UpgradeMode.AUTOMATIC
    tips: Tips = field(default_factory=Tips)
    experimental: bool | None = None
    nsfw_level: str | None = None
    is_ephemeral: bool = False
    external_id: str | None = None
    progress: ReadOnlyJson | None = None
    asked_fault: ReadOnlyJson | None = None

    version: int = 0
    keep_until: datetime
    tags: tuple[str, ...] = ()
    metadata: ReadOnlyJson = field(default_factory=dict)
    allow_mature_content: bool | None = None
    steps: tuple[WorkflowStep, ...]
    transactions: tuple[Transaction, ...] = ()
    canceled_at: datetime | None = None
    memo: WorkflowMemo | None = None

    @property
    def all_transactions(self) -> Sequence[Transaction]:
        """Return the charge, and what was given back of it once the workflow was over."""
        return (*self.transactions, *(self.memo.credits if self.memo else ()))

    @property
    def spent(self) -> Mapping[Account, int]:
        return spent_by_account(self.all_transactions)

    def charged(self, transactions: Sequence[Transaction], *, forbids_mature_content: bool = False) -> Self:
        """Return the workflow with more transactions, whose accounts may be such as pay for no mature content."""
        allowed = False if forbids_mature_content else self.allow_mature_content
        return self._changed(transactions=(*self.transactions, *transactions), allow_mature_content=allowed)

    def described(
        self,
        *,
        tags: Sequence[str] | None = None,
        metadata: ReadOnlyJson | None = None,
        allow_mature_content: bool | None = None,
    ) -> Self:
        """Return the workflow with these members in the place of what it had; None keeps them."""
        kept = None if tags is None else tuple(tags)
        changes = {"tags": kept, "metadata": metadata, "allow_mature_content": allow_mature_content}
        return self._changed(**{name: value for name, value in changes.items() if value is not None})

    def canceled(self, *, at: datetime) -> Self:
        """Return the workflow with the wish of its consumer that it end; its jobs have to be ended, too."""
        return self if self.canceled_at else self._changed(canceled_at=at)

    def with_step(self, index: int, **changes: object) -> Self:
        """Return the workflow with changes of members of one step."""
        steps = list(self.steps)
        steps[index] = changed(steps[index], **changes)
        return self._changed(steps=tuple(steps))

    def step_made_ready(self, index: int, step_input: Json, *, jobs: int, at: datetime) -> Self:
        """Return the workflow with a step whose input is complete and that has so many jobs."""
        ids = tuple(WorkflowPlace(workflow_id=self.id, step=index, index=place).job_id for place in range(jobs))
        return self.with_step(index, input=step_input, jobs=ids, ready_at=at)

    def steps_made_ready(self, jobs: Mapping[int, Sequence[str]], *, at: datetime) -> Self:
        """Return the workflow with steps, by their places, whose inputs are complete and that have these first jobs."""
        steps = list(self.steps)
        for index, ids in jobs.items():
            steps[index] = changed(steps[index], jobs=tuple(ids), ready_at=at)
        return self._changed(steps=tuple(steps))

    def step_failed(self, index: int, *, reason: str, at: datetime) -> Self:
        """Return the workflow with a step that can never be made ready."""
        return self.with_step(index, failure=StepFailure(reason=reason, at=at))

    def step_retried(self, place: WorkflowPlace) -> Self:
        """Return the workflow with one more job, of that place, in its step."""
        return self.with_step(place.step, jobs=(*self.steps[place.step].jobs, place.job_id))

    def with_more_steps(self, steps: Sequence[WorkflowStep]) -> Self:
        """Return the workflow with the steps that a `repeat` spawned."""
        return self._changed(steps=(*self.steps, *steps))

    def over(self, memo: WorkflowMemo, *, keep_until: datetime) -> Self:
        """Return the workflow with what is known for good."""
        return self._changed(memo=memo, keep_until=keep_until)

    def revised(self) -> Self:
        """Return the workflow as another version, as what is shown of its jobs has changed after their end."""
        return self if self.memo is None else self._changed()

    def _changed(self, **changes: object) -> Self:
        return changed(self, version=self.version + 1, **changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowSnapshot:
    """Is a workflow with its jobs, as they were read together; some of them may not be stored yet."""

    workflow: Workflow
    jobs: Sequence[Job]


def jobs_by_workflow(jobs: Iterable[Job]) -> Mapping[str, Sequence[Job]]:
    """Group jobs by the id of their workflow, in the order of their place."""
    placed = [(job.workflow, job) for job in jobs if job.workflow is not None]
    grouped: dict[str, list[Job]] = {}
    for place, job in sorted(placed, key=lambda found: (found[0].step, found[0].index, found[0].attempt)):
        grouped.setdefault(place.workflow_id, []).append(job)
    return grouped


def checked_tags(tags: Sequence[str], *, path: str = "tags") -> tuple[str, ...]:
    """Return the tags, each once; raise `InvalidRequestError` for more than `MOST_TAGS`, and empty or long ones."""
    unique = tuple(dict.fromkeys(tags))
    errors = {
        f"{path}[{index}]": [f"A tag must have 1 to {LONGEST_TAG} characters; found {len(tag)}."]
        for index, tag in enumerate(tags)
        if not 1 <= len(tag) <= LONGEST_TAG
    }
    if len(unique) > MOST_TAGS:
        errors[path] = [f"A workflow may have at most {MOST_TAGS} tags; found {len(unique)}."]
    if errors:
        raise InvalidRequestError("One or more tags are invalid.", errors=errors)
    return unique
