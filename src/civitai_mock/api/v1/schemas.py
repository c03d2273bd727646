"""The bodies of v1 answers. Names are the official ones; members stand in the order of real answers.

A member that may be missing is left out, never null.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, NotRequired, TypeAlias

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from civitai_mock.api.v1.job_types import AnyJobRequest
from civitai_mock.domain.stages import JobEventType
from civitai_mock.services.availability import Availability, JobSupport

Members: TypeAlias = Mapping[str, object]
DateTime: TypeAlias = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
TimeSpan: TypeAlias = Annotated[str, Field(json_schema_extra={"examples": ["00:00:12.0816066"]})]


class JobSlot(TypedDict):
    """Where one image of a job goes."""

    imageHash: str
    destinationUrl: str


class PromptClassification(TypedDict):
    """What a scan of the prompt found; here it is always harmless."""

    scan: bool
    sexual: bool
    cr: bool
    young: bool


@with_config(ConfigDict(extra="allow"))
class Job(TypedDict):
    """The job itself, whose other members depend on its type. `taint` is what a consumer found wrong with it."""

    Type: str
    slots: NotRequired[Sequence[JobSlot]]
    promptClassificationResult: NotRequired[PromptClassification]
    claimDuration: TimeSpan
    type: str
    id: str
    createdAt: DateTime
    expireAt: DateTime
    properties: Members
    cost: float
    maxRetryAttempt: int
    dependencies: Members
    issuedBy: str
    version: int
    jobDependencies: Sequence[str]
    resources: Sequence[str]
    additionalResources: Sequence[str]
    recovered: bool
    name: NotRequired[str]
    webhook: NotRequired[str]
    taint: NotRequired[Members]


class BlobLink(TypedDict, total=False):
    """The members that a result has once its blob is there."""

    blobUrl: str
    blobUrlExpirationDate: DateTime


class ImageResult(TypedDict):
    """One image; it has a URL once it is there."""

    blobKey: str
    available: bool
    blobUrl: NotRequired[str]
    blobUrlExpirationDate: NotRequired[DateTime]
    seed: NotRequired[int]


class Seed(TypedDict, total=False):
    """The member that the result of an image has if a seed made it."""

    seed: int


class ClaimHolder(TypedDict, total=False):
    """The members that an event has once a worker has claimed the job."""

    provider: str
    workerId: str


class ClaimTime(TypedDict, total=False):
    """The member that an event has once its claim has taken time."""

    claimDuration: TimeSpan


class JobEvent(TypedDict):
    """An event of a job; `provider`, `workerId` and `claimDuration` are there once the job was claimed."""

    jobId: str
    type: JobEventType
    dateTime: DateTime
    provider: NotRequired[str]
    workerId: NotRequired[str]
    context: Members
    claimDuration: NotRequired[TimeSpan]
    jobDuration: TimeSpan
    retryAttempt: int
    jobType: str
    claimHasCompleted: bool
    jobHasCompleted: bool


class ProviderJobQueuePosition(TypedDict):
    """The place of a job in the queue; `throughputRate` is in jobs per second, over the last five minutes."""

    precedingJobs: int
    precedingCost: float
    throughputRate: float
    estimatedStartDuration: TimeSpan
    estimatedStartDate: DateTime


class ProviderJobStatus(TypedDict):
    """Whether a provider can run a job; `queuePosition` is there until the job is claimed."""

    support: JobSupport
    queuePosition: NotRequired[ProviderJobQueuePosition]


class Queued(TypedDict, total=False):
    """The member that a provider's status has until the job is claimed."""

    queuePosition: ProviderJobQueuePosition


class JobDetail(TypedDict, total=False):
    """The member that a status has if `detailed` asks for it."""

    job: Job


class Support(TypedDict, total=False):
    """The member that a status has until the job ends."""

    serviceProviders: Mapping[str, ProviderJobStatus]


class PreviewBlob(TypedDict):
    """A sketch of the image in the making; the next one takes its place under the same key."""

    blobKey: str
    blobUrl: str
    blobUrlExpirationDate: DateTime


class JobProgress(TypedDict):
    """How far a running job is: `step` of the `steps` of its current node, and the latest preview if there is one.

    The real service does not have this.

    `progress` (0 to 1) is of all samplers of the graph if they follow on one another, else of the node.
    """

    step: int
    steps: int
    progress: float
    node: str
    nodeType: NotRequired[str]
    preview: NotRequired[PreviewBlob]


class Running(TypedDict, total=False):
    """The member that a status has while the last event of the job reports steps."""

    progress: JobProgress


class JobStatus(TypedDict):
    """The status of a job: `job` is there if `detailed` asks for it, `serviceProviders` until the job ends.

    `progress` is there while the last event reports steps.

    `result` is an array with one entry for each image, the first entry alone (RESULT_FORMAT=object), or what a job
    type without images came to.
    """

    job: NotRequired[Job]
    jobId: str
    cost: float
    properties: Members
    result: Sequence[ImageResult] | Members
    lastEvent: JobEvent
    progress: NotRequired[JobProgress]
    serviceProviders: NotRequired[Mapping[str, ProviderJobStatus]]
    scheduled: bool


class BatchCharacter(TypedDict, total=False):
    """Who is drawn in all panels of a batch: the description comes before each prompt text."""

    description: str
    seed: int


class JobBatch(TypedDict, total=False):
    """What templates get that do not say it; the real service does not have this.

    Their `properties` get the `id` as `batchId`, and `panelIndex`, their place in the list. Those without a seed of
    their own have one seed in common: that of the batch, else that of its character, else one that is drawn.
    """

    id: Annotated[str, Field(min_length=1, max_length=100)]
    style: str
    seed: Annotated[int, Field(ge=-1, le=2**32 - 1)]
    character: str | BatchCharacter


class JobTemplateList(TypedDict):
    """Several templates in one request: all are accepted or none."""

    jobs: Annotated[Sequence[AnyJobRequest], Field(min_length=1)]
    batch: NotRequired[JobBatch]


class JobStatusCollection(TypedDict):
    """The jobs of a token; `whatif` has no token, and for older clients a request with one job has its `jobId`."""

    token: NotRequired[str]
    jobs: Sequence[JobStatus]
    jobId: NotRequired[str]


class QueryJobsResult(TypedDict):
    """One page of jobs; `cursor` leads to the next page, if there is one."""

    cursor: NotRequired[str]
    jobs: Sequence[JobStatus]


class TaintJobsResult(TypedDict):
    """How many jobs were tainted."""

    jobs: int


class ProviderAssetAvailability(TypedDict):
    """Whether a resource can be used, and how many workers have it."""

    availability: Availability
    workers: int


class ConsumptionDetails(TypedDict):
    """What was spent; the dates are there if they were given."""

    images: int
    totalCost: float
    startDate: NotRequired[DateTime]
    endDate: NotRequired[DateTime]


class RequestCursor(TypedDict):
    """Where the next page begins: its `cursor` is `nextId`."""

    nextDateTime: DateTime
    nextId: str


class RequestedJob(TypedDict):
    """One job of a past request."""

    job: Job
    lastEvent: JobEvent


class PastRequest(TypedDict):
    """The jobs that were submitted together."""

    dateTime: DateTime
    jobs: Sequence[RequestedJob]


class RequestsResult(TypedDict):
    """The consumer's requests, the youngest first; `cursor` is there if there are more."""

    cursor: NotRequired[RequestCursor]
    requests: Sequence[PastRequest]


class InsufficientBuzz(TypedDict):
    """The whole answer to a consumer whose balance is too small; every other error is a problem document."""

    error: Literal["Insufficient Buzz"]
