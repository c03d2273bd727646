"""What v1 answers with. Names are the official ones; members stand in the order of real answers.

A member that may be missing is left out, never null.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, NotRequired, TypeAlias

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from civitai_mock.domain.stages import JobEventType
from civitai_mock.generation.job_types import AnyJobRequest
from civitai_mock.services.availability import Availability, JobSupport

Members: TypeAlias = Mapping[str, object]
DateTime: TypeAlias = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
TimeSpan: TypeAlias = Annotated[str, Field(json_schema_extra={"examples": ["00:00:12.0816066"]})]


class JobSlot(TypedDict):
    """Where one image of a job goes."""

    imageHash: str
    destinationUrl: str


class PromptClassification(TypedDict):
    scan: bool
    sexual: bool
    cr: bool
    young: bool


@with_config(ConfigDict(extra="allow"))
class Job(TypedDict):
    """The job itself; what else it has depends on its type. `taint` is what a consumer found wrong with it."""

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
    """What a result has once its blob is there."""

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
    """What the result of a drawn image has."""

    seed: int


class Holder(TypedDict, total=False):
    """What an event has once the job was claimed."""

    provider: str
    workerId: str


class ClaimTime(TypedDict, total=False):
    """Likewise."""

    claimDuration: TimeSpan


class JobEvent(TypedDict):
    """`provider`, `workerId` and `claimDuration` are there once the job was claimed."""

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
    """`throughputRate` is in jobs per second, over the last five minutes."""

    precedingJobs: int
    precedingCost: float
    throughputRate: float
    estimatedStartDuration: TimeSpan
    estimatedStartDate: DateTime


class ProviderJobStatus(TypedDict):
    """`queuePosition` is there until the job is claimed."""

    support: JobSupport
    queuePosition: NotRequired[ProviderJobQueuePosition]


class Queued(TypedDict, total=False):
    """What a provider's status has until the job is claimed."""

    queuePosition: ProviderJobQueuePosition


class Detail(TypedDict, total=False):
    """What a job has when it is asked for."""

    job: Job


class Support(TypedDict, total=False):
    """What a job has until it ends."""

    serviceProviders: Mapping[str, ProviderJobStatus]


class PreviewBlob(TypedDict):
    """A sketch of the image in the making; the next one takes its place under the same key."""

    blobKey: str
    blobUrl: str
    blobUrlExpirationDate: DateTime


class JobProgress(TypedDict):
    """An addition of ours: `step` of the `steps` of the node that is at work, and the latest preview if there is one.

    `progress` (0 to 1) is of all samplers of the graph if they follow on one another, else of the node.
    """

    step: int
    steps: int
    progress: float
    node: str
    nodeType: NotRequired[str]
    preview: NotRequired[PreviewBlob]


class Running(TypedDict, total=False):
    """What a job has while its last event tells of steps."""

    progress: JobProgress


class JobStatus(TypedDict):
    """`job` is there when asked for (`detailed`), `serviceProviders` until the job ends.

    `progress` is there while the last event tells of steps.

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


class JobTemplateList(TypedDict):
    """Several templates in one request: all are taken or none."""

    jobs: Annotated[Sequence[AnyJobRequest], Field(min_length=1)]


class JobStatusCollection(TypedDict):
    """`jobId` is there in the answer to a request with one job, for older clients; `token` is not if `whatif`."""

    token: NotRequired[str]
    jobs: Sequence[JobStatus]
    jobId: NotRequired[str]


class QueryJobsResult(TypedDict):
    """`cursor` leads to the next page, where there is one."""

    cursor: NotRequired[str]
    jobs: Sequence[JobStatus]


class TaintJobsResult(TypedDict):
    """How many jobs there were."""

    jobs: int


class ProviderAssetAvailability(TypedDict):
    availability: Availability
    workers: int


class ConsumptionDetails(TypedDict):
    """The dates are there as they were asked for."""

    images: int
    totalCost: float
    startDate: NotRequired[DateTime]
    endDate: NotRequired[DateTime]


class RequestCursor(TypedDict):
    """`nextId` is the `cursor` that leads to the next page."""

    nextDateTime: DateTime
    nextId: str


class RequestedJob(TypedDict):
    job: Job
    lastEvent: JobEvent


class PastRequest(TypedDict):
    dateTime: DateTime
    jobs: Sequence[RequestedJob]


class RequestsResult(TypedDict):
    """The consumer's requests, the youngest first; `cursor` is there where there are more."""

    cursor: NotRequired[RequestCursor]
    requests: Sequence[PastRequest]


class InsufficientBuzz(TypedDict):
    """The whole answer to a consumer whose balance is too small; every other error is a problem document."""

    error: Literal["Insufficient Buzz"]


CONSUMER = "/v1/consumer"
JOBS_PATH = CONSUMER + "/jobs"
JOB_PATH = JOBS_PATH + "/{jobId}"
TAG = "Jobs"
READ_PROBLEMS = (400, 401, 429)
BODY_PROBLEMS = (*READ_PROBLEMS, 408, 413, 415)
