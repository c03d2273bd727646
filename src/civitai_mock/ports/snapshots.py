"""Port of a store for snapshots: everything that one epoch of a namespace holds, but for the bytes of its blobs."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import field
from datetime import datetime
from typing import Protocol

from civitai_mock.domain.blob import Blob, UndrawnBlob
from civitai_mock.domain.callbacks import CallbackAttempt, CallbackFaults
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.job import Job
from civitai_mock.domain.resource import Resource
from civitai_mock.domain.workflow import Workflow
from civitai_mock.domain.workflow_search import Announcement


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Is what a store keeps of the callbacks of a job or a workflow: `CallbackState`, and the failures in a row."""

    told: int = -1
    due_at: datetime | None = None
    failures: int = 0
    attempts: tuple[CallbackAttempt, ...] = ()
    faults: CallbackFaults = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """Is a job with all that is kept of it: `earlier` are its events before the last, `polls` counts as `count_poll`.

    The `delivery` of a job without a receiver is as new.
    """

    job: Job
    earlier: tuple[JobEvent, ...] = ()
    delivery: Delivery = Delivery()
    polls: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowRecord:
    """Is a workflow with its announcements; one that announced nothing has no `delivery`.

    One that is deleted counts for what was spent.
    """

    workflow: Workflow
    is_deleted: bool = False
    announcements: tuple[Announcement, ...] = ()
    delivery: Delivery | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceRecord:
    """Is a resource of the namespace's own; without one, its row hides the shared resource with this `identity`."""

    identity: str
    resource: Resource | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterRecord:
    """Is a counter of `NamespaceStore.count`, with the number of times that it was counted."""

    key: str
    value: int


class SnapshotStore(Protocol):
    """Reads and writes all that an epoch holds. Every method raises `TransientError` while the store is away.

    Reading takes time, in which others write: each record is as it was at one moment, and what is written after the
    beginning may be there or not. Whoever reads workflows first, then jobs, then blobs finds all that these name, as
    each is stored after what names it; but for jobs of workflows that are younger than the reading.

    Only write into an epoch that nobody uses yet. Workflows come before their jobs.
    """

    def workflows(self) -> AsyncIterator[WorkflowRecord]:
        """Yield the workflows in order of id."""
        ...

    def jobs(self) -> AsyncIterator[JobRecord]:
        """Yield the jobs, the oldest first, each complete up to its last event."""
        ...

    def resources(self) -> AsyncIterator[ResourceRecord]:
        """Yield the namespace's own resources in order of identity; those that all share are not among them."""
        ...

    def blobs(self) -> AsyncIterator[Blob | UndrawnBlob]:
        """Yield what is known of the blobs, in order of key."""
        ...

    def counters(self) -> AsyncIterator[CounterRecord]: ...

    async def write_workflows(self, records: Sequence[WorkflowRecord]) -> None: ...

    async def write_jobs(self, records: Sequence[JobRecord]) -> None: ...

    async def write_resources(self, records: Sequence[ResourceRecord]) -> None: ...

    async def write_counters(self, records: Sequence[CounterRecord]) -> None: ...
