"""What the API can ask of the rest; the lifespan puts it into `app.state.use_cases`."""

from dataclasses import dataclass

from civitai_mock.ports import BlobStore, Clock, StoreHealth
from civitai_mock.services.blobs import BlobUrls, FetchBlob
from civitai_mock.services.cancel import CancelJobs
from civitai_mock.services.query import QueryJobs
from civitai_mock.services.resources import ManageResources
from civitai_mock.services.submit import SubmitJobs


@dataclass(frozen=True, slots=True, kw_only=True)
class UseCases:
    """Made once for a process, of open stores."""

    submit: SubmitJobs
    query: QueryJobs
    cancel: CancelJobs
    resources: ManageResources
    blob_urls: BlobUrls
    fetch_blob: FetchBlob
    blobs: BlobStore
    health: StoreHealth
    clock: Clock
    provider_name: str
