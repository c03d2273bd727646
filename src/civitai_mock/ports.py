"""Ports: the protocols by which the core reaches stores, providers, the clock and random ids."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from civitai_mock.domain.air import Air, Reference
from civitai_mock.domain.blob import Blob
from civitai_mock.domain.claims import Claim
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.job import NORMAL, Job, JobResource
from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.domain.resource import Resource
from civitai_mock.domain.search import Budget, DueWebhook, JobCriteria, QueueState, Spending
from civitai_mock.domain.stages import Outcome
from civitai_mock.generation.work import FileRole


class Clock(Protocol):
    """Tells the time in aware UTC, and waits for it."""

    def now(self) -> datetime: ...

    async def sleep(self, seconds: float) -> None: ...


class Ids(Protocol):
    """Draws everything random, so that tests can draw the same again."""

    def uuid(self) -> str:
        """Return a lower-case hyphenated UUID, the form of ComfyUI's prompt ids."""
        ...

    def seed(self) -> int:
        """Return a number from 0 to 2**32 - 1, the range of v1 seeds."""
        ...


class JobStore(Protocol):
    """Stores jobs and their events. Every method raises `TransientError` while the store is away."""

    async def add(self, jobs: Sequence[Job], *, budget: Budget | None = None) -> None:
        """Store new jobs, each with its `last_event` (Initialized): all of them or none, durable on return.

        Raise `InsufficientBuzzError` if, with them, the charged and not refunded jobs of the budget's consumer would
        cost more than its limit; two submissions at once never exceed it together. Raise `ConflictError` if a job with
        one of the ids exists already.
        """
        ...

    async def get(self, job_id: str) -> Job | None: ...

    async def get_many(self, job_ids: Sequence[str]) -> Sequence[Job]:
        """Return the known ones among `job_ids`, in that order."""
        ...

    async def replace(self, before: Job, after: Job, *, if_not_renewed: bool = False) -> bool:
        """Write what may change of a job, and append `after.last_event`, if nobody changed it since `before`.

        This holds only while the stored job has `before.seq`, `before.claim`'s worker (or none) and no outcome, and,
        with `if_not_renewed`, the very lease of `before.claim`; otherwise nothing is written and False is returned.
        """
        ...

    async def events(self, job_id: str) -> Sequence[JobEvent]:
        """Return a job's events in order of `seq`, complete up to the job's `last_event`."""
        ...

    async def set_taint(self, job_ids: Sequence[str], taint: ReadOnlyJson) -> int:
        """Write `Job.taint`, whatever state the jobs are in, and return how many of them there are."""
        ...

    async def sweep(self, now: datetime) -> int:
        """Delete jobs and events whose `keep_until` has passed, and return how many jobs were deleted."""
        ...


class JobQueue(Protocol):
    """Hands jobs to workers, and finds those that need a scheduler. Raises `TransientError` while the store is away."""

    async def claim(self, claim: Claim, *, limit: int) -> Sequence[Job]:
        """Stamp `claim` on at most `limit` unclaimed unfinished jobs; highest priority first, then oldest, then id.

        Blocked jobs (`Job.is_blocked`) are passed over. A claim is atomic between any number of claimers. It writes no
        event: the claimer's first `replace` does.
        """
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

    async def stands_still(self, *, since: datetime, now: datetime) -> bool:
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


class WebhookOutbox(Protocol):
    """Keeps the events that receivers do not know yet. Every method raises `TransientError` while the store is away.

    A new event of a job with a `callback_url` makes the job due at once, unless it waits for another attempt.
    """

    async def take_due(self, now: datetime, *, hold_until: datetime, limit: int) -> Sequence[DueWebhook]:
        """Take jobs with events to deliver that are due at `now`, the longest due first.

        They are held until `hold_until`: before that nobody else gets them, unless `mark_delivered` releases them.
        """
        ...

    async def mark_delivered(self, job_id: str, *, seq: int) -> None:
        """Mark events up to `seq` as delivered; if newer ones exist, the job is due immediately."""
        ...

    async def mark_failed(self, job_id: str, *, retry_at: datetime | None) -> None:
        """Count a failed attempt, and make the job due at `retry_at`; None gives up all events so far."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourcePage:
    total: int
    items: Sequence[Resource]


class ResourceStore(Protocol):
    """Stores resources by AIR, in any case. Every method raises `TransientError` while the store is away.

    There is never more than one resource with one `Air.identity`, however many processes add some at once.
    """

    async def add(self, resource: Resource) -> None:
        """Store a new resource; raise `ConflictError` if one with its identity exists already."""
        ...

    async def add_missing(self, resources: Sequence[Resource]) -> int:
        """Store the resources whose identity is new, and return how many these are."""
        ...

    async def find(self, references: Sequence[Reference]) -> Mapping[str, Resource]:
        """Return the known resources by `str(reference)`; see `domain.resource.named`."""
        ...

    async def replace(self, resource: Resource) -> bool:
        """Put a resource, with its spelling, in the place of the one with its identity; False if there is none."""
        ...

    async def delete(self, air: Air) -> bool:
        """Delete the resource with that identity; False if there is none."""
        ...

    async def search(self, query: str, *, offset: int, limit: int) -> ResourcePage:
        """Return resources in order of AIR whose `Resource.search_text` has `query` literally, in any case."""
        ...


class BlobStore(Protocol):
    """Stores bytes by key. Every method raises `TransientError` while the store is away."""

    async def put(
        self,
        key: str,
        content: AsyncIterator[bytes],
        *,
        content_type: str,
        keep_until: datetime,
        owner: str | None = None,
    ) -> Blob:
        """Store or replace a blob: all of it or nothing, durable on return; the etag is a digest of the bytes."""
        ...

    async def stat(self, key: str) -> Blob | None: ...

    def read(self, key: str, *, start: int, stop: int) -> AsyncIterator[bytes]:
        """Yield bytes `start` to `stop` (exclusive) in bounded chunks; raise `NotFoundError` for a deleted blob."""
        ...

    async def delete(self, key: str) -> bool:
        """Delete a blob; False if there is none."""
        ...

    async def sweep(self, now: datetime) -> int:
        """Delete blobs whose `keep_until` has passed, and return how many these are."""
        ...


class SecretStore(Protocol):
    """Keeps random keys that all processes on one store share."""

    async def secret(self, name: str) -> bytes:
        """Return 32 bytes, which are drawn at first use."""
        ...


class StoreHealth(Protocol):
    """Says whether the store can be used now; `description` names it to people."""

    description: str

    async def ping(self) -> None:
        """Raise `TransientError` within a few seconds if the store cannot be used."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """One open store by the roles that it plays; whoever opened it closes it."""

    jobs: JobStore
    queue: JobQueue
    search: JobSearch
    webhooks: WebhookOutbox
    resources: ResourceStore
    blobs: BlobStore
    secrets: SecretStore
    health: StoreHealth


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile:
    """An image that a graph reads under `name`; `digest` is one of its bytes, `read` yields them from the start."""

    name: str
    content_type: str
    digest: str
    read: Callable[[], AsyncIterator[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A graph on its way to a provider, under a prompt id that was stored before; it names the files of `resources`.

    See `GraphWork` for `alternatives`, `roles` and `words_name_embeddings`. A provider that cannot run one of the
    `optional_nodes` leaves it out, so that the links into it take the place of its outputs, in their order. If prompts
    wait, the higher `priority` goes first.
    """

    prompt_id: str
    job_id: str
    trace_id: str
    graph: ReadOnlyJson
    alternatives: Sequence[ReadOnlyJson] = ()
    resources: Sequence[JobResource] = ()
    files: Sequence[InputFile] = ()
    roles: Sequence[FileRole] = ()
    words_name_embeddings: bool = False
    optional_nodes: Collection[str] = ()
    priority: int = NORMAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A provider's answer to a submission; `response` is ComfyUI's own answer body, `graph` the one that runs.

    `found` says that the provider had the prompt already, waiting, running or ended: nothing was sent, and nothing
    that an earlier claim of its job had begun is lost. `left_out` says why optional nodes are not in
    `graph`; for a prompt that was found it may be unknown.
    """

    prompt_id: str
    response: ReadOnlyJson
    graph: ReadOnlyJson
    found: bool = False
    left_out: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A file that an output node made; `content` can be read once."""

    node_id: str
    content_type: str
    content: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """All files that a graph made, in order of node and batch index; `facts` go into the job's last event."""

    items: Sequence[Output]
    facts: ReadOnlyJson


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A rough view of an image while it is sampled."""

    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a prompt is: at `step` of the `steps` of the node that runs."""

    node_id: str
    step: int
    steps: int
    preview: Preview | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerReport:
    """The state of one worker; `reason` says why it is not `ready`, `models` are its files by ComfyUI's folders."""

    id: str
    ready: bool
    reason: str = ""
    version: str = ""
    in_flight: int = 0
    max_in_flight: int | None = None
    ecosystems: Sequence[str] = ()
    models: Mapping[str, Sequence[str]] = field(default_factory=dict)


class Provider(Protocol):
    """Runs graphs. Raises `JobError` for what ends the job, `TransientError` for what may pass.

    `reads_files` says whether it needs the content of all images that graphs read; otherwise it uses those that are
    stored here, and only the names of the others.
    """

    name: str
    description: str
    reads_files: bool

    async def send(self, submission: Submission) -> Receipt:
        """Start a graph; a prompt id that is known, unfinished or done, is not started again."""
        ...

    async def collect(self, prompt_id: str) -> Outputs:
        """Wait for the end of a prompt; raise `TransientError` if the provider has lost it."""
        ...

    async def cancel(self, prompt_id: str) -> None:
        """Stop a prompt wherever it is; an unknown or finished one is not an error."""
        ...

    async def strays(self) -> Mapping[str, str]:
        """Return prompts that wait or run there and that this process does not follow, each with its job's id."""
        ...

    def progress(self, prompt_id: str) -> Progress | None:
        """Return how far a prompt is; None if it waits, has ended or is unknown."""
        ...

    def waited_until(self, prompt_id: str) -> datetime | None:
        """Return when a prompt's turn came, which is now while it waits for others; None if it waits for nobody."""
        ...

    @property
    def workers(self) -> Sequence[WorkerReport]:
        """Return all workers, those that do not answer included."""
        ...

    def workers_with(self, resources: Sequence[JobResource]) -> int:
        """Return how many ready workers have the files of all of these resources."""
        ...


class Artist(Protocol):
    """Draws images in place of models and files that are not here; the same request always gets the same image."""

    async def draw(self, subject: str, *, seed: int) -> bytes:
        """Return a PNG file that has something to do with the subject."""
        ...

    async def transform(self, transformer: str, picture: bytes) -> bytes:
        """Do to an image what v1's ImageTransformer of that name does; raise `JobError` for other bytes."""
        ...
