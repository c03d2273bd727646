"""What the API can ask of the rest."""

from dataclasses import dataclass

from civitai_mock.ports import BlobStore, Clock
from civitai_mock.services.availability import GetCoverage, GetHealth, GetJobSupport
from civitai_mock.services.blob_urls import BlobUrls, OwnBlobs
from civitai_mock.services.cancel import CancelJobs
from civitai_mock.services.consumers import GetConsumption
from civitai_mock.services.query import ListRequests, QueryJobs, SearchJobs
from civitai_mock.services.queue_position import GetQueuePositions
from civitai_mock.services.resources import ManageResources
from civitai_mock.services.submit import SubmitJobs
from civitai_mock.services.taint import TaintJobs
from civitai_mock.services.wait import WaitForJobs


@dataclass(frozen=True, slots=True, kw_only=True)
class UseCases:
    """The use cases of one namespace, on stores that are open."""

    submit: SubmitJobs
    query: QueryJobs
    search: SearchJobs
    cancel: CancelJobs
    wait: WaitForJobs
    queue: GetQueuePositions
    support: GetJobSupport
    taint: TaintJobs
    history: ListRequests
    coverage: GetCoverage
    consumption: GetConsumption
    resources: ManageResources
    blob_urls: BlobUrls
    own_blobs: OwnBlobs
    blobs: BlobStore
    health: GetHealth
    clock: Clock
    provider_name: str
