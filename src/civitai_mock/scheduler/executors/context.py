"""What a claimed job carries from stage to stage, and the services that its executor works with."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from civitai_mock.domain.blob import Blob, BlobFacts, Slot, UndrawnBlob
from civitai_mock.domain.changed import changed
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import ForbiddenError, JobError, NotFoundError, NotStartedError
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import Json, JsonObject, ReadOnlyJson
from civitai_mock.domain.stages import Outcome, Stage
from civitai_mock.generation.graph import Skeleton
from civitai_mock.generation.recipe import Recipe, recipe_text
from civitai_mock.network.media import MediaFetcher
from civitai_mock.ports import Artist, BlobStore, Clock, Ids, InputFile, JobStore, LoadInput, Metrics, Provider
from civitai_mock.scheduler.progress import ProgressReporter
from civitai_mock.services.blob_drawing import OpenBlob
from civitai_mock.services.blob_reading import JobReading, SilentBlobError, SpoiledInputError
from civitai_mock.services.blob_urls import OwnBlobLinks
from civitai_mock.services.blobs import BlobAccess
from civitai_mock.services.consumers import owner_of
from civitai_mock.services.faults.jobs import JobFaults
from civitai_mock.services.progress_policy import ProgressPolicy

if TYPE_CHECKING:
    from civitai_mock.domain.progress_modes import StagePlan
    from civitai_mock.services.archives import BlobArchives
    from civitai_mock.services.find_results import FindResults

Publish = Callable[[JsonObject, Sequence[Slot]], Awaitable[None]]
Hold = Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]
StoreStages = Callable[[], Awaitable[None]]


PREEMPTED = "preempted"
POD_GONE = "The worker was taken away without a warning."


class StagesNotStoredError(Exception):
    """Stands for what went wrong while stages were stored that a step had to have stored: no fault of the step."""


class PutBackError(Exception):
    """Ends the claim of a job before its work is done; `change` says what becomes of the job, and when that is."""

    def __init__(self, change: Callable[[Job, datetime], Job]) -> None:
        super().__init__("the claim ends")
        self.change = change


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPlace:
    """Says where a fleet has a job run: with which provider, by which rule, and for how long unless a mode says so.

    `pod_id` is of what can be taken away, and `engine` of the ComfyUI server that alone may run it; of others it had
    rather not use the `engines_of_others`. A job that `leaves_pod` may have a prompt where it was before.
    """

    provider: str
    reason: str
    lasts: timedelta
    pod_id: str | None
    engine: str | None = None
    engines_of_others: Collection[str] = ()
    leaves_pod: bool = False


async def cannot_wait(_: Callable[[], Awaitable[bool]]) -> None:
    """Raise `NotStartedError`, as whoever moves the job by a request does not wait for anything."""
    raise NotStartedError("The job is kept where it is.")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerServices:
    """Holds what all jobs of a worker are worked on with.

    What happens to jobs is dated by `clock`; leases run by `system_clock`. `pace` is the factor by which the seconds of
    simulated work are multiplied: 0 is at once. `archives` are loaded at first use, and `find_results` is there
    if results are kept. `lose_job` deletes a job without a word, with its workflow. `preempt_pod` takes a pod away so
    many seconds after a warning.
    """

    provider: Provider
    artist: Artist
    jobs: JobStore
    blobs: BlobStore
    skeletons: Mapping[str, Skeleton]
    clock: Clock
    system_clock: Clock
    ids: Ids
    pace: float
    progress_policy: ProgressPolicy
    job_faults: JobFaults
    lose_job: Callable[[Job], Awaitable[object]]
    preempt_pod: Callable[[str, float], Awaitable[object]]
    progress_reporter: ProgressReporter
    media_fetcher: MediaFetcher
    own_blob_links: OwnBlobLinks
    blob_access: BlobAccess
    metrics: Metrics
    archives: Callable[[], "BlobArchives"]
    find_results: "FindResults | None" = None


class Executor:
    """Does one kind of work, stage by stage; what a kind does not override, it has no need of.

    Before a step waits for anything but the store, it calls `JobContext.before_waiting`. One that `spreads_time` has
    its work last as long as the plan of the job says of SENT_TO_COMFY; for the others that time is over before.
    """

    spreads_time = False

    async def prepare(self, context: "JobContext") -> None:
        """Do what comes before PROMPT_PREPARED."""

    async def send(self, context: "JobContext") -> None:
        """Do what comes before SENT_TO_COMFY."""

    async def collect(self, context: "JobContext") -> None:
        """Do what comes before COMFY_RESULT: leave `slots` or a `result`, or raise `JobError`."""


@dataclass(slots=True, kw_only=True)
class JobContext:
    """Carries a claimed job, and what its stages leave to those after them.

    `event_context` gathers what the job's next event says (v1 description: `JobEvent.context`); `publish` writes an
    event in between, with the slots as they are then. Stages that take no time are stored together; `before_waiting`
    stores those that were entered so far, so that others see them while the job waits, and a crash does not undo them.
    `files` are those that the graph reads, `inputs` those of an operation on files. Three are known once the work is
    sent: `graph` is the one that runs, `is_resumed` says that an earlier claim had begun what goes on now, `is_done`
    that the outputs are there already. `plan` says how long stages last that are not left to the simulation, and
    `entries` when they were entered first, by whatever worker. `hold` waits for as long as the call that it gets says
    that there is something to wait for; the job does not time out meanwhile. `place` is where a fleet has the job run,
    and `is_cached` says that its results were there already.
    """

    job: Job
    services: RunnerServices
    publish: Publish
    before_waiting: StoreStages
    executor: Executor = field(default_factory=Executor)
    event_context: JsonObject = field(default_factory=dict)
    slots: tuple[Slot, ...] = ()
    result: Json = None
    prompt_id: str | None = None
    is_resumed: bool = False
    is_done: bool = False
    files: tuple[InputFile, ...] = ()
    inputs: tuple[LoadInput, ...] = ()
    graph: ReadOnlyJson = field(default_factory=dict)
    plan: "StagePlan | None" = None
    entries: dict[Stage, datetime] = field(default_factory=dict)
    hold: Hold = cannot_wait
    place: JobPlace | None = None
    is_cached: bool = False

    def succeeded(self, job: Job, *, at: datetime) -> Job:
        """Return the job as one that has ended with what its executor has left."""
        ended = job.ended(Outcome.SUCCEEDED, at=at, context=self.event_context, slots=self.slots, result=self.result)
        return changed(ended, cost=0.0, keeps_cost=True) if self.is_cached else ended

    @property
    def owner(self) -> str | None:
        """Return whose jobs and blobs the job may name; None for everybody's."""
        return owner_of(self.job.issued_by)

    def planned(self, stage: Stage) -> timedelta | None:
        """Return how much is left of the time that the job is to stay in a stage; None leaves it to the simulation."""
        planned = None if self.plan is None else self.plan.durations.get(stage)
        entered = self.entries.get(stage)
        if not planned or entered is None:
            return planned
        return max(planned - (self.services.clock.now() - entered), timedelta())

    async def wait_out(self, stage: Stage) -> None:
        """Return when the job has been in a stage for as long as its plan says."""
        await self._wait((self.planned(stage) or timedelta()).total_seconds())

    async def simulate_work(self, seconds: float, *, part: float = 1.0) -> None:
        """Take the time that a model would, or, where there is a plan, a part of that of SENT_TO_COMFY.

        The plan's time is over already unless the executor `spreads_time`.
        """
        planned = None if self.plan is None else self.plan.durations.get(Stage.SENT_TO_COMFY)
        if planned is None:
            await self._wait(seconds * self.services.pace)
        elif self.executor.spreads_time:
            await self._wait(planned.total_seconds() * part)

    async def take_time(self, seconds: float) -> None:
        """Let so much time pass, if the job is one that takes any."""
        if self.hold is not cannot_wait:
            await self._wait(seconds)

    async def _wait(self, seconds: float) -> None:
        if seconds > 0:
            await self.before_waiting()
            await self.services.clock.sleep(seconds)

    async def open_blob(self, key: str) -> OpenBlob:
        """Return a blob that the request names; raise `JobError` if the job's consumer has none under that key."""
        try:
            with self.reading() as reading:
                return await self.services.blob_access.open(key, owner=self.owner, reading=reading)
        except NotFoundError as error:
            raise JobError(error.message) from error

    @contextmanager
    def reading(self, *, signed_at: datetime | None = None) -> Iterator[JobReading]:
        """Yield how the job reads a blob; raise `SpoiledInputError` if a fault of the blob keeps it from that."""
        reading = JobReading(signed_at=signed_at)
        try:
            yield reading
        except (ForbiddenError, NotFoundError, SilentBlobError) as error:
            if reading.hit is None:
                raise
            raise SpoiledInputError(f"Cannot load an input: {error.message}") from error

    async def store_blob(self, key: str, content: AsyncIterator[bytes], content_type: str) -> Blob:
        """Store a file of the job for as long as the job is kept."""
        job = self.job
        return await self.services.blobs.put(
            key, content, content_type=content_type, keep_until=job.keep_until, owner=job.issued_by
        )

    async def fill_slot(self, slot: Slot, content: AsyncIterator[bytes], content_type: str) -> Slot:
        """Store the file of a slot, and return the slot as available."""
        job = self.job
        await self.services.blobs.put(
            slot.blob_key,
            content,
            content_type=content_type,
            keep_until=job.keep_until,
            owner=job.issued_by,
            facts=self._facts_of(slot),
            fault=self._blob_fault,
        )
        return replace(slot, available=True)

    def undrawn_blob(self, slot: Slot, recipe: Recipe, content_type: str) -> UndrawnBlob:
        """Return a file of the job that is made when somebody asks for it."""
        job = self.job
        return UndrawnBlob(
            key=slot.blob_key,
            content_type=content_type,
            recipe=recipe_text(recipe),
            keep_until=job.keep_until,
            owner=job.issued_by,
            facts=self._facts_of(slot),
            fault=self._blob_fault,
        )

    def _facts_of(self, slot: Slot) -> BlobFacts:
        """Return what is known of the file of a slot, at least which job made it."""
        return slot.facts or BlobFacts(job_id=self.job.id)

    @property
    def _blob_fault(self) -> JsonObject | None:
        """Return what the request of the job asked to go wrong with its files; None for nothing, as mostly."""
        if self.job.asked_fault is None:
            return None
        from civitai_mock.services.faults.blobs import asked_fault  # noqa: PLC0415 - loaded for whoever asks

        return asked_fault(self.job.asked_fault, made_at=self.services.clock.now())
