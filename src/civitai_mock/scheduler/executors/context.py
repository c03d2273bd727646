"""What a claimed job carries with it from stage to stage, and what its executors work with."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from civitai_mock.domain.blob import Blob, Slot
from civitai_mock.domain.errors import JobError, NotFoundError
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import Json, JsonObject, ReadOnlyJson
from civitai_mock.generation.graph import Skeleton
from civitai_mock.network.images import ImageFetcher
from civitai_mock.ports import Artist, BlobStore, Clock, Ids, InputFile, JobStore, Provider
from civitai_mock.scheduler.progress import ProgressReporter
from civitai_mock.services.blob_urls import BlobUrls, OwnBlobs
from civitai_mock.services.consumers import owner_of

Tell = Callable[[JsonObject, Sequence[Slot]], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerServices:
    """What the steps work with; the same for all jobs of a worker.

    `pace` is what the seconds of simulated work are multiplied with: 0 is at once.
    """

    provider: Provider
    artist: Artist
    jobs: JobStore
    blobs: BlobStore
    skeletons: Mapping[str, Skeleton]
    clock: Clock
    ids: Ids
    pace: float
    turns: ProgressReporter
    images: ImageFetcher
    blob_urls: BlobUrls
    own_blobs: OwnBlobs

    async def pretend(self, seconds: float) -> None:
        """Take the time that a model would."""
        if seconds * self.pace > 0:
            await self.clock.sleep(seconds * self.pace)


class Executor:
    """How one kind of work is done, stage by stage; a kind has nothing to do where it says nothing."""

    async def prepare(self, work: "JobContext") -> None:
        """Before PROMPT_PREPARED."""

    async def send(self, work: "JobContext") -> None:
        """Before SENT_TO_COMFY."""

    async def collect(self, work: "JobContext") -> None:
        """Before COMFY_RESULT: leave `slots` or a `result`, or raise `JobError`."""


@dataclass(slots=True, kw_only=True)
class JobContext:
    """`context` gathers what the job's last event will tell (v1 description: `JobEvent.context`).

    `tell` writes an event in between, with the slots as they are then; `graph` is the one that runs, `files` are those
    that it reads. `found` says, once it was sent, that the provider had its prompt from an earlier claim.
    """

    job: Job
    tools: RunnerServices
    tell: Tell
    way: Executor = field(default_factory=Executor)
    context: JsonObject = field(default_factory=dict)
    slots: tuple[Slot, ...] = ()
    result: Json = None
    prompt_id: str | None = None
    found: bool = False
    files: tuple[InputFile, ...] = ()
    graph: ReadOnlyJson = field(default_factory=dict)

    @property
    def reach(self) -> str | None:
        """Whose jobs and blobs the job may name: the `owner` of services."""
        return owner_of(self.job.issued_by)

    async def named_blob(self, key: str) -> Blob:
        """A blob that the request names; raise `JobError` if it is not there for the job's consumer."""
        try:
            return await self.tools.own_blobs.get(key, owner=self.reach)
        except NotFoundError as error:
            raise JobError(error.message) from error
